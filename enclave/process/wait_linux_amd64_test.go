package process

import (
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// soon fails the test if f does not return.
func soon(tb testing.TB, what string, f func()) {
	tb.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		tb.Fatalf("%s does not return", what)
	}
}

func TestPark(t *testing.T) {
	p := serverFor(t, Config{}, 2)
	a, b := p.threads[0], p.threads[1]
	must(t, b, goabi.OpUnpark, 0) // before the park
	must(t, b, goabi.OpUnpark, 0) // of which two are one
	soon(t, "park after unpark", func() { a.do(goabi.OpPark, -1) })
	begin := time.Now()
	a.do(goabi.OpPark, int(5*time.Millisecond))
	if d := time.Since(begin); d < 5*time.Millisecond {
		t.Fatalf("a park of 5 ms took %v", d)
	}
	want(t, unix.EINVAL, a, goabi.OpUnpark, 2)
	want(t, unix.EINVAL, a, goabi.OpUnpark, uint64(1<<63))
	want(t, unix.EINVAL, a, goabi.OpKick, 2)

	for _, limit := range []int{-1, int(time.Hour), 50_000} {
		soon(t, "ping-pong", func() {
			pingPong(2000,
				func(i int) { p.threads[i].do(goabi.OpUnpark, 1-i) },
				func(i int) { p.threads[i].do(goabi.OpPark, limit) })
		})
	}
}

// pingPong has two threads take n turns each. A wake that is lost stops them.
func pingPong(n int, unpark, park func(i int)) {
	var turn atomic.Int64
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() {
			for range n {
				for turn.Load()&1 != int64(i) {
					park(i)
				}
				turn.Add(1)
				unpark(i)
			}
		})
	}
	all.Wait()
}

func TestNanosleep(t *testing.T) {
	p := serverFor(t, Config{}, 1)
	th := p.threads[0]
	spec := func(d time.Duration) []byte {
		b := le.AppendUint64(nil, uint64(d/time.Second))
		return le.AppendUint64(b, uint64(d%time.Second))
	}
	for _, d := range []time.Duration{0, 20 * time.Microsecond, 3 * time.Millisecond} {
		begin := time.Now()
		must(t, th, unix.SYS_NANOSLEEP, spec(d), 0)
		if took := time.Since(begin); took < d {
			t.Errorf("a sleep of %v took %v", d, took)
		}
	}
	want(t, unix.EINVAL, th, unix.SYS_NANOSLEEP, append(spec(0)[:8], 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0), 0)
	want(t, unix.EFAULT, th, unix.SYS_NANOSLEEP, 0, 0)
	want(t, unix.EINVAL, th, unix.SYS_CLOCK_NANOSLEEP, 77, 0, spec(0), 0)
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_REALTIME, &now)
	begin := time.Now()
	must(t, th, unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_REALTIME, unix.TIMER_ABSTIME, spec(time.Duration(now.Nano())+5*time.Millisecond), 0)
	if took := time.Since(begin); took < 4*time.Millisecond {
		t.Errorf("slept %v", took)
	}

	time.AfterFunc(20*time.Millisecond, func() { _ = p.Signal(syscall.SIGTERM) })
	soon(t, "sleep", func() { want(t, unix.EINTR, th, unix.SYS_NANOSLEEP, spec(time.Hour), make([]byte, 16)) })
	if s := le.Uint64(th.mem[goabi.OffSignals:]); s != 1<<(syscall.SIGTERM-1) {
		t.Errorf("signals %#x", s)
	}
	if rem := le.Uint64(th.bytes(1, 8)); rem != 3599 {
		t.Errorf("%d seconds remain", rem)
	}
	must(t, th, unix.SYS_GETPPID)
	if s := le.Uint64(th.mem[goabi.OffSignals:]); s != 0 {
		t.Errorf("signals %#x come twice", s)
	}
}

// TestSignal has a signal reach a thread in each kind of sleep.
func TestSignal(t *testing.T) {
	p := serverFor(t, Config{}, 1)
	th := p.threads[0]
	pipe := func() int64 {
		must(t, th, unix.SYS_PIPE2, make([]byte, 8), 0)
		return int64(le.Uint32(th.bytes(0, 4)))
	}()
	ep := must(t, th, unix.SYS_EPOLL_CREATE1, 0)
	for name, sleep := range map[string]func() int64{
		"park":       func() int64 { return th.do(goabi.OpPark, -1) },
		"timed park": func() int64 { return th.do(goabi.OpPark, int(time.Hour)) },
		"epoll":      func() int64 { return th.do(goabi.OpEpollWait, ep, 8, -1) },
		"poll":       func() int64 { return th.do(goabi.OpPoll, 0, -1) },
		"next call":  func() int64 { return th.do(goabi.OpNextCall, 0, 0) },
		"read":       func() int64 { return th.do(unix.SYS_READ, pipe, uint64(goabi.OffData), 1) },
	} {
		for _, early := range []bool{false, true} {
			if early && name == "read" {
				continue // which no pending signal keeps from waiting
			}
			if early {
				_ = p.Signal(syscall.SIGINT)
			} else {
				time.AfterFunc(5*time.Millisecond, func() { _ = p.Signal(syscall.SIGINT) })
			}
			soon(t, name, func() {
				for n := 0; ; n++ {
					if r := sleep(); r != 0 && r != -int64(unix.EINTR) {
						t.Errorf("%s: %d", name, r)
						return
					}
					if s := le.Uint64(th.mem[goabi.OffSignals:]); s != 0 {
						if s != 2 {
							t.Errorf("%s: signals %#x", name, s)
						}
						return
					}
				}
			})
		}
	}
}

// TestStop ends the process under threads in each kind of sleep.
func TestStop(t *testing.T) {
	p := serverFor(t, Config{}, 8)
	th := p.threads[0]
	must(t, th, unix.SYS_PIPE2, make([]byte, 8), 0)
	r := int64(le.Uint32(th.bytes(0, 4)))
	ep := must(t, th, unix.SYS_EPOLL_CREATE1, 0)
	s := must(t, th, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(t, th, unix.SYS_BIND, s, "\x01\x00s", 3)
	must(t, th, unix.SYS_LISTEN, s, 1)
	var all sync.WaitGroup
	for i, sleep := range []func(th *thread){
		func(th *thread) { th.do(goabi.OpPark, -1) },
		func(th *thread) { th.do(goabi.OpPark, int(time.Hour)) },
		func(th *thread) { th.do(goabi.OpEpollWait, ep, 8, -1) },
		func(th *thread) { th.do(goabi.OpPoll, 0, -1) },
		func(th *thread) { want(t, unix.ESHUTDOWN, th, goabi.OpNextCall, 0, 0) },
		func(th *thread) { th.do(unix.SYS_READ, r, uint64(goabi.OffData), 1) },
		func(th *thread) { th.do(unix.SYS_ACCEPT4, s, 0, 0, 0) },
		func(th *thread) { th.do(goabi.OpNextCall, 0, 0) },
	} {
		all.Go(func() { sleep(p.threads[i]) })
	}
	time.Sleep(10 * time.Millisecond)
	p.threads[0].p.end(State{ExitCode: 3}, nil)
	soon(t, "a sleeping thread", all.Wait)
	if err := p.Signal(syscall.SIGINT); err != ErrEnded {
		t.Errorf("signal after the end: %v", err)
	}
}

func TestExitFirstCounts(t *testing.T) {
	p := serverFor(t, Config{}, 1)
	p.threads[0].do(goabi.OpExit, 258, int(syscall.SIGKILL))
	p.threads[0].do(goabi.OpExit, 4, 0)
	if p.ctx.Err() == nil {
		t.Error("the context has not ended")
	}
	if want := (State{ExitCode: 2, Signal: syscall.SIGKILL}); p.state != want {
		t.Errorf("state %+v, want %+v", p.state, want)
	}
}

func TestPollAndEpoll(t *testing.T) {
	p := serverFor(t, Config{}, 2)
	th := p.threads[0]
	must(t, th, unix.SYS_PIPE2, make([]byte, 8), unix.O_NONBLOCK)
	r, w := int64(le.Uint32(th.bytes(0, 4))), int64(le.Uint32(th.bytes(0, 8)[4:]))
	want(t, unix.EAGAIN, th, unix.SYS_READ, r, make([]byte, 4), 4)
	pollfd := func(fd int64, events uint16) []byte {
		b := le.AppendUint32(nil, uint32(fd))
		return le.AppendUint32(b, uint32(events))
	}
	poll := func(n, ns int, fds ...[]byte) int64 {
		at := goabi.OffData
		for _, f := range fds {
			at += copy(th.mem[at:], f)
		}
		return th.do(goabi.OpPoll, n, ns)
	}
	revents := func(i int) uint16 { return le.Uint16(th.mem[goabi.OffData+8*i+6:]) }
	if n := poll(3, -1, pollfd(r, unix.POLLIN), pollfd(99, unix.POLLIN), pollfd(-1, unix.POLLIN)); n != 1 || revents(0) != 0 || revents(1) != unix.POLLNVAL || revents(2) != 0 {
		t.Fatalf("poll: %d, %#x %#x %#x", n, revents(0), revents(1), revents(2))
	}
	if n := poll(1, 1e6, pollfd(r, unix.POLLIN)); n != 0 {
		t.Fatalf("poll: %d", n)
	}
	want(t, unix.EINVAL, th, goabi.OpPoll, 1<<40, 0)

	ep := must(t, th, unix.SYS_EPOLL_CREATE1, unix.EPOLL_CLOEXEC)
	event := le.AppendUint64(le.AppendUint32(nil, unix.EPOLLIN), 0xDEADBEEF12345678)
	must(t, th, unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_ADD, r, event)
	want(t, unix.EBADF, th, unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_ADD, 99, event)
	if n := must(t, th, goabi.OpEpollWait, ep, 8, 2); n != 0 {
		t.Fatalf("epoll: %d", n)
	}
	time.AfterFunc(5*time.Millisecond, func() { p.threads[1].do(unix.SYS_WRITE, w, "x", 1) })
	if n := must(t, th, goabi.OpEpollWait, ep, 8, -1); n != 1 || le.Uint64(th.mem[goabi.OffData+4:]) != 0xDEADBEEF12345678 {
		t.Fatalf("epoll: %d, token %#x", n, le.Uint64(th.mem[goabi.OffData+4:]))
	}
	if n := poll(1, -1, pollfd(r, unix.POLLIN)); n != 1 || revents(0) != unix.POLLIN {
		t.Fatalf("poll: %d %#x", n, revents(0))
	}
	want(t, unix.EINVAL, th, goabi.OpEpollWait, ep, 0, 0)
	want(t, unix.EINVAL, th, goabi.OpEpollWait, ep, 1<<30, 0)
}

func TestClock(t *testing.T) {
	c := newClock()
	page := make([]byte, goabi.ClockSize)
	c.start(page)
	if _, _, ok := clockPage(page); !ok {
		t.Skip("the time-stamp counter does not serve here")
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for last := int64(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				for range 1000 {
					now, _, _ := clockPage(page)
					if now < last {
						t.Errorf("time goes back by %d ns", last-now)
						return
					}
					last = now
				}
			}
		})
	}
	near := func(what string, got, want int64) {
		const tolerance = 20_000 // readings may be interrupted
		if d := got - want; d < -tolerance || d > tolerance {
			t.Errorf("%s is %d ns off", what, d)
		}
	}
	for i := range 60 {
		time.Sleep(time.Duration(i%7) * time.Millisecond)
		c.update()
		best := int64(1) << 62
		var mono, real, m0, r0 int64
		for range 10 { // the quickest
			var a, b, r unix.Timespec
			_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &a)
			m, re, _ := clockPage(page)
			_ = unix.ClockGettime(unix.CLOCK_REALTIME, &r)
			_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &b)
			if w := b.Nano() - a.Nano(); w < best {
				best, mono, real, m0, r0 = w, m, re, a.Nano(), r.Nano()
			}
		}
		near("CLOCK_MONOTONIC", mono, m0)
		near("CLOCK_REALTIME", real, r0)
	}
	close(stop)
	readers.Wait()
}

// clockPage tells the time as the enclave does.
func clockPage(page []byte) (mono, real int64, ok bool) {
	for {
		seq := word(page, goabi.ClockSeq).Load()
		l := line{tsc: word(page, goabi.ClockTSC).Load(), mult: word(page, goabi.ClockMult).Load(), mono: int64(word(page, goabi.ClockMono).Load())}
		ahead := int64(word(page, goabi.ClockReal).Load()) - l.mono
		tsc := rdtsc()
		if seq&1 == 0 && word(page, goabi.ClockSeq).Load() == seq {
			return l.at(tsc), l.at(tsc) + ahead, l.mult != 0
		}
	}
}
