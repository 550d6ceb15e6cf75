package enclave

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/isa"
)

// Commands that EENTER passes in RDI, and what EEXIT passes back, by the SDK's
// contract. Nonnegative values are ECALL and OCALL indexes.
const (
	cmdInit   = -1 // ECMD_INIT_ENCLAVE
	cmdORet   = -2 // ECMD_ORET: an OCALL has returned
	cmdExcept = -3 // ECMD_EXCEPT: handle the exception in SSA[0]
	ocmdERet  = -1 // OCMD_ERET: the ECALL is done
)

// maxDepth bounds nested ECALLs.
const maxDepth = 64

// ECall makes ECALL index with a copy of block as its marshalling structure,
// and copies the structure back. An ECALL that the trusted runtime refuses
// returns its Status; an exception that the enclave does not handle returns a
// *FaultError; a call stopped by ctx or the time limit returns ctx's error.
//
// block may be nil, and has at most 64 KiB, less what nested calls share. What
// it points to must come from Alloc.
func (e *Enclave) ECall(ctx context.Context, index int, block []byte) error {
	t, err := e.acquire()
	if err != nil {
		return err
	}
	err, lost := t.root(ctx, index, block)
	return e.finish(t, err, lost)
}

// finish ends a call on a thread of the pool.
func (e *Enclave) finish(t *thread, err error, lost bool) error {
	if lost {
		e.lose(t)
	} else {
		e.release(t)
	}
	return err
}

// Enter makes an ECALL with registers of the caller's choice, for enclaves
// that do not follow the SDK's contract. r holds what the enclave is to find
// in its registers at EENTER; RAX, RBX, RCX, RSP and RBP are set by Enter. On
// return it holds the registers at EEXIT. Errors are those of ECall, and any
// exception is one: without the SDK's contract the runtime cannot have the
// enclave handle it, and the TCS is lost.
func (e *Enclave) Enter(ctx context.Context, r *cpu.Regs) error {
	t, err := e.acquire()
	if err != nil {
		return err
	}
	ctx, cancel := t.limit(ctx)
	defer cancel()
	if err := t.ended(ctx); err != nil {
		return e.finish(t, t.refused(ctx, err), false)
	}
	if ctx.Done() != nil {
		defer t.watch(ctx)()
	}
	r.RAX, r.RBX, r.RSP, r.RBP = uint64(isa.EENTER), t.tcs, t.sp, 0
	exit, err := t.through(ctx, r)
	switch {
	case err != nil:
		return e.finish(t, t.refused(ctx, err), resuming(r))
	case exit.Kind == cpu.ExitEEXIT:
		return e.finish(t, nil, false)
	case exit.Kind == cpu.ExitInterrupt:
		return e.finish(t, t.stopped(ctx), true)
	}
	return e.finish(t, t.fault(&exit, ErrEnclaveCrashed), true)
}

// command makes a root entry with a command of the runtime.
func (e *Enclave) command(ctx context.Context, cmd int64, ms uint64) error {
	t, err := e.acquire()
	if err != nil {
		return err
	}
	ctx, cancel := t.limit(ctx)
	defer cancel()
	err, lost := t.run(ctx, uint64(cmd), ms)
	return e.finish(t, err, lost)
}

// limit is ctx with the enclave's time limit.
func (t *thread) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.e.opt.timeLimit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, t.e.opt.timeLimit)
}

// root makes a root ECALL. lost says that the thread cannot be used again.
func (t *thread) root(ctx context.Context, index int, block []byte) (err error, lost bool) {
	ctx, cancel := t.limit(ctx)
	defer cancel()
	return t.ecall(ctx, index, block)
}

// ecall makes an ECALL, root or nested, with a copy of block.
func (t *thread) ecall(ctx context.Context, index int, block []byte) (err error, lost bool) {
	if err := checkIndex(index); err != nil {
		return err, false
	}
	if len(block) == 0 {
		return t.run(ctx, uint64(index), 0)
	}
	size := (uint64(len(block)) + 63) &^ 63
	if size > arenaSize-t.arena {
		return fmt.Errorf("enclave: %w: a marshalling block of %d bytes is larger than %d", ErrInvalidParameter, len(block), arenaSize-t.arena), false
	}
	at := t.arena
	t.arena += size
	mem := t.mem.Bytes()[at : at+uint64(len(block))]
	copy(mem, block)
	err, lost = t.run(ctx, uint64(index), t.mem.Addr()+at)
	copy(block, mem)
	t.arena = at
	return err, lost
}

// checkIndex refuses what is no ECALL, but a command or nothing.
func checkIndex(index int) error {
	if index < 0 || index > 1<<31-1 {
		return fmt.Errorf("enclave: %w: ECALL %d", ErrInvalidFunction, index)
	}
	return nil
}

// run makes an entry with a command, serves its OCALLs and exceptions until
// the command is done, and stops it when ctx ends.
func (t *thread) run(ctx context.Context, command, ms uint64) (err error, lost bool) {
	if err := t.ended(ctx); err != nil {
		return t.refused(ctx, err), false
	}
	if ctx.Done() == nil {
		return t.serveAll(ctx, command, ms)
	}
	if t.depth == 0 {
		t.outer = ctx
		defer func() { t.outer = nil }()
	}
	defer t.watch(ctx)()
	return t.serveAll(ctx, command, ms)
}

// watch interrupts the thread again and again once ctx has ended, until the
// function that it returns is called: an interrupt may come while the thread
// is outside, or be consumed by a nested call.
func (t *thread) watch(ctx context.Context) (stop func()) {
	var over atomic.Bool
	unregister := context.AfterFunc(ctx, func() {
		for !over.Load() {
			t.cpu.Interrupt()
			time.Sleep(10 * time.Millisecond)
		}
	})
	return func() {
		over.Store(true)
		unregister()
	}
}

// ended is the error of ctx or of the root call's context.
func (t *thread) ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.outer != nil {
		return t.outer.Err()
	}
	return nil
}

// serveAll is run without an eye on ctx while the enclave runs.
func (t *thread) serveAll(ctx context.Context, command, ms uint64) (err error, lost bool) {
	r := t.set(command, ms, t.sp, 0)
	for entered := false; ; entered = true {
		exit, err := t.cpu.Run(context.Background(), r) // and not through, which costs a call 18 ns
		switch {
		case err != nil:
			return t.refused(ctx, err), entered || resuming(r)
		case exit.Kind == cpu.ExitInterrupt:
			if err := t.stopped(ctx); err != nil {
				return err, true
			}
			r.RAX = uint64(isa.ERESUME) // a late interrupt of an earlier call
			if err := t.notifyAll(ctx, &exit); err != nil {
				return err, true
			}
		case exit.Kind == cpu.ExitException:
			err := t.except(ctx, &exit)
			if err == nil { // an interrupt may have come while it was handled
				err = t.notifyAll(ctx, &exit)
			}
			if err != nil {
				return err, true
			}
		case int64(r.RDI) == ocmdERet:
			return Status(r.RSI).Err(), false
		default:
			index, ms, sp, bp := int32(r.RDI), r.RSI, r.RSP, r.RBP
			status, err := t.ocall(ctx, index, ms, sp)
			if err == nil {
				err = t.ended(ctx)
			}
			if err != nil {
				return t.refused(ctx, err), true
			}
			r = t.set(minus(cmdORet), uint64(status), sp, bp)
		}
	}
}

// through enters the enclave until it leaves, and resumes it after late
// interrupts of earlier calls. The caller watches ctx.
func (t *thread) through(ctx context.Context, r *cpu.Regs) (cpu.Exit, error) {
	for {
		exit, err := t.cpu.Run(context.Background(), r)
		if err != nil || exit.Kind != cpu.ExitInterrupt || t.stopped(ctx) != nil {
			return exit, err
		}
		r.RAX = uint64(isa.ERESUME)
	}
}

// minus returns a negative command as the register holds it.
func minus(c int64) uint64 { return uint64(c) }

// refused words an EENTER or ERESUME that did not happen.
func (t *thread) refused(ctx context.Context, err error) error {
	var fault *cpu.Fault
	switch {
	case err == t.ended(ctx): // and not that of a nested call, which is worded
		return fmt.Errorf("enclave: %w", err)
	case errors.As(err, &fault):
		return fmt.Errorf("enclave: %w: %w", ErrEnclaveLost, err)
	}
	return err
}

// stopped is the error of a call that was interrupted, or nil if it was not
// meant.
func (t *thread) stopped(ctx context.Context) error {
	switch {
	case t.e.dead.Load():
		return ErrDestroyed
	case t.ended(ctx) != nil:
		return fmt.Errorf("enclave: stopped inside the enclave: %w", t.ended(ctx))
	}
	return nil
}

// resuming reports whether it is ERESUME that the registers are for.
func resuming(r *cpu.Regs) bool { return r.RAX == uint64(isa.ERESUME) }

// except has the enclave handle the exception that it left with: ECMD_EXCEPT
// on the next SSA frame, then ERESUME. It leaves the registers ready for the
// latter.
func (t *thread) except(ctx context.Context, exit *cpu.Exit) error {
	if !t.e.followsSDK() {
		return t.fault(exit, ErrEnclaveCrashed)
	}
	status, err := t.handle(ctx, exit)
	if err == nil && status != Success {
		err = t.fault(exit, status)
	}
	return err
}

// notifyAll is except for Thread.Notify: there is no exception, and an enclave
// that cannot be bothered is asked again later.
func (t *thread) notifyAll(ctx context.Context, exit *cpu.Exit) error {
	for t.notice.Swap(false) {
		status, err := t.handle(ctx, exit)
		if err != nil {
			return err
		}
		if status != Success {
			time.AfterFunc(noticeAgain, func() { t.notice.Store(true); t.cpu.Interrupt() })
		}
	}
	return nil
}

// noticeAgain is when a notice is given again that did not suit the enclave.
const noticeAgain = 50 * time.Microsecond

// handle makes an entry with ECMD_EXCEPT and returns its status. It leaves the
// registers ready for ERESUME.
func (t *thread) handle(ctx context.Context, exit *cpu.Exit) (Status, error) {
	// The stack below URSP is free, also where the enclave has lowered it.
	sp, bp := t.regs.RSP, t.regs.RBP
	r := t.set(minus(cmdExcept), 0, sp, bp)
	second, err := t.through(ctx, r)
	switch {
	case err != nil && t.ended(ctx) != nil:
		return 0, t.refused(ctx, err)
	case err != nil: // no SSA frame is left
		return 0, t.fault(exit, ErrEnclaveLost)
	case second.Kind == cpu.ExitInterrupt:
		return 0, t.stopped(ctx)
	case second.Kind == cpu.ExitException:
		return 0, t.fault(exit, ErrEnclaveCrashed)
	case int64(r.RDI) != ocmdERet:
		return 0, t.fault(exit, ErrOCallNotAllowed)
	}
	status := Status(r.RSI)
	r = t.set(0, 0, sp, bp)
	r.RAX = uint64(isa.ERESUME)
	return status, nil
}

// fault makes the error for an exception that was not handled.
func (t *thread) fault(exit *cpu.Exit, status Status) error {
	if status == ErrEnclaveCrashed {
		t.e.crashed.Store(true)
	}
	f := &FaultError{Status: status, Vector: exit.Vector}
	if d := exit.Detail; d != nil {
		f.Addr, f.Cause, f.RIP = d.Addr, d.Cause, d.RIP
		if off := d.RIP - t.e.rng.Base(); off < t.e.rng.Size() {
			f.RIP, f.Inside = off, true
			f.Symbol, f.Plus, _ = t.e.img.Symbol(off)
		}
	}
	return f
}
