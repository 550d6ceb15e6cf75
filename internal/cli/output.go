package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
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
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return cannot(fmt.Errorf("writing the result: %w", err))
	}
	return nil
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
