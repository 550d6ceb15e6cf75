package enclave

import (
	"context"
	"sync/atomic"

	"github.com/feidi-dev/feidi/edl/uedge"
)

// CallAt makes ECALL index with the marshalling structure at ms, which the
// enclave reads and writes where it is; it must lie in memory from Outside or
// Alloc, and 0 stands for none. OCALLs are served by table, and those that it
// lacks as Load was told. Errors are those of ECall.
//
// With the context of an OCALL that a table of this enclave serves, the ECALL
// is a nested one on the same thread. It must be made before the OCALL
// returns, and by the goroutine that serves it.
func (e *Enclave) CallAt(ctx context.Context, index int, ms uint64, table uedge.Table) error {
	if s := servedBy(ctx, e); s != nil {
		return s.callAt(ctx, index, ms, table)
	}
	t, err := e.acquire()
	if err != nil {
		return err
	}
	err, lost := t.rootAt(ctx, index, ms, table)
	return e.finish(t, err, lost)
}

// CallAt is Enclave.CallAt on this thread.
func (b *Thread) CallAt(ctx context.Context, index int, ms uint64, table uedge.Table) error {
	if s := servedBy(ctx, b.t.e); s != nil && s.call.t == b.t {
		return s.callAt(ctx, index, ms, table)
	}
	return b.call(func() (error, bool) { return b.t.rootAt(ctx, index, ms, table) })
}

// Outside is Alloc, for edge routines.
func (e *Enclave) Outside(size int) (uedge.Memory, error) {
	b, err := e.Alloc(size)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Outside is Alloc of the thread's enclave, for edge routines.
func (b *Thread) Outside(size int) (uedge.Memory, error) { return b.t.e.Outside(size) }

// rootAt is root with a marshalling structure that is in place.
func (t *thread) rootAt(ctx context.Context, index int, ms uint64, table uedge.Table) (err error, lost bool) {
	ctx, cancel := t.limit(ctx)
	defer cancel()
	return t.ecallAt(ctx, index, ms, table)
}

// ecallAt makes an ECALL, root or nested, with the block at ms.
func (t *thread) ecallAt(ctx context.Context, index int, ms uint64, table uedge.Table) (err error, lost bool) {
	if err := checkIndex(index); err != nil {
		return err, false
	}
	outer := t.table
	t.table = table
	err, lost = t.run(ctx, uint64(index), ms)
	t.table = outer
	return err, lost
}

// served is an OCALL that an entry of a uedge.Table serves.
type served struct {
	call *Call
	over atomic.Bool
}

// edge makes an entry of a uedge.Table one of ours.
func edge(f uedge.OCall) OCall {
	return func(ctx context.Context, c *Call) Status {
		s := &served{call: c}
		defer s.over.Store(true)
		return f(uedge.ContextWithCall(ctx, s), s)
	}
}

// servedBy returns the OCALL of e that ctx belongs to, or nil.
func servedBy(ctx context.Context, e *Enclave) *served {
	c, _ := uedge.CallFrom(ctx)
	if s, ok := c.(*served); ok && s.call.t.e == e {
		return s
	}
	return nil
}

// callAt makes a nested ECALL.
func (s *served) callAt(ctx context.Context, index int, ms uint64, table uedge.Table) error {
	if s.over.Load() {
		return ErrOCallOver
	}
	t := s.call.t
	return t.nest(func() (error, bool) { return t.ecallAt(ctx, index, ms, table) })
}

// Index implements uedge.Call.
func (s *served) Index() int { return s.call.Index }

// Block implements uedge.Call.
func (s *served) Block() uint64 { return s.call.Block }

// Bytes implements uedge.Call.
func (s *served) Bytes(addr uint64, n int) ([]byte, error) {
	if s.over.Load() {
		return nil, ErrOCallOver
	}
	return s.call.Bytes(addr, n)
}
