package world_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// daemon is a verb that serves, as a process.
type daemon struct {
	h     *home
	cmd   *exec.Cmd
	log   locked
	ready chan error // one, once it has said where it serves, or that it never will
	ended bool
	dying chan struct{} // closed when killAfter kills it

	// What it said.
	Address string
	Sockets []string
}

// startTime is the longest that a daemon may take to start: the first one builds
// the system enclaves.
const startTime = 5 * time.Minute

// launch starts a verb that serves, and does not wait for it.
func (h *home) launch(args ...string) *daemon {
	h.Helper()
	d := &daemon{h: h, cmd: h.cmd(append(args, "--json")...), ready: make(chan error, 1)}
	d.cmd.Stderr = &d.log
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		h.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		h.Fatal(err)
	}
	go func() {
		err := json.NewDecoder(stdout).Decode(d)
		d.ready <- err
		_, _ = io.Copy(io.Discard, stdout)
	}()
	h.Cleanup(func() {
		if !d.ended {
			d.stop()
		}
	})
	return d
}

// start starts a verb that serves, and waits until it does.
func (h *home) start(args ...string) *daemon {
	h.Helper()
	d := h.launch(args...)
	select {
	case err := <-d.ready:
		if err != nil {
			h.Fatalf("%v: %v\n%s", d.cmd.Args[1:], err, d.log.String())
		}
	case <-time.After(startTime):
		h.Fatalf("%v does not serve after %v\n%s", d.cmd.Args[1:], startTime, d.log.String())
	}
	return d
}

// pcs starts the world's certification service.
func (h *home) pcs() *daemon {
	h.Helper()
	return h.start("pcs", "serve", "--listen", "127.0.0.1:0")
}

// aesmd starts the services of a machine.
func (h *home) aesmd(machine string, args ...string) *daemon {
	h.Helper()
	needEngine(h)
	return h.start(append([]string{"aesmd", "--machine", machine, "--socket", h.socket(machine)}, args...)...)
}

// socket is where a machine's AESM listens.
func (h *home) socket(machine string) string { return h.dir + "/" + machine + ".sock" }

// stop tells the daemon to stop, which it does in good order.
func (d *daemon) stop() {
	d.h.Helper()
	d.ended = true
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.h.Error(err) // it ended by itself, or is not ours: Wait tells
	}
	late := time.AfterFunc(time.Minute, func() { _ = d.cmd.Process.Kill() })
	defer late.Stop()
	if err := d.cmd.Wait(); err != nil {
		d.h.Errorf("%v ends with %v\n%s", d.cmd.Args[1:], err, d.log.String())
	}
}

// killAfter kills the daemon after a time, at the latest.
func (d *daemon) killAfter(t time.Duration) {
	d.dying = make(chan struct{})
	time.AfterFunc(t, func() {
		close(d.dying)
		_ = d.cmd.Process.Kill() // it may have ended
	})
}

// kill ends the daemon as the kernel ends a process that has no say in it, and
// reports whether that was what ended it.
func (d *daemon) kill() bool {
	d.h.Helper()
	d.ended = true
	_ = d.cmd.Process.Kill() // it may have ended
	_ = d.cmd.Wait()         // as its status tells
	return bySIGKILL(d.h, d.cmd)
}

// bySIGKILL reports whether a process that has ended was killed.
func bySIGKILL(t testing.TB, cmd *exec.Cmd) bool {
	t.Helper()
	s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		t.Fatalf("%T", cmd.ProcessState.Sys())
	}
	return s.Signaled() && s.Signal() == syscall.SIGKILL
}

// logs reports whether the daemon's log has a line with all those texts. What was
// written before an answer may take a moment to get here.
func (d *daemon) logs(texts ...string) bool {
	for range 100 {
		if d.hasLogged(texts) {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func (d *daemon) hasLogged(texts []string) bool {
lines:
	for line := range strings.Lines(d.log.String()) {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue lines
			}
		}
		return true
	}
	return false
}

// memory returns a figure of the daemon's in bytes: VmRSS is the memory that it
// has, VmHWM the most that it ever had.
func (d *daemon) memory(name string) int {
	d.h.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.h.Skip(err) // not Linux
	}
	for line := range strings.Lines(string(b)) {
		var kb int
		if _, err := fmt.Sscanf(line, name+": %d kB", &kb); err == nil {
			return kb << 10
		}
	}
	d.h.Fatalf("no %s in\n%s", name, b)
	return 0
}

// locked is a buffer that is written while it is read.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
