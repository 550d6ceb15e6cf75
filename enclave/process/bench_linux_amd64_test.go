package process

import (
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// request places a request, and returns a function that has it served.
func request(th *thread, op int, args ...any) func() {
	th.do(uint64(op), args...)
	return th.serve
}

func BenchmarkRequest(b *testing.B) {
	th := serverFor(b, Config{}, 1).threads[0]
	must(b, th, unix.SYS_PIPE2, make([]byte, 8), unix.O_NONBLOCK)
	r := int64(le.Uint32(th.bytes(0, 4)))
	must(b, th, unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0, make([]byte, 8))
	s := int64(le.Uint32(th.bytes(3, 4)))
	ep := must(b, th, unix.SYS_EPOLL_CREATE1, 0)
	file := must(b, th, unix.SYS_OPEN, "f", unix.O_CREAT|unix.O_RDWR, 0o600)
	for _, c := range []struct {
		name string
		op   int
		args []any
	}{
		{"none", 400, nil},
		{"getppid", unix.SYS_GETPPID, nil},
		{"read/eagain", unix.SYS_READ, []any{r, uint64(goabi.OffData), 8}},
		{"recvfrom/eagain", unix.SYS_RECVFROM, []any{s, uint64(goabi.OffData), 8, 0, 0, 0}},
		{"pread/file", unix.SYS_PREAD64, []any{file, uint64(goabi.OffData), 8, 0}},
		{"write/null", unix.SYS_WRITE, []any{1, "x", 1}},
		{"epoll/0", goabi.OpEpollWait, []any{ep, 8, 0}},
		{"unpark", goabi.OpUnpark, []any{0}},
		{"fstat", unix.SYS_FSTAT, []any{file, uint64(goabi.OffData)}},
		{"stat", unix.SYS_STAT, []any{"f", uint64(goabi.OffData + 4096)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			serve := request(th, c.op, c.args...)
			b.ReportAllocs()
			for b.Loop() {
				serve()
			}
		})
	}
}

// BenchmarkSyscall is what the kernel alone takes.
func BenchmarkSyscall(b *testing.B) {
	for b.Loop() {
		_, _, _ = syscall.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	}
}

// BenchmarkPark is a ping-pong of two threads: a round is two unparks and two
// parks.
func BenchmarkPark(b *testing.B) {
	for name, limit := range map[string]int{"channel": -1, "event": 1 << 40} {
		b.Run(name, func(b *testing.B) {
			p := serverFor(b, Config{}, 2)
			pingPong(b.N,
				func(i int) { p.threads[i].do(goabi.OpUnpark, 1-i) },
				func(i int) { p.threads[i].do(goabi.OpPark, limit) })
		})
	}
	// What was not taken.
	b.Run("futex", func(b *testing.B) {
		var words [2]atomic.Uint32
		pingPong(b.N,
			func(i int) {
				words[1-i].Store(1)
				_, _, _ = syscall.RawSyscall6(unix.SYS_FUTEX, addr(bytesOf(&words[1-i])), 1|128, 1, 0, 0, 0)
			},
			func(i int) {
				for !words[i].CompareAndSwap(1, 0) {
					_, _, _ = syscall.Syscall6(unix.SYS_FUTEX, addr(bytesOf(&words[i])), 0|128, 0, 0, 0, 0)
				}
			})
	})
}
