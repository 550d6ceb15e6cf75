package tedge

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/status"
)

// gate has a page outside, at 0x1000, and everything else inside.
type gate struct {
	mem    [4096]byte
	at     uint64 // of the next Alloc
	frees  int
	loads  []uint64
	status status.Code
}

func (g *gate) Outside(addr, n uint64) bool {
	return addr >= 0x1000 && addr+n > addr && addr+n <= 0x2000
}
func (g *gate) Load(dst []byte, addr uint64) {
	g.loads = append(g.loads, addr)
	copy(dst, g.mem[addr-0x1000:])
}
func (g *gate) Store(addr uint64, src []byte) { copy(g.mem[addr-0x1000:], src) }
func (g *gate) Alloc(n uint64) (uint64, error) {
	if n > 2048 {
		return 0, status.ErrOutOfMemory
	}
	at := g.at
	g.at += (n + 15) &^ 15
	return at, nil
}
func (g *gate) Free() { g.frees++; g.at = 0x1000 }
func (g *gate) OCall(index int, ms uint64) status.Code {
	if ms != 0 {
		g.mem[ms-0x1000]++
	}
	return g.status
}

func TestDispatch(t *testing.T) {
	g := &gate{}
	table := Table{
		ECalls: []ECall{
			{Name: "public", Serve: func(ctx context.Context, _ *edge.Callee) error {
				if have, ok := gateFrom(ctx); !ok || have != Gate(g) {
					t.Error("the context has no gate")
				}
				return nil
			}},
			{Name: "private", Private: true, Serve: func(context.Context, *edge.Callee) error { return status.ErrInvalidState }},
			{Name: "sized", Size: 8, Serve: func(_ context.Context, f *edge.Callee) error {
				f.Reserve(f.U64(0))
				return f.Err()
			}},
		},
		Allowed: [][]bool{nil, {false, true}, {true, true, true, true}},
	}
	for _, c := range []struct {
		index int
		ms    uint64
		ocall int
		want  status.Code
	}{
		{0, 0, Root, status.Success},
		{0, 0x1000, Root, status.ErrInvalidParameter},
		{1, 0, Root, status.ErrECallNotAllowed},
		{1, 0, 1, status.ErrInvalidState},
		{0, 0, 1, status.ErrECallNotAllowed},
		{0, 0, 2, status.Success},
		{0, 0, 0, status.ErrECallNotAllowed},
		{2, 0x1000, 1, status.ErrECallNotAllowed}, // beyond a short row
		{0, 0, 3, status.ErrECallNotAllowed},
		{0, 0, -2, status.ErrECallNotAllowed},
		{3, 0, Root, status.ErrInvalidFunction},
		{3, 0, 2, status.ErrInvalidFunction},
		{-1, 0, Root, status.ErrInvalidFunction},
		{2, 0x1000, Root, status.Success},
		{2, 0x1FFC, Root, status.ErrInvalidParameter},
		{2, 0, Root, status.ErrInvalidParameter},
	} {
		if got := table.Dispatch(context.Background(), g, c.index, c.ms, c.ocall); got != c.want {
			t.Errorf("ECALL %d in OCALL %d, structure at %#x: %v, want %v", c.index, c.ocall, c.ms, got, c.want)
		}
	}
	for _, c := range []struct {
		limit, take uint64
		want        status.Code
	}{
		{0, DefaultLimit, status.Success}, {0, DefaultLimit + 1, status.ErrOutOfMemory},
		{100, 100, status.Success}, {100, 101, status.ErrOutOfMemory},
	} {
		table.Limit = c.limit
		edge.Block(g.mem[:]).PutU64(0, c.take)
		if got := table.Dispatch(context.Background(), g, 2, 0x1000, Root); got != c.want {
			t.Errorf("%d bytes with a limit of %d: %v", c.take, c.limit, got)
		}
	}
}

func TestFrame(t *testing.T) {
	g := &gate{at: 0x1000}
	ctx := &gateContext{context.Background(), g}
	f := NewFrame(ctx, 16)
	r := f.In(8, 4)
	copy(r.Block, "text")
	f.PutU8(0, 41)
	if !slices.Equal(g.mem[:32], make([]byte, 32)) {
		t.Error("something is outside before the call")
	}
	if err := f.Call(3, 8); err != nil || f.U8(0) != 42 {
		t.Errorf("%d, %v", f.U8(0), err)
	}
	copy(g.mem[r.Addr-0x1000:], "back")
	if got := string(f.Back(r)); got != "back" {
		t.Errorf("%q came back", got)
	}
	f.Free()
	if g.frees != 1 || !slices.Equal(g.loads, []uint64{0x1000, 0x1010}) {
		t.Errorf("%d frees, loads at %#x", g.frees, g.loads)
	}

	// Nothing to pass, nothing to free.
	f = NewFrame(ctx, 0)
	if err := f.Call(0, 0); err != nil {
		t.Error(err)
	}
	f.Free()
	if g.frees != 1 {
		t.Error("a free without an allocation")
	}

	// The status of the host, and no results with it.
	g.status = status.ErrInvalidState
	g.loads = nil
	f = NewFrame(ctx, 8)
	if err := f.Call(0, 8); !errors.Is(err, status.ErrInvalidState) || g.loads != nil {
		t.Errorf("%v, loads at %#x", err, g.loads)
	}
	f.Free()

	// Memory that runs out, and memory that is not where it must be.
	f = NewFrame(ctx, 8)
	f.In(0, 4000)
	if err := f.Call(0, 0); !errors.Is(err, status.ErrOutOfMemory) {
		t.Error(err)
	}
	f.Free()
	g.at = 0x1FF8
	if err := NewFrame(ctx, 16).Call(0, 0); !errors.Is(err, status.ErrUnexpected) {
		t.Error(err)
	}
	f = NewFrame(context.Background(), 8)
	f.In(0, 4)
	if err := f.Call(0, 0); !errors.Is(err, ErrNoGate) {
		t.Error(err)
	}
	f.Free()
}
