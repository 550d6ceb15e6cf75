//go:build unix

package aesm_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

const activatedEnv = "FEIDI_TEST_ACTIVATED"

// TestMain is also the child of TestActivated: it does what systemd would, as
// far as it must be done in the process itself, and tells what it was given.
func TestMain(m *testing.M) {
	want, child := os.LookupEnv(activatedEnv)
	if !child {
		os.Exit(m.Run())
	}
	if os.Getenv("LISTEN_PID") == "self" {
		_ = os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	}
	all, err := aesm.Activated()
	fmt.Printf("%d %v\n", len(all), err)
	for _, l := range all {
		c, err := l.Accept()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		_, _ = c.Write([]byte(want))
		_ = c.Close()
	}
	again, err := aesm.Activated()
	fmt.Printf("%d %v %q\n", len(again), err, os.Getenv("LISTEN_FDS")+os.Getenv("LISTEN_PID"))
	os.Exit(0)
}

func TestActivated(t *testing.T) {
	var files []*os.File
	var paths []string
	for i := range 2 {
		path := filepath.Join(t.TempDir(), strconv.Itoa(i))
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		f, err := l.(*net.UnixListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files, paths = append(files, f), append(paths, path)
	}
	child := func(files []*os.File, env ...string) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(append(os.Environ(), activatedEnv+"=hello"), env...)
		cmd.ExtraFiles = files
		return cmd
	}

	cmd := child(files, "LISTEN_PID=self", "LISTEN_FDS=2", "LISTEN_FDNAMES=a:b")
	type result struct {
		out []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		out, err := cmd.Output()
		done <- result{out, err}
	}()
	for _, path := range paths {
		c := dialer(t, path)
		b := make([]byte, 5)
		if n, err := c.Read(b); err != nil || string(b[:n]) != "hello" {
			t.Errorf("%q, %v", b[:n], err)
		}
	}
	if r := <-done; r.err != nil || string(r.out) != "2 <nil>\n0 <nil> \"\"\n" {
		t.Errorf("%s, %v", r.out, r.err)
	}

	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		want  string
		files []*os.File
		env   []string
	}{
		{"0 <nil>", nil, nil},
		{"0 <nil>", files, []string{"LISTEN_PID=1", "LISTEN_FDS=2"}},
		{"no socket that listens", []*os.File{file}, []string{"LISTEN_PID=self", "LISTEN_FDS=1"}},
		{"want a number", files, []string{"LISTEN_PID=self", "LISTEN_FDS=two"}},
		{"want a number", files, []string{"LISTEN_PID=self", "LISTEN_FDS=100000"}},
		{"want a number", files, []string{"LISTEN_PID=self", "LISTEN_FDS=-1"}},
	} {
		if out, err := child(c.files, c.env...).Output(); err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%v: %s, %v", c.env, out, err)
		}
	}
}
