//go:build linux

package inside

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
)

// Programs that end, well or badly: what they write, and how they end.
func TestPrograms(t *testing.T) {
	m := powerOn(t, cpu.Config{})
	small := func(o *gobuild.Options) { o.Heap, o.Threads = 128<<20, 16 }
	for _, c := range []struct {
		args   string
		cpus   int
		change func(*gobuild.Options)
		code   int
		signal syscall.Signal
		stdout string // the whole
		stderr string // a part
	}{
		{args: "nil", code: 2, stderr: "nil pointer dereference\n[signal SIGSEGV: segmentation violation"},
		{args: "div", code: 2, stderr: "integer divide by zero"},
		{args: "bounds", code: 2, stderr: "index out of range [5] with length 1"},
		{args: "overflow", code: 2, stderr: "stack overflow"},
		{args: "overflow", code: 2, stderr: "stack overflow", change: func(o *gobuild.Options) { o.Heap = 32 << 20 }},
		{args: "panic", code: 2, stderr: "panic: in a goroutine"},
		{args: "deadlock", code: 2, stderr: "all goroutines are asleep - deadlock!"},
		{args: "maps", code: 2, stderr: "fatal error: concurrent map"},
		{args: "heap", code: 2, stderr: "feidi: the enclave's heap is full: ", change: small},
		{args: "goexit", code: 4, stdout: "still here\n"},
		{args: "exit", code: 42, stdout: "before\n"},
		{args: "recover", stdout: "6000\n"},
		{args: "recursion", stdout: "200000\n", change: func(o *gobuild.Options) { o.Heap = 512 << 20 }},
		{args: "large", stdout: "done\n", change: small},
		{args: "exec", stdout: "refused\n", stderr: "feidi: an enclave cannot start processes"},
		{args: "preempt", stdout: "true\n"},
		{args: "churn 12000", stdout: "done\n"},
		{args: "blocked 1000", code: 2, stderr: "feidi: all 16 threads of the enclave are in use, each by a goroutine that waits in a system call or runs: build it with more --threads"},
		{args: "polled 300", stdout: "done\n"},
		{args: "timers", stdout: "500\n"},
		{args: "self", code: 128 + 15, signal: syscall.SIGTERM, stdout: "user defined signal 1\n"},
		// A machine with more processors than the enclave has threads.
		{args: "parallel 200", cpus: 64, stdout: "2000000000\n"},
		{args: "parallel 50", cpus: 64, stdout: "500000000\n", change: func(o *gobuild.Options) { o.Threads = gobuild.MinThreads }},
	} {
		t.Run(c.args, func(t *testing.T) {
			g := start(t, m, build(t, "hard", c.change), process.Config{Args: strings.Fields(c.args), CPUs: c.cpus})
			out := g.output(t)
			s, _ := g.wait()
			text := g.stderr()
			if s.ExitCode != c.code || s.Signal != c.signal || out != c.stdout || !strings.Contains(text, c.stderr) {
				t.Errorf("ended with %+v, wrote %q and on standard error:\n%.3000s", s, out, text)
			}
			if c.code == 2 && !strings.Contains(text, "goroutine ") {
				t.Errorf("no traceback:\n%.3000s", text)
			}
			if c.code != 2 && c.stderr == "" && text != "" {
				t.Errorf("on standard error:\n%.3000s", text)
			}
		})
	}
}

func TestMonotonic(t *testing.T) {
	g := start(t, powerOn(t, cpu.Config{}), build(t, "hard", nil), process.Config{Args: []string{"monotonic"}})
	out := g.output(t)
	s, err := g.wait()
	unix, perr := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil || perr != nil || s.ExitCode != 0 {
		t.Fatalf("%+v, %v, %q:\n%s", s, err, out, g.stderr())
	}
	if d := time.Since(time.Unix(unix, 0)); d < -2*time.Second || d > 5*time.Second {
		t.Errorf("the enclave's clock is off by %v", d)
	}
}

// ready waits until a program says that it is.
func ready(t *testing.T, g *guest) {
	t.Helper()
	if line, err := g.stdout.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
}

func signalTo(t *testing.T, g *guest, sig syscall.Signal) {
	t.Helper()
	if err := g.Signal(sig); err != nil {
		s, _ := g.wait()
		t.Fatalf("%v: %v; ended with %+v:\n%s", sig, err, s, g.stderr())
	}
}

func TestSignals(t *testing.T) {
	m := powerOn(t, cpu.Config{})
	img := build(t, "hard", nil)
	run := func(args ...string) *guest {
		g := start(t, m, img, process.Config{Args: args})
		ready(t, g)
		return g
	}
	ends := func(g *guest, code int, sig syscall.Signal, stdout string) {
		t.Helper()
		begin := time.Now()
		out := g.output(t)
		s, _ := g.wait()
		if s.ExitCode != code || s.Signal != sig || out != stdout || time.Since(begin) > 10*time.Second {
			t.Errorf("ended with %+v after %v, wrote %q:\n%s", s, time.Since(begin), out, g.stderr())
		}
	}

	g := run("handle")
	signalTo(t, g, syscall.SIGTERM)
	ends(g, 9, 0, "terminated\n")

	for _, how := range []string{"sleep", "read", "rawread", "loop"} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
			g := run("default", how)
			time.Sleep(5 * time.Millisecond)
			signalTo(t, g, sig)
			ends(g, 128+int(sig), sig, "")
		}
	}
	// SIGQUIT has the runtime write where everybody is.
	g = run("default", "read")
	signalTo(t, g, syscall.SIGQUIT)
	ends(g, 2, 0, "")
	if text := g.stderr(); !strings.Contains(text, "SIGQUIT: quit") || !strings.Contains(text, "goroutine 1 ") {
		t.Errorf("after SIGQUIT:\n%s", text)
	}

	g = run("ignore")
	for range 20 {
		signalTo(t, g, syscall.SIGTERM)
		signalTo(t, g, syscall.SIGINT)
		signalTo(t, g, syscall.SIGWINCH)
		time.Sleep(time.Millisecond)
	}
	if _, err := io.WriteString(g.stdin, "x"); err != nil {
		t.Fatal(err)
	}
	ends(g, 0, 0, "still here\n")

	for _, how := range []string{"busy", "idle"} {
		g := run("storm", how)
		const n = 2000
		for i := range n {
			signalTo(t, g, syscall.SIGUSR1)
			if i%10 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		time.Sleep(100 * time.Millisecond)
		signalTo(t, g, syscall.SIGUSR2)
		line, err := g.stdout.ReadString('\n')
		var got int
		if _, serr := fmt.Sscan(line, &got); err != nil || serr != nil || got < 50 || got > n {
			t.Errorf("%s: %q, %v, %v: want some of %d signals", how, line, err, serr, n)
		}
		t.Logf("%s: %d of %d signals, the others while one was waiting", how, got, n)
		ends(g, 0, 0, "")
	}
}
