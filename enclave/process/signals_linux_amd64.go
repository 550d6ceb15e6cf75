package process

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Signal sends the program a signal. It is handed over with the next request
// that returns, and a thread is woken or interrupted for that. The program
// may get it even if the process has ended meanwhile: nobody can tell.
func (p *Process) Signal(sig syscall.Signal) error {
	switch {
	case !p.started.Load():
		return ErrNotStarted
	case sig < 0 || sig > 64:
		return fmt.Errorf("process: signal %d: %w", int(sig), unix.EINVAL)
	case p.stopped.Load():
		return ErrEnded
	case sig == 0:
		return nil
	}
	p.pending.Or(1 << (sig - 1))
	p.deliver()
	if !p.nagging.Swap(true) {
		go p.nag()
	}
	return nil
}

// nag repeats deliver until the signals are handed over: a thread may have
// been on its way in, where it can be neither woken nor interrupted.
func (p *Process) nag() {
	wait := time.Millisecond
	for !p.stopped.Load() {
		time.Sleep(wait)
		wait = min(2*wait, 50*time.Millisecond)
		if p.pending.Load() != 0 {
			p.deliver()
			continue
		}
		p.nagging.Store(false)
		if p.pending.Load() == 0 || p.nagging.Swap(true) {
			return
		}
	}
}

// deliver gets one thread to come by for the pending signals: one that sleeps
// where it may be woken for nothing, or those inside, or one that waits.
func (p *Process) deliver() {
	for _, t := range p.threads {
		if t.running.Load() && (t.rouseParked() || t.interrupt(dozing)) {
			return
		}
	}
	if p.calls.interrupt() {
		return
	}
	inside := false
	for _, t := range p.threads {
		if t.running.Load() && t.how.Load() == awake {
			t.notify()
			inside = true
		}
	}
	for _, t := range p.threads {
		if !inside && t.interrupt(blocked) {
			return
		}
	}
}
