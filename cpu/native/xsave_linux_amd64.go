package native

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/cpuid"
	"github.com/feidi-dev/feidi/isa"
	"golang.org/x/sys/unix"
)

// On hardware EENTER sets XCR0 to XFRM. A program cannot; here the host's XCR0
// stays, which may enable more, and two things make up for it. At entry the
// components outside XFRM go into their initial configuration, so that XSAVEC
// writes none of them; enclaves that certainly have no such instruction are
// spared the time. And an instruction of the XSAVE family whose mask
// exceeds XFRM, and which faults, is tried again with a mask that does not:
// by a single step, and where it is the SDK's also by rewriting the mask.

// xsaveLayout asks the host where the standard format of its XSAVE area keeps
// each component. It is asked once, at power-on, because CPUID may be trapped
// later.
func xsaveLayout() cpu.XSaveLayout {
	var l cpu.XSaveLayout
	for i := 2; i < len(l); i++ {
		if cpuid.XCR0()>>i&1 == 0 {
			continue
		}
		c := cpuid.Leaf(0xD, uint32(i))
		l[i] = cpu.XSaveComponent{Offset: c.EBX, Size: c.EAX}
	}
	return l
}

// makeInitialState sets up what enter needs to put components into their
// initial configuration: an area whose XSTATE_BV is zero. XRSTOR loads MXCSR
// with the AVX component all the same.
func makeInitialState() error {
	mem, err := unix.Mmap(-1, 0, xsaveSpace, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("native: no memory for an XSAVE area: %w", err)
	}
	binary.LittleEndian.PutUint32(mem[xsaveMXCSR:], hostMXCSR)
	initialState = uintptr(unsafe.Pointer(&mem[0]))
	const xgetbvECX1 = 1 << 2
	hasXInUse = cpuid.Leaf(0xD, 1).EAX&xgetbvECX1 != 0
	return nil
}

// xsaveMXCSR is the offset of MXCSR in the XSAVE area.
const xsaveMXCSR = 24

// A narrowed instruction is one of the XSAVE family that is executed with less
// of a mask than the enclave gave it, by a single step.
type narrowed struct {
	active        bool
	rip, rax, rdx uint64
	tf            uint64 // the enclave's trap flag
}

// narrow prepares the instruction that has raised a #PF for another try, if
// its mask has components that the host enables and XFRM does not: their part
// of the area may be what is not there.
func (t *thread) narrow(r *cpu.Regs, code []byte) bool {
	xfrm := uint64(t.lp.XFRM())
	if !isXSave(code) || (r.RDX<<32|r.RAX&(1<<32-1))&t.c.xmask&^xfrm == 0 {
		return false
	}
	t.r.narrowSite(r.RIP, xfrm)
	t.narrowed = narrowed{active: true, rip: r.RIP, rax: r.RAX, rdx: r.RDX, tf: r.RFLAGS & isa.FlagTF}
	r.RAX &= xfrm
	r.RDX &= xfrm >> 32
	r.RFLAGS |= isa.FlagTF
	return true
}

// widen gives the enclave its registers back after a narrowed instruction, or
// after an attempt at one. It reports whether that is all that there is to do.
func (t *thread) widen() bool {
	r, n := &t.c.regs, t.narrowed
	t.narrowed.active = false
	r.RAX, r.RDX = n.rax, n.rdx
	r.RFLAGS = r.RFLAGS&^isa.FlagTF | n.tf
	return r.RIP != n.rip && n.tf == 0 && t.c.trap == trapFault && t.c.signo == uint32(unix.SIGTRAP)
}
