package process

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/status"
	"golang.org/x/sys/unix"
)

// CallAt implements uedge.Enclave: it makes an ECALL of the program's EDL, on a
// thread of the program that waits for one, and waits until there is one.
//
// When ctx ends while it waits, it returns ctx's error. An ECALL that has begun
// is not stopped: the program would be in no good state. Its OCALLs are given
// a context that ends when ctx or the process does.
func (p *Process) CallAt(ctx context.Context, index int, ms uint64, table uedge.Table) error {
	switch {
	case !p.started.Load():
		return ErrNotStarted
	case index < 0 || index > 1<<31-1:
		return fmt.Errorf("process: %w: ECALL %d", enclave.ErrInvalidFunction, index)
	case ctx.Err() != nil:
		return fmt.Errorf("process: %w", ctx.Err())
	}
	inside := uint64(0)
	if c, ok := uedge.CallFrom(ctx); ok {
		if o, ok := c.(*outCall); ok && o.p == p {
			if o.over.Load() {
				return enclave.ErrOCallOver
			}
			inside = uint64(o.index) + 1
		}
	}
	j := jobs.Get().(*job)
	j.ctx, j.index, j.ms, j.table, j.inside = ctx, index, ms, table, inside
	taken, err := p.calls.give(j)
	var r result
	switch {
	case err != nil:
		r.err = err
	case taken:
		r = <-j.done
	default:
		select {
		case r = <-j.done:
		case <-ctx.Done():
			if p.calls.withdraw(j) {
				r.err = fmt.Errorf("process: no thread of the program waits for calls: %w", ctx.Err())
			} else {
				r = <-j.done
			}
		}
	}
	*j = job{done: j.done}
	jobs.Put(j)
	if r.err != nil {
		return r.err
	}
	return r.status.Err()
}

// nextCall serves OpNextCall.
func (t *thread) nextCall() int64 {
	c := &t.p.calls
	if n := t.args[1]; n != 0 {
		c.finish(n, result{status: status.Code(t.args[0])})
	}
	j, waits := c.take(&t.worker)
	if waits {
		// Whoever sends a signal from now on finds the worker in the list.
		if t.p.pending.Load() != 0 {
			c.interrupt() // this worker or another
		}
		if j = <-t.worker.next; j == nil && !t.p.stopped.Load() {
			return -int64(unix.EINTR)
		}
	}
	if j == nil {
		return -int64(unix.ESHUTDOWN)
	}
	t.setArg(0, uint64(j.index))
	t.setArg(1, j.ms)
	t.setArg(3, j.inside)
	number, alone := c.begin(j) // and another thread may end it
	t.setArg(2, alone)
	t.setArg(4, number)
	return 0
}

// outCall serves OpOCall.
func (t *thread) outCall() int64 {
	p := t.p
	ctx, f := p.lookup(t.args[2], t.args[0])
	if f == nil {
		return int64(status.ErrInvalidFunction)
	}
	c := &outCall{p: p, index: int(t.args[0]), block: t.args[1]}
	defer c.over.Store(true)
	p.outside() // it may make ECALLs, and wait for them
	defer p.inside.Add(1)
	return int64(f(uedge.ContextWithCall(ctx, c), c))
}

// lookup returns the function for an OCALL of an ECALL with a number, and its
// context.
func (p *Process) lookup(number, index uint64) (context.Context, uedge.OCall) {
	c := &p.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, f := p.ctx, at(p.cfg.OCalls, index)
	if j := c.active[number]; j != nil {
		if own := at(j.table, index); own != nil {
			f = own
		}
		ctx = j.context(p.ctx)
	}
	return ctx, f
}

func at(table uedge.Table, index uint64) uedge.OCall {
	if index >= uint64(len(table)) {
		return nil
	}
	return table[index]
}

// outCall is an OCALL that is being served.
type outCall struct {
	p     *Process
	index int
	block uint64
	over  atomic.Bool
}

// Index implements uedge.Call.
func (c *outCall) Index() int { return c.index }

// Block implements uedge.Call.
func (c *outCall) Block() uint64 { return c.block }

// Bytes implements uedge.Call.
func (c *outCall) Bytes(addr uint64, n int) ([]byte, error) {
	if c.over.Load() {
		return nil, enclave.ErrOCallOver
	}
	return c.p.e.Bytes(addr, n)
}

var _ uedge.Enclave = (*Process)(nil)
