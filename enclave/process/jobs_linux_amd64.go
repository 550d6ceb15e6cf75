package process

import (
	"context"
	"slices"
	"sync"

	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/status"
)

// job is an ECALL of the program's EDL. The program knows it by its number, and
// may end it on another thread than it began on.
type job struct {
	ctx   context.Context
	index int
	ms    uint64
	table uedge.Table
	done  chan result // for one

	// The context of its OCALLs, once it has made one. calls.mu guards it.
	inner  context.Context
	cancel func()
}

// result is how a job ended.
type result struct {
	status status.Code
	err    error
}

var jobs = sync.Pool{New: func() any { return &job{done: make(chan result, 1)} }}

// finish ends the job, which nobody else knows any more.
func (j *job) finish(r result) {
	if j.cancel != nil {
		j.cancel()
	}
	j.done <- r
}

// A worker is a thread that waits for an ECALL. Who takes it from the list
// sends it one, or nil to interrupt it.
type worker struct{ next chan *job }

// calls are the workers and ECALLs that wait for each other: only ever the
// ones or the others.
type calls struct {
	mu      sync.Mutex
	idle    []*worker // the last is used first: its memory is warm
	waiting []*job
	active  map[uint64]*job     // by number
	ocalls  map[uint64]*outCall // those that allow ECALLs, by number
	last    uint64              // number
	closed  bool
}

// give hands a job to a worker. It reports whether one took it; else it waits
// in the list, unless the process has ended.
func (c *calls) give(j *job) (taken bool, err error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return false, ErrEnded
	}
	n := len(c.idle)
	if n == 0 {
		c.waiting = append(c.waiting, j)
		c.mu.Unlock()
		return false, nil
	}
	w := c.idle[n-1]
	c.idle = c.idle[:n-1]
	c.mu.Unlock()
	w.next <- j
	return true, nil
}

// withdraw takes a job out of the list, if it is still there.
func (c *calls) withdraw(j *job) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.waiting, j)
	if i < 0 {
		return false
	}
	c.waiting = slices.Delete(c.waiting, i, i+1)
	return true
}

// take returns the next job for a worker, or puts it among those that wait.
// It returns neither a job nor true if the process has ended.
func (c *calls) take(w *worker) (j *job, waits bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
	case len(c.waiting) > 0:
		j = c.waiting[0]
		c.waiting = slices.Delete(c.waiting, 0, 1)
	default:
		c.idle = append(c.idle, w)
		waits = true
	}
	return j, waits
}

// begin numbers a job that a worker has, and reports whether no other worker
// waits, as 1 or 0.
func (c *calls) begin(j *job) (number, alone uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active == nil {
		c.active = map[uint64]*job{}
	}
	c.last++
	c.active[c.last] = j
	if len(c.idle) == 0 {
		alone = 1
	}
	return c.last, alone
}

// finish ends the job with a number, if there is one.
func (c *calls) finish(number uint64, r result) {
	c.mu.Lock()
	j := c.active[number]
	delete(c.active, number)
	c.mu.Unlock()
	if j != nil {
		j.finish(r)
	}
}

// abandon ends all jobs. No thread is inside any more, so that the memory of
// their callers is not used.
func (c *calls) abandon() {
	c.mu.Lock()
	active := c.active
	c.active = nil
	c.mu.Unlock()
	for _, j := range active {
		j.finish(result{err: ErrEnded})
	}
}

// interrupt wakes a worker for nothing.
func (c *calls) interrupt() bool {
	c.mu.Lock()
	n := len(c.idle)
	if n == 0 {
		c.mu.Unlock()
		return false
	}
	w := c.idle[n-1]
	c.idle = c.idle[:n-1]
	c.mu.Unlock()
	w.next <- nil
	return true
}

// close wakes everybody. No more jobs are taken.
func (c *calls) close() {
	c.mu.Lock()
	idle, waiting := c.idle, c.waiting
	c.idle, c.waiting, c.closed = nil, nil, true
	c.mu.Unlock()
	for _, w := range idle {
		w.next <- nil
	}
	for _, j := range waiting {
		j.finish(result{err: ErrEnded})
	}
}

// context returns the context of the job's OCALLs, which ends with the job's
// own or the process.
func (j *job) context(process context.Context) context.Context {
	if j.inner == nil {
		ctx, cancel := context.WithCancel(j.ctx)
		stop := context.AfterFunc(process, cancel)
		j.inner, j.cancel = ctx, func() { stop(); cancel() }
	}
	return j.inner
}
