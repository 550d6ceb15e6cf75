package enclave_test

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/toy"
)

// buffer allocates memory that enclave e may be told of.
func buffer(t testing.TB, e *enclave.Enclave, size int) *enclave.Buffer {
	t.Helper()
	b, err := e.Alloc(size)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// double is an OCALL that answers an OCallBlock.
func double(_ context.Context, c *enclave.Call) enclave.Status {
	b, err := c.Bytes(c.Block, 16)
	if err != nil {
		return enclave.ErrInvalidParameter
	}
	binary.LittleEndian.PutUint64(b[8:], 2*binary.LittleEndian.Uint64(b))
	return enclave.Success
}

func TestOCall(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithOCalls(nil, double))
	b := buffer(t, e, 16)
	r := mustCall(t, e, toy.ECallOCall, toy.MSOCall{Index: 1, Block: b.Addr(), Value: 21})
	if r.Status != toy.Success || r.Result != 42 {
		t.Errorf("status %#x, result %d", r.Status, r.Result)
	}
}

// TestOCallStatus has the enclave see the status of an OCALL, made by the
// host's function or by the runtime.
func TestOCallStatus(t *testing.T) {
	with := func(s enclave.Status) enclave.OCall {
		return func(context.Context, *enclave.Call) enclave.Status { return s }
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}),
		enclave.WithOCalls(with(enclave.Success), with(enclave.ErrDeviceBusy), nil, with(0xFFFF_FFFF)))
	minusTwo := int32(-2)
	for _, c := range []struct {
		index uint64
		want  enclave.Status
	}{
		{0, enclave.Success},
		{1, enclave.ErrDeviceBusy},
		{2, enclave.ErrInvalidFunction}, // a hole in the table
		{3, 0xFFFF_FFFF},                // unsigned in the register
		{4, enclave.ErrInvalidFunction}, // beyond the table
		{1<<31 - 1, enclave.ErrInvalidFunction},
		{uint64(uint32(minusTwo)), enclave.ErrUnexpected}, // the runtime's own
	} {
		if r := mustCall(t, e, toy.ECallOCall, toy.MSOCall{Index: c.index}); r.Status != uint64(c.want) {
			t.Errorf("OCALL %d: the enclave sees %#x, want %v", int32(c.index), r.Status, c.want)
		}
	}
}

// TestOtherOCalls serves what the table does not.
func TestOtherOCalls(t *testing.T) {
	other := func(_ context.Context, c *enclave.Call) enclave.Status { return enclave.Status(c.Index) }
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}),
		enclave.WithOCalls(nil, double), enclave.WithOtherOCalls(other))
	for _, index := range []uint64{0, 2, 77} {
		if r := mustCall(t, e, toy.ECallOCall, toy.MSOCall{Index: index}); r.Status != index {
			t.Errorf("OCALL %d: status %#x", index, r.Status)
		}
	}
}

// TestOCallMemory checks what an OCALL may be pointed to: nothing inside the
// enclave, and nothing that the enclave was not given.
func TestOCallMemory(t *testing.T) {
	type reach struct{ block, enclave, null, unknown bool }
	var got reach
	var self *enclave.Enclave
	look := func(_ context.Context, c *enclave.Call) enclave.Status {
		try := func(addr uint64) bool { _, err := c.Bytes(addr, 8); return err == nil }
		got = reach{try(c.Block), try(c.Enclave().Base()), try(0), try(1 << 46)}
		self = c.Enclave()
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithOCalls(look))
	b := buffer(t, e, 16)
	mustCall(t, e, toy.ECallOCall, toy.MSOCall{Block: b.Addr()})
	if want := (reach{block: true}); got != want || self != e {
		t.Errorf("an OCALL reaches %+v of enclave %p; want %+v of %p", got, self, want, e)
	}
}

// TestOCallMigrates moves the goroutine to other OS threads between OCALLs.
func TestOCallMigrates(t *testing.T) {
	const n = 2000
	var lock sync.Mutex
	next := func(context.Context, *enclave.Call) enclave.Status {
		lock.Lock() // contended, so that goroutines park and wake elsewhere
		runtime.Gosched()
		lock.Unlock()
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 4}), enclave.WithOCalls(next))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			block := toy.Encode(toy.MSOCallLoop{N: n})
			err := e.ECall(context.Background(), int(toy.ECallOCallLoop), block)
			if r, _ := toy.Decode[toy.MSOCallLoop](block); err != nil || r.Done != n {
				t.Errorf("%d of %d OCALLs, status %#x, %v", r.Done, n, r.Status, err)
			}
		})
	}
	wg.Wait()
}

// TestOCallBlocks has one thread wait in an OCALL while another calls, and
// then be the one that is waited for.
func TestOCallBlocks(t *testing.T) {
	entered, proceed := make(chan struct{}), make(chan struct{})
	wait := func(context.Context, *enclave.Call) enclave.Status {
		close(entered)
		<-proceed
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 2}), enclave.WithOCalls(wait))
	done := make(chan error)
	go func() { done <- e.ECall(context.Background(), int(toy.ECallOCall), toy.Encode(toy.MSOCall{})) }()
	<-entered
	for i := range uint64(1000) {
		if r := mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: i, B: i}); r.Sum != 2*i {
			t.Fatalf("%d + %d is %d", i, i, r.Sum)
		}
	}
	close(proceed)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestOCallStack has an OCALL grow the goroutine's stack, so that it moves,
// and collect garbage, while the enclave's frames wait.
func TestOCallStack(t *testing.T) {
	var grow func(n int) int
	grow = func(n int) int {
		var page [512]byte
		page[n%512] = 1
		if n == 0 {
			return 0
		}
		return grow(n-1) + int(page[n%512])
	}
	var sum atomic.Int64
	deep := func(context.Context, *enclave.Call) enclave.Status {
		sum.Add(int64(grow(10_000)))
		runtime.GC()
		return enclave.Success
	}
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithOCalls(deep))
	const n = 5
	done := make(chan struct{})
	go func() { // a small stack to begin with
		defer close(done)
		block := toy.Encode(toy.MSOCallLoop{N: n})
		err := e.ECall(context.Background(), int(toy.ECallOCallLoop), block)
		if r, _ := toy.Decode[toy.MSOCallLoop](block); err != nil || r.Done != n {
			t.Errorf("%d OCALLs, %v", r.Done, err)
		}
	}()
	<-done
	if sum.Load() != n*10_000 {
		t.Errorf("sum %d", sum.Load())
	}
}

// panicked calls f and returns what it panics with.
func panicked(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// TestOCallPanics recovers from a panic in an OCALL: the thread is lost, the
// others go on, and the enclave can be taken down.
func TestOCallPanics(t *testing.T) {
	broken := errors.New("broken")
	table := enclave.WithOCalls(func(context.Context, *enclave.Call) enclave.Status { panic(broken) })
	m := powerOn(t, enclave.MachineConfig{})
	img := build(t, toy.Options{Threads: 3})
	ctx := context.Background()
	block := toy.Encode(toy.MSOCall{})

	e := load(t, m, img, table)
	for range 2 {
		if v := panicked(func() { _ = e.ECall(ctx, int(toy.ECallOCall), block) }); v != broken {
			t.Fatalf("panic value %v", v)
		}
	}
	mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 1, B: 2})
	if v := panicked(func() { _ = e.ECall(ctx, int(toy.ECallOCall), block) }); v != broken {
		t.Fatalf("panic value %v", v)
	}
	if err := e.ECall(ctx, int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrOutOfTCS) {
		t.Errorf("with all three threads lost: %v", err)
	}

	e = load(t, m, img, table)
	b, err := e.Bind()
	if err != nil {
		t.Fatal(err)
	}
	if v := panicked(func() { _ = b.ECall(ctx, int(toy.ECallOCall), block) }); v != broken {
		t.Fatalf("panic value %v", v)
	}
	if err := b.ECall(ctx, int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrThreadLost) {
		t.Errorf("a bound thread after a panic: %v", err)
	}
	b.Release()
	mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 1, B: 2})
}

// TestOCallGoexit ends the goroutine in an OCALL, as testing.T.FailNow does.
func TestOCallGoexit(t *testing.T) {
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}),
		enclave.WithOCalls(func(context.Context, *enclave.Call) enclave.Status { runtime.Goexit(); return 0 }))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = e.ECall(context.Background(), int(toy.ECallOCall), toy.Encode(toy.MSOCall{}))
	}()
	<-done
	mustCall(t, e, toy.ECallAdd, toy.MSAdd{A: 1, B: 2})
}

// TestOCallContextEnds lets the context end while an OCALL is served: the call
// fails, and its TCS, which waits for the OCALL to return, is not used again.
func TestOCallContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{Threads: 1}),
		enclave.WithOCalls(func(ctx context.Context, _ *enclave.Call) enclave.Status {
			cancel()
			<-ctx.Done()
			return enclave.Success
		}))
	err := e.ECall(ctx, int(toy.ECallOCall), toy.Encode(toy.MSOCall{}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the call: %v", err)
	}
	if err := e.ECall(context.Background(), int(toy.ECallEmpty), nil); !errors.Is(err, enclave.ErrOutOfTCS) {
		t.Errorf("the only TCS is used again: %v", err)
	}
}

// TestOCallTimeLimit counts the time in OCALLs, too.
func TestOCallTimeLimit(t *testing.T) {
	const limit = 30 * time.Millisecond
	e := load(t, powerOn(t, enclave.MachineConfig{}), build(t, toy.Options{}), enclave.WithTimeLimit(limit),
		enclave.WithOCalls(func(ctx context.Context, _ *enclave.Call) enclave.Status {
			<-ctx.Done()
			return enclave.Success
		}))
	err := e.ECall(context.Background(), int(toy.ECallOCall), toy.Encode(toy.MSOCall{}))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
