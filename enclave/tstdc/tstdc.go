// Package tstdc serves the OCALLs of the SDK's trusted C library, those of
// sgx_tstdc.edl: CPUID, and the events that threads of an enclave wait for
// when they wait for each other. The SDK's untrusted runtime has them built
// in; a host written in Go embeds [OCalls]:
//
//	type host struct {
//		tstdc.OCalls // of the imported sgx_tstdc.edl
//	}
//
//	func (h *host) OcallPrint(ctx context.Context, s string) error { … }
//
//	client := NewX(e, &host{})
//
// The methods have the names and signatures that generated code gives them. To
// leave other OCALLs unserved, embed the generated UnimplementedXOCalls in a
// struct of its own and embed that one: at the same depth Go would not know
// which of two methods is meant.
package tstdc

import (
	"context"
	"sync"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/internal/cpuid"
	"github.com/feidi-dev/feidi/status"
)

// MaxEvents bounds the threads that an enclave can have events for. An event
// is known by the address of the thread's data in the enclave, and an enclave
// may send any number of those.
const MaxEvents = 1 << 16

// OCalls serves the OCALLs of one enclave. The zero value is ready, and it is
// safe for concurrent use.
//
// Results are statuses of the SDK, as its C functions return them: 0, or
// SGX_ERROR_INVALID_PARAMETER for an event at address 0.
type OCalls struct {
	mu     sync.Mutex
	events map[edge.Pointer]*event
}

// event is a counting semaphore: a wait takes one of the wakes, also of those
// that came before it.
type event struct {
	wakes  int // guarded by OCalls.mu
	signal chan struct{}
}

// SgxOcCpuidex executes CPUID and returns EAX, EBX, ECX and EDX.
func (o *OCalls) SgxOcCpuidex(_ context.Context, leaf, subleaf int32) (cpuinfo [4]int32, err error) {
	r := cpuid.Leaf(uint32(leaf), uint32(subleaf))
	return [4]int32{int32(r.EAX), int32(r.EBX), int32(r.ECX), int32(r.EDX)}, nil
}

// SgxThreadWaitUntrustedEventOcall waits for a wake of the thread self, or for
// the end of ctx, which is the error then.
func (o *OCalls) SgxThreadWaitUntrustedEventOcall(ctx context.Context, self edge.Pointer) (ret int32, err error) {
	e, code := o.event(self)
	if e == nil {
		return code, nil
	}
	for {
		o.mu.Lock()
		if e.wakes > 0 {
			if e.wakes--; e.wakes > 0 {
				e.notify() // somebody else who waits as self
			}
			o.mu.Unlock()
			return 0, nil
		}
		o.mu.Unlock()
		select {
		case <-e.signal:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// SgxThreadSetUntrustedEventOcall wakes the thread waiter, now or when it waits
// next.
func (o *OCalls) SgxThreadSetUntrustedEventOcall(_ context.Context, waiter edge.Pointer) (ret int32, err error) {
	return o.wake(waiter), nil
}

// SgxThreadSetwaitUntrustedEventsOcall wakes waiter, then waits as self.
func (o *OCalls) SgxThreadSetwaitUntrustedEventsOcall(ctx context.Context, waiter, self edge.Pointer) (ret int32, err error) {
	if code := o.wake(waiter); code != 0 {
		return code, nil
	}
	return o.SgxThreadWaitUntrustedEventOcall(ctx, self)
}

// SgxThreadSetMultipleUntrustedEventsOcall wakes all waiters, up to the first
// that cannot be.
func (o *OCalls) SgxThreadSetMultipleUntrustedEventsOcall(_ context.Context, waiters []edge.Pointer) (ret int32, err error) {
	if len(waiters) == 0 {
		return int32(status.ErrInvalidParameter), nil
	}
	for _, w := range waiters {
		if code := o.wake(w); code != 0 {
			return code, nil
		}
	}
	return 0, nil
}

func (o *OCalls) wake(waiter edge.Pointer) (code int32) {
	e, code := o.event(waiter)
	if e == nil {
		return code
	}
	o.mu.Lock()
	e.wakes++
	o.mu.Unlock()
	e.notify()
	return 0
}

// notify has a thread look at the count of wakes, now or when it waits next.
func (e *event) notify() {
	select {
	case e.signal <- struct{}{}:
	default: // one is on its way
	}
}

// event returns the event of a thread, or why there is none.
func (o *OCalls) event(thread edge.Pointer) (e *event, code int32) {
	if thread == 0 {
		return nil, int32(status.ErrInvalidParameter)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if e = o.events[thread]; e != nil {
		return e, 0
	}
	if len(o.events) == MaxEvents {
		return nil, int32(status.ErrOutOfMemory)
	}
	if o.events == nil {
		o.events = map[edge.Pointer]*event{}
	}
	e = &event{signal: make(chan struct{}, 1)}
	o.events[thread] = e
	return e, 0
}
