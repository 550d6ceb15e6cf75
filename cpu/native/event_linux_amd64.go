package native

import (
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/isa"
	"golang.org/x/sys/unix"
)

// vectorOF is the overflow trap, which SGX knows nothing of.
const vectorOF isa.Vector = 4

// maxTrapno is the highest trap number that is an exception vector.
const maxTrapno = 31

// What tells signals apart where there is no trap number: si_code of a SIGSEGV
// without an address, and of a SIGFPE of an integer division.
const siKernel, fpeIntDiv = 0x80, 1

// Bits of the host's page-fault error code.
const hostPFWrite, hostPFFetch = 1 << 1, 1 << 4

// event turns the signal that the handler recorded into the exception that a
// processor with SGX would have raised, and a few words for people. Registers
// in the context are adjusted to the fault class where the host has a trap.
//
// An ENCLU is reported as #UD, however the host's silicon words it: it is an
// invalid opcode where SGX is unknown, a #GP where it is known and off, and a
// #PF for the leaves whose operand is looked at first.
//
// code is what is at RIP, as far as it is mapped.
func (t *thread) event(code []byte) (cpu.AEXEvent, string) {
	c := t.c
	ev := cpu.AEXEvent{Exception: true, Vector: vectorOf(c.signo, c.sicode, c.trapno), ErrorCode: uint32(c.err), Addr: c.cr2}
	if c.trapno > maxTrapno { // an emulator, which does not tell of fetches either
		ev.Addr = c.siaddr
		if ev.Vector == isa.VectorPF && ev.Addr == c.regs.RIP {
			ev.ErrorCode |= hostPFFetch
		}
	}
	inside := t.inside(c.regs.RIP)
	switch ev.Vector {
	case isa.VectorUD:
		if c.signo == uint32(unix.SIGSYS) {
			c.regs.RIP -= uint64(len(syscallInst))
			return ev, "SYSCALL is not allowed inside an enclave"
		}
		if t.r.rewritten(c.regs.RIP) {
			return illegalInstruction()
		}
		return ev, "invalid opcode"
	case isa.VectorGP:
		ev.Addr = 0
		if !inside {
			return ev, "jump out of the enclave"
		}
		if isEnclu(code) {
			return cpu.AEXEvent{Exception: true, Vector: isa.VectorUD}, "ENCLU"
		}
		if prohibited(code) {
			return illegalInstruction()
		}
		return ev, "general protection"
	case isa.VectorPF:
		if !inside {
			return cpu.AEXEvent{Exception: true, Vector: isa.VectorGP}, "jump out of the enclave"
		}
		if ev.ErrorCode&hostPFFetch == 0 && isEnclu(code) {
			return cpu.AEXEvent{Exception: true, Vector: isa.VectorUD}, "ENCLU"
		}
		ev.ErrorCode &= isa.PFPresent | isa.PFWrite | isa.PFUser | isa.PFFetch
		ev.ErrorCode |= isa.PFUser
		if c.signo == uint32(unix.SIGBUS) {
			return ev, "the host has no memory for the page"
		}
		return ev, "page fault"
	case isa.VectorBP: // a fault inside an enclave, a trap outside
		if b := t.r.code(c.regs.RIP-1, 1); len(b) == 1 && b[0] == int3Inst {
			c.regs.RIP--
			return ev, "breakpoint"
		}
		c.regs.RIP -= intLen // the long form of INT 3
		return illegalInstruction()
	case vectorOF: // INT 4, for there is no INTO in 64-bit mode
		c.regs.RIP -= intLen
		return illegalInstruction()
	}
	return ev, ev.Vector.String()
}

// illegalInstruction is the event of an instruction that the host executes, or
// refuses in another way, and an enclave may not.
func illegalInstruction() (cpu.AEXEvent, string) {
	return cpu.AEXEvent{Exception: true, Vector: isa.VectorUD}, "an instruction that is not allowed inside an enclave"
}

// vectorOf is the exception behind a synchronous signal.
func vectorOf(signo, sicode uint32, trapno uint64) isa.Vector {
	if signo == uint32(unix.SIGSYS) {
		return isa.VectorUD
	}
	if trapno <= maxTrapno {
		return isa.Vector(trapno)
	}
	switch unix.Signal(signo) {
	case unix.SIGSEGV:
		if sicode == siKernel {
			return isa.VectorGP
		}
	case unix.SIGILL:
		return isa.VectorUD
	case unix.SIGTRAP:
		return isa.VectorBP
	case unix.SIGFPE:
		if sicode == fpeIntDiv {
			return isa.VectorDE
		}
		return isa.VectorXM
	}
	return isa.VectorPF
}

// accessKind is the access that a page-fault error code speaks of.
func accessKind(errorCode uint32) cpu.AccessKind {
	switch {
	case errorCode&hostPFFetch != 0:
		return cpu.AccessFetch
	case errorCode&hostPFWrite != 0:
		return cpu.AccessWrite
	}
	return cpu.AccessRead
}
