package process

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// unixAddr is the address of a Unix socket.
func unixAddr(path string) []byte { return append([]byte{unix.AF_UNIX, 0}, path+"\x00"...) }

func TestTCP(t *testing.T) {
	p := serverFor(t, Config{}, 2)
	a, b := p.threads[0], p.threads[1]
	loop := []byte{unix.AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	l := must(t, a, unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
	if fl := must(t, a, goabi.OpFcntl, l, unix.F_GETFL); fl&unix.O_NONBLOCK != 0 {
		t.Errorf("flags of a socket that blocks: %#x", fl)
	}
	must(t, a, unix.SYS_SETSOCKOPT, l, unix.SOL_SOCKET, unix.SO_REUSEADDR, "\x01\x00\x00\x00", 4)
	must(t, a, unix.SYS_BIND, l, loop, 16)
	must(t, a, unix.SYS_LISTEN, l, 5)
	must(t, a, unix.SYS_GETSOCKNAME, l, make([]byte, 32), "\x20\x00\x00\x00")
	if n := le.Uint32(a.bytes(2, 4)); n != 16 {
		t.Fatalf("address of %d bytes", n)
	}
	copy(loop, a.bytes(1, 16))

	accepted := make(chan int64)
	go func() { accepted <- a.do(unix.SYS_ACCEPT4, l, make([]byte, 16), "\x10\x00\x00\x00", 0) }()
	time.Sleep(5 * time.Millisecond) // so that it waits
	c := must(t, b, unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
	must(t, b, unix.SYS_CONNECT, c, loop, 16)
	s := <-accepted
	if s < 0 || le.Uint32(a.bytes(2, 4)) != 16 {
		t.Fatalf("accept: %d", s)
	}
	// Reading waits.
	got := make(chan int64)
	go func() { got <- a.do(unix.SYS_RECVFROM, s, make([]byte, 8), 8, 0, 0, 0) }()
	time.Sleep(5 * time.Millisecond)
	must(t, b, unix.SYS_SENDTO, c, "hello", 5, 0, 0, 0)
	if n := <-got; n != 5 || string(a.bytes(1, 5)) != "hello" {
		t.Fatalf("received %d", n)
	}
	// Unless the program says that it must not.
	must(t, a, goabi.OpFcntl, s, unix.F_SETFL, unix.O_NONBLOCK)
	want(t, unix.EAGAIN, a, unix.SYS_READ, s, make([]byte, 8), 8)
	must(t, a, goabi.OpIoctl, s, fionbio, "\x00\x00\x00\x00", 4)
	if fl := must(t, a, goabi.OpFcntl, s, unix.F_GETFL); fl&unix.O_NONBLOCK != 0 {
		t.Errorf("flags %#x", fl)
	}
	want(t, unix.EAGAIN, a, unix.SYS_RECVFROM, s, make([]byte, 8), 8, unix.MSG_DONTWAIT, 0, 0)
	// All of a write comes, though more than fits.
	big := bytes.Repeat([]byte("0123456789abcdef"), goabi.MaxIO/16)
	go func() {
		for range 100 {
			if n := a.do(unix.SYS_WRITE, s, big, len(big)); n != int64(len(big)) {
				t.Errorf("wrote %d", n)
			}
		}
		a.do(unix.SYS_CLOSE, s)
	}()
	total := int64(0)
	for {
		n := must(t, b, unix.SYS_READ, c, make([]byte, 4096), 4096)
		if total += n; n == 0 {
			break
		}
	}
	if total != int64(100*len(big)) {
		t.Errorf("%d bytes came", total)
	}
	// Nobody there.
	must(t, b, unix.SYS_CLOSE, l)
	c = must(t, b, unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
	want(t, unix.ECONNREFUSED, b, unix.SYS_CONNECT, c, loop, 16)
	want(t, unix.ENOTTY, b, goabi.OpIoctl, c, unix.SIOCGIFCONF, make([]byte, 16), 16)
	want(t, unix.EFAULT, b, goabi.OpIoctl, c, fionbio, make([]byte, 2), 2)
	want(t, unix.ENOPROTOOPT, b, unix.SYS_GETSOCKOPT, c, unix.SOL_TCP, unix.TCP_ZEROCOPY_RECEIVE, make([]byte, 40), "\x28\x00\x00\x00")
	want(t, unix.EINVAL, b, goabi.OpFcntl, c, unix.F_SETOWN, 1)
	// The capacity of an address is held to the block.
	must(t, b, unix.SYS_GETSOCKOPT, c, unix.SOL_SOCKET, unix.SO_TYPE, make([]byte, 8), "\x08\x00\x00\x00")
	if n := le.Uint32(b.bytes(4, 4)); n != 4 {
		t.Errorf("option of %d bytes", n)
	}
	want(t, unix.EFAULT, b, unix.SYS_GETSOCKNAME, c, uint64(goabi.BlockSize-8), uint64(goabi.BlockSize-2))
}

func TestUnixSockets(t *testing.T) {
	dir := t.TempDir()
	p := serverFor(t, Config{Dir: dir}, 2)
	a, b := p.threads[0], p.threads[1]
	l := must(t, a, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(t, a, unix.SYS_BIND, l, unixAddr("s"), 4)
	must(t, a, unix.SYS_LISTEN, l, 0)
	must(t, a, unix.SYS_GETSOCKNAME, l, make([]byte, 110), "\x6e\x00\x00\x00")
	if name := a.bytes(1, int(le.Uint32(a.bytes(2, 4)))); !bytes.Equal(name, unixAddr("s")) {
		t.Fatalf("bound to %q", name)
	}
	long := bytes.Repeat([]byte{'x'}, 100)
	must(t, a, unix.SYS_MKDIR, "d", 0o700)
	must(t, a, unix.SYS_CHDIR, "d")
	l2 := must(t, a, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(t, a, unix.SYS_BIND, l2, unixAddr(string(long)), 103)
	must(t, a, unix.SYS_LISTEN, l2, 5)
	for _, to := range []struct {
		path   string
		listen int64
	}{{"../s", l}, {string(long), l2}} {
		c := must(t, b, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0)
		must(t, b, unix.SYS_CONNECT, c, unixAddr(to.path), len(to.path)+3)
		must(t, a, unix.SYS_ACCEPT4, to.listen, 0, 0, unix.SOCK_CLOEXEC)
	}
	// A full backlog makes it wait.
	accepted := make(chan int64)
	for i := range 2 {
		c := must(t, b, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if i == 1 {
			time.AfterFunc(20*time.Millisecond, func() { accepted <- a.do(unix.SYS_ACCEPT4, l, 0, 0, 0) })
		}
		must(t, b, unix.SYS_CONNECT, c, unixAddr("../s"), 7)
	}
	if fd := <-accepted; fd < 0 {
		t.Fatalf("accept: %d", fd)
	}
	d := must(t, b, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	must(t, b, unix.SYS_BIND, d, unixAddr("dgram"), 8)
	e := must(t, b, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	must(t, b, unix.SYS_SENDTO, e, "x", 1, 0, unixAddr("dgram"), 8)
	if n := must(t, b, unix.SYS_RECVFROM, d, make([]byte, 8), 8, 0, make([]byte, 110), "\x6e\x00\x00\x00"); n != 1 {
		t.Fatalf("received %d", n)
	}
}

// sendMsg and recvMsg make the requests with their parts.
func sendMsg(th *thread, fd int64, flags int, name, control, data []byte) int64 {
	copy(th.mem[goabi.MsgName:], name)
	copy(th.mem[goabi.MsgControl:], control)
	copy(th.mem[goabi.MsgData:], data)
	return th.do(goabi.OpSendMsg, fd, flags, len(name), len(control), len(data))
}

func rights(fds ...int64) []byte {
	b := le.AppendUint64(nil, uint64(cmsgHeader+4*len(fds)))
	b = le.AppendUint32(b, unix.SOL_SOCKET)
	b = le.AppendUint32(b, unix.SCM_RIGHTS)
	for _, fd := range fds {
		b = le.AppendUint32(b, uint32(fd))
	}
	return b
}

func TestRights(t *testing.T) {
	dir := t.TempDir()
	p := serverFor(t, Config{Dir: dir}, 1)
	th := p.threads[0]
	must(t, th, unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_DGRAM, 0, make([]byte, 8))
	x, y := int64(le.Uint32(th.bytes(3, 8))), int64(le.Uint32(th.bytes(3, 8)[4:]))
	file := must(t, th, unix.SYS_OPEN, "f", unix.O_CREAT|unix.O_RDWR, 0o600)
	must(t, th, unix.SYS_WRITE, file, "text", 4)
	for range 9 { // so that numbers differ
		must(t, th, unix.SYS_DUP, 0)
	}
	if n := sendMsg(th, x, 0, nil, rights(file, x), []byte("data")); n != 4 {
		t.Fatalf("sent %d", n)
	}
	if n := th.do(goabi.OpRecvMsg, y, 0, 0, 100, 100); n != 4 || string(th.mem[goabi.MsgData:][:4]) != "data" {
		t.Fatalf("received %d", n)
	}
	if n := th.arg(1); n != cmsgHeader+8 {
		t.Fatalf("%d bytes of control", n)
	}
	got := int64(le.Uint32(th.mem[goabi.MsgControl+cmsgHeader:]))
	if got <= file {
		t.Fatalf("got descriptor %d", got)
	}
	must(t, th, unix.SYS_PREAD64, got, make([]byte, 8), 8, 0)
	if string(th.bytes(1, 4)) != "text" {
		t.Fatalf("it has %q", th.bytes(1, 4))
	}
	if fl := must(t, th, goabi.OpFcntl, got, unix.F_GETFD); fl != 0 {
		t.Errorf("F_GETFD %d without MSG_CMSG_CLOEXEC", fl)
	}
	if n := sendMsg(th, x, 0, nil, rights(99), []byte("x")); n != -int64(unix.EBADF) {
		t.Errorf("sent a descriptor that is not open: %d", n)
	}
	for _, n := range []uint64{0, 15, 1 << 40, ^uint64(0)} {
		bad := rights(file)
		le.PutUint64(bad, n)
		if r := sendMsg(th, x, 0, nil, bad, nil); r != -int64(unix.EINVAL) {
			t.Errorf("control with a length of %#x: %d", n, r)
		}
	}
	want(t, unix.EINVAL, th, goabi.OpRecvMsg, y, 0, goabi.MsgNameMax+1, 0, 0)
	want(t, unix.EINVAL, th, goabi.OpRecvMsg, y, 0, 0, goabi.MsgControlMax+1, 0)
	want(t, unix.EINVAL, th, goabi.OpSendMsg, y, 0, 0, 0, goabi.MsgDataMax+1)
	want(t, unix.EAGAIN, th, goabi.OpRecvMsg, y, unix.MSG_DONTWAIT, 10, 100, 100)
	// With nothing real left open.
	if fds := leaks(t, func() {
		sendMsg(th, x, 0, nil, rights(file, file, file), []byte("z"))
		th.do(goabi.OpRecvMsg, y, 0, 0, cmsgHeader+8, 10) // room for two
		if th.arg(2)&unix.MSG_CTRUNC == 0 {
			t.Errorf("flags %#x: the control was cut", th.arg(2))
		}
		for i := range 2 {
			fd := int(int32(le.Uint32(th.mem[goabi.MsgControl+cmsgHeader+4*i:])))
			th.do(unix.SYS_CLOSE, fd)
		}
	}); fds != 0 {
		t.Errorf("%d descriptors too many", fds)
	}
}

// leaks returns how many more descriptors the host program has after f.
func leaks(tb testing.TB, f func()) int {
	count := func() int {
		d, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			tb.Fatal(err)
		}
		return len(d)
	}
	before := count()
	f()
	return count() - before
}

// Standard descriptors may be anything, and what others have, they see
// unchanged.
func TestSharedDescriptors(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	in, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	stdin, err := in.File()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	_ = unix.SetNonblock(int(w.Fd()), false)
	p := serverFor(t, Config{Stdin: stdin, Stdout: w}, 1)
	th := p.threads[0]
	must(t, th, unix.SYS_WRITE, 1, "out", 3)
	b := make([]byte, 10)
	if n, err := r.Read(b); string(b[:n]) != "out" || err != nil {
		t.Fatalf("read %q, %v", b[:n], err)
	}
	// A pipe that is full and blocks.
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 40 {
			if n := th.do(unix.SYS_WRITE, 1, make([]byte, 10000), 10000); n != 10000 {
				t.Errorf("wrote %d", n)
			}
		}
	}()
	time.Sleep(5 * time.Millisecond)
	for left := 400000; left > 0; {
		n, err := r.Read(make([]byte, 5000))
		if err != nil {
			t.Fatal(err)
		}
		left -= n
	}
	<-done
	if fl, _ := unix.FcntlInt(w.Fd(), unix.F_GETFL, 0); fl&unix.O_NONBLOCK != 0 {
		t.Error("the host program's end does not block any more")
	}
	if err := in.SetDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	want(t, unix.EAGAIN, th, unix.SYS_ACCEPT4, 0, 0, 0, 0) // it is O_NONBLOCK
}

func TestNothingIsLeftOpen(t *testing.T) {
	if n := leaks(t, func() {
		t.Run("", func(t *testing.T) {
			th := serverFor(t, Config{}, 1).threads[0]
			must(t, th, unix.SYS_PIPE2, make([]byte, 8), 0)
			must(t, th, unix.SYS_UMASK, 0)
			must(t, th, unix.SYS_MKDIR, "d", 0o700)
			must(t, th, goabi.OpPark, int(2*time.Millisecond))
			must(t, th, unix.SYS_DUP2, 0, 500)
			for th.p.files.add(newFile(must1(unix.Dup(0)), modeUnknown, false), 0) < 20 {
			}
		})
	}); n != 0 {
		t.Errorf("%d descriptors stay open", n)
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
