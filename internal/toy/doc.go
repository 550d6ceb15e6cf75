// Package toy builds the project's own small enclaves: real, signed,
// hardware-mode enclaves in Intel's file format (Build) and as SGX streams
// (BuildSGXS), made of code that package asm assembles. Tests, benchmarks and
// the demo run them where a third party's enclave would prove nothing or may
// not be shipped.
//
// It is not a runtime to build on. Toy enclaves trust their host: Peek, Poke
// and Copy hand it the whole enclave, and no pointer is checked.
//
// # Contract
//
// An enclave of Build obeys the entry contract of the Intel SDK. EENTER takes
// the command in RDI, its argument in RSI, CSSA in RAX (from the processor)
// and the return address in RCX. EEXIT has RAX=4, RBX the return address, RSP
// and RBP as they were at EENTER, and RDI=-1 with a status in RSI when the
// call is finished, or RDI the index and RSI the block of an OCALL; all other
// general-purpose registers are zero.
//
//	RDI   CSSA  does
//	>= 0  0     the ECALL of that index, RSI its block; 0x1001 if there is none
//	-1    0     INIT: records RSI, returns 0
//	-2    0     ORET: continues the last OCALL of the thread with status RSI
//	-3    1     EXCEPT: recovers if the ECALL armed that, else 0x1006
//	else        status 1
//
// An exception that nothing recovers, and a status of 1, crash the enclave for
// good: every later ECALL returns 0x1006. ECALLs may be nested in OCALLs.
//
// # Layout
//
// In ascending order, in pages:
//
//	R      ELF header, .dynsym, .dynstr, .rodata     measured
//	RX     .text                                     measured
//	RW     .dynamic, .data, .bss (with the scratch)  measured
//	RW     heap                                      added, not measured
//	-      guard 16         | once for each thread:
//	RW     stack, 0xCC      | its top is TCS-0x10000
//	-      guard 16         |
//	TCS    1                |
//	RW     SSA, 2 frames    | directly after the TCS
//	-      guard 16         |
//	RW     thread data 1    | FS and GS base
//	RW     reserved memory                           added, not measured
//	-      guard up to the enclave's size, a power of two
//
// Offsets in the thread data page are the td constants of runtime.go; only
// the first word, the page's own address, is of interest outside.
package toy
