package native

import (
	stdcontext "context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/cpuid"
	"github.com/feidi-dev/feidi/isa"
	"golang.org/x/sys/unix"
)

// thread is a logical processor of the engine. It implements cpu.Thread.
type thread struct {
	r  *elrange
	lp *cpu.LP
	c  *context

	mu sync.Mutex // held by Close, and by those who use c meanwhile

	// The TCS that was entered last, and its home.
	tcs  uint64
	home *context

	// interrupted asks for an AEX that is not resumed; insisting says that
	// somebody sees to it, and timed that a context may ask for it while Run
	// is under way.
	interrupted atomic.Bool
	insisting   atomic.Bool
	timed       atomic.Bool
	// shown is the address of an illegal instruction that is back in place
	// while the enclave handles its #UD, or 0.
	shown uint64
	// renewals counts the times in a row that a fault only had the host's
	// mapping renewed.
	renewals int
	narrowed narrowed
}

// NewThread implements cpu.Engine.
func (e *Engine) NewThread(r cpu.Range) (cpu.Thread, error) {
	if err := wrapSignals(); err != nil {
		return nil, err
	}
	c, err := e.newContext()
	if err != nil {
		return nil, err
	}
	t := &thread{r: r.(*elrange), c: c, lp: e.proc.NewLP(r.Space()), tcs: noTCS, home: c}
	c.start, c.end = r.Base(), r.Base()+r.Size()
	c.xmask = cpuid.XCR0()
	return t, nil
}

// Regs implements cpu.Thread.
func (t *thread) Regs() *cpu.Regs { return &t.c.regs }

// LP implements cpu.Thread.
func (t *thread) LP() *cpu.LP { return t.lp }

// Close implements cpu.Thread.
func (t *thread) Close() error {
	if t.shown != 0 {
		t.hide()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.e.freeContext(t.c)
	t.c = nil
	return nil
}

// Interrupt implements cpu.Thread.
func (t *thread) Interrupt() {
	t.interrupted.Store(true)
	t.kick()
	if t.insisting.CompareAndSwap(false, true) {
		go t.insist()
	}
}

// insist repeats a kick for a second, for it is lost on a thread that is on
// its way in or out.
func (t *thread) insist() {
	defer t.insisting.Store(false)
	for pause := time.Millisecond; pause < time.Second && t.interrupted.Load(); pause *= 2 {
		time.Sleep(pause)
		t.kick()
	}
}

// kick sends the OS thread that is inside a signal, which is an AEX.
func (t *thread) kick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.c
	if c == nil {
		return
	}
	s := atomic.LoadUint64(&c.slot)
	if s == 0 || atomic.LoadUint64((*uint64)(pointer(s))) != c.addr() {
		return
	}
	_ = unix.Tgkill(unix.Getpid(), int(s-uint64(slots))/slotSize, unix.SIGURG)
}

// expire makes code inside leave when the context of a Run has ended.
func (t *thread) expire() {
	t.interrupted.Store(true)
	for t.timed.Load() && t.interrupted.Load() {
		t.kick()
		time.Sleep(time.Millisecond)
	}
}

// Run implements cpu.Thread.
func (t *thread) Run(ctx stdcontext.Context, r *cpu.Regs) (cpu.Exit, error) {
	if ctx.Done() == nil {
		return t.run(r)
	}
	return t.runUntil(ctx, r)
}

// runUntil is run with an AEX when ctx ends.
func (t *thread) runUntil(ctx stdcontext.Context, r *cpu.Regs) (cpu.Exit, error) {
	if err := ctx.Err(); err != nil {
		return cpu.Exit{}, err
	}
	t.timed.Store(true)
	defer t.timed.Store(false)
	defer stdcontext.AfterFunc(ctx, t.expire)()
	return t.run(r)
}

// run is Run without a context.
func (t *thread) run(r *cpu.Regs) (cpu.Exit, error) {
	c := t.c
	if r.RBX != t.tcs {
		if err := t.bind(r.RBX); err != nil {
			return cpu.Exit{}, err
		}
	}
	r.RIP = t.home.exitStub
	switch isa.ENCLU(r.RAX) {
	case isa.EENTER:
		if err := t.lp.EENTER(r); err != nil {
			return cpu.Exit{}, err
		}
		t.home.owner = c.addr()
		if t.shown != 0 && r.RAX == 0 { // the host gave up on that exception
			t.hide()
		}
		t.enter(r)
	case isa.ERESUME:
		if err := t.eresume(r); err != nil {
			return cpu.Exit{}, err
		}
	default:
		return cpu.Exit{}, &cpu.Fault{Vector: isa.VectorGP, Leaf: isa.ENCLU(r.RAX).String(), Reason: "not executable outside an enclave"}
	}
	for c.trap != trapNone {
		exit, err := t.trapped(r)
		if err != nil || exit != nil {
			t.interrupted.Store(false) // it is outside, and need not leave
			return *exit, err
		}
	}
	if t.interrupted.Load() {
		t.interrupted.Store(false)
	}
	t.get(r)
	return cpu.Exit{Kind: cpu.ExitEEXIT}, t.lp.EEXIT(r)
}

// noTCS is the address of no TCS.
const noTCS = 1

// bind looks up the home of a TCS that the thread did not enter last.
func (t *thread) bind(tcs uint64) error {
	home, err := t.r.home(tcs)
	if err != nil {
		return err
	}
	if t.tcs, t.home = tcs, home; home == nil { // no TCS, as EENTER will say
		t.tcs, t.home = noTCS, t.c
	}
	return nil
}

// eresume performs ERESUME and runs the enclave until it is out or trapped.
func (t *thread) eresume(r *cpu.Regs) error {
	r.RIP = t.home.exitStub
	if err := t.lp.ERESUME(r, t.c.xsaveArea()); err != nil {
		return err
	}
	t.home.owner = t.c.addr()
	if t.shown != 0 {
		t.hide()
	}
	if t.lp.Notified() { // it is an entry, to handle the notification
		t.enter(r)
	} else {
		t.resume(r)
	}
	return nil
}

// hide puts UD2 back in the place of the illegal instruction that the enclave
// was to see.
func (t *thread) hide() {
	t.r.hide(t.shown)
	t.shown = 0
}

// enter starts the enclave with the registers in r and the host's XSAVE state
// of the components that XFRM has.
func (t *thread) enter(r *cpu.Regs) {
	c := t.c
	t.put(r)
	if c.foreign = 0; t.r.xsaves.Load() {
		c.foreign = c.xmask &^ uint64(t.lp.XFRM())
	}
	for entered(c); c.trap == trapUnarmed; entered(c) {
		armThread()
	}
}

// resume continues the enclave with the registers in r and the XSAVE image in
// the context.
func (t *thread) resume(r *cpu.Regs) {
	c := t.c
	t.put(r)
	c.iret = [5]uint64{r.RIP, userCS, r.RFLAGS&resumeFlagsMask | resumeFlagsSet, r.RSP, userSS}
	for resumed(c); c.trap == trapUnarmed; resumed(c) {
		armThread()
	}
}

// put and get move registers between r and the context, where they may be
// already.
func (t *thread) put(r *cpu.Regs) {
	if r != &t.c.regs {
		t.c.regs = *r
	}
}

func (t *thread) get(r *cpu.Regs) {
	if r != &t.c.regs {
		*r = t.c.regs
	}
}

// entered and resumed run the enclave as a system call, as far as the
// scheduler is concerned: it may take the P, and the garbage collector does
// not wait. From entersyscall on, the stack must neither grow nor move.
//
//go:nosplit
//go:noinline
func entered(c *context) {
	entersyscall()
	enter(c)
	exitsyscall()
}

//go:nosplit
//go:noinline
func resumed(c *context) {
	entersyscall()
	resume(c)
	exitsyscall()
}

// trapped deals with a signal that came while enclave code ran. It returns
// nil if the enclave goes on, and has by then run until it left or trapped
// again.
func (t *thread) trapped(r *cpu.Regs) (*cpu.Exit, error) {
	narrowed := t.narrowed.active
	if narrowed && t.widen() {
		t.get(r)
		t.resume(r)
		return nil, nil
	}
	if t.c.trap == trapInterrupt {
		t.get(r)
		return t.interrupt(r)
	}
	code := t.r.code(t.c.regs.RIP, maxInstLen)
	ev, cause := t.event(code)
	t.get(r)
	switch {
	case ev.Vector != isa.VectorPF && t.vanished(r.RIP, code):
		t.resume(r)
		return nil, nil
	case ev.Vector == isa.VectorUD && isEnclu(code):
		return t.enclu(r)
	case ev.Vector == isa.VectorBP && !t.lp.OptIn():
		ev.Vector = isa.VectorUD
	case ev.Vector == isa.VectorDB && r.RFLAGS&isa.FlagTF != 0 && !t.lp.OptIn():
		// POPF cannot set TF after an opt-out entry (SDM Vol. 3D,
		// "Restriction on Setting of TF after an Opt-Out Entry").
		r.RFLAGS &^= isa.FlagTF
		t.resume(r)
		return nil, nil
	case ev.Vector == isa.VectorPF:
		fault := t.r.e.proc.Access(t.r.space, t.lp, ev.Addr, accessKind(ev.ErrorCode)).Fault
		if fault != nil {
			ev.Vector, ev.ErrorCode, cause = fault.Vector, fault.ErrorCode, fault.Reason
		} else if t.renew(ev.Addr) {
			t.resume(r)
			return nil, nil
		}
		if !narrowed && t.narrow(r, code) {
			t.resume(r)
			return nil, nil
		}
	}
	return t.exception(r, ev, cause)
}

// interrupt performs the AEX for a signal from outside and, unless the thread
// was asked to leave, the ERESUME.
func (t *thread) interrupt(r *cpu.Regs) (*cpu.Exit, error) {
	t.renewals = 0
	detail := &cpu.Detail{RIP: r.RIP, Cause: "interrupted"}
	if err := t.lp.AEX(r, t.c.xsaveArea(), cpu.AEXEvent{}); err != nil {
		return &cpu.Exit{}, err
	}
	if t.interrupted.CompareAndSwap(true, false) {
		return &cpu.Exit{Kind: cpu.ExitInterrupt, Detail: detail}, nil
	}
	r.RAX = uint64(isa.ERESUME)
	if err := t.eresume(r); err != nil {
		return &cpu.Exit{}, err
	}
	return nil, nil
}

// enclu performs the leaf that enclave code tried to execute.
func (t *thread) enclu(r *cpu.Regs) (*cpu.Exit, error) {
	t.renewals = 0
	before := *r
	err := t.lp.ENCLU(r)
	var fault *cpu.Fault
	switch {
	case err == nil && t.lp.InEnclave():
		t.resume(r)
		return nil, nil
	case err == nil: // an EEXIT that was not rewritten
		return &cpu.Exit{Kind: cpu.ExitEEXIT}, nil
	case !errors.As(err, &fault):
		return &cpu.Exit{}, err
	}
	*r = before
	ev := cpu.AEXEvent{Vector: fault.Vector, Exception: true, ErrorCode: fault.ErrorCode, Addr: fault.Addr}
	return t.exception(r, ev, fault.Error())
}

// maxRenewals bounds what renew tries: a mapping that the host refuses to
// change must not make a loop without end.
const maxRenewals = 1000

// renew brings the host's mapping of a page up to date, if that can be why an
// access that the EPCM allows has faulted: the mapping follows the EPCM late
// where that allows more than before.
func (t *thread) renew(addr uint64) bool {
	if t.c.signo != uint32(unix.SIGSEGV) || !t.inside(addr) || t.renewals == maxRenewals {
		return false
	}
	t.renewals++
	t.r.sync(addr)
	return true
}

// vanished reports whether the code at an address, which has just raised an
// exception, is gone or not to be executed any more: then the exception is not
// to be judged by the bytes that are there now, and the fetch will fault.
func (t *thread) vanished(rip uint64, code []byte) bool {
	if !t.inside(rip) || t.renewals == maxRenewals ||
		len(code) > 0 && t.r.e.proc.Access(t.r.space, t.lp, rip, cpu.AccessFetch).Fault == nil {
		return false
	}
	t.renewals++
	t.r.sync(rip)
	return true
}

// exception performs the AEX for an exception.
func (t *thread) exception(r *cpu.Regs, ev cpu.AEXEvent, cause string) (*cpu.Exit, error) {
	t.renewals = 0
	detail := &cpu.Detail{RIP: r.RIP, Addr: ev.Addr, Cause: cause}
	if t.shown != 0 { // a fault in the handler of the last one
		t.hide()
	}
	if ev.Vector == isa.VectorUD && t.r.show(r.RIP) {
		t.shown = r.RIP
	}
	if err := t.lp.AEX(r, t.c.xsaveArea(), ev); err != nil {
		return &cpu.Exit{}, err
	}
	return &cpu.Exit{
		Kind: cpu.ExitException, Vector: ev.Vector, ErrorCode: ev.ErrorCode,
		Addr: ev.CR2(), Detail: detail,
	}, nil
}

func (t *thread) inside(addr uint64) bool { return addr-t.c.start < t.c.end-t.c.start }
