package engine

import (
	"runtime"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

// EENTER sets XCR0 to XFRM, and what leaves the enclave puts it back (SDM
// Vol. 3D, "Processor Extended States and ENCLS[ECREATE]"). So instructions of
// the XSAVE family see the components of XFRM, whatever their mask, and the
// host's other components are not in use.
var xsaveTests = []test{
	{"XSAVEC_and_state_of_the_host", xsavecHostState},
	{"XSAVEC_in_a_later_page", xsavecLaterPage},
	{"wide_mask_at_the_end_of_memory", wideMaskFits},
	{"wide_mask_of_the_SDK", wideMaskSDK},
	{"wide_mask_beyond_memory", wideMaskFaults},
	{"wide_mask_stepped_after_opt_in", wideMaskStepped},
}

// The XSAVE family, on [RSI] with 64-bit operands.
var (
	xsave    = []byte{0x48, 0x0F, 0xAE, 0x26}
	xsaveopt = []byte{0x48, 0x0F, 0xAE, 0x36}
	xsavec   = []byte{0x48, 0x0F, 0xC7, 0x26}
	xrstor   = []byte{0x48, 0x0F, 0xAE, 0x2E}
)

// wide executes an instruction of the XSAVE family at RSI with a mask of all
// ones, as the trusted runtime of Intel's SDK does, and hands out registers.
func wide(name string, inst []byte) routine {
	return routine{name, func(a *asm.Assembler) {
		a.Mov(asm.RAX, asm.Imm(-1))
		a.Mov(asm.RDX, asm.Imm(-1))
		a.Label(name + "_at")
		a.Data(inst...)
		a.Pushfq()
		a.Pop(data(dataOut + 8*2))
		a.Mov(data(dataOut), asm.RAX)
		a.Mov(data(dataOut+8), asm.RDX)
		a.Jmp("exit")
	}}
}

// narrowXFRM is an XFRM with less than the processor has.
func narrowXFRM(t *testing.T, m *machine) isa.XFRM {
	t.Helper()
	x := isa.XFRMLegacy
	if m.p.XFRM()&isa.XFRMOpmask != 0 {
		x |= isa.XFRMAVX
	}
	if m.p.XFRM() == x {
		t.Skip("this processor has no state beyond x87 and SSE")
	}
	return x
}

// compactSize is the size of the compacted format of x, for what narrowXFRM
// returns.
func compactSize(x isa.XFRM) uint64 {
	if x&isa.XFRMAVX != 0 {
		return 832
	}
	return 576
}

// skipUD skips if an instruction is not there.
func skipUD(t *testing.T, exit *cpu.Exit) {
	t.Helper()
	if exit.Kind == cpu.ExitException && exit.Vector == isa.VectorUD {
		t.Skip("this processor does not have the instruction")
	}
}

// xsavecHostState looks at what an XSAVEC of the enclave's code writes.
func xsavecHostState(t *testing.T, m *machine) {
	e := m.load(t, &probe{xfrm: narrowXFRM(t, m), noRWX: true, routines: []routine{wide("xsavec", xsavec)}})
	e.thread(t, 0).savesOwn(t, "xsavec")
}

// xsavecLaterPage is the same for an XSAVEC that is not there at EINIT, in a
// page that becomes executable afterwards.
func xsavecLaterPage(t *testing.T, m *machine) {
	e := m.load(t, &probe{xfrm: narrowXFRM(t, m), noRWX: true, routines: []routine{leaf, {"later", func(a *asm.Assembler) {
		a.Mov(asm.R12, asm.RBX)
		a.Lea(asm.RBX, asm.At("saved"))
		a.Mov(asm.RAX, asm.Imm(-1))
		a.Mov(asm.RDX, asm.Imm(-1))
		a.Lea(asm.R8, asm.Mem{Label: "data", Disp: (sparePage - dataPage) * isa.PageSize})
		a.JmpTo(asm.R8)
		a.Label("saved")
		a.Mov(asm.RBX, asm.R12)
		a.Jmp("exit")
	}}}})
	th := e.thread(t, 0)
	th.newPage(t, sparePage)
	code := append(append([]byte{}, xsavec...), 0xFF, 0xE3, 0, 0) // jmp rbx
	e.write(t, sparePage*isa.PageSize, code)
	th.secInfo(t, reg(permRX))
	th.leaf(t, isa.EMODPE, e.scratch(0), e.page(sparePage), 0)
	th.savesOwn(t, "later")
}

// savesOwn leaves state in every component, as a host may, enters an enclave
// with fewer by a routine that executes XSAVEC, and looks at what that wrote.
func (th *thread) savesOwn(t *testing.T, name string) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	e, m := th.e, th.e.m
	all, xfrm := m.p.XFRM(), e.probe.xfrm
	host := m.load(t, &probe{routines: []routine{{"fill", func(a *asm.Assembler) {
		a.Mov(asm.EAX, asm.Imm(uint32(all)))
		a.Mov(asm.EDX, asm.Imm(uint32(all>>32)))
		a.Lea(asm.RSI, data(dataXSaveIn))
		a.Data(xrstor...)
		a.Jmp("exit")
	}}}})
	host.write(t, dataPage*isa.PageSize+dataXSaveIn, xsavePattern(m.p.XSave(), all))
	fill := host.thread(t, 0)
	const area = dataPage*isa.PageSize + dataXSave
	size := compactSize(xfrm)
	for range 5 {
		for off := size; off < isa.PageSize; off += 8 {
			e.poke(t, area+off, marker)
		}
		fill.call(t, "fill")
		_, exit := th.enter(t, name, e.base+area)
		skipUD(t, &exit)
		if exit.Kind != cpu.ExitEEXIT {
			t.Fatal(describe(&exit))
		}
		if bv := isa.XFRM(e.peek(t, area+isa.XSaveLegacySize)); bv&^xfrm != 0 {
			t.Errorf("components %#x are in use with an XFRM of %#x", uint64(bv), uint64(xfrm))
		}
		for off := size; off < isa.PageSize; off += 8 {
			if got := e.peek(t, area+off); got != marker {
				t.Fatalf("XSAVEC has written %#x %d bytes behind its area", got, off-size)
			}
		}
	}
	hostWorks(t)
}

// narrow loads a probe with less XFRM than the processor has, and the family.
func narrow(t *testing.T, m *machine) *enclave {
	t.Helper()
	return m.load(t, &probe{xfrm: narrowXFRM(t, m), routines: []routine{
		wide("xsave", xsave), wide("xsaveopt", xsaveopt), wide("xsavec", xsavec), wide("xrstor", xrstor),
	}})
}

// wideMaskFits gives each instruction just the room that XFRM takes, at the
// end of what is mapped.
func wideMaskFits(t *testing.T, m *machine) {
	for _, inst := range []string{"xsave", "xsaveopt", "xsavec"} {
		t.Run(inst, func(t *testing.T) {
			e := narrow(t, m)
			th, xfrm := e.thread(t, 0), e.probe.xfrm
			layout := m.p.XSave()
			size := uint64(layout.Size(xfrm)) // no different from compactSize
			area := (dataPage+dataPages)*isa.PageSize - size
			for _, name := range []string{inst, "xrstor", inst} {
				_, exit := th.enter(t, name, e.base+area)
				skipUD(t, &exit)
				if exit.Kind != cpu.ExitEEXIT {
					t.Fatalf("%s: %s", name, describe(&exit))
				}
				if a, d := e.out(t, 0), e.out(t, 1); a != ^uint64(0) || d != ^uint64(0) {
					t.Errorf("%s changed RAX and RDX to %#x and %#x", name, a, d)
				}
				if f := e.out(t, 2); f&isa.FlagTF != 0 {
					t.Errorf("%s left RFLAGS %#x", name, f)
				}
				if bv := isa.XFRM(e.peek(t, area+isa.XSaveLegacySize)); bv&^xfrm != 0 || bv&isa.XFRMSSE == 0 {
					t.Errorf("%s: XSTATE_BV is %#x", name, uint64(bv))
				}
			}
		})
	}
}

// wideMaskSDK is wideMaskFits for the code of the trusted runtime of older
// releases of Intel's SDK, which an engine may know.
func wideMaskSDK(t *testing.T, m *machine) {
	xfrm := narrowXFRM(t, m)
	e := m.load(t, &probe{xfrm: xfrm, routines: []routine{{"save", func(a *asm.Assembler) {
		a.Mov(asm.RCX, asm.RSI)
		a.Lea(asm.RSP, data(dataScratch))
		a.Call("save_all")
		a.Jmp("exit")
		a.Func("save_all")
		a.Mov(asm.EAX, asm.Imm(0xFFFF_FFFF))
		a.Mov(asm.EDX, asm.Imm(0xFFFF_FFFF))
		a.Data(0x48, 0x0F, 0xC7, 0x21) // xsavec64 [rcx]
		a.Data(0xEB, 4, 0x48, 0x0F, 0xAE, 0x01, 0xC3)
	}}}})
	th, end := e.thread(t, 0), (dataPage+dataPages)*isa.PageSize-compactSize(xfrm)
	for i, area := range []uint64{dataPage*isa.PageSize + dataXSave, end, end, dataPage*isa.PageSize + dataXSave} {
		e.poke(t, area+isa.XSaveLegacySize, 0)
		_, exit := th.enter(t, "save", e.base+area)
		skipUD(t, &exit)
		if exit.Kind != cpu.ExitEEXIT {
			t.Fatal(describe(&exit))
		}
		if bv := isa.XFRM(e.peek(t, area+isa.XSaveLegacySize)); bv&^xfrm != 0 || bv&isa.XFRMSSE == 0 {
			t.Errorf("XSTATE_BV is %#x", uint64(bv))
		}
		// An engine that cannot set XCR0 may learn from the first fault.
		if bv := e.peek(t, area+isa.XSaveLegacySize+8); i > 0 && bv != 1<<63|uint64(xfrm) {
			t.Errorf("XCOMP_BV is %#x", bv)
		}
	}
}

// wideMaskFaults gives too little room even for XFRM: the #PF is the
// enclave's own, with its registers.
func wideMaskFaults(t *testing.T, m *machine) {
	e := narrow(t, m)
	th := e.thread(t, 0)
	const end = (dataPage + dataPages) * isa.PageSize
	for _, inst := range []string{"xsave", "xsavec", "xrstor"} {
		_, exit := th.enter(t, inst, e.base+end-512)
		skipUD(t, &exit)
		if exit.Kind != cpu.ExitException || exit.Vector != isa.VectorPF || exit.Addr != e.base+end {
			t.Fatalf("%s: %s, address %#x", inst, describe(&exit), exit.Addr)
		}
		g := th.gpr(t, 0)
		if g.RIP != e.at(t, inst+"_at") || g.RAX != ^uint64(0) || g.RDX != ^uint64(0) || g.RFLAGS&isa.FlagTF != 0 {
			t.Errorf("%s: RIP %#x, RAX %#x, RDX %#x, RFLAGS %#x", inst, g.RIP, g.RAX, g.RDX, g.RFLAGS)
		}
		th.drop(t)
	}
}

// wideMaskStepped is wideMaskFits for a thread that a debugger steps through:
// the #DB after the instruction is there, once, and with its registers.
func wideMaskStepped(t *testing.T, m *machine) {
	xfrm := narrowXFRM(t, m)
	e := m.load(t, &probe{xfrm: xfrm, routines: []routine{{"step", func(a *asm.Assembler) {
		a.Mov(asm.RAX, asm.Imm(-1))
		a.Mov(asm.RDX, asm.Imm(-1))
		setTF(a)
		a.Data(xsavec...)
		a.Label("after")
		a.Ud2()
	}}}})
	must(t, m.p.EDBGWR(e.pa(t, tcsPage*isa.PageSize)+8, uint64(isa.TCSDbgOptIn)))
	th := e.thread(t, 0)
	_, exit := th.enter(t, "step", e.page(dataPage+dataPages)-compactSize(xfrm))
	skipUD(t, &exit)
	if exit.Kind != cpu.ExitException || exit.Vector != isa.VectorDB {
		t.Fatal(describe(&exit))
	}
	g := th.gpr(t, 0)
	if g.RIP != e.at(t, "after") || g.RAX != ^uint64(0) || g.RDX != ^uint64(0) {
		t.Errorf("RIP %#x, RAX %#x, RDX %#x, RFLAGS %#x", g.RIP, g.RAX, g.RDX, g.RFLAGS)
	}
}
