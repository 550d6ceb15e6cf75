package enclave

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/isa"
)

// stackSize is the size of a thread's untrusted stack, on which the enclave
// places marshalling blocks (sgx_ocalloc); arenaSize is that of the memory
// for the blocks that calls pass in.
const (
	stackSize = 1 << 20
	arenaSize = MaxBlock
)

// MaxBlock is the size in bytes of the largest marshalling block. Nested calls
// share it.
const MaxBlock = 64 << 10

// thread is a TCS with what a host thread needs to use it.
type thread struct {
	e     *Enclave
	tcs   uint64
	cpu   cpu.Thread
	regs  *cpu.Regs // cpu's own
	mem   *Buffer   // arena, then stack
	arena uint64    // bytes of the arena in use
	sp    uint64    // stack pointer for the next entry
	depth int       // OCALLs under way
	calls [maxDepth]Call
	table uedge.Table // OCALLs of the call under way, if it was made by CallAt

	// outer is the context of the root call, if it can end.
	outer context.Context
	// notice asks for an entry by ECMD_EXCEPT at the next interrupt.
	notice atomic.Bool
	// broken is the error of a nested ECALL that did not end, after which
	// the outer one cannot go on.
	broken error
}

// makeThreads makes a thread for every usable TCS.
func (e *Enclave) makeThreads() error {
	for _, d := range e.img.Threads {
		if !d.Usable {
			continue
		}
		mem, err := e.Alloc(arenaSize + stackSize)
		if err != nil {
			return err
		}
		c, err := e.m.engine.NewThread(e.rng)
		if err != nil {
			return err
		}
		t := &thread{e: e, tcs: e.rng.Base() + d.Offset, cpu: c, regs: c.Regs(), mem: mem}
		t.sp = mem.Addr() + arenaSize + stackSize - 64
		e.threads = append(e.threads, t)
		e.idle = append(e.idle, t)
	}
	slices.Reverse(e.idle) // the first TCS is used first
	return nil
}

func (t *thread) close() {
	_ = t.cpu.Close() // frees memory only
}

// acquire takes an idle thread.
func (e *Enclave) acquire() (*thread, error) {
	t := e.hot.Swap(nil)
	if t == nil {
		var err error
		if t, err = e.acquireSlow(); err != nil {
			return nil, err
		}
	}
	if e.dead.Load() {
		e.release(t)
		return nil, ErrDestroyed
	}
	return t, nil
}

func (e *Enclave) acquireSlow() (*thread, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(e.idle)
	switch {
	case e.dead.Load():
		return nil, ErrDestroyed
	case n == 0 && e.crashed.Load():
		return nil, fmt.Errorf("enclave: %w", ErrEnclaveCrashed)
	case n == 0 && len(e.threads) == 0:
		return nil, fmt.Errorf("enclave: %w: every thread was lost in a call that did not end: load the enclave again", ErrOutOfTCS)
	case n == 0:
		return nil, fmt.Errorf("enclave: %w: %d threads of the enclave are in use, and no other is left", ErrOutOfTCS, len(e.threads))
	}
	t := e.idle[n-1]
	e.idle = e.idle[:n-1]
	return t, nil
}

// release gives a thread back.
func (e *Enclave) release(t *thread) {
	if e.hot.CompareAndSwap(nil, t) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle = append(e.idle, t)
}

// lose drops a thread whose TCS holds an unfinished call.
func (e *Enclave) lose(t *thread) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := slices.Index(e.threads, t); i >= 0 {
		e.threads = slices.Delete(e.threads, i, i+1)
	}
	t.close()
}

// abandon loses a thread whose call will not return to its caller.
func (e *Enclave) abandon(t *thread) {
	e.mu.Lock()
	e.bound = slices.DeleteFunc(e.bound, func(b *Thread) bool {
		if b.t == t {
			b.state.Store(threadGone)
		}
		return b.t == t
	})
	e.mu.Unlock()
	e.lose(t)
}

// Thread is a TCS that the caller keeps over several calls, as a host thread
// does under the SDK's bind policy: thread-local data of the enclave lasts
// from one call to the next. It is for one goroutine at a time.
type Thread struct {
	t     *thread
	state atomic.Uint32
}

// States of a Thread.
const (
	threadFree uint32 = iota
	threadBusy        // in a call
	threadGone        // released, lost or destroyed
)

// Bind takes a TCS out of the pool until Release.
func (e *Enclave) Bind() (*Thread, error) {
	t, err := e.acquire()
	if err != nil {
		return nil, err
	}
	b := &Thread{t: t}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bound = append(e.bound, b)
	return b, nil
}

// ECall is Enclave.ECall on this thread.
func (b *Thread) ECall(ctx context.Context, index int, block []byte) error {
	return b.call(func() (error, bool) { return b.t.root(ctx, index, block) })
}

// call makes a root call on this thread.
func (b *Thread) call(root func() (err error, lost bool)) error {
	if !b.state.CompareAndSwap(threadFree, threadBusy) {
		switch {
		case b.t.e.dead.Load():
			return ErrDestroyed
		case b.state.Load() == threadBusy:
			return ErrThreadBusy
		}
		return ErrThreadLost
	}
	err, lost := root()
	if lost {
		b.t.e.abandon(b.t)
		return err
	}
	b.state.Store(threadFree)
	return err
}

// Notify interrupts the thread where it runs inside the enclave, and has it
// enter its exception handler (ECMD_EXCEPT) although there is no exception, as
// any host may. It is for enclaves whose runtime expects that, as Go's does to
// take a goroutine off a processor; the SDK's crashes. A status other than
// SGX_SUCCESS means that the enclave wants to be asked again. Notify may be
// called at any time, and does nothing to a thread that is outside.
func (b *Thread) Notify() {
	b.t.notice.Store(true)
	b.t.cpu.Interrupt()
}

// Release gives the TCS back to the pool. The Thread cannot be used again.
func (b *Thread) Release() {
	if b.state.CompareAndSwap(threadFree, threadGone) {
		b.t.e.drop(b)
		b.t.e.release(b.t)
	}
}

// drop forgets a bound thread.
func (e *Enclave) drop(b *Thread) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := slices.Index(e.bound, b); i >= 0 {
		e.bound = slices.Delete(e.bound, i, i+1)
	}
}

// set makes the registers ready for EENTER with a command. The others keep
// what the last exit left in them: the enclave may not care.
func (t *thread) set(command, ms, sp, bp uint64) *cpu.Regs {
	r := t.regs
	r.RAX, r.RBX, r.RDI, r.RSI, r.RSP, r.RBP = uint64(isa.EENTER), t.tcs, command, ms, sp, bp
	return r
}
