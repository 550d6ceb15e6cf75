package edl

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/feidi-dev/feidi/internal/text"
)

// Severity says whether a diagnostic is an error.
type Severity uint8

// Severities.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is something that is wrong, or may be, in an EDL file.
type Diagnostic struct {
	// Pos and End enclose the offending text; End is just after it. A
	// diagnostic about no place in particular has the zero Pos.
	Pos, End Pos
	Severity Severity
	Rule     Rule   // what was broken
	Msg      string // what is wrong, in one line
	Hint     string // what to write instead, or ""
	Source   string // the line that Pos is in
}

// Error returns the diagnostic in one line, without the source.
func (d *Diagnostic) Error() string {
	var b strings.Builder
	if d.Pos.File != "" {
		b.WriteString(printable(d.Pos.String()) + ": ")
	}
	if d.Severity == Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(d.Msg)
	if d.Hint != "" {
		b.WriteString(": " + d.Hint)
	}
	return b.String()
}

// String returns the place as file:line:column.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Text returns the diagnostic in several lines for a person: where and what,
// the source line with the offending text underlined, and the hint.
func (d *Diagnostic) Text() string {
	var b strings.Builder
	if d.Pos.File != "" {
		b.WriteString(printable(d.Pos.String()) + ": ")
	}
	fmt.Fprintf(&b, "%s: %s [%s]\n", d.Severity, d.Msg, d.Rule)
	if strings.TrimSpace(d.Source) != "" && d.Pos.Col >= 1 && d.Pos.Col <= len(d.Source)+1 {
		number := fmt.Sprintf("%5d", d.Pos.Line)
		line, start, end := d.window()
		fmt.Fprintf(&b, "%s | %s\n", number, printable(line))
		fmt.Fprintf(&b, "%s | %s\n", strings.Repeat(" ", len(number)), underline(line, start, end))
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "      = %s\n", d.Hint)
	}
	return b.String()
}

// maxWindow is how many bytes of a line are shown.
const maxWindow = 200

// window returns Source, or the part of a long one that matters, and the
// offsets in it of the offending text.
func (d *Diagnostic) window() (line string, start, end int) {
	line, start, end = d.Source, d.Pos.Col-1, len(d.Source)
	if d.End.Line == d.Pos.Line && d.End.Col-1 < end {
		end = max(d.End.Col-1, start)
	}
	if len(line) <= maxWindow {
		return line, start, end
	}
	from := max(min(start-maxWindow/3, len(line)-maxWindow), 0)
	to := from + maxWindow
	for from > 0 && !utf8.RuneStart(line[from]) {
		from--
	}
	for to < len(line) && !utf8.RuneStart(line[to]) {
		to++
	}
	end = min(end, to)
	line = line[from:to]
	if from > 0 {
		line = "..." + line
		from -= len("...")
	}
	if to < len(d.Source) {
		line += "..."
	}
	return line, start - from, end - from
}

// underline is the line below another, with tabs where that has tabs.
func underline(line string, start, end int) string {
	var b strings.Builder
	for _, r := range line[:start] {
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	b.WriteByte('^')
	if end > start {
		n := utf8.RuneCountInString(strings.TrimRight(line[start:end], " \t"))
		b.WriteString(strings.Repeat("~", max(n-1, 0)))
	}
	return b.String()
}

// printable replaces what could confuse a terminal: control characters, and
// those that turn the direction of text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && text.Unsafe(r) {
			return '?'
		}
		return r
	}, s)
}

// Diagnostics are the diagnostics of one Load, errors first, each in the order
// of the text. As an error it prints in one line; Text prints them all.
type Diagnostics []*Diagnostic

// Error returns the first error and says how many more there are.
func (ds Diagnostics) Error() string {
	switch len(ds) {
	case 0:
		return "no errors"
	case 1:
		return ds[0].Error()
	}
	return fmt.Sprintf("%s (and %d more)", ds[0].Error(), len(ds)-1)
}

// Unwrap returns each diagnostic as an error.
func (ds Diagnostics) Unwrap() []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = d
	}
	return errs
}

// Text returns all diagnostics as Diagnostic.Text does.
func (ds Diagnostics) Text() string {
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(d.Text())
	}
	return b.String()
}
