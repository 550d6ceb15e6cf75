package prompt

import (
	"strings"

	"github.com/feidi-dev/feidi/internal/text"
)

// Limits of a history: lines, and bytes of each.
const (
	MaxHistory     = 1000
	MaxHistoryLine = 4096
)

// History are earlier lines, the oldest first.
type History struct{ Lines []string }

// Add implements term.History. Lines that are empty, too long, as the one before
// or no text are left out.
func (h *History) Add(line string) {
	if line = strings.TrimSpace(line); line == "" || len(line) > MaxHistoryLine || strings.ContainsFunc(line, text.Unsafe) {
		return
	}
	if n := len(h.Lines); n > 0 && h.Lines[n-1] == line {
		return
	}
	h.Lines = append(h.Lines, line)
	if len(h.Lines) > MaxHistory {
		h.Lines = h.Lines[len(h.Lines)-MaxHistory:]
	}
}

// Len implements term.History.
func (h *History) Len() int { return len(h.Lines) }

// At implements term.History: 0 is the latest line.
func (h *History) At(i int) string { return h.Lines[len(h.Lines)-1-i] }
