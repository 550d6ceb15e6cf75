package enclave_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
)

// stressTime is how long TestStress takes: FEIDI_STRESS, or a moment.
func stressTime(t *testing.T) time.Duration {
	s := os.Getenv("FEIDI_STRESS")
	if s == "" {
		return 500 * time.Millisecond
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatalf("FEIDI_STRESS: %v", err)
	}
	return d
}

// TestStress calls enclaves from four goroutines while the garbage collector
// runs at every hundredth that the heap grows, a profiler signals every thread
// a thousand times in a second of processor time, and the process starts
// others.
func TestStress(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	double := func(_ context.Context, c *enclave.Call) enclave.Status {
		b, err := c.Bytes(c.Block, 16)
		if err != nil {
			return enclave.ErrInvalidParameter
		}
		b[8] = 2 * b[0]
		return enclave.Success
	}
	nested := func(ctx context.Context, c *enclave.Call) enclave.Status {
		b := toy.Encode(toy.MSAdd{A: 7, B: 8})
		if err := c.ECall(ctx, int(toy.ECallAdd), b); err != nil || b[16] != 15 {
			return enclave.ErrUnexpected
		}
		return enclave.Success
	}
	img := build(t, toy.Options{Threads: 4, MiscSelect: isa.MiscEXINFO})
	shared := load(t, m, img, enclave.WithOCalls(double, nested))

	defer debug.SetGCPercent(debug.SetGCPercent(1))
	runtime.SetCPUProfileRate(1000)
	defer runtime.SetCPUProfileRate(0)

	ctx, cancel := context.WithTimeout(context.Background(), stressTime(t))
	defer cancel()
	var wg sync.WaitGroup
	loop := func(name string, body func() error) *atomic.Int64 {
		n := new(atomic.Int64)
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := body(); err != nil {
					t.Errorf("%s, round %d: %v", name, n.Load(), err)
					cancel()
					return
				}
				n.Add(1)
			}
		})
		return n
	}
	counts := map[string]*atomic.Int64{
		"calls":   loop("calls", func() error { return callRound(t, shared) }),
		"compute": loop("compute", func() error { return computeRound(t, shared) }),
		"faults":  loop("faults", func() error { return faultRound(t, shared) }),
		"loads": loop("loads", func() error {
			e, err := m.Load(ctx, img)
			if err != nil {
				if ctx.Err() != nil {
					return nil // the time is over
				}
				return err
			}
			return errors.Join(loadedRound(e), e.Destroy())
		}),
		"execs": loop("execs", func() error { return exec.Command(os.Args[0], "-test.run=^$").Run() }),
	}
	wg.Wait()
	for name, n := range counts {
		if n.Load() == 0 {
			t.Errorf("no round of %s was completed", name)
		}
		t.Logf("%s: %d rounds", name, n.Load())
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	t.Logf("%d garbage collections in all", stats.NumGC)
}

// garbage keeps the collector busy.
var garbage atomic.Pointer[[]byte]

// callRound makes ECALLs, OCALLs and nested ECALLs.
func callRound(t *testing.T, e *enclave.Enclave) error {
	g := make([]byte, 64<<10)
	garbage.Store(&g)
	block, err := e.Alloc(16)
	if err != nil {
		return err
	}
	defer block.Free()
	for range 100 {
		if r, err := call(t, e, toy.ECallAdd, toy.MSAdd{A: 40, B: 2}); err != nil || r.Sum != 42 {
			return fmt.Errorf("40 + 2 is %d, %w", r.Sum, err)
		}
		if r, err := call(t, e, toy.ECallOCall, toy.MSOCall{Block: block.Addr(), Value: 21}); err != nil || r.Result != 42 {
			return fmt.Errorf("twice 21 is %d, status %#x, %w", r.Result, r.Status, err)
		}
		if r, err := call(t, e, toy.ECallOCallLoop, toy.MSOCallLoop{Index: 1, N: 3}); err != nil || r.Done != 3 {
			return fmt.Errorf("%d of 3 OCALLs, status %#x, %w", r.Done, r.Status, err)
		}
	}
	return nil
}

// computeRound stays inside for long, with every register in use.
func computeRound(t *testing.T, e *enclave.Enclave) error {
	const n = 200_000
	if r, err := call(t, e, toy.ECallCompute, toy.MSCompute{N: n}); err != nil || r.Result != toy.Compute(n) {
		return fmt.Errorf("compute: %#x, want %#x, %w", r.Result, toy.Compute(n), err)
	}
	for _, hold := range []toy.ECALL{toy.ECallGprHold, toy.ECallXmmHold} {
		if r, err := call(t, e, hold, toy.MSHold{N: n}); err != nil || r.Lost != 0 {
			return fmt.Errorf("%v: %d registers changed, %w", hold, r.Lost, err)
		}
	}
	return nil
}

// faultRound raises exceptions from which the enclave recovers, and executes
// ENCLU leaves that trap.
func faultRound(t *testing.T, e *enclave.Enclave) error {
	for _, k := range []toy.FaultKind{toy.FaultUD2, toy.FaultDiv0, toy.FaultCPUID, toy.FaultRead} {
		r, err := call(t, e, toy.ECallFault, toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: k, Arg: 8})
		if err != nil || r.Faulted != 1 {
			return fmt.Errorf("%s: handled %d, %w", toy.FaultSymbol(k), r.Faulted, err)
		}
	}
	request := isa.KeyRequest{KeyName: isa.KeySeal, KeyPolicy: isa.PolicyMRSigner}
	raw, err := request.AppendBinary(nil)
	if err != nil {
		return err
	}
	mem, err := e.Alloc(isa.KeyRequestSize + isa.KeySize)
	if err != nil {
		return err
	}
	defer mem.Free()
	copy(mem.Bytes(), raw)
	r, err := call(t, e, toy.ECallGetKey, toy.MSGetKey{Request: mem.Addr(), Key: mem.Addr() + isa.KeyRequestSize})
	if err != nil || r.Error != 0 {
		return fmt.Errorf("EGETKEY: %#x, %w", r.Error, err)
	}
	return nil
}

// loadedRound has an enclave's thread stopped, and calls another.
func loadedRound(e *enclave.Enclave) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if err := e.ECall(ctx, int(toy.ECallSpin), nil); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("a loop without end: %w", err)
	}
	return e.ECall(context.Background(), int(toy.ECallEmpty), nil)
}
