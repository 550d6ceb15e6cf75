package cli

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/enclave/invoke"
)

// Widths of what is shown, in characters.
const (
	inlineWidth = 72 // of a struct or a list on one line
	inlineBytes = 32 // that are not dumped
)

// show shows the result of a call for people.
func (s *session) show(expression string, r *invoke.Result) {
	title := clip(strings.TrimSpace(expression))
	if r.Func.Result == nil {
		s.a.printf("%s: done\n", title)
	} else {
		s.a.printf("%s = %s\n", title, showValue(r.Return, ""))
	}
	for _, f := range r.Out {
		s.a.printf("  %s = %s\n", f.Name, showValue(f.Value, "  "))
	}
}

// showValue writes a value, the lines after the first with an indent.
func showValue(v value.Value, indent string) string {
	inner := indent + "  "
	switch v.Kind {
	case value.Int:
		if v.Int < 10 || v.Negative {
			return v.String()
		}
		return fmt.Sprintf("%d (%#x)", v.Int, v.Int)
	case value.Bytes:
		return showBytes(v.Bytes, inner)
	case value.Struct:
		if line := v.String(); len(line) <= inlineWidth {
			return line
		}
		var b strings.Builder
		b.WriteString("{\n")
		for _, f := range v.Fields {
			fmt.Fprintf(&b, "%s%s: %s\n", inner, f.Name, showValue(f.Value, inner))
		}
		return b.String() + indent + "}"
	case value.List:
		if line := v.String(); len(line) <= inlineWidth {
			return line
		}
		return showList(v.List, indent)
	}
	return v.String()
}

// showList writes short elements several to a line, and others one.
func showList(list []value.Value, indent string) string {
	inner := indent + "  "
	var b strings.Builder
	b.WriteString("[\n" + inner)
	column := 0
	for _, e := range list {
		text := e.String()
		if e.Kind == value.Struct || e.Kind == value.List || e.Kind == value.Bytes {
			text = showValue(e, inner)
		}
		if column > 0 && (column+len(text) > inlineWidth || strings.Contains(text, "\n")) {
			b.WriteString("\n" + inner)
			column = 0
		}
		b.WriteString(text + ", ")
		column += len(text) + 2
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n" + indent + "]"
}

// showBytes writes bytes as text if they are one, with or without zeros at
// the end, as digits if they are few, or as a dump.
func showBytes(b []byte, indent string) string {
	text := strings.TrimRight(string(b), "\x00")
	switch {
	case text != "" && isText(text):
		size := ""
		if len(text) < len(b) {
			size = fmt.Sprintf(", of %d bytes", len(b))
		}
		return value.OfText(text).String() + size
	case len(b) <= inlineBytes || text == "":
		return value.OfBytes(b).String()
	}
	return fmt.Sprintf("%d bytes%s", len(b), dump(b, "\n"+indent))
}

// dump is a hex dump, in which * stands for lines that are as the one before.
func dump(b []byte, newline string) string {
	const width, most = 16, 4096
	var out strings.Builder
	same := false
	for off := 0; off < min(len(b), most); off += width {
		row := b[off:min(off+width, len(b))]
		if off > 0 && off+width < len(b) && bytes.Equal(row, b[off-width:off]) {
			if !same {
				out.WriteString(newline + "*")
			}
			same = true
			continue
		}
		same = false
		digits := fmt.Sprintf("% x", row[:min(8, len(row))])
		if len(row) > 8 {
			digits += fmt.Sprintf("  % x", row[8:])
		}
		fmt.Fprintf(&out, "%s%08x  %-48s  |%s|", newline, off, digits, printableBytes(row))
	}
	if len(b) > most {
		fmt.Fprintf(&out, "%sand %d more, which --json has", newline, len(b)-most)
	}
	return out.String()
}

func printableBytes(b []byte) string {
	b = bytes.Clone(b)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '.'
		}
	}
	return string(b)
}

// isText reports whether a person would read s as text.
func isText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' && r != '\r' {
			return false
		}
	}
	return true
}
