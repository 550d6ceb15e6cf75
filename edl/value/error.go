package value

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/feidi-dev/feidi/internal/text"
)

// Errors that a *SyntaxError wraps.
var (
	ErrSyntax = errors.New("syntax error")
	ErrLimit  = errors.New("too much")
	ErrFile   = errors.New("no such content")
)

// Limits of one source. All are far above what a person writes, and low
// enough for hostile scripts.
const (
	MaxSource = 4 << 20  // bytes of text
	MaxDepth  = 32       // lists and structs in each other
	MaxValues = 1 << 17  // values of a source together
	MaxBytes  = 16 << 20 // bytes that the values of a source stand for
)

// SyntaxError says what is wrong with a source, and where.
type SyntaxError struct {
	Pos, End int // in bytes
	Err      error
}

// Error has the column, counted in bytes from 1.
func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %v", e.Pos+1, e.Err) }

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Underline shows the line of src that position pos is on, with a mark under
// what lies from there to end:
//
//	f(300, 1)
//	  ^~~
//
// A line that is long is cut around the mark.
func Underline(src string, pos, end int) string {
	pos = min(max(pos, 0), len(src))
	end = min(max(end, pos), len(src))
	start := strings.LastIndexByte(src[:pos], '\n') + 1
	line, _, _ := strings.Cut(src[start:], "\n")
	pos, end = pos-start, min(end-start, len(line))
	const before, width = 60, 100
	cut := ""
	if pos > before {
		from := pos - before
		for from < pos && !utf8.RuneStart(line[from]) {
			from++
		}
		line, pos, end, cut = line[from:], pos-from, end-from, "…"
	}
	tail := ""
	if len(line) > width {
		to := width
		for to > 0 && !utf8.RuneStart(line[to]) {
			to--
		}
		line, tail = line[:to], "…"
	}
	pos, end = min(pos, len(line)), min(end, len(line))
	mark := "^" + strings.Repeat("~", max(utf8.RuneCountInString(line[pos:max(end, pos)])-1, 0))
	pad := strings.Repeat(" ", utf8.RuneCountInString(cut)+utf8.RuneCountInString(line[:pos]))
	return cut + shown(line) + tail + "\n" + pad + mark
}

// shown is a line with one column for each character, a tab too.
func shown(line string) string { return strings.ReplaceAll(text.Printable(line), "\t", " ") }
