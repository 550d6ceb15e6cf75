package aesm_test

import (
	"context"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
)

// A client waits for a socket whose queue is full, and no longer than it may.
func TestFullQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil { // one waits, the next does not fit
		t.Fatal(err)
	}
	first, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		t.Skip("this system has room for more than listen was told")
	}

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	c := aesm.New(aesm.Options{Path: path})
	if _, err := c.GetSupportedAttKeyIDNum(ctx); err == nil {
		t.Error("an answer without a server")
	}
	asked := make(chan error, 1)
	go func() {
		_, err := c.GetSupportedAttKeyIDNum(t.Context())
		asked <- err
	}()
	for range 2 { // the first connection, and then the client's
		n, _, err := syscall.Accept(fd)
		if err != nil {
			t.Fatal(err)
		}
		syscall.Close(n)
	}
	if err := <-asked; err == nil {
		t.Error("an answer from nobody")
	}
}
