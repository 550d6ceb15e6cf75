//go:build linux && amd64

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

var serial atomic.Int64

// sockets talks over TCP and Unix sockets.
func sockets() {
	for _, network := range []string{"tcp", "unix"} {
		addr := "127.0.0.1:0"
		if network == "unix" {
			addr = fmt.Sprintf("socket-%d", serial.Add(1))
		}
		l, err := net.Listen(network, addr)
		if err != nil {
			continue
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.SetDeadline(time.Now().Add(time.Second))
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}
		}()
		at := l.Addr()
		if at == nil { // the host has none
			_ = l.Close()
			continue
		}
		for range 3 {
			c, err := net.DialTimeout(network, at.String(), time.Second)
			if err != nil {
				break
			}
			_ = c.SetDeadline(time.Now().Add(time.Second))
			b, intact := fenced(2000)
			_, _ = c.Write(b)
			_, _ = io.ReadFull(c, b)
			intact()
			_ = c.Close()
		}
		if network == "tcp" {
			serveFile(at.String())
		}
		_ = l.Close()
	}
}

// serveFile sends a file, which is sendfile.
func serveFile(addr string) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	f, err := os.CreateTemp(".", "sent-")
	if err != nil {
		return
	}
	defer os.Remove(f.Name())
	defer f.Close()
	_, _ = f.Write(make([]byte, 100_000))
	_, _ = f.Seek(0, io.SeekStart)
	_, _ = io.Copy(c, f)
}

// datagrams talks over UDP, and asks for lengths.
func datagrams() {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(300 * time.Millisecond))
	b, intact := fenced(500)
	at := c.LocalAddr()
	for range 3 {
		if at != nil {
			_, _ = c.WriteTo(b, at)
		}
		if n, _, err := c.ReadFrom(b[:100]); err == nil && n > 100 {
			fail("a datagram's length")
		}
	}
	intact()
}

// messages passes descriptors between sockets.
func messages() {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return
	}
	defer syscall.Close(fds[0])
	defer syscall.Close(fds[1])
	_ = syscall.SetsockoptTimeval(fds[1], syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 300_000})
	_, _ = syscall.GetsockoptInt(fds[1], syscall.SOL_SOCKET, syscall.SO_TYPE)
	_, _ = syscall.Getsockname(fds[0])
	_, _ = syscall.Getpeername(fds[0])
	b, intact := fenced(600)
	oob, intact2 := fenced(200)
	for range 3 {
		_ = syscall.Sendmsg(fds[0], b[:300], syscall.UnixRights(1), nil, 0)
		n, o, _, _, err := syscall.Recvmsg(fds[1], b, oob, syscall.MSG_DONTWAIT)
		if err != nil {
			continue
		}
		if n > len(b) || o > len(oob) {
			fail("a length of recvmsg")
		}
		list, _ := syscall.ParseSocketControlMessage(oob[:o])
		for i := range list {
			got, _ := syscall.ParseUnixRights(&list[i])
			for _, fd := range got {
				_ = syscall.Close(fd)
			}
		}
	}
	_ = syscall.Sendto(fds[0], b[:100], 0, nil)
	const truncate = 0x20
	if n, _, err := syscall.Recvfrom(fds[1], b[:10], truncate|syscall.MSG_DONTWAIT); err == nil && n < 0 {
		fail("a length with MSG_TRUNC")
	}
	intact()
	intact2()
}

// polls waits for descriptors in ways that the runtime does not.
func polls() {
	var fds [2]int
	if syscall.Pipe2(fds[:], syscall.O_NONBLOCK) != nil {
		return
	}
	defer syscall.Close(fds[0])
	defer syscall.Close(fds[1])
	poll, intact := fenced(16)
	for i, fd := range fds {
		poll[8*i], poll[8*i+1], poll[8*i+2], poll[8*i+3] = byte(fd), byte(fd>>8), 0, 0
		poll[8*i+4], poll[8*i+5] = 1|4, 0
	}
	if n := do(syscall.SYS_POLL, at(&poll[0]), 2, 5); n > 2 {
		fail("a result of poll")
	}
	intact()
	set, err := syscall.EpollCreate1(0)
	if err != nil {
		return
	}
	defer syscall.Close(set)
	const mark = 0x1234
	ev := syscall.EpollEvent{Events: syscall.EPOLLOUT, Fd: int32(fds[1]), Pad: mark}
	if syscall.EpollCtl(set, syscall.EPOLL_CTL_ADD, fds[1], &ev) != nil {
		return
	}
	events := make([]syscall.EpollEvent, 4)
	for range 3 {
		n, err := syscall.EpollWait(set, events, 5)
		if err != nil {
			continue
		}
		for _, e := range events[:n] {
			if e.Fd != int32(fds[1]) || e.Pad != mark {
				fail("what epoll returns")
			}
		}
	}
	runtime.KeepAlive(&ev)
}
