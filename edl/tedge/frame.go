package tedge

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/status"
)

// Frame is an OCALL that is being made. Its marshalling structure and buffers
// are built inside the enclave and copied out when it leaves.
type Frame struct {
	edge.Caller
	gate    Gate
	regions []edge.Region // the marshalling structure first, if there is one
	taken   bool
}

// NewFrame begins an OCALL whose marshalling structure has size bytes. ctx is
// that of the ECALL.
func NewFrame(ctx context.Context, size int) *Frame {
	f := new(Frame)
	f.Space = f
	g, ok := gateFrom(ctx)
	if !ok {
		f.Fail(ErrNoGate)
	}
	f.gate = g
	if size > 0 {
		f.Block = make(edge.Block, size)
		if ok {
			if r, err := f.Alloc(size); err != nil {
				f.Fail(err)
			} else {
				f.Block = r.Block
			}
		}
	}
	return f
}

// Alloc implements edge.Space.
func (f *Frame) Alloc(n int) (edge.Region, error) {
	addr, err := f.gate.Alloc(uint64(n))
	if err != nil {
		return edge.Region{}, err
	}
	f.taken = true
	if !f.gate.Outside(addr, uint64(n)) {
		return edge.Region{}, status.ErrUnexpected
	}
	r := edge.Region{Addr: addr, Block: make(edge.Block, n)}
	f.regions = append(f.regions, r)
	return r, nil
}

// Fetch implements edge.Space.
func (f *Frame) Fetch(r edge.Region) edge.Block {
	f.gate.Load(r.Block, r.Addr)
	return r.Block
}

// Call makes the OCALL. results is the size in bytes of what it returns at the
// beginning of the marshalling structure.
func (f *Frame) Call(index, results int) error {
	if err := f.Err(); err != nil {
		return err
	}
	var ms uint64
	for _, r := range f.regions {
		f.gate.Store(r.Addr, r.Block)
	}
	if f.Block != nil {
		ms = f.regions[0].Addr
	}
	if err := f.gate.OCall(index, ms).Err(); err != nil {
		return err
	}
	if results > 0 {
		f.gate.Load(f.Block[:results], ms)
	}
	return nil
}

// Free gives the untrusted memory back.
func (f *Frame) Free() {
	if f.taken {
		f.gate.Free()
	}
}
