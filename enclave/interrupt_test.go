package enclave_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
)

func TestTimeLimit(t *testing.T) {
	const limit = 50 * time.Millisecond
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 3}), enclave.WithTimeLimit(limit))
	start := time.Now()
	err := e.ECall(context.Background(), int(toy.ECallSpin), nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("spinning: %v", err)
	}
	if d := time.Since(start); d < limit || d > 20*limit {
		t.Errorf("stopped after %v, the limit is %v", d, limit)
	}
	if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 1, B: 2}); r.Sum != 3 {
		t.Error("another thread does not work any more")
	}
}

// TestTimeLimitBound stops a bound thread, which then is lost.
func TestTimeLimitBound(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithTimeLimit(20*time.Millisecond))
	b, err := e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.ECall(context.Background(), int(toy.ECallSpin), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("spinning: %v", err)
	}
	if err := b.ECall(context.Background(), int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrThreadLost) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestTimeLimitNested stops a nested ECALL, and with it the outer one.
func TestTimeLimitNested(t *testing.T) {
	var nested error
	down := func(ctx context.Context, c *enclave.Call) enclave.Status {
		nested = c.ECall(ctx, int(toy.ECallSpin), nil)
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithOCalls(down), enclave.WithTimeLimit(20*time.Millisecond))
	_, err := call(t, e, toy.ECallOCall, toy.MSOCall{})
	if !errors.Is(nested, context.DeadlineExceeded) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nested: %v; outer: %v", nested, err)
	}
}

// TestContext ends a call's context before it and during it.
func TestContext(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 2}))
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(context.Background())
	started := buffer(t, e, 8)
	go func() {
		time.Sleep(20 * time.Millisecond)
		cancel(reason)
	}()
	wait := toy.Encode(toy.MSWait{Ptr: started.Addr()})
	if err := e.ECall(ctx, int(toy.ECallWait), wait); !errors.Is(err, context.Canceled) {
		t.Errorf("during the call: %v", err)
	}
	// The context has ended: the call does not even begin, and the one thread
	// that is left stays usable.
	for range 3 {
		block := toy.Encode(toy.MSAdd{A: 1, B: 2})
		err := e.ECall(ctx, int(toy.ECallAdd), block)
		if r, _ := toy.Decode[toy.MSAdd](block); !errors.Is(err, context.Canceled) || r.Sum != 0 {
			t.Errorf("before the call: %v, sum %d", err, r.Sum)
		}
	}
	if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 1, B: 2}); r.Sum != 3 {
		t.Error("the thread that is left does not work")
	}
	if err := load(t, e.Machine(), e.Image()).ECall(ctx, int(toy.ECallEmpty), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("before the first call: %v", err)
	}
}

// TestContextLoad ends the context of Load.
func TestContextLoad(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	free := enclave.FreeEPC(m)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if e, err := m.Load(ctx, build(t, toy.Options{})); e != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", e, err)
	}
	if now := enclave.FreeEPC(m); now != free {
		t.Errorf("%d pages of the EPC are lost", free-now)
	}
}

// TestStopOneOfMany stops one thread while others, each with a context of its
// own that ends at about the same time, come to their end.
func TestStopOneOfMany(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 64}))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := range 100 {
				// Most of these end just before or just after the call does.
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*20*time.Microsecond)
				b := toy.Encode(toy.MSCompute{N: 100_000})
				err := e.ECall(ctx, int(toy.ECallCompute), b)
				cancel()
				switch r, _ := toy.Decode[toy.MSCompute](b); {
				case errors.Is(err, enclave.ErrOutOfTCS):
					return // each call that is stopped costs a thread
				case err == nil && r.Result != toy.Compute(100_000):
					t.Error("a wrong result")
				case err != nil && !errors.Is(err, context.DeadlineExceeded):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestLateInterrupt interrupts threads when nobody has asked for it, in code
// and in the handling of exceptions: the calls go on.
func TestLateInterrupt(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				enclave.Interrupt(e)
				time.Sleep(20 * time.Microsecond)
			}
		}
	})
	for range 20 {
		const n = 500_000
		if r := mustCall(t, e, toy.ECallCompute, toy.MSCompute{N: n}); r.Result != toy.Compute(n) {
			t.Error("a wrong result")
		}
		for range 50 {
			mustCall(t, e, toy.ECallFault, toy.MSFault{Trap: toy.Trap{Armed: 1}, Kind: toy.FaultUD2})
		}
	}
	close(stop)
	wg.Wait()
}

// TestBind checks what a bound thread is: one TCS, for one call at a time.
func TestBind(t *testing.T) {
	ctx := context.Background()
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 2}))
	a, err := e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	tcs := func(b *enclave.Thread) uint64 {
		ms := toy.Encode(toy.MSInfo{})
		if err := b.ECall(ctx, int(toy.ECallInfo), ms); err != nil {
			t.Fatal(err)
		}
		r, _ := toy.Decode[toy.MSInfo](ms)
		return r.TCS
	}
	first, again, other := tcs(a), tcs(a), tcs(b)
	if first != again || first == other {
		t.Errorf("bound threads have TCSs %#x, then %#x, and %#x", first, again, other)
	}
	if err := e.ECall(ctx, int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrOutOfTCS) {
		t.Errorf("with both threads bound: %v", err)
	}
	if _, err := e.Bind(); !errors.Is(err, enclave.ErrOutOfTCS) {
		t.Errorf("a third Bind: %v", err)
	}
	b.Release()
	b.Release() // which changes nothing
	for range 3 {
		if err := e.ECall(ctx, int(toy.ECallEmpty), nil); err != nil {
			t.Errorf("after Release: %v", err)
		}
	}
	if err := b.ECall(ctx, int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrThreadLost) {
		t.Errorf("a call on a thread that was released: %v", err)
	}
	a.Release()
	if c, err := e.Bind(); err != nil {
		t.Errorf("Bind after Release: %v", err)
	} else {
		c.Release()
	}
}

// TestOutOfTCS has every thread busy inside.
func TestOutOfTCS(t *testing.T) {
	const threads = 3
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: threads}))
	flag := buffer(t, e, 8)
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			for { // until the calls below leave a thread
				err := e.ECall(context.Background(), int(toy.ECallWait), toy.Encode(toy.MSWait{Ptr: flag.Addr()}))
				if errors.Is(err, enclave.ErrOutOfTCS) {
					continue
				}
				if err != nil {
					t.Error(err)
				}
				return
			}
		})
	}
	var err error
	for deadline := time.Now().Add(10 * time.Second); err == nil && time.Now().Before(deadline); {
		err = e.ECall(context.Background(), int(toy.ECallEmpty), nil)
	}
	if !errors.Is(err, enclave.ErrOutOfTCS) || enclave.ErrOutOfTCS.Error() != "SGX_ERROR_OUT_OF_TCS" {
		t.Errorf("with all threads busy: %v", err)
	}
	binary.LittleEndian.PutUint64(flag.Bytes(), 1)
	wg.Wait()
	mustCall(t, e, toy.ECallAdd, toy.MSAdd{})
}

// TestNestedLimit has an OCALL make a nested call with a context that does not
// end: the root call's limit holds for it, too.
func TestNestedLimit(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	e := load(t, m, build(t, toy.Options{}), enclave.WithTimeLimit(50*time.Millisecond),
		enclave.WithOCalls(func(_ context.Context, c *enclave.Call) enclave.Status {
			if err := c.ECall(context.Background(), int(toy.ECallSpin), nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the nested call: %v", err)
			}
			return enclave.Success
		}))
	if _, err := call(t, e, toy.ECallOCall, toy.MSOCall{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the root call: %v", err)
	}
}

// TestBoundStates tells the ways apart in which a bound thread cannot be used.
func TestBoundStates(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	var b *enclave.Thread
	e := load(t, m, build(t, toy.Options{}), enclave.WithOCalls(func(ctx context.Context, _ *enclave.Call) enclave.Status {
		if err := b.ECall(ctx, int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrThreadBusy) {
			t.Errorf("a thread in a call: %v", err)
		}
		return enclave.Success
	}))
	b, err := e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.ECall(context.Background(), int(toy.ECallOCall), toy.Encode(toy.MSOCall{})); err != nil {
		t.Error(err)
	}
	b.Release()
	if err := b.ECall(context.Background(), int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrThreadLost) {
		t.Errorf("a released thread: %v", err)
	}
}

// TestMachineClose refuses to power off under an enclave.
func TestMachineClose(t *testing.T) {
	m := powerOn(t, enclave.MachineConfig{})
	e := load(t, m, build(t, toy.Options{}))
	if err := m.Close(); err == nil {
		t.Fatal("powered off under an enclave")
	}
	if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 1, B: 2}); r.Sum != 3 {
		t.Error("the enclave does not work any more")
	}
}

// TestHugeBuffer asks for more memory than there can be.
func TestHugeBuffer(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}))
	if _, err := e.Alloc(math.MaxInt); !errors.Is(err, enclave.ErrOutOfMemory) {
		t.Errorf("Alloc(MaxInt): %v", err)
	}
}
