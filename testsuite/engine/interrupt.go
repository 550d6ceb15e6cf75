package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

var interruptTests = []test{
	{"spinning", interruptSpinning},
	{"at_any_moment", interruptAtAnyMoment},
	{"outside", interruptOutside},
	{"deadline", interruptDeadline},
	{"cancelled_before", cancelledBefore},
	{"while_resuming", interruptWhileResuming},
}

// spin never ends; count is a word outside that grows as it runs.
var spin = routine{"spin", func(a *asm.Assembler) {
	a.Label("spin_next")
	a.Inc(asm.Ptr(asm.RSI, 0))
	a.JmpShort("spin_next")
}}

// forever never ends, in a loop of a single instruction.
var forever = routine{"forever", func(a *asm.Assembler) {
	a.Label("forever_next")
	a.JmpShort("forever_next")
}}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !cond(); time.Sleep(20 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func interruptSpinning(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{spin, ok}})
	th, out := e.thread(t, 0), m.buffer(t, isa.PageSize)
	go func() {
		for load32(out, 0) == 0 {
			time.Sleep(10 * time.Microsecond)
		}
		th.Interrupt()
	}()
	if _, exit := th.enter(t, "spin", out.Addr()); exit.Kind != cpu.ExitInterrupt || exit.Detail == nil {
		t.Fatal(describe(&exit))
	}
	if th.cssa(t) != 1 {
		t.Error("no frame is in use")
	}
	// It goes on where it was.
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
	th.drop(t)
	th.call(t, "ok")
}

// interruptAtAnyMoment looks for the moment at which an interrupt is lost.
func interruptAtAnyMoment(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{forever}})
	th := e.thread(t, 0)
	rounds := 3000
	if testing.Short() {
		rounds = 100
	}
	start := make(chan int)
	defer close(start)
	go func() {
		for n := range start {
			for i := range n {
				sink[i%512]++
			}
			th.Interrupt()
		}
	}()
	for i := range rounds {
		start <- i * 7 % 1999
		exit := th.run(t, th.regs("forever"))
		if exit.Kind != cpu.ExitInterrupt {
			t.Fatal(describe(&exit))
		}
		for { // to drop the frame; a late interrupt may come in between
			r := th.regs("")
			if exit := th.run(t, r); exit.Kind == cpu.ExitEEXIT {
				break
			}
			r.RAX = uint64(isa.ERESUME)
			if exit := th.run(t, r); exit.Kind != cpu.ExitEEXIT {
				t.Fatal(describe(&exit))
			}
			break
		}
	}
}

// interruptOutside interrupts a thread that is not inside: the next run may
// be cut short, and goes on by ERESUME.
func interruptOutside(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{ok}})
	th := e.thread(t, 0)
	for range 50 {
		th.Interrupt()
		_, exit := th.enter(t, "ok")
		for n := 0; exit.Kind == cpu.ExitInterrupt; n++ {
			if n > 3 {
				t.Fatal("one interrupt counts several times")
			}
			_, exit = th.resume(t)
		}
		if exit.Kind != cpu.ExitEEXIT || th.cssa(t) != 0 {
			t.Fatal(describe(&exit))
		}
	}
}

func interruptDeadline(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{forever, ok}})
	th := e.thread(t, 0)
	for range 3 {
		const after = 20 * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), after)
		start := time.Now()
		exit, err := th.Run(ctx, th.regs("forever"))
		took := time.Since(start)
		cancel()
		if err != nil || exit.Kind != cpu.ExitInterrupt {
			t.Fatalf("%s, %v", describe(&exit), err)
		}
		if took < after || took > limit {
			t.Errorf("took %v", took)
		}
		th.drop(t)
	}
	th.call(t, "ok")
}

func cancelledBefore(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{ok}})
	th := e.thread(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := th.regs("ok")
	was := *r
	if _, err := th.Run(ctx, r); !errors.Is(err, context.Canceled) || *r != was {
		t.Errorf("%v, registers %+v", err, r)
	}
	if th.cssa(t) != 0 {
		t.Error("a frame is in use")
	}
	th.call(t, "ok")
}

// interruptWhileResuming resumes and interrupts as fast as it goes, while the
// enclave counts: it must make progress, and lose nothing.
func interruptWhileResuming(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{{"count", func(a *asm.Assembler) {
		a.Xor(asm.EAX, asm.EAX)
		a.Label("count_next")
		a.Inc(asm.RAX)
		a.Add(asm.RDX, asm.RAX)
		a.Cmp(asm.RAX, asm.RSI)
		a.Jcc(asm.NZ, "count_next")
		a.Jmp("exit")
	}}}})
	th := e.thread(t, 0)
	rounds := uint64(30_000_000)
	if testing.Short() {
		rounds = 3_000_000
	}
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				th.Interrupt()
				time.Sleep(50 * time.Microsecond)
			}
		}
	}()
	interrupts := 0
	r := th.regs("count", rounds, 5)
	for {
		exit := th.run(t, r)
		if exit.Kind == cpu.ExitEEXIT {
			break
		}
		if exit.Kind != cpu.ExitInterrupt {
			t.Fatal(describe(&exit))
		}
		interrupts++
		r = th.regs("")
		r.RAX = uint64(isa.ERESUME)
	}
	close(stop)
	<-stopped
	if want := rounds*(rounds+1)/2 + 5; r.RDX != want {
		t.Errorf("the sum is %d, want %d, after %d interrupts", r.RDX, want, interrupts)
	}
	t.Logf("%d interrupts", interrupts)
}
