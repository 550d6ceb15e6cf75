//go:build unix

package dbtest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// impl is a server and how it is run.
type impl struct {
	dir  string // of all that it has
	as   *syscall.Credential
	args []string // its command
	env  []string
	stop syscall.Signal

	ready  func() bool
	create func(name string) error
	where  func(name string) string // the address of a database

	cmd    *exec.Cmd
	log    *bytes.Buffer
	ended  chan struct{}
	number atomic.Int32
}

// newServer makes the folder of a server, for the first of the users that there is.
func newServer(t testing.TB, users ...string) *Server {
	t.Helper()
	// Not t.TempDir: its path is too long for a socket, and closed to other users.
	dir, err := os.MkdirTemp("", "db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if len(dir) > 80 {
		t.Skipf("%s is too long a path for a Unix socket: set TMPDIR to a shorter one", dir)
	}
	s := &Server{impl{dir: dir}}
	if os.Geteuid() != 0 {
		return s
	}
	for _, name := range users {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
			t.Fatal(err)
		}
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return s
	}
	t.Skipf("database servers do not run as root, and there is none of the users %q", users)
	return nil
}

// find returns the path of a program, "" if it is not there. Distributions hide
// servers from the PATH.
func find(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/pgsql-*/bin/", "/usr/sbin/", "/usr/libexec/"} {
			if paths, _ := filepath.Glob(pattern + name); len(paths) > 0 {
				return paths[len(paths)-1]
			}
		}
	}
	return ""
}

// command is a command of the server's user, in its folder. A server has a group of
// its own, so that a ^C of the test does not reach it.
func (s *Server) command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "PG") || strings.HasPrefix(v, "MYSQL")
	}), append(s.env, "HOME="+s.dir, "TMPDIR="+s.dir, "LC_ALL=C")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	return cmd
}

// run runs a command to its end.
func (s *Server) run(t testing.TB, args ...string) {
	t.Helper()
	if out, err := s.command(args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(args[0]), err, out)
	}
}

// Start starts a server that was stopped or killed, on the same data.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		s.log, s.ended = new(bytes.Buffer), make(chan struct{})
		s.cmd = s.command(s.args...)
		s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
		if err := s.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func(cmd *exec.Cmd, ended chan struct{}) {
			_ = cmd.Wait()
			close(ended)
		}(s.cmd, s.ended)
		if s.await(deadline) {
			return
		}
		// Of one that was killed, children may be there for a moment still.
		s.kill(syscall.SIGKILL)
		if time.Now().After(deadline) {
			t.Fatalf("%s does not start:\n%s", filepath.Base(s.args[0]), s.log)
		}
	}
}

func (s *Server) await(deadline time.Time) bool {
	for time.Now().Before(deadline) {
		if s.ready() {
			return true
		}
		select {
		case <-s.ended:
			time.Sleep(50 * time.Millisecond)
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return false
}

// kill sends a signal, and waits for the end.
func (s *Server) kill(signal syscall.Signal) bool {
	select {
	case <-s.ended:
		return true
	default:
	}
	_ = s.cmd.Process.Signal(signal)
	select {
	case <-s.ended:
		return true
	case <-time.After(patience):
		return false
	}
}

// Stop stops the server as an administrator does. Connections are closed.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if !s.kill(s.stop) {
		t.Fatalf("%s does not stop:\n%s", filepath.Base(s.args[0]), s.log)
	}
}

// Kill kills the server.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if !s.kill(syscall.SIGKILL) {
		t.Fatalf("%s does not die", filepath.Base(s.args[0]))
	}
}

// Restart is Stop and Start.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

// Database makes an empty database, and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test" + strconv.Itoa(int(s.number.Add(1)))
	if err := s.create(name); err != nil {
		t.Fatal(err)
	}
	return s.where(name)
}

// begin starts a server for the first time.
func (s *Server) begin(t testing.TB) *Server {
	t.Helper()
	s.Start(t)
	t.Cleanup(func() {
		if !s.kill(s.stop) {
			_ = s.cmd.Process.Kill()
		}
	})
	return s
}
