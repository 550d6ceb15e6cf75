package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/feidi-dev/feidi/internal/text"
)

// output is standard output. It keeps the first error of writing, so that a
// result that nobody got is no success.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// writeJSON writes v as the verb's JSON object.
func (a *app) writeJSON(v any) error {
	a.shown = true
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	if err == nil {
		_, err = a.out.Write(escapeJSON(b.Bytes()))
	}
	if err != nil {
		return cannot(fmt.Errorf("writing the result: %w", err))
	}
	return nil
}

// escapeJSON escapes what JSON allows in its strings and a terminal obeys.
func escapeJSON(b []byte) []byte {
	obeyed := func(r rune) bool { return r >= 0x7F && text.Unsafe(r) }
	var out []byte
	for {
		i := bytes.IndexFunc(b, obeyed)
		if i < 0 {
			return append(out, b...)
		}
		r, n := utf8.DecodeRune(b[i:])
		out = fmt.Appendf(append(out, b[:i]...), `\u%04x`, r)
		b = b[i+n:]
	}
}

// table is text in aligned columns; the last column is as wide as it likes.
type table struct{ rows [][]string }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write indents every row, and drops spaces at the ends of lines.
func (t *table) write(a *app, indent string) {
	var width []int
	for _, r := range t.rows {
		for i, c := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], len(c))
		}
	}
	for _, r := range t.rows {
		var b strings.Builder
		b.WriteString(indent)
		for i, c := range r {
			fmt.Fprintf(&b, "%-*s  ", width[i], c)
		}
		a.printf("%s\n", strings.TrimRight(b.String(), " "))
	}
}

// count is "1 page" or "2 pages".
func count[N uint64 | uint32 | int](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// clip shortens a long line.
func clip(s string) string {
	const most = 400
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
