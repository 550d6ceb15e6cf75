package process

import (
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// sleep is how a thread waits and is woken. A thread parks, which OpUnpark and
// everything else ends; or it sleeps in ppoll, with an eventfd to wake it
// among the descriptors, or in another system call that a signal ends.
type sleep struct {
	park  atomic.Uint32 // a futex: whether the thread is parked, or was unparked before
	how   atomic.Uint32 // how it sleeps elsewhere
	event atomic.Int32  // the eventfd, or -1 until it is needed
	tid   atomic.Int32  // of the host's thread, while how is calling
}

// States of park.
const (
	parkIdle uint32 = iota
	parkToken
	parked
)

// How a thread sleeps elsewhere. Who makes it roused wakes it.
const (
	awake   uint32 = iota
	dozing         // in a request that a signal interrupts
	blocked        // in one that it would only restart
	calling        // like dozing, in a system call that EINTR ends
	roused
)

func (s *sleep) init() { s.event.Store(-1) }

// reset makes the block ready for another thread.
func (s *sleep) reset() { s.park.Store(parkIdle) }

// makeEvent makes the eventfd, unless there are no descriptors left.
func (t *thread) makeEvent() bool {
	if t.event.Load() < 0 {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			return false
		}
		t.event.Store(int32(fd))
	}
	return true
}

var one = []byte{1, 0, 0, 0, 0, 0, 0, 0}

// signalEvent wakes the thread from ppoll.
func (t *thread) signalEvent() {
	_, _, _ = syscall.RawSyscall(unix.SYS_WRITE, uintptr(t.event.Load()), addr(one), 8)
}

// takeEvent takes what signalEvent gave, or is about to give.
func (t *thread) takeEvent() {
	_, _, _ = syscall.Syscall(unix.SYS_READ, uintptr(t.event.Load()), addr(t.scratch.events[:]), 8)
}

// rouse is an unpark: if the thread is not parked, the next park returns.
func (t *thread) rouse() {
	for {
		s := t.park.Load()
		if s == parkToken || t.park.CompareAndSwap(s, parkToken) {
			t.wake(s)
			return
		}
	}
}

// rouseParked is an unpark only if the thread is parked.
func (t *thread) rouseParked() bool {
	if !t.park.CompareAndSwap(parked, parkToken) {
		return false
	}
	t.wake(parked)
	return true
}

// wake wakes the thread from state s, which the caller took it from.
func (t *thread) wake(s uint32) {
	if s == parked {
		_, _, _ = syscall.RawSyscall6(unix.SYS_FUTEX, addr(bytesOf(&t.park)), futexWake, 1, 0, 0, 0)
	}
}

const (
	futexWait = 0 | 128 // FUTEX_PRIVATE_FLAG
	futexWake = 1 | 128
)

// parkFor serves OpPark. A futex of the kernel serves better than a channel:
// the scheduler of the host program has no part in what the scheduler of the
// program inside decides.
func (t *thread) parkFor() int64 {
	if t.park.CompareAndSwap(parkIdle, parked) && !t.mustWake(dozing) {
		limit := uintptr(0)
		if ns := int64(t.args[0]); ns >= 0 {
			t.scratch.time[0] = unix.NsecToTimespec(min(ns, maxSleep))
			limit = addr(bytesOf(&t.scratch.time[0]))
		}
		// It may return for no reason, and then so does the park.
		_, _, _ = syscall.Syscall6(unix.SYS_FUTEX, addr(bytesOf(&t.park)), futexWait, uintptr(parked), limit, 0, 0)
	}
	t.park.Store(parkIdle)
	return 0
}

// unparkOther serves OpUnpark.
func (t *thread) unparkOther() int64 {
	o := t.other(t.args[0])
	if o == nil {
		return -int64(unix.EINVAL)
	}
	o.rouse()
	return 0
}

// mustWake reports whether a thread must not fall asleep. It is asked after
// the thread has announced that it does, so that whoever comes later sees that.
func (t *thread) mustWake(how uint32) bool {
	return t.p.stopped.Load() || how == dozing && t.p.pending.Load() != 0
}

// interrupt wakes the thread if it sleeps like that.
func (t *thread) interrupt(how uint32) bool {
	if how == dozing && t.how.Load() == calling {
		// The signal is lost on a thread that is on its way into the call, so
		// whoever must be sure comes again.
		_ = unix.Tgkill(unix.Getpid(), int(t.tid.Load()), unix.SIGURG)
		return true
	}
	if !t.how.CompareAndSwap(how, roused) {
		return false
	}
	t.signalEvent()
	return true
}

// sleepOn waits until one of the first n of scratch.polled has an event, for ns
// nanoseconds, or without end if that is negative. It returns how many have,
// or -EINTR.
func (t *thread) sleepOn(n int, ns int64, how uint32) int64 {
	if !t.makeEvent() {
		return -int64(unix.ENOMEM)
	}
	t.how.Store(how)
	if t.mustWake(how) && t.how.CompareAndSwap(how, awake) {
		return -int64(unix.EINTR)
	}
	r := t.ppoll(n, ns)
	if t.how.CompareAndSwap(how, awake) {
		return r
	}
	t.takeEvent()
	t.how.Store(awake)
	if r == 0 {
		return -int64(unix.EINTR)
	}
	return r
}

// ppoll waits for the first n of scratch.polled or the event. It returns how
// many of the former have events, or -errno.
func (t *thread) ppoll(n int, ns int64) int64 {
	s := &t.scratch
	s.polled = append(s.polled[:n], unix.PollFd{Fd: t.event.Load(), Events: unix.POLLIN})
	limit := uintptr(0)
	if ns >= 0 {
		s.time[0] = unix.NsecToTimespec(ns)
		limit = addr(bytesOf(&s.time[0]))
	}
	for {
		r, _, e := syscall.Syscall6(unix.SYS_PPOLL, addr(sliceBytes(s.polled)), uintptr(n+1), limit, 0, 0, 0)
		switch {
		case e == unix.EINTR: // a signal for the host program; the kernel has lowered the limit
		case e != 0:
			return -int64(e)
		case s.polled[n].Revents != 0:
			return int64(r) - 1
		default:
			return int64(r)
		}
	}
}

// await waits until a descriptor of the host has events, for a request that
// would block. It returns 0 or -EINTR.
func (t *thread) await(fd int, events int16) int64 {
	t.scratch.polled = append(t.scratch.polled[:0], unix.PollFd{Fd: int32(fd), Events: events})
	return min(t.sleepOn(1, -1, blocked), 0)
}
