// Package native is the engine that executes enclave code on the host's own
// processor, in-process, on linux/amd64. It registers itself as "native".
//
// How it works. The EPC is one sparse memfd; an enclave's linear range maps
// pages of it, with the permissions that the page tables and the EPCM allow
// together, so that the host's MMU does the EPCM's work. EENTER loads the
// enclave's registers and jumps; nothing else stands between the code and the
// CPU. What the code may not do by itself traps: ENCLU is an invalid opcode
// (SIGILL) or a general-protection fault (SIGSEGV) outside real enclaves, and
// a signal handler turns the trap into a return to Go, where package cpu
// performs the leaf. EEXIT sites are rewritten after the measurement into a
// jump of the same length, which makes an ECALL a matter of nanoseconds; the
// trap still serves every site that was not recognised. CPUID sites, which are
// #UD inside an enclave and would execute here, are rewritten to UD2. So are
// those of system calls where the kernel cannot be asked to catch them.
//
// Every signal handler of the process is wrapped, because Go code must not
// run while FS holds an enclave's base: the wrapper puts Go's back first. A
// signal that arrives while enclave code runs is an AEX, as an interrupt is
// on hardware.
//
// What it is not: protection. The host process can read and write enclave
// memory, and enclave code can read and write the process's.
//
// Locks: Engine.mu guards the lists of ranges and stub blocks; Range.mu guards
// a range's host mappings and rewritten sites. Neither is held while enclave
// code runs. Order: Range.mu, then the processor's lock or Engine.mu.
package native
