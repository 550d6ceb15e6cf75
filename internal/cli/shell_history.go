package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/feidi-dev/feidi/internal/prompt"
)

// history are the lines of earlier shells and of this one, the oldest first.
type history struct {
	prompt.History
	path string // "" if there is nowhere to keep them
}

// maxHistoryFile is the size of the largest history, in bytes.
const maxHistoryFile = prompt.MaxHistory * (prompt.MaxHistoryLine + 1)

// historyPath is where the history is kept: $XDG_STATE_HOME/feidi, or what
// stands for it by default.
func historyPath() string {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "feidi", "shell_history")
}

// read reads what is there. A history that cannot be read is none.
func (h *history) read() {
	if h.path == "" {
		return
	}
	b, err := readFile(h.path, maxHistoryFile, nil)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(b)) {
		h.Add(strings.TrimRight(line, "\n"))
	}
}

// write keeps the history. Arguments may be secret: nobody else may read it,
// even if somebody could before.
func (h *history) write() error {
	if h.path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(h.path); err == nil && info.Mode().IsRegular() {
		if err := os.Chmod(h.path, 0o600); err != nil {
			return err
		}
	}
	return writeFile(h.path, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(h.Lines, "\n")+"\n")
		return err
	})
}
