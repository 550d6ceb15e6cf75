package process

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// thread is a block with the thread of the enclave that uses it. Its fields
// are used by the goroutine that runs the thread, except where it says else.
type thread struct {
	p    *Process
	n    int    // number of the block
	addr uint64 // of the block
	mem  []byte // the block

	running atomic.Bool                    // the block is in use
	bound   atomic.Pointer[enclave.Thread] // for OpKick by others

	args [6]uint64
	sleep
	worker  worker
	scratch scratch
}

// scratch is memory for system calls, which others cannot change meanwhile.
type scratch struct {
	paths   [2][pathSize]byte
	length  uint32   // of an address
	fds     [2]int32 // of a pipe
	time    [2]unix.Timespec
	polled  []unix.PollFd
	held    []*file
	iov     unix.Iovec
	header  unix.Msghdr
	name    [goabi.MsgNameMax]byte
	control []byte
	stat    unix.Stat_t
	events  [8]byte // read from the eventfd
}

func (p *Process) makeThreads(mem []byte, addr uint64, count int) {
	for n := range count {
		off := n * goabi.BlockSize
		t := &thread{p: p, n: n, addr: addr + uint64(off), mem: mem[off:][:goabi.BlockSize:goabi.BlockSize]}
		t.sleep.init()
		t.worker.next = make(chan *job, 1)
		p.threads = append(p.threads, t)
	}
	for n := count - 1; n >= 0; n-- {
		p.free = append(p.free, p.threads[n])
	}
	p.live = 1 // the ticker
}

// threadContext is the context of a thread's ECALL: it says which thread an
// OCALL comes from.
type threadContext struct {
	context.Context
	t *thread
}

type threadKey struct{}

// Value implements context.Context.
func (c *threadContext) Value(key any) any {
	if key == (threadKey{}) {
		return c.t
	}
	return c.Context.Value(key)
}

// threadOf returns the thread that runs under ctx, or nil.
func threadOf(ctx context.Context) *thread {
	if c, ok := ctx.(*threadContext); ok {
		return c.t
	}
	t, _ := ctx.Value(threadKey{}).(*thread) // under the enclave's time limit
	return t
}

// bindTime is how long a thread that has ended may take to give its TCS back.
const bindTime = 50 * time.Millisecond

// spawn starts a thread with an ECALL. ms 0 stands for its block's number. It
// returns 0 or -errno.
func (p *Process) spawn(ecall int, ms uint64) int64 {
	p.mu.Lock()
	n := len(p.free)
	if n == 0 || p.ended {
		p.mu.Unlock()
		return -int64(unix.EAGAIN)
	}
	t := p.free[n-1]
	p.free = p.free[:n-1]
	p.live++
	p.mu.Unlock()
	b, err := p.e.Bind()
	for end := time.Now().Add(bindTime); errors.Is(err, enclave.ErrOutOfTCS) && time.Now().Before(end); {
		time.Sleep(100 * time.Microsecond)
		b, err = p.e.Bind()
	}
	if err != nil {
		p.mu.Lock()
		p.free = append(p.free, t)
		p.live-- // not the last: who calls is alive, or the ticker is
		p.mu.Unlock()
		return -int64(unix.EAGAIN)
	}
	if ecall == goabi.ECallThread {
		ms = uint64(t.n)
	}
	t.reset()
	t.bound.Store(b)
	t.running.Store(true)
	p.inside.Add(1)
	go t.run(b, ecall, ms)
	return 0
}

// run is a thread's life.
func (t *thread) run(b *enclave.Thread, ecall int, ms uint64) {
	p := t.p
	err := fmt.Errorf("%w: an OCALL did not return", ErrProgram) // unless it does
	defer func() {
		t.running.Store(false)
		t.bound.Store(nil)
		b.Release()
		switch {
		case err != nil:
			p.end(State{}, err)
		case ecall == goabi.ECallStart:
			p.end(State{}, fmt.Errorf("%w: its first thread returned", ErrProgram))
		}
		p.outside()
		p.leave(t)
	}()
	err = b.CallAt(&threadContext{p.ctx, t}, ecall, ms, nil)
}

// other returns the thread with a block that the enclave names.
func (t *thread) other(n uint64) *thread {
	if n >= uint64(len(t.p.threads)) {
		return nil
	}
	return t.p.threads[n]
}

// kick serves OpKick.
func (t *thread) kick() int64 {
	o := t.other(t.args[0])
	if o == nil {
		return -int64(unix.EINVAL)
	}
	o.notify()
	return 0
}

// notify makes the thread leave the code that it is in, if it is inside.
func (t *thread) notify() {
	if b := t.bound.Load(); b != nil {
		b.Notify()
	}
}

// close frees what the thread has of the host.
func (t *thread) close() {
	if fd := t.event.Swap(-1); fd >= 0 {
		_ = unix.Close(int(fd))
	}
}
