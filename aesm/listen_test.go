//go:build unix

package aesm_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
)

func TestListen(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "aesmd", "aesm.socket")
	l, err := aesm.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o666 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := aesm.Listen(path); !errors.Is(err, aesm.ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("listening again: %v", err)
	}
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("the first one after that: %v", err)
	} else {
		_ = c.Close()
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil { // as if it had been killed
		t.Fatal(err)
	}
	if l, err = aesm.Listen(path); err != nil {
		t.Fatalf("after a crash: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestListenAtAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := aesm.Listen(path); !errors.Is(err, aesm.ErrInUse) {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Error(text, err)
	}
	if _, err := aesm.Listen(filepath.Join(path, "below")); err == nil {
		t.Error("listens below a file")
	}
}

// Several services that start at the same time after a crash: one gets the
// socket, and it works.
func TestListenRace(t *testing.T) {
	for range 50 {
		path := filepath.Join(t.TempDir(), "s")
		l, err := aesm.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		_ = l.Close()
		var mu sync.Mutex
		var got []net.Listener
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if l, err := aesm.Listen(path); err == nil {
					mu.Lock()
					got = append(got, l)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(got) != 1 {
			t.Fatalf("%d services have the socket", len(got))
		}
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		_ = got[0].Close()
	}
}
