package engine

import (
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

var stateTests = []test{
	{"held_through_interrupts", heldThroughInterrupts},
	{"held_through_a_page_fault", heldThroughPageFault},
	{"held_through_leaves", heldThroughLeaves},
	{"frame_of_an_interrupt", frameOfInterrupt},
	{"changed_frame", changedFrame},
	{"bad_frame", badFrame},
	{"segment_bases", segmentBases},
	{"XFRM_of_less", lessXFRM},
}

// Words that the hold routine exchanges with the test, outside the enclave.
const (
	holdReady = 0 // set by the enclave once its registers hold the pattern
	holdStop  = 8 // set by the test
)

// hold loads every register, the flags and the whole extended state from
// data, runs during, and stores them again. RSI is a buffer outside, of
// which during finds the address in R15.
func hold(name string, xfrm isa.XFRM, during func(a *asm.Assembler)) routine {
	mask := func(a *asm.Assembler) {
		a.Mov(asm.EAX, asm.Imm(uint32(xfrm)))
		a.Mov(asm.EDX, asm.Imm(uint32(xfrm>>32)))
	}
	return routine{name, func(a *asm.Assembler) {
		a.Mov(data(dataOut+8*20), asm.RBX)
		a.Mov(data(dataOut+8*21), asm.RSP)
		a.Mov(asm.R15, asm.RSI)
		mask(a)
		a.Lea(asm.RCX, data(dataXSaveIn))
		a.Data(0x48, 0x0F, 0xAE, 0x29) // xrstor64 [rcx]
		a.Push(data(dataIn + 8*16))
		for i, r := range registers {
			if r != asm.RSP && r != asm.R15 {
				a.Mov(r, data(dataIn+8*int32(i)))
			}
		}
		a.Popfq()
		a.Data(0x41, 0xC7, 0x47, holdReady, 1, 0, 0, 0) // mov dword [r15+holdReady], 1
		a.Label(name + "_during")
		during(a)
		storeAll(a, dataOut)
		a.Cld()
		a.Push(asm.Imm(2))
		a.Popfq()
		mask(a)
		a.Lea(asm.RCX, data(dataXSave))
		a.Data(0x48, 0x0F, 0xAE, 0x21) // xsave64 [rcx]
		a.Mov(asm.RBX, data(dataOut+8*20))
		a.Jmp("exit")
	}}
}

// spinUntilStop spins until the test says so, and changes no register and no
// flag: the counter moves through RCX by JRCXZ.
func spinUntilStop(a *asm.Assembler) {
	a.Label("spin")
	a.Mov(asm.RCX, asm.Ptr(asm.R15, holdStop))
	a.Jrcxz("spin")
	a.Mov(asm.RCX, data(dataIn+8))
}

// A holder is a probe with a hold routine and what it must find again.
type holder struct {
	e     *enclave
	th    *thread
	flags uint64
	xsave []byte
	out   cpu.Buffer
}

func newHolder(t *testing.T, e *enclave, xfrm isa.XFRM, flags uint64) *holder {
	t.Helper()
	h := &holder{e: e, th: e.thread(t, 0), flags: flags, xsave: xsavePattern(e.m.p.XSave(), xfrm), out: e.m.buffer(t, isa.PageSize)}
	var in []uint64
	for i := range registers {
		in = append(in, pattern(i))
	}
	e.in(t, append(in, flags)...)
	e.write(t, dataPage*isa.PageSize+dataXSaveIn, h.xsave)
	e.write(t, dataPage*isa.PageSize+dataXSave, make([]byte, len(h.xsave)))
	return h
}

// check compares what the routine stored.
func (h *holder) check(t *testing.T) {
	t.Helper()
	for i, r := range registers {
		want := pattern(i)
		switch r {
		case asm.RSP:
			want = h.e.out(t, 21)
		case asm.R15:
			want = h.out.Addr()
		}
		if got := h.e.out(t, i); got != want {
			t.Errorf("register %d is %#x, was %#x", i, got, want)
		}
	}
	if got := h.e.out(t, 16); got != h.flags {
		t.Errorf("RFLAGS is %#x, was %#x", got, h.flags)
	}
	got := h.e.bytes(t, dataPage*isa.PageSize+dataXSave, uint64(len(h.xsave)))
	for i := range got {
		if i >= 28 && i < 32 || i >= 464 && i < 512 || i >= isa.XSaveLegacySize && i < isa.XSaveLegacySize+isa.XSaveHeaderSize {
			continue // MXCSR_MASK, what is available to software, and the header
		}
		if got[i] != h.xsave[i] {
			t.Fatalf("byte %d of the XSAVE area is %#x, was %#x", i, got[i], h.xsave[i])
		}
	}
}

// stop ends the spinning.
func (h *holder) stop() { h.out.Bytes()[holdStop] = 1 }

// xsavePattern is an XSAVE image in which every component has a value of its
// own and none that a processor would refuse or normalize.
func xsavePattern(l cpu.XSaveLayout, xfrm isa.XFRM) []byte {
	img := make([]byte, (l.Size(xfrm)+63)&^63)
	rng := rand.New(rand.NewPCG(1, 2))
	le.PutUint16(img[0:], 0x027F)  // FCW: double precision
	img[4] = 0xFF                  // abridged FTW: all in use
	le.PutUint32(img[24:], 0x1F80) // MXCSR
	for i := range 8 {             // ST0 to ST7: normal numbers
		le.PutUint64(img[32+16*i:], rng.Uint64()|1<<63)
		le.PutUint16(img[40+16*i:], 0x4000)
	}
	for i := 160; i < 416; i++ { // XMM0 to XMM15
		img[i] = byte(rng.Uint32())
	}
	bv := uint64(isa.XFRMLegacy)
	for i := 2; i < len(l); i++ {
		const plain = isa.XFRMAVX | isa.XFRMOpmask | isa.XFRMZMMHi256 | isa.XFRMHi16ZMM
		if xfrm&plain>>i&1 == 0 {
			continue
		}
		bv |= 1 << i
		for b := l[i].Offset; b < l[i].Offset+l[i].Size; b++ {
			img[b] = byte(rng.Uint32())
		}
	}
	le.PutUint64(img[isa.XSaveLegacySize:], bv)
	return img
}

// holdFlags are the flags held: all that ERESUME restores, one by one enough.
var holdFlags = []uint64{
	flagFixed | arithmetic, flagFixed | isa.FlagDF | isa.FlagCF, flagFixed | flagAC | isa.FlagZF, flagFixed | flagNT | isa.FlagSF,
}

func heldThroughInterrupts(t *testing.T, m *machine) {
	xfrm := m.p.XFRM()
	t.Logf("XFRM %#x: %d components", uint64(xfrm), bits.OnesCount64(uint64(xfrm)))
	for _, flags := range holdFlags {
		e := m.load(t, &probe{routines: []routine{hold("hold", xfrm, spinUntilStop)}})
		h := newHolder(t, e, xfrm, flags)
		r := h.th.regs("hold", h.out.Addr())
		for range 20 {
			done := make(chan struct{})
			go func() {
				defer close(done)
				for load32(h.out, holdReady) == 0 {
					time.Sleep(10 * time.Microsecond)
				}
				h.th.Interrupt()
			}()
			exit := h.th.run(t, r)
			<-done
			if exit.Kind != cpu.ExitInterrupt {
				t.Fatal(describe(&exit))
			}
			hostWorks(t)
			dirtyHost()
			r = h.th.regs("")
			r.RAX = uint64(isa.ERESUME)
		}
		h.stop()
		if exit := h.th.run(t, r); exit.Kind != cpu.ExitEEXIT {
			t.Fatal(describe(&exit))
		}
		h.check(t)
	}
}

// dirtyHost uses vector registers, so that what an engine leaves in them is
// gone.
func dirtyHost() {
	var a [512]byte
	for i := range a {
		a[i] = byte(i)
	}
	b := a
	sink = b
}

var sink [512]byte

func heldThroughPageFault(t *testing.T, m *machine) {
	xfrm := m.p.XFRM()
	e := m.load(t, &probe{threads: 2, routines: []routine{leaf, hold("hold", xfrm, func(a *asm.Assembler) {
		a.Label("touch")
		a.Mov(asm.Mem{Label: "data", Disp: (sparePage - dataPage) * isa.PageSize}, asm.R14)
	})}})
	h := newHolder(t, e, xfrm, flagFixed|arithmetic)
	page := e.augment(t, sparePage)
	if _, exit := h.th.enter(t, "hold", h.out.Addr()); exit.Kind != cpu.ExitException || exit.Vector != isa.VectorPF {
		t.Fatal(describe(&exit))
	}
	// Pending pages fault; accepted from another thread, the access goes on.
	for range 2 {
		if _, exit := h.th.resume(t); exit.Kind != cpu.ExitException || exit.ErrorCode&isa.PFSGX == 0 {
			t.Fatalf("a pending page: %s", describe(&exit))
		}
		if g := h.th.gpr(t, 0); g.RIP != e.at(t, "touch") {
			t.Fatalf("RIP is %#x", g.RIP)
		}
	}
	e.acceptByHand(t, page)
	if _, exit := h.th.resume(t); exit.Kind != cpu.ExitEEXIT {
		t.Fatal(describe(&exit))
	}
	h.check(t)
	if got := e.peek(t, sparePage*isa.PageSize); got != pattern(14) {
		t.Errorf("the page holds %#x", got)
	}
}

// heldThroughLeaves executes a leaf that changes RAX and flags only.
func heldThroughLeaves(t *testing.T, m *machine) {
	xfrm := m.p.XFRM()
	e := m.load(t, &probe{routines: []routine{hold("hold", xfrm, func(a *asm.Assembler) {
		a.Mov(data(dataOut+8*22), asm.RBX)
		a.Mov(data(dataOut+8*23), asm.RAX)
		a.Lea(asm.RBX, asm.At("scratch"))
		a.Mov(asm.RAX, asm.Imm(isa.EVERIFYREPORT2))
		a.Enclu()
		a.Mov(asm.RBX, data(dataOut+8*22))
		a.Mov(data(dataOut+8*24), asm.RAX)
		a.Mov(asm.RAX, data(dataOut+8*23))
	})}})
	h := newHolder(t, e, xfrm, flagFixed|isa.FlagZF)
	e.poke(t, dataPage*isa.PageSize+dataScratch, 0x55) // not a REPORT2
	if _, exit := h.th.enter(t, "hold", h.out.Addr()); exit.Kind != cpu.ExitEEXIT {
		t.Fatal(describe(&exit))
	}
	h.check(t)
	if got := isa.ErrorCode(e.out(t, 24)); got != isa.ErrInvalidReportMACStruct {
		t.Errorf("EVERIFYREPORT2 returned %v", got)
	}
}

// interrupted brings a holder to an AEX by an interrupt.
func interrupted(t *testing.T, m *machine) *holder {
	t.Helper()
	xfrm := m.p.XFRM()
	h := newHolder(t, m.load(t, &probe{routines: []routine{hold("hold", xfrm, spinUntilStop)}}), xfrm, flagFixed|arithmetic)
	go func() {
		for load32(h.out, holdReady) == 0 {
			time.Sleep(10 * time.Microsecond)
		}
		h.th.Interrupt()
	}()
	r, exit := h.th.enter(t, "hold", h.out.Addr())
	if exit.Kind != cpu.ExitInterrupt || r.RAX != uint64(isa.ERESUME) || r.RCX != aep || r.RIP != aep {
		t.Fatalf("%s, %+v", describe(&exit), r)
	}
	return h
}

func frameOfInterrupt(t *testing.T, m *machine) {
	h := interrupted(t, m)
	g := h.th.gpr(t, 0)
	if g.ExitInfo != 0 {
		t.Errorf("EXITINFO of an interrupt is %#x", g.ExitInfo)
	}
	if g.R14 != pattern(14) || g.RSI != pattern(6) || g.RFLAGS != h.flags {
		t.Errorf("frame %+v", g)
	}
	if lo, hi := h.e.at(t, "spin"), h.e.at(t, "spin")+16; g.RIP < lo || g.RIP > hi {
		t.Errorf("RIP %#x is not in the loop", g.RIP)
	}
	if td := h.e.page(tcsPage + tdPage); g.FSBase != td || g.GSBase != td {
		t.Errorf("FSBASE %#x, GSBASE %#x", g.FSBase, g.GSBase)
	}
	// The XSAVE area of the frame, in the standard format.
	area := h.e.bytes(t, h.th.frame(0), uint64(len(h.xsave)))
	want := le.Uint64(h.xsave[isa.XSaveLegacySize:])
	if bv := le.Uint64(area[isa.XSaveLegacySize:]); bv&want != want || bv&^uint64(m.p.XFRM()) != 0 {
		t.Errorf("XSTATE_BV %#x", bv)
	}
	if string(area[160:416]) != string(h.xsave[160:416]) || string(area[isa.XSaveLegacySize+isa.XSaveHeaderSize:]) != string(h.xsave[isa.XSaveLegacySize+isa.XSaveHeaderSize:]) {
		t.Error("vector registers in the frame differ")
	}
	h.stop()
	h.th.resume(t)
	h.check(t)
}

// changedFrame has somebody inside change the frame, as exception handlers do.
func changedFrame(t *testing.T, m *machine) {
	h := interrupted(t, m)
	gpr := h.th.frame(1) - isa.GPRSGXSize
	h.e.poke(t, gpr+isa.GPRSGXOffRIP, h.e.at(t, "exit"))
	h.e.poke(t, gpr+24, h.e.out(t, 20))                          // RBX
	h.e.poke(t, gpr+8*10, 0xABCD)                                // R10
	h.e.poke(t, gpr+128, ^uint64(0)&^flagAC&^uint64(isa.FlagTF)) // RFLAGS: IOPL, VM and reserved bits are not for the taking
	r, exit := h.th.resume(t)
	if exit.Kind != cpu.ExitEEXIT || r.R10 != 0xABCD {
		t.Fatalf("%s, R10 %#x", describe(&exit), r.R10)
	}
	if r.RFLAGS&(3<<12|1<<17) != 0 {
		t.Errorf("RFLAGS is %#x", r.RFLAGS)
	}
	hostWorks(t)
}

// badFrame has ERESUME refuse what cannot be loaded.
func badFrame(t *testing.T, m *machine) {
	h := interrupted(t, m)
	gpr, xsave := h.th.frame(1)-isa.GPRSGXSize, h.th.frame(0)
	for _, c := range []struct {
		name   string
		off, v uint64
	}{
		{"RIP not canonical", gpr + isa.GPRSGXOffRIP, nonCanonical},
		{"FSBASE not canonical", gpr + 168, nonCanonical},
		{"GSBASE not canonical", gpr + 176, nonCanonical},
		{"XSTATE_BV beyond XFRM", xsave + isa.XSaveLegacySize, 1 << 40},
		{"XCOMP_BV", xsave + isa.XSaveLegacySize + 8, 1 << 63},
		{"reserved header bytes", xsave + isa.XSaveLegacySize + 16, 1},
		{"reserved bits of MXCSR", xsave + 24, 0xFFFF_0000_0000 | 0x8001_1F80},
	} {
		was := h.e.peek(t, c.off)
		h.e.poke(t, c.off, c.v)
		r := h.th.regs("")
		r.RAX = uint64(isa.ERESUME)
		_, err := h.th.Run(t.Context(), r)
		if f := fault(t, err); f.Vector != isa.VectorGP || f.Leaf != "ERESUME" {
			t.Errorf("%s: %v", c.name, err)
		}
		h.e.poke(t, c.off, was)
	}
	h.stop()
	if _, exit := h.th.resume(t); exit.Kind != cpu.ExitEEXIT {
		t.Fatal(describe(&exit))
	}
	h.check(t)
}

// segmentBases has the enclave change FS and GS base by itself.
func segmentBases(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{{"bases", func(a *asm.Assembler) {
		a.Lea(asm.RAX, asm.At("data"))
		a.Mov(asm.R15, asm.RSI)
		a.Wrfsbase(asm.RAX)
		a.Add(asm.RAX, asm.Imm(64))
		a.Wrgsbase(asm.RAX)
		a.Mov(asm.Ptr(asm.R15, holdReady), asm.Imm(1))
		spinUntilStop(a)
		a.Rdfsbase(asm.RDX)
		a.Rdgsbase(asm.R8)
		a.Jmp("exit")
	}}, ok}})
	th, out := e.thread(t, 0), m.buffer(t, isa.PageSize)
	go func() {
		for load32(out, holdReady) == 0 {
			time.Sleep(10 * time.Microsecond)
		}
		th.Interrupt()
	}()
	r, exit := th.enter(t, "bases", out.Addr())
	if exit.Kind == cpu.ExitException && exit.Vector == isa.VectorUD {
		out.Bytes()[holdReady] = 1
		t.Skip("this host does not let programs write FS and GS base")
	}
	if exit.Kind != cpu.ExitInterrupt {
		t.Fatal(describe(&exit))
	}
	base := e.page(dataPage)
	if g := th.gpr(t, 0); g.FSBase != base || g.GSBase != base+64 {
		t.Errorf("FSBASE %#x, GSBASE %#x", g.FSBase, g.GSBase)
	}
	out.Bytes()[holdStop] = 1
	if r, exit = th.resume(t); exit.Kind != cpu.ExitEEXIT || r.RDX != base || r.R8 != base+64 {
		t.Errorf("%s, FS base %#x, GS base %#x", describe(&exit), r.RDX, r.R8)
	}
	th.call(t, "ok")
}

// lessXFRM is an enclave with less extended state than the processor: none
// of it is saved, and none may come back from a frame.
func lessXFRM(t *testing.T, m *machine) {
	const xfrm = isa.XFRMLegacy
	e := m.load(t, &probe{xfrm: xfrm, routines: []routine{hold("hold", xfrm, spinUntilStop)}})
	if e.frame != isa.PageSize {
		t.Fatalf("frame of %d bytes", e.frame)
	}
	h := newHolder(t, e, xfrm, flagFixed)
	go func() {
		for load32(h.out, holdReady) == 0 {
			time.Sleep(10 * time.Microsecond)
		}
		h.th.Interrupt()
	}()
	if _, exit := h.th.enter(t, "hold", h.out.Addr()); exit.Kind != cpu.ExitInterrupt {
		t.Fatal(describe(&exit))
	}
	if bv := h.e.peek(t, h.th.frame(0)+isa.XSaveLegacySize); bv&^uint64(xfrm) != 0 {
		t.Errorf("XSTATE_BV %#x", bv)
	}
	h.stop()
	if _, exit := h.th.resume(t); exit.Kind != cpu.ExitEEXIT {
		t.Fatal(describe(&exit))
	}
	h.check(t)
}
