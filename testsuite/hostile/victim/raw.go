//go:build linux && amd64

package main

import (
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// do makes a system call and returns its result, which is negative for an error.
func do(nr uintptr, args ...uintptr) int {
	var a [6]uintptr
	copy(a[:], args)
	r, _, e := syscall.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	if e != 0 {
		return -int(e)
	}
	return int(r)
}

var sink atomic.Pointer[any]

// fresh returns a variable on the heap.
func fresh[T any]() *T {
	p := new(T)
	var v any = p
	sink.Store(&v)
	return p
}

// Numbers that package syscall lacks.
const (
	sysDup3, sysPipe2, sysPreadv, sysEventfd2 = 292, 293, 295, 290
	fDupFD                                    = 0
)

// raw makes calls that package os has no use for.
func raw() {
	fds := fresh[[4]int32]()
	fds[2], fds[3] = -99, -99
	if do(sysPipe2, at(&fds[0]), syscall.O_CLOEXEC) != 0 {
		return
	}
	if fds[2] != -99 || fds[3] != -99 {
		fail("the memory behind a pipe")
	}
	r, w := uintptr(fds[0]), uintptr(fds[1])
	b, intact := fenced(256)
	c, intact2 := fenced(100)
	vec := fresh[[2]syscall.Iovec]()
	vec[0], vec[1] = syscall.Iovec{Base: &b[0], Len: 256}, syscall.Iovec{Base: &c[0], Len: 100}
	do(syscall.SYS_WRITEV, w, at(&vec[0]), 2)
	if n := do(syscall.SYS_READV, r, at(&vec[0]), 2); n > 356 {
		fail("a result of readv")
	}
	do(syscall.SYS_WRITE, w, at(&b[0]), 30)
	if n := do(syscall.SYS_READ, r, at(&b[0]), 20); n > 20 {
		fail("a result of read")
	}
	if n := do(syscall.SYS_READ, r, at(&b[0]), 0); n > 0 {
		fail("a result of an empty read")
	}
	if n := do(syscall.SYS_WRITE, w, 0, 10); n > 10 {
		fail("a result of a write from nowhere")
	}
	intact()
	intact2()
	if d := do(syscall.SYS_FCNTL, r, fDupFD, 100); d >= 0 {
		do(syscall.SYS_CLOSE, uintptr(d))
	}
	if d := do(sysDup3, r, 200, 0); d >= 0 {
		if d != 200 {
			fail("a result of dup3")
		}
		do(syscall.SYS_CLOSE, uintptr(d))
	}
	do(syscall.SYS_FCNTL, r, syscall.F_GETFL, 0)
	if d := do(sysEventfd2, 0, syscall.O_NONBLOCK); d >= 0 {
		do(syscall.SYS_CLOSE, uintptr(d))
	}
	size, intact3 := fenced(8)
	do(syscall.SYS_IOCTL, 1, 0x5413, at(&size[0])) // TIOCGWINSZ
	intact3()
	do(syscall.SYS_CLOSE, r)
	do(syscall.SYS_CLOSE, w)
	ts := fresh[[2]int64]()
	do(syscall.SYS_CLOCK_GETTIME, 2, at(&ts[0]))
	do(syscall.SYS_GETUID)
	runtime.KeepAlive(vec)
}

// pipes moves data between goroutines through a pipe.
func pipes() {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	_ = r.SetReadDeadline(time.Now().Add(time.Second))
	go func() {
		b := make([]byte, 9000)
		for range 20 {
			if _, err := w.Write(b); err != nil {
				break
			}
		}
		_ = w.Close()
	}()
	_, _ = io.Copy(io.Discard, r)
}
