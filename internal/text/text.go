// Package text is what messages are made with: what may be shown on a
// terminal, and which name was meant.
package text

import (
	"strings"
	"unicode"
)

// Printable replaces what could confuse a terminal, or who reads it: control
// characters but for tabs and ends of lines, and those that turn the direction
// of text. What is not UTF-8 becomes U+FFFD, and CR LF an end of line.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && Unsafe(r) {
			return '?'
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// Unsafe reports whether a terminal obeys a character in place of showing it.
func Unsafe(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// Line is s in one line, without what a terminal obeys, and cut at most bytes.
func Line(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if Unsafe(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// Distance is how many letters are to be changed, added or left out to make
// one name of the other, or bound if that is less. Its work is that of the
// product of the lengths, which bound keeps close to each other.
func Distance(a, b string, bound int) int {
	if len(a)-len(b) >= bound || len(b)-len(a) >= bound {
		return bound
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return min(row[len(b)], bound)
}
