package process

import (
	"runtime"
	"syscall"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// nap is the longest sleep that nothing needs to interrupt, in nanoseconds.
const nap = 1_000_000

// maxSleep keeps sums of nanoseconds in range; nobody sees its end.
const maxSleep = int64(1) << 61

// nanosleep serves nanosleep.
func (t *thread) nanosleep() int64 {
	ns, e := t.timeArg(0)
	if e != 0 {
		return e
	}
	return t.sleepFor(ns, t.args[1])
}

// clockNanosleep serves clock_nanosleep.
func (t *thread) clockNanosleep() int64 {
	id, flags := t.args[0], t.args[1]
	ns, e := t.timeArg(2)
	if e != 0 {
		return e
	}
	// This refuses clocks that there are not.
	if _, _, e := syscall.RawSyscall(unix.SYS_CLOCK_GETTIME, uintptr(id), addr(bytesOf(&t.scratch.time[0])), 0); e != 0 {
		return -int64(e)
	}
	if int32(id) == unix.CLOCK_THREAD_CPUTIME_ID {
		return -int64(unix.EINVAL)
	}
	if flags&unix.TIMER_ABSTIME == 0 {
		return t.sleepFor(ns, t.args[3])
	}
	return t.sleepFor(max(ns-t.scratch.time[0].Nano(), 0), 0)
}

// timeArg returns the timespec that argument i points to in nanoseconds, or
// -errno.
func (t *thread) timeArg(i int) (int64, int64) {
	b := t.data(t.args[i], 16)
	if b == nil {
		return 0, -int64(unix.EFAULT)
	}
	sec, ns := int64(le.Uint64(b)), int64(le.Uint64(b[8:]))
	if sec < 0 || ns < 0 || ns >= 1e9 {
		return 0, -int64(unix.EINVAL)
	}
	return min(min(sec, maxSleep/1e9)*1e9+ns, maxSleep), 0
}

// sleepFor sleeps. What remains at an interruption goes to offset rem.
func (t *thread) sleepFor(ns int64, rem uint64) int64 {
	if ns <= nap {
		s := &t.scratch.time[0]
		*s = unix.NsecToTimespec(ns)
		for {
			_, _, e := syscall.Syscall(unix.SYS_NANOSLEEP, addr(bytesOf(s)), addr(bytesOf(s)), 0)
			if e != unix.EINTR {
				return -int64(e)
			}
		}
	}
	t.scratch.time[0] = unix.NsecToTimespec(ns) // should the sleep not begin
	r := t.sleepOn(0, ns, dozing)
	if b := t.data(rem, 16); r == -int64(unix.EINTR) && b != nil {
		le.PutUint64(b, uint64(t.scratch.time[0].Sec)) // ppoll left it there
		le.PutUint64(b[8:], uint64(t.scratch.time[0].Nsec))
	}
	return r
}

const pollFdSize = 8

// poll serves OpPoll.
func (t *thread) poll() int64 {
	n := t.args[0]
	if n > goabi.DataSize/pollFdSize {
		return -int64(unix.EINVAL)
	}
	s, b := &t.scratch, t.mem[goabi.OffData:][:n*pollFdSize]
	s.polled, s.held = s.polled[:0], s.held[:0]
	bad := int64(0)
	for i := 0; i < len(b); i += pollFdSize {
		p := unix.PollFd{Fd: int32(le.Uint32(b[i:])), Events: int16(le.Uint16(b[i+4:]))}
		if p.Fd >= 0 {
			f := t.p.files.get(uint64(p.Fd))
			if f == nil {
				p, bad = unix.PollFd{Fd: -1, Events: -1}, bad+1 // known by its events
			} else {
				p.Fd = int32(f.fd)
				s.held = append(s.held, f)
			}
		}
		s.polled = append(s.polled, p)
	}
	ns := int64(t.args[1])
	if bad > 0 {
		ns = 0
	}
	r := t.sleepOn(int(n), ns, dozing)
	if r >= 0 {
		r += bad
		for i, p := range s.polled[:n] {
			if p.Fd < 0 && p.Events == -1 && int32(le.Uint32(b[i*pollFdSize:])) >= 0 {
				p.Revents = unix.POLLNVAL
			}
			le.PutUint16(b[i*pollFdSize+6:], uint16(p.Revents))
		}
	}
	t.dropHeld()
	return r
}

// dropHeld drops what a request with many descriptors held.
func (t *thread) dropHeld() {
	for i, f := range t.scratch.held {
		f.drop()
		t.scratch.held[i] = nil
	}
	t.scratch.held = t.scratch.held[:0]
}

const epollEventSize = 12

// epollWait serves OpEpollWait.
func (t *thread) epollWait() int64 {
	f := t.p.files.get(t.args[0])
	if f == nil {
		return -int64(unix.EBADF)
	}
	defer f.drop()
	n := t.args[1]
	if n == 0 || n > goabi.DataSize/epollEventSize {
		return -int64(unix.EINVAL)
	}
	at := addr(t.mem[goabi.OffData:])
	ms := int64(int32(t.args[2]))
	if ms == 0 {
		return returned(syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(f.fd), at, uintptr(n), 0, 0, 0))
	}
	runtime.LockOSThread() // for the signal that wakes it
	defer runtime.UnlockOSThread()
	t.tid.Store(int32(unix.Gettid()))
	t.how.Store(calling)
	defer t.how.Store(awake)
	if t.mustWake(dozing) {
		return -int64(unix.EINTR)
	}
	return returned(syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(f.fd), at, uintptr(n), uintptr(max(ms, -1)), 0, 0))
}

// returned is what a system call has returned, as the block has it.
func returned(r, _ uintptr, e syscall.Errno) int64 {
	if e != 0 {
		return -int64(e)
	}
	return int64(r)
}
