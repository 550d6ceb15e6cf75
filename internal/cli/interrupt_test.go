package cli

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestInterrupt stops an enclave that loops with the signal of Ctrl-C.
func TestInterrupt(t *testing.T) {
	if len(engines()) == 0 {
		t.Skip("no engine on this platform")
	}
	dir := t.TempDir()
	if err := writeSamples(dir); err != nil {
		t.Fatal(err)
	}
	errs, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		var out bytes.Buffer
		code <- Main([]string{"call", filepath.Join(dir, "toy.so"), "8"}, strings.NewReader(""), &out, w)
		w.Close()
	}()
	lines := bufio.NewScanner(errs)
	if !lines.Scan() || lines.Text() != banner {
		t.Fatalf("first line is %q", lines.Text())
	}
	time.Sleep(200 * time.Millisecond) // to be inside; it works before, too
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var rest []string
	for lines.Scan() {
		rest = append(rest, lines.Text())
	}
	if c := <-code; c != exitNo || !strings.Contains(strings.Join(rest, "\n"), "context canceled") {
		t.Errorf("exit code %d: %q", c, rest)
	}
}

// TestSecondInterrupt ends feidi while an OCALL waits for a reader of standard
// error, for which the first interrupt has to wait, too.
func TestSecondInterrupt(t *testing.T) {
	if len(engines()) == 0 || runtime.GOOS == "windows" {
		t.Skip("no engine on this platform, or no interrupts")
	}
	dir := t.TempDir()
	if err := writeSamples(dir); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("feidi", "call", filepath.Join(dir, "toy.so"), "--edl", filepath.Join(dir, "toy.edl"), "raw_ocall_loop(1, zero:16, 0xffffffffffff, 0, 0)")
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	w.Close()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	if _, err := io.ReadFull(r, make([]byte, 4096)); err != nil { // OCALLs are under way
		t.Fatal(err)
	}
	for range 2 {
		select {
		case err := <-done:
			t.Fatalf("it has ended before: %v", err)
		case <-time.After(500 * time.Millisecond): // to fill the pipe
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-done:
		if err == nil {
			t.Error("it has succeeded")
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for ever")
	}
}
