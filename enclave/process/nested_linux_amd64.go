package process

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/status"
	"golang.org/x/sys/unix"
)

// outCall is an OCALL that is being served.
type outCall struct {
	p     *Process
	index int
	block uint64
	over  atomic.Bool

	// Of one that allows ECALLs: those that are made in it, its status, and its
	// number.
	nested chan *job
	done   chan status.Code
	number uint64
}

// outCall serves OpOCall.
func (t *thread) outCall() int64 {
	p := t.p
	ctx, f := p.lookup(t.args[2], t.args[0])
	if f == nil {
		return int64(status.ErrInvalidFunction)
	}
	c := &outCall{p: p, index: int(t.args[0]), block: t.args[1]}
	if t.args[3] != 1 {
		p.outside() // it may wait for calls that others make
		defer p.inside.Add(1)
		defer c.over.Store(true)
		return int64(f(uedge.ContextWithCall(ctx, c), c))
	}
	c.nested, c.done = make(chan *job), make(chan status.Code, 1)
	if !p.calls.open(c) {
		return int64(status.ErrOutOfMemory)
	}
	p.mu.Lock()
	p.live++ // the thread may end before it
	p.mu.Unlock()
	go func() {
		defer p.leave(nil)
		s := status.ErrUnexpected // unless the function returns
		defer func() {
			c.over.Store(true)
			c.done <- s
		}()
		s = f(uedge.ContextWithCall(ctx, c), c)
	}()
	return t.awaitOCall(c)
}

// resume serves OpResume.
func (t *thread) resume() int64 {
	c := t.p.calls.opened(t.args[2])
	if c == nil {
		return -int64(unix.EINVAL)
	}
	t.p.calls.finish(t.args[1], result{status: status.Code(t.args[0])})
	return t.awaitOCall(c)
}

// awaitOCall waits for the end of an OCALL, or for an ECALL that is made in it.
func (t *thread) awaitOCall(c *outCall) int64 {
	p := t.p
	p.outside()
	for {
		select {
		case s := <-c.done:
			p.inside.Add(1)
			p.calls.shut(c)
			return int64(s)
		case j := <-c.nested:
			p.inside.Add(1)
			if p.stopped.Load() { // the program does not go on
				j.finish(result{err: ErrEnded})
				p.outside()
				continue
			}
			t.begin(j, c.number)
			return goabi.OCallNested
		}
	}
}

// outCallOf returns the OCALL of the process that ctx is of, or nil.
func (p *Process) outCallOf(ctx context.Context) *outCall {
	if c, ok := uedge.CallFrom(ctx); ok {
		if o, ok := c.(*outCall); ok && o.p == p {
			return o
		}
	}
	return nil
}

// nest has the thread that made the OCALL do a job.
func (c *outCall) nest(ctx context.Context, j *job) result {
	switch {
	case c.over.Load():
		return result{err: enclave.ErrOCallOver}
	case c.nested == nil:
		return result{status: status.ErrECallNotAllowed}
	}
	select {
	case c.nested <- j:
		return <-j.done
	case <-c.p.ctx.Done():
		return result{err: ErrEnded}
	case <-ctx.Done():
		return result{err: fmt.Errorf("process: %w", ctx.Err())}
	}
}

// maxOpen bounds the OCALLs that allow ECALLs and are under way: a program can
// begin one after the other on one thread.
const maxOpen = 1 << 12

// open numbers an OCALL that allows ECALLs, if there may be one more; opened
// returns the one with a number, or nil, and shut forgets it.
func (c *calls) open(o *outCall) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ocalls) >= maxOpen {
		return false
	}
	if c.ocalls == nil {
		c.ocalls = map[uint64]*outCall{}
	}
	c.last++
	o.number = c.last
	c.ocalls[o.number] = o
	return true
}

func (c *calls) opened(number uint64) *outCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ocalls[number]
}

func (c *calls) shut(o *outCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ocalls, o.number)
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
