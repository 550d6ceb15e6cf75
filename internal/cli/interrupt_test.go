package cli

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
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
