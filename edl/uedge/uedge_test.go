package uedge

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/status"
)

// fake is an enclave that keeps account of its memory.
type fake struct {
	mu     sync.Mutex
	live   int
	pieces int
	full   bool
	call   func(ctx context.Context, ms uint64, table Table) error
}

type piece struct {
	f *fake
	b []byte
}

func (p *piece) Addr() uint64  { return 0x1000 }
func (p *piece) Bytes() []byte { return p.b }
func (p *piece) Free() {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	p.f.live--
}

var errFull = errors.New("full")

func (f *fake) Outside(size int) (Memory, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return nil, errFull
	}
	f.live++
	f.pieces++
	return &piece{f, make([]byte, size)}, nil
}

func (f *fake) CallAt(ctx context.Context, _ int, ms uint64, table Table) error {
	if f.call == nil {
		return nil
	}
	return f.call(ctx, ms, table)
}

// Frames are used again, up to a bound, and begin with zeroes.
func TestFrames(t *testing.T) {
	e := &fake{}
	c := NewClient(e)
	for range 10 {
		f := c.Frame(16)
		for i, b := range f.Block {
			if b != 0 {
				t.Errorf("byte %d is %#x", i, b)
			}
			f.Block[i] = 0xFF
		}
		r := f.In(0, 100)
		for _, b := range r.Block {
			if b != 0 {
				t.Error("a region is not zeroed")
			}
		}
		copy(r.Block, strings.Repeat("x", 100))
		f.Out(8, frameSize) // memory of its own
		if e.live != 2 {
			t.Errorf("%d pieces", e.live)
		}
		if err := f.Call(context.Background(), 0); err != nil {
			t.Error(err)
		}
		f.Free()
	}
	if e.pieces != 11 || e.live != 1 {
		t.Errorf("%d pieces for ten calls, %d left", e.pieces, e.live)
	}
	var frames []*Frame
	for range 2 * maxFree {
		frames = append(frames, c.Frame(8))
	}
	for _, f := range frames {
		f.Free()
	}
	if e.live != maxFree {
		t.Errorf("%d frames are kept", e.live)
	}
	late := c.Frame(8)
	c.Close()
	late.Free()
	if e.live != 0 {
		t.Errorf("%d pieces are left", e.live)
	}
	c.Frame(8).Free()
	if e.live != 0 {
		t.Error("a client that is closed keeps a frame")
	}
}

// What does not fit, or has no memory, fails when the call is made.
func TestNoMemory(t *testing.T) {
	e := &fake{full: true, call: func(context.Context, uint64, Table) error {
		t.Error("the enclave is called")
		return nil
	}}
	c := NewClient(e)
	f := c.Frame(64)
	f.PutU64(56, 1)
	if r := f.In(0, 8); len(r.Block) != 8 {
		t.Error("no block")
	}
	if err := f.Call(context.Background(), 0); !errors.Is(err, errFull) {
		t.Error(err)
	}
	f.Free()
	e.full = false
	f = c.Frame(64) // the same frame, which tries again
	e.full = true
	f.Out(0, frameSize)
	if err := f.Call(context.Background(), 0); !errors.Is(err, errFull) {
		t.Error(err)
	}
	f.Free()
	c.Close()
	if e.live != 0 {
		t.Errorf("%d pieces are left", e.live)
	}
}

type ocall struct {
	block uint64
	mem   []byte // at 0x2000
}

func (o *ocall) Index() int    { return 0 }
func (o *ocall) Block() uint64 { return o.block }
func (o *ocall) Bytes(addr uint64, n int) ([]byte, error) {
	if off := addr - 0x2000; off <= uint64(len(o.mem)) && n >= 0 && uint64(n) <= uint64(len(o.mem))-off {
		return o.mem[off:][:n], nil
	}
	return nil, status.ErrInvalidParameter
}

// Errors of OCALLs come with that of their ECALL, and with no other.
func TestOCallErrors(t *testing.T) {
	boom := errors.New("boom")
	fail := true
	e := &fake{}
	e.call = func(ctx context.Context, _ uint64, table Table) error {
		if len(table) != 2 || table[1] != nil {
			t.Errorf("the table has %d entries", len(table))
		}
		o := &ocall{0x2000, make([]byte, 16)}
		code := table[0](ContextWithCall(ctx, o), o)
		if !fail {
			return nil // the enclave makes nothing of it
		}
		return code.Err()
	}
	c := NewClient(e, Server{Name: "o", Size: 8, Serve: func(ctx context.Context, f *edge.Callee) error {
		if call, ok := CallFrom(ctx); !ok || call.Block() != 0x2000 {
			t.Error("the context has no call")
		}
		return boom
	}}, Server{Name: "left to the loader"})
	f := c.Frame(0)
	err := f.Call(context.Background(), 0)
	var oe *OCallError
	if !errors.Is(err, boom) || !errors.Is(err, status.ErrUnexpected) || !errors.As(err, &oe) || oe.Name != "o" {
		t.Error(err)
	}
	f.Free()
	fail = false
	f = c.Frame(0)
	if err := f.Call(context.Background(), 0); err != nil {
		t.Error(err)
	}
	f.Free()
}

func TestContext(t *testing.T) {
	ctx := context.Background()
	if _, ok := CallFrom(ctx); ok {
		t.Error("a call from nowhere")
	}
	one, two := &ocall{block: 1}, &ocall{block: 2}
	type key struct{}
	inner := ContextWithCall(context.WithValue(ContextWithCall(ctx, one), key{}, 7), two)
	if c, ok := CallFrom(inner); !ok || c != Call(two) || inner.Value(key{}) != 7 {
		t.Error("not the innermost call")
	}
	if n := testing.AllocsPerRun(100, func() { ContextWithCall(ctx, one) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
