package enclave

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
)

// Enclave is a loaded enclave. Its methods may be called concurrently.
type Enclave struct {
	m   *Machine
	img *image.Image
	opt options

	rng  cpu.Range
	secs cpu.PA
	epc  []cpu.PageRun

	hot  atomic.Pointer[thread] // an idle thread that is fetched without the lock
	dead atomic.Bool
	// crashed says that a thread was lost to an exception, whose TCS can tell
	// nobody any more.
	crashed atomic.Bool

	mu      sync.Mutex
	threads []*thread // that can be used or are in use
	idle    []*thread // those of them that are neither in use, nor bound, nor hot
	bound   []*Thread
	buffers []*Buffer // sorted by address
}

// Image returns the image that the enclave was loaded from.
func (e *Enclave) Image() *image.Image { return e.img }

// Machine returns the machine that the enclave runs on.
func (e *Enclave) Machine() *Machine { return e.m }

// Base returns the linear address of the enclave.
func (e *Enclave) Base() uint64 { return e.rng.Base() }

// SECS returns the enclave's control structure, as only the processor knows
// it on hardware. After Destroy it is all zeros.
func (e *Enclave) SECS() isa.SECS {
	if e.dead.Load() {
		return isa.SECS{} // the page may be another enclave's
	}
	s, _ := e.m.Processor().SECSInfo(e.secs)
	return s
}

// TargetInfo returns what another enclave needs to make a REPORT that this
// enclave can verify.
func (e *Enclave) TargetInfo() isa.TargetInfo {
	s := e.SECS()
	return isa.TargetInfo{
		Measurement: s.MREnclave, Attributes: s.Attributes, MiscSelect: s.MiscSelect,
		ConfigID: s.ConfigID, ConfigSVN: s.ConfigSVN,
	}
}

// ReadAt reads linear addresses as software outside the enclave does: memory
// of the enclave reads as 0xFF bytes (SDM Vol. 3D, "Access-control
// Requirements"). off is an offset into ELRANGE.
func (e *Enclave) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("enclave: offset %d is before the enclave", off)
	}
	if e.dead.Load() {
		return 0, ErrDestroyed
	}
	var end error
	if left := e.rng.Size() - min(e.rng.Size(), uint64(off)); uint64(len(b)) > left {
		b, end = b[:left], io.EOF
	}
	if err := e.m.Processor().ReadLinear(e.rng.Space(), nil, e.rng.Base()+uint64(off), b); err != nil {
		return 0, err
	}
	return len(b), end
}

// Destroy stops the threads that are inside, removes the enclave's pages and
// frees its memory. A call that is under way returns ErrDestroyed; Destroy
// waits for OCALLs that are being served, so that none of those may call it. A
// second call returns ErrDestroyed at once.
func (e *Enclave) Destroy() error {
	if e.dead.Swap(true) {
		return ErrDestroyed
	}
	for !e.quiet() {
		time.Sleep(time.Millisecond)
	}
	for _, t := range e.threads {
		t.close()
	}
	e.mu.Lock()
	for _, b := range e.buffers {
		b.mem.Free()
	}
	e.buffers = nil
	e.mu.Unlock()
	return e.unload()
}

// quiet gathers the threads that are not in use, interrupts the others, and
// reports whether there were none.
func (e *Enclave) quiet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.hot.Swap(nil); t != nil {
		e.idle = append(e.idle, t)
	}
	e.bound = slices.DeleteFunc(e.bound, func(b *Thread) bool {
		if !b.state.CompareAndSwap(threadFree, threadGone) {
			return false
		}
		e.idle = append(e.idle, b.t)
		return true
	})
	for _, t := range e.threads {
		if !slices.Contains(e.idle, t) {
			t.cpu.Interrupt()
		}
	}
	return len(e.idle) == len(e.threads)
}

// unload removes the range and the pages. The range goes first: while it is
// there, the engine mends its mapping after each EREMOVE.
func (e *Enclave) unload() error {
	var errs []error
	if e.rng != nil {
		errs = append(errs, e.rng.Close())
	}
	p := e.m.Processor()
	for i := len(e.epc) - 1; i >= 0; i-- {
		run := e.epc[i]
		for n := range run.Pages {
			if err := p.EREMOVE(run.PA + cpu.PA(n*isa.PageSize)); err != nil {
				return errors.Join(append(errs, fmt.Errorf("enclave: %w", err))...) // the rest stays taken
			}
		}
		p.Scrub(run.PA, run.Pages)
		e.m.alloc.Free(run)
	}
	e.epc = nil
	e.m.loaded.Add(-1)
	return errors.Join(errs...)
}
