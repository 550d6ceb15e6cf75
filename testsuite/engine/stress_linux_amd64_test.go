package engine

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

// stressTime is how long TestStress takes: FEIDI_STRESS, or a moment.
func stressTime(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv("FEIDI_STRESS")
	if s == "" {
		return 2 * time.Second
	}
	d, err := time.ParseDuration(s)
	must(t, err)
	return d
}

// TestStress runs threads of two enclaves through all ways in and out while
// the collector, a profiler at 1 kHz, signals and child processes interfere.
// Nothing that any of them computes or holds may be lost.
func TestStress(t *testing.T) {
	m, aex := counted(t)
	arrived := received(t, syscall.SIGUSR1)
	xfrm := m.p.XFRM()
	count := func(a *asm.Assembler) { // holds its registers for a while, without the host's help
		again := "wait"
		a.Mov(asm.RCX, asm.Imm(20000))
		a.Label(again)
		a.Lea(asm.RCX, asm.Ptr(asm.RCX, -1))
		a.Jrcxz("waited")
		a.JmpShort(again)
		a.Label("waited")
		a.Mov(asm.RCX, data(dataIn+8))
	}
	shared := m.load(t, &probe{threads: 6, routines: append([]routine{mix, spin, leaf, ok, {"hidden", func(a *asm.Assembler) { a.Jmp("trap_exit") }}}, access...)})
	threads, self := named(t, shared, 6)

	defer debug.SetGCPercent(debug.SetGCPercent(1))
	runtime.SetCPUProfileRate(1000)
	defer runtime.SetCPUProfileRate(0)
	defer spam(syscall.SIGUSR1)()

	end := time.Now().Add(stressTime(t))
	var failed atomic.Bool
	var wg sync.WaitGroup
	counts := map[string]*atomic.Int64{}
	loop := func(name string, body func(i int)) {
		n := new(atomic.Int64)
		counts[name] = n
		wg.Go(func() {
			defer func() {
				if t.Failed() {
					failed.Store(true)
				}
			}()
			for time.Now().Before(end) && !failed.Load() {
				body(int(n.Load()))
				n.Add(1)
			}
		})
	}
	for i := range 2 {
		loop([]string{"calls", "more calls"}[i], func(int) {
			garbage := make([]byte, 32<<10)
			garbage[0] = 1
			work(t, threads[i], self[i], 50)
			threads[i].call(t, "hidden")
		})
	}
	h := newHolder(t, m.load(t, &probe{routines: []routine{hold("hold", xfrm, count)}}), xfrm, flagFixed|arithmetic)
	loop("holds", func(int) {
		h.th.call(t, "hold", h.out.Addr())
		h.check(t)
	})
	out := m.buffer(t, isa.PageSize)
	loop("interrupts", func(i int) {
		th, before := threads[2], load32(out, 0)
		go func() {
			for load32(out, 0) == before {
				time.Sleep(10 * time.Microsecond)
			}
			th.Interrupt()
		}()
		exit := cpu.Exit{}
		if i%2 == 0 {
			_, exit = th.enter(t, "spin", out.Addr())
		} else {
			_, exit = th.resume(t)
			th.drop(t)
		}
		if exit.Kind != cpu.ExitInterrupt {
			t.Errorf("interrupt: %s", describe(&exit))
		}
	})
	user, driver := threads[3], threads[4]
	loop("pages", func(i int) {
		pa := driver.newPage(t, sparePage)
		r, exit := user.enter(t, "write", shared.page(sparePage), uint64(i)+1)
		if exit.Kind != cpu.ExitEEXIT {
			t.Errorf("a new page: %s", describe(&exit))
		}
		if r = user.call(t, "read", shared.page(sparePage)); r.RDX != uint64(i)+1 {
			t.Errorf("a new page holds %d, want %d", r.RDX, i+1)
		}
		must(t, m.p.EMODT(secInfo(isa.PTTRIM, 0), pa))
		user.refused(t, "read", sparePage, pfEPCM)
		for m.p.ETRACK(shared.secs) != nil { // while somebody is inside since before the last one
			runtime.Gosched()
		}
		for code := isa.ErrorCode(1); code != 0; {
			if code = driver.accept(t, sparePage, isa.MakeSecInfoFlags(isa.SecInfoModified, isa.PTTRIM)); code != 0 && code != isa.ErrNotTracked {
				t.Errorf("EACCEPT: %v", code)
				return
			}
		}
		must(t, m.p.EREMOVE(pa))
		must(t, shared.rng.Unmap(shared.page(sparePage), 1))
		m.free.Free(cpu.PageRun{PA: pa, Pages: 1})
	})
	loop("children", func(int) {
		if err := exec.Command(os.Args[0], "-test.run=^$").Run(); err != nil {
			t.Errorf("child: %v", err)
		}
	})
	wg.Wait()
	for name, n := range counts {
		if n.Load() == 0 {
			t.Errorf("no round of %s", name)
		}
		t.Logf("%s: %d rounds", name, n.Load())
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	t.Logf("%d AEXs, %d signals, %d collections", aex.Load(), arrived.Load(), stats.NumGC)
}
