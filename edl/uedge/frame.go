package uedge

import (
	"context"
	"fmt"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/status"
)

// Frame is an ECALL that is being made: its marshalling structure and buffers
// in untrusted memory. It is for one goroutine.
type Frame struct {
	edge.Caller
	client *Client
	ms     edge.Region

	mem   Memory // for the marshalling structure and small buffers
	addr  uint64
	bytes []byte
	used  int
	large []Memory

	table     Table // of OCALLs, bound to this frame
	call      Call  // the OCALL under way
	callee    edge.Callee
	ocallErrs []error
}

func newFrame(c *Client) *Frame {
	f := &Frame{client: c, table: make(Table, len(c.servers))}
	f.Space = f
	for i := range c.servers {
		if c.servers[i].Serve != nil {
			f.table[i] = func(ctx context.Context, call Call) status.Code { return f.serve(ctx, i, call) }
		}
	}
	return f
}

// structure makes room for the marshalling structure.
func (f *Frame) structure(size int) edge.Region {
	if f.Err() == nil {
		r, err := f.Alloc(size)
		if err == nil {
			return r
		}
		f.Fail(err)
	}
	return edge.Region{Block: make(edge.Block, size)}
}

// align is what every piece of a frame is aligned to.
const align = 16

// Alloc implements edge.Space.
func (f *Frame) Alloc(n int) (edge.Region, error) {
	if n <= len(f.bytes)-f.used {
		off := f.used
		f.used = min((off+n+align-1)&^(align-1), len(f.bytes))
		b := f.bytes[off:][:n:n]
		clear(b)
		return edge.Region{Addr: f.addr + uint64(off), Block: b}, nil
	}
	mem, err := f.client.enclave.Outside(n)
	if err != nil {
		return edge.Region{}, fmt.Errorf("edl/uedge: %d bytes for an argument: %w", n, err)
	}
	f.large = append(f.large, mem)
	return edge.Region{Addr: mem.Addr(), Block: mem.Bytes()[:n:n]}, nil
}

// Fetch implements edge.Space. The block is the untrusted memory itself, from
// which the results are copied.
func (f *Frame) Fetch(r edge.Region) edge.Block { return r.Block }

// Call makes the ECALL. Errors of OCALLs that it made are joined to its own.
func (f *Frame) Call(ctx context.Context, index int) error {
	if err := f.Err(); err != nil {
		return err
	}
	return f.join(f.client.enclave.CallAt(ctx, index, f.ms.Addr, f.table))
}

// Free ends the frame.
func (f *Frame) Free() {
	for i, m := range f.large {
		m.Free()
		f.large[i] = nil
	}
	clear(f.ocallErrs)
	f.Caller.Reset()
	f.ms, f.used, f.large, f.ocallErrs = edge.Region{}, 0, f.large[:0], f.ocallErrs[:0]
	f.client.give(f)
}

// release gives the frame's memory back. A frame whose calls passed nothing
// has none.
func (f *Frame) release() {
	if f.mem != nil {
		f.mem.Free()
	}
}
