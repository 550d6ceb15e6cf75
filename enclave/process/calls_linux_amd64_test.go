package process

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/status"
	"golang.org/x/sys/unix"
)

// work serves ECALLs on a thread until there are no more, as a program does:
// ECALL i makes OCALL i-1 and returns its status, ECALL 0 returns that ms says.
func work(th *thread) {
	done, result := uint64(0), int64(0)
	for {
		switch r := th.do(goabi.OpNextCall, result, done); r {
		case 0:
		case -int64(unix.EINTR):
			done = 0
			continue
		default:
			return
		}
		index, ms := th.arg(0), th.arg(1)
		done, result = th.arg(4), int64(ms)
		if index > 0 {
			result = th.do(goabi.OpOCall, index-1, ms, done, 1)
			for result == goabi.OCallNested { // an ECALL 0
				result = th.do(goabi.OpResume, th.arg(1), th.arg(4), th.arg(3))
			}
		}
	}
}

func workers(t testing.TB, c Config, n int) *Process {
	p := serverFor(t, c, n)
	var all sync.WaitGroup
	for _, th := range p.threads {
		all.Go(func() { work(th) })
	}
	t.Cleanup(func() { p.end(State{}, nil); all.Wait() })
	return p
}

func TestCalls(t *testing.T) {
	answer := func(s status.Code) uedge.OCall {
		return func(context.Context, uedge.Call) status.Code { return s }
	}
	p := workers(t, Config{OCalls: uedge.Table{answer(21), answer(22)}}, 3)
	ctx := t.Context()
	if err := p.CallAt(ctx, 0, 0, nil); err != nil {
		t.Error(err)
	}
	if err := p.CallAt(ctx, 0, uint64(status.ErrOutOfMemory), nil); !errors.Is(err, status.ErrOutOfMemory) {
		t.Error(err)
	}
	for _, c := range []struct {
		index int
		table uedge.Table
		want  status.Code
	}{
		{1, uedge.Table{answer(1)}, 1},
		{2, uedge.Table{answer(1)}, 22},
		{1, nil, 21},
		{1, uedge.Table{nil}, 21},
		{3, nil, status.ErrInvalidFunction},
	} {
		if err := p.CallAt(ctx, c.index, 0, c.table); err != c.want {
			t.Errorf("OCALL %d with a table of %d: %v, want %v", c.index-1, len(c.table), err, c.want)
		}
	}
	if err := p.CallAt(ctx, -1, 0, nil); !errors.Is(err, enclave.ErrInvalidFunction) {
		t.Errorf("ECALL -1: %v", err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				if err := p.CallAt(ctx, 0, 7, nil); err != status.Code(7) {
					t.Errorf("ECALL: %v", err)
				}
			}
		})
	}
	all.Wait()
}

// An ECALL in an OCALL goes to the thread that made it, the only one here.
func TestNestedCall(t *testing.T) {
	p := workers(t, Config{}, 1)
	var table uedge.Table
	var after context.Context
	table = uedge.Table{1: func(ctx context.Context, c uedge.Call) status.Code {
		after = ctx
		if c.Index() != 1 || c.Block() != 5 {
			t.Errorf("OCALL %d with %#x", c.Index(), c.Block())
		}
		for i := range uint64(3) {
			if err := p.CallAt(ctx, 0, 9+i, nil); err != status.Code(9+i) {
				t.Errorf("nested: %v", err)
			}
		}
		return 3
	}}
	if err := p.CallAt(t.Context(), 2, 5, table); err != status.Code(3) {
		t.Error(err)
	}
	if after.Err() == nil {
		t.Error("the context of an OCALL lives on")
	}
	if err := p.CallAt(after, 0, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with the context of an OCALL that is over: %v", err)
	}
}

// Without a worker a call waits for one, for its context and for the end.
func TestCallWaits(t *testing.T) {
	p := serverFor(t, Config{}, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := p.CallAt(ctx, 0, 0, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a worker: %v", err)
	}
	got := make(chan error)
	go func() { got <- p.CallAt(t.Context(), 0, 4, nil) }()
	time.Sleep(5 * time.Millisecond)
	go work(p.threads[0])
	if err := <-got; err != status.Code(4) {
		t.Errorf("with a late worker: %v", err)
	}
	p2 := serverFor(t, Config{}, 1)
	go func() { got <- p2.CallAt(t.Context(), 0, 4, nil) }()
	time.Sleep(5 * time.Millisecond)
	p2.end(State{}, nil)
	if err := <-got; err != ErrEnded {
		t.Errorf("when the process ends: %v", err)
	}
	if err := p2.CallAt(t.Context(), 0, 4, nil); err != ErrEnded {
		t.Errorf("after the end: %v", err)
	}
}

// The end finds calls under way: one whose thread is inside waits for that,
// and one that an OCALL has made does not wait for the OCALL.
func TestEndDuringCall(t *testing.T) {
	p := serverFor(t, Config{}, 1)
	p.inside.Store(1)
	entered := make(chan struct{})
	table := uedge.Table{func(ctx context.Context, _ uedge.Call) status.Code {
		close(entered)
		if err := p.CallAt(ctx, 0, 0, nil); err != ErrEnded {
			t.Errorf("nested: %v", err)
		}
		<-ctx.Done()
		return 0
	}}
	got := make(chan error)
	go func() { got <- p.CallAt(t.Context(), 1, 0, table) }()
	th := p.threads[0]
	must(t, th, goabi.OpNextCall, 0, 0)
	if r := th.do(goabi.OpOCall, 0, 0, th.arg(4), 1); r != goabi.OCallNested { // and does not come back
		t.Fatalf("OCALL: %#x", r)
	}
	<-entered
	p.end(State{}, nil)
	select {
	case err := <-got:
		t.Fatalf("returned while a thread is inside: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	p.outside()
	if err := <-got; err != ErrEnded {
		t.Error(err)
	}
}

// An OCALL that allows no ECALL has none, and one that is over no more.
func TestNestedCallRefused(t *testing.T) {
	p := serverFor(t, Config{}, 1)
	th := p.threads[0]
	var kept context.Context
	table := uedge.Table{func(ctx context.Context, _ uedge.Call) status.Code {
		kept = context.WithoutCancel(ctx)
		if err := p.CallAt(ctx, 0, 0, nil); err != status.ErrECallNotAllowed {
			t.Errorf("in an OCALL that allows none: %v", err)
		}
		return 5
	}}
	got := make(chan error)
	go func() { got <- p.CallAt(t.Context(), 1, 0, table) }()
	must(t, th, goabi.OpNextCall, 0, 0)
	n := th.arg(4)
	if r := th.do(goabi.OpOCall, 0, 0, n, 0); r != 5 {
		t.Errorf("OCALL: %#x", r)
	}
	if err := p.CallAt(kept, 0, 0, nil); !errors.Is(err, enclave.ErrOCallOver) {
		t.Errorf("in an OCALL that is over: %v", err)
	}
	for _, number := range []uint64{0, n, 1 << 60} {
		if r := th.do(goabi.OpResume, 0, 0, number); r != -int64(unix.EINVAL) {
			t.Errorf("resumed OCALL %d: %#x", number, r)
		}
	}
	go th.do(goabi.OpNextCall, 0, n)
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// A program begins OCALLs that allow ECALLs, and never goes back to one.
func TestManyOpenOCalls(t *testing.T) {
	p := serverFor(t, Config{}, 1)
	table := uedge.Table{func(ctx context.Context, _ uedge.Call) status.Code {
		_ = p.CallAt(ctx, 0, 0, nil)
		return 0
	}}
	p.cfg.OCalls = table
	th, refused := p.threads[0], 0
	for range maxOpen + 10 {
		switch r := th.do(goabi.OpOCall, 0, 0, 0, 1); r {
		case goabi.OCallNested:
		case int64(status.ErrOutOfMemory):
			refused++
		default:
			t.Fatalf("OCALL: %#x", r)
		}
	}
	if refused != 10 {
		t.Errorf("%d were refused", refused)
	}
}

// A program may end what it likes.
func TestHostileCalls(t *testing.T) {
	p := serverFor(t, Config{}, 1)
	th := p.threads[0]
	got := make(chan error)
	go func() { got <- p.CallAt(t.Context(), 6, 8, nil) }()
	must(t, th, goabi.OpNextCall, 1, 12345) // no such number
	if th.arg(0) != 6 || th.arg(1) != 8 || th.arg(2) != 1 || th.arg(3) != 0 || th.arg(4) == 0 {
		t.Fatalf("got %d %d %d %d %d", th.arg(0), th.arg(1), th.arg(2), th.arg(3), th.arg(4))
	}
	n := th.arg(4)
	if r := th.do(goabi.OpOCall, uint64(1<<63), uint64(1<<63), n); r != int64(status.ErrInvalidFunction) {
		t.Errorf("OCALL: %#x", r)
	}
	go func() {
		p.threads[0].do(goabi.OpNextCall, 1<<40, n)
	}()
	<-got // whatever that is
	want(t, unix.EINVAL, serverFor(t, Config{}, 1).threads[0], goabi.OpOutside, 5, 2)
}

func BenchmarkCall(b *testing.B) {
	p := workers(b, Config{}, 1)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if err := p.CallAt(ctx, 0, 0, nil); err != nil {
			b.Fatal(err)
		}
	}
}
