package enclave

import (
	"context"
	"fmt"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/image"
)

// Call is an OCALL that is being served. It is valid until the OCALL returns.
type Call struct {
	Index int
	// Block is the address of the marshalling structure, outside the enclave.
	Block uint64

	t *thread
}

// Enclave returns the enclave that made the OCALL.
func (c *Call) Enclave() *Enclave { return c.t.e }

// Bytes returns the n bytes of untrusted memory at addr, aliased: the
// marshalling structure, or what it points to. They must lie in memory that
// the enclave was given: its untrusted stack, a block, or memory from Alloc.
func (c *Call) Bytes(addr uint64, n int) ([]byte, error) { return c.t.e.Bytes(addr, n) }

// Regs returns the registers with which the enclave left for the OCALL, as any
// host sees them. They are gone once a nested ECALL is made.
func (c *Call) Regs() cpu.Regs { return *c.t.regs }

// ECall makes a nested ECALL on the thread that made the OCALL. If it does not
// end, neither does the call that made the OCALL.
func (c *Call) ECall(ctx context.Context, index int, block []byte) error {
	return c.t.nest(func() (error, bool) { return c.t.ecall(ctx, index, block) })
}

// nest makes a nested ECALL.
func (t *thread) nest(call func() (err error, lost bool)) error {
	if t.broken != nil {
		return ErrThreadLost
	}
	err, lost := call()
	if lost {
		t.broken = err
	}
	return err
}

// ocall serves an OCALL and returns its status. sp is the stack pointer at
// EEXIT, below which nested entries must stay.
func (t *thread) ocall(ctx context.Context, index int32, block, sp uint64) (Status, error) {
	if !t.e.followsSDK() {
		return 0, fmt.Errorf("enclave: left with RDI=%#x: not an SDK enclave; use Enter", uint32(index))
	}
	if t.depth == maxDepth {
		return ErrStackOverrun, nil
	}
	f := t.e.opt.otherOCalls
	switch i := int(index); {
	case i >= 0 && i < len(t.table) && t.table[i] != nil:
		f = edge(t.table[i])
	case i >= 0 && i < len(t.e.opt.ocalls) && t.e.opt.ocalls[i] != nil:
		f = t.e.opt.ocalls[i]
	}
	switch {
	case index < 0:
		// Built-in OCALLs of dynamic memory management, which this machine
		// does not announce.
		return ErrUnexpected, nil
	case f == nil:
		return ErrInvalidFunction, nil
	}
	c := &t.calls[t.depth]
	*c = Call{Index: int(index), Block: block, t: t}
	status := t.serve(ctx, f, c, (sp-redZone)&^15)
	switch {
	case t.broken != nil:
		return 0, t.broken
	case t.e.dead.Load():
		return 0, ErrDestroyed
	}
	return status, nil
}

// serve calls f; nested entries begin at sp. A panic of f, or its end by
// runtime.Goexit, leaves the thread inside the enclave for good.
func (t *thread) serve(ctx context.Context, f OCall, c *Call, sp uint64) Status {
	saved, returned := t.sp, false
	defer func() {
		t.sp = saved
		t.depth--
		if returned {
			return
		}
		t.broken = ErrThreadLost
		if t.depth == 0 {
			t.e.abandon(t)
		}
	}()
	t.sp = sp
	t.depth++
	status := f(ctx, c)
	returned = true
	return status
}

// redZone is what a function may use below its stack pointer.
const redZone = 128

// followsSDK reports whether the enclave obeys the SDK's entry contract.
func (e *Enclave) followsSDK() bool { return e.img.Format == image.FormatIntel }
