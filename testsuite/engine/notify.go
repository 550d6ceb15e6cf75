package engine

import (
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

var notifyTests = []test{
	{"asked_for", notifyAskedFor},
	{"not_asked_for", notifyNotAskedFor},
	{"of_an_exception", notifyOfException},
}

const offAEXNotify = 160 // of the word of GPRSGX that holds AEXNOTIFY, in its last byte

// notified loads an enclave whose threads may ask for notification, and whose
// handler counts entries, drops the frame, and continues by hand.
func notified(t *testing.T, m *machine) (*enclave, *thread, cpu.Buffer) {
	t.Helper()
	if m.p.Attributes()&isa.AttrAEXNotify == 0 {
		t.Skip("this processor has no AEX-Notify")
	}
	e := m.load(t, &probe{
		attributes: isa.AttrAEXNotify, tcsFlags: isa.TCSAEXNotify, frames: 3,
		routines: []routine{spin, ok, {"raise", func(a *asm.Assembler) { a.Ud2() }}, {"handler", func(a *asm.Assembler) {
			a.Mov(data(dataOut), asm.RAX) // CSSA
			a.Inc(data(dataOut + 8))
			a.Mov(data(dataOut+16), asm.RSP)
			a.Mov(asm.RAX, asm.In(asm.GS, 0))
			a.Mov(data(dataOut+24), asm.RAX)
			a.Mov(asm.EAX, asm.Imm(isa.EDECCSSA))
			a.Enclu()
			a.Mov(asm.RDX, asm.Imm(0x4071F7))
			a.Jmp("exit")
		}}},
	})
	e.handle(t, "handler")
	e.poke(t, (tcsPage+tdPage)*isa.PageSize, 0x65)
	return e, e.thread(t, 0), m.buffer(t, isa.PageSize)
}

// ask sets or clears AEXNOTIFY in frame 0, as the enclave would.
func (th *thread) ask(t *testing.T, on uint64) {
	t.Helper()
	off := th.frame(1) - isa.GPRSGXSize + offAEXNotify
	th.e.poke(t, off, th.e.peek(t, off)&^(0xFF<<56)|on<<56)
}

// interruptOnce makes the spinning routine leave by an AEX.
func interruptOnce(t *testing.T, th *thread, out cpu.Buffer) {
	t.Helper()
	go func() {
		for load32(out, 0) == 0 {
			time.Sleep(10 * time.Microsecond)
		}
		th.Interrupt()
	}()
	if _, exit := th.enter(t, "spin", out.Addr()); exit.Kind != cpu.ExitInterrupt {
		t.Fatal(describe(&exit))
	}
}

func notifyAskedFor(t *testing.T, m *machine) {
	e, th, out := notified(t, m)
	th.ask(t, 1)
	interruptOnce(t, th, out)
	if g := th.gpr(t, 0); g.AEXNotify != 1 {
		t.Errorf("the AEX wrote AEXNOTIFY: %d", g.AEXNotify)
	}
	r, exit := th.resume(t)
	if exit.Kind != cpu.ExitEEXIT || r.RDX != 0x4071F7 {
		t.Fatalf("%s, RDX %#x", describe(&exit), r.RDX)
	}
	if cssa, n, sp, td := e.out(t, 0), e.out(t, 1), e.out(t, 2), e.out(t, 3); cssa != 1 || n != 1 || sp != th.stack || td != 0x65 {
		t.Errorf("the handler was entered %d times, with CSSA %d, RSP %#x, GS:0 %#x", n, cssa, sp, td)
	}
	if th.cssa(t) != 0 {
		t.Error("CSSA is not zero after EDECCSSA")
	}
	th.call(t, "ok")
}

func notifyNotAskedFor(t *testing.T, m *machine) {
	e, th, out := notified(t, m)
	th.ask(t, 0)
	interruptOnce(t, th, out)
	before := load32(out, 0)
	go func() {
		for load32(out, 0) == before {
			time.Sleep(10 * time.Microsecond)
		}
		th.Interrupt()
	}()
	if _, exit := th.resume(t); exit.Kind != cpu.ExitInterrupt {
		t.Fatal(describe(&exit))
	}
	if n := e.out(t, 1); n != 0 {
		t.Errorf("the handler was entered %d times", n)
	}
}

func notifyOfException(t *testing.T, m *machine) {
	e, th, _ := notified(t, m)
	th.ask(t, 1)
	if _, exit := th.enter(t, "raise"); exit.Vector != isa.VectorUD {
		t.Fatal(describe(&exit))
	}
	if r, exit := th.resume(t); exit.Kind != cpu.ExitEEXIT || r.RDX != 0x4071F7 || e.out(t, 0) != 1 {
		t.Errorf("%s, RDX %#x", describe(&exit), r.RDX)
	}
}
