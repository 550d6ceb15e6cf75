package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/internal/prompt"
)

// TestHistory keeps lines for their owner alone, also where others could read
// them before, and follows a link.
func TestHistory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state", "feidi", "shell_history")
	h := &history{path: file}
	for _, line := range []string{" f(1) ", "", "f(1)", "f(2)", "two\nlines", "\x1b[2J", strings.Repeat("x", prompt.MaxHistoryLine+1)} {
		h.Add(line)
	}
	if h.Len() != 2 || h.At(0) != "f(2)" || h.At(1) != "f(1)" {
		t.Errorf("history %q", h.Lines)
	}
	if err := h.write(); err != nil {
		t.Fatal(err)
	}
	private(t, filepath.Dir(file), 0o700)
	private(t, file, 0o600)
	again := &history{path: file}
	again.read()
	if strings.Join(again.Lines, "|") != "f(1)|f(2)" {
		t.Errorf("read back as %q", again.Lines)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	again.path = link
	for range prompt.MaxHistory {
		again.Add("f(3)")
		again.Add("f(4)")
	}
	if err := again.write(); err != nil {
		t.Fatal(err)
	}
	private(t, file, 0o600)
	if b, err := os.ReadFile(file); err != nil || strings.Count(string(b), "\n") != prompt.MaxHistory {
		t.Errorf("%d lines, %v", strings.Count(string(b), "\n"), err)
	}
	if err := (&history{path: os.DevNull}).write(); err != nil { // for those who want none
		t.Error(err)
	}
}

func private(t *testing.T, file string, want os.FileMode) {
	t.Helper()
	info, err := os.Lstat(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
		t.Errorf("%s has mode %v, want %v", file, got, want)
	}
}
