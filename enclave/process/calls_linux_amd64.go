package process

import (
	"context"
	"fmt"

	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/status"
	"golang.org/x/sys/unix"
)

// CallAt implements uedge.Enclave: it makes an ECALL of the program's EDL, on a
// thread of the program that waits for one, and waits until there is one. With
// the context of an OCALL, the thread that made that OCALL serves it.
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
	j := jobs.Get().(*job)
	j.ctx, j.index, j.ms, j.table = ctx, index, ms, table
	var r result
	if o := p.outCallOf(ctx); o != nil {
		r = o.nest(ctx, j)
	} else {
		r = p.calls.do(ctx, j)
	}
	*j = job{done: j.done}
	jobs.Put(j)
	if r.err != nil {
		return r.err
	}
	return r.status.Err()
}

// do has a worker do a job.
func (c *calls) do(ctx context.Context, j *job) result {
	taken, err := c.give(j)
	switch {
	case err != nil:
		return result{err: err}
	case taken:
		return <-j.done
	}
	select {
	case r := <-j.done:
		return r
	case <-ctx.Done():
		if c.withdraw(j) {
			return result{err: fmt.Errorf("process: no thread of the program waits for calls: %w", ctx.Err())}
		}
		return <-j.done
	}
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
	t.begin(j, 0)
	return 0
}

// begin tells the program of a job, which is nested in the OCALL with a number,
// or in none. Another thread may end it from now on.
func (t *thread) begin(j *job, ocall uint64) {
	t.setArg(0, uint64(j.index))
	t.setArg(1, j.ms)
	number, alone := t.p.calls.begin(j)
	t.setArg(2, alone)
	t.setArg(3, ocall)
	t.setArg(4, number)
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

var _ uedge.Enclave = (*Process)(nil)
