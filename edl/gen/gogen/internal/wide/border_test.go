package wide

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/status"
)

// Two address ranges, of which one is inside the enclave.
const (
	outsideBase = 0x10_0000
	outsideSize = 4 << 20
	enclaveBase = 0x7000_0000
	enclaveSize = 0x1000_0000
)

// border is an enclave without a processor: a table of trusted functions, and
// memory outside that both sides reach.
type border struct {
	t     testing.TB
	table tedge.Table

	mu      sync.Mutex
	outside []byte
	pieces  map[uint64]int // sizes of what was allocated
	next    uint64
	live    int

	// hostile hosts change every byte outside as soon as the enclave has read
	// it.
	hostile bool
	// lax borders let the enclave read a byte more than once in a call.
	lax bool
	// report is told of what the enclave must not do.
	report func(format string, args ...any)
}

func newBorder(t testing.TB, impl WideECalls) *border {
	return &border{
		t: t, table: WideTable(impl),
		outside: make([]byte, outsideSize), pieces: map[uint64]int{}, next: outsideBase,
		report: t.Errorf,
	}
}

// piece is memory from Outside.
type piece struct {
	b    *border
	addr uint64
	size int
}

func (p *piece) Addr() uint64  { return p.addr }
func (p *piece) Bytes() []byte { return p.b.outside[p.addr-outsideBase:][:p.size:p.size] }
func (p *piece) Free() {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if _, ok := p.b.pieces[p.addr]; !ok {
		p.b.t.Error("memory is freed twice")
	}
	delete(p.b.pieces, p.addr)
	if p.b.live--; p.b.live == 0 {
		p.b.next = outsideBase
	}
}

// Outside implements uedge.Enclave.
func (b *border) Outside(size int) (uedge.Memory, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.take(size)
}

// end is the first address behind the memory outside.
func (b *border) end() uint64 { return outsideBase + uint64(len(b.outside)) }

var errFull = errors.New("no memory is left")

func (b *border) take(size int) (*piece, error) {
	if size < 0 || uint64(size)+b.next+64 > b.end() {
		return nil, errFull
	}
	p := &piece{b, b.next, size}
	b.next += (uint64(size) + 47) &^ 15 // a gap behind each
	b.pieces[p.addr] = size
	b.live++
	clear(p.Bytes())
	return p, nil
}

// bytes is memory that was allocated, and nothing else.
func (b *border) bytes(addr uint64, n int) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for start, size := range b.pieces {
		if off := addr - start; addr >= start && off <= uint64(size) && n >= 0 && uint64(n) <= uint64(size)-off {
			return b.outside[addr-outsideBase:][:n:n], nil
		}
	}
	return nil, fmt.Errorf("%w: %d bytes at %#x", status.ErrInvalidParameter, n, addr)
}

// CallAt implements uedge.Enclave.
func (b *border) CallAt(ctx context.Context, index int, ms uint64, table uedge.Table) error {
	ocall := tedge.Root
	if c, ok := uedge.CallFrom(ctx); ok {
		ocall = c.Index()
	}
	g := &gate{border: b, host: ctx, ocalls: table}
	code := b.table.Dispatch(context.Background(), g, index, ms, ocall)
	if len(g.taken) != 0 {
		b.t.Errorf("ECALL %d leaves %d pieces of the host's stack", index, len(g.taken))
	}
	return code.Err()
}

// gate is the border, as the enclave sees it during one ECALL.
type gate struct {
	*border
	host   context.Context
	ocalls uedge.Table
	taken  []*piece
	read   [][2]uint64 // what the enclave has read
}

func (g *gate) Outside(addr, n uint64) bool {
	end := addr + n
	return n > 0 && end > addr && (end <= enclaveBase || addr >= enclaveBase+enclaveSize)
}

func (g *gate) Load(dst []byte, addr uint64) {
	n := uint64(len(dst))
	if !g.Outside(addr, n) {
		g.report("the enclave reads %d bytes at %#x without a check", n, addr)
		return
	}
	for _, r := range g.read {
		if !g.lax && addr < r[1] && r[0] < addr+n {
			g.report("the enclave reads %d bytes at %#x, of which it has read [%#x, %#x)", n, addr, r[0], r[1])
			break
		}
	}
	g.read = append(g.read, [2]uint64{addr, addr + n})
	// What is not there reads as zero, where a processor would fault.
	if there := g.there(addr, n); there != nil {
		copy(dst, there)
		if g.hostile {
			for i := range there {
				there[i] ^= 0xA5
			}
		}
	}
}

// there is what there is of memory outside.
func (g *gate) there(addr, n uint64) []byte {
	if addr < outsideBase || addr >= g.end() {
		return nil
	}
	return g.outside[addr-outsideBase : min(addr+n, g.end())-outsideBase]
}

func (g *gate) Store(addr uint64, src []byte) {
	if !g.Outside(addr, uint64(len(src))) {
		g.report("the enclave writes %d bytes at %#x without a check", len(src), addr)
		return
	}
	copy(g.there(addr, uint64(len(src))), src)
}

func (g *gate) Alloc(n uint64) (uint64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n > outsideSize {
		return 0, status.ErrOutOfMemory
	}
	p, err := g.take(int(n))
	if err != nil {
		return 0, status.ErrOutOfMemory
	}
	g.taken = append(g.taken, p)
	// The stack of the host has what others have left there.
	copy(p.Bytes(), bytes.Repeat([]byte{0xA5}, p.size))
	return p.addr, nil
}

func (g *gate) Free() {
	for _, p := range g.taken {
		p.Free()
		// The next OCALL may get the same memory, and reads it anew.
		g.read = slices.DeleteFunc(g.read, func(r [2]uint64) bool {
			return r[0] >= p.addr && r[1] <= p.addr+uint64(p.size)
		})
	}
	g.taken = nil
}

func (g *gate) OCall(index int, ms uint64) status.Code {
	if index >= len(g.ocalls) || g.ocalls[index] == nil {
		return status.ErrInvalidFunction
	}
	c := &call{g.border, index, ms}
	return g.ocalls[index](uedge.ContextWithCall(g.host, c), c)
}

// call is an OCALL that is being served.
type call struct {
	*border
	index int
	block uint64
}

func (c *call) Index() int                               { return c.index }
func (c *call) Block() uint64                            { return c.block }
func (c *call) Bytes(addr uint64, n int) ([]byte, error) { return c.bytes(addr, n) }
