package text_test

import (
	"testing"

	"github.com/feidi-dev/feidi/internal/text"
)

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "a\tb\n": "a\tb\n", "é 飛": "é 飛", "a\r\nb\rc": "a\nb?c", "\x1b[0m\r\x00\x7f": "?[0m???", "\u009b31m": "?31m", "a\u202eb": "a?b", "\xff": "\uFFFD",
	} {
		if got := text.Printable(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "a\tb\r\nc": "a b  c", "1234567": "1234567", "12345678": "1234567…", "123456é": "123456?…", "a\u202eb\x1b": "a b ", "\xff": "?",
	} {
		if got := text.Line(s, 7); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b        string
		bound, want int
	}{
		{"", "", 9, 0}, {"", "abc", 9, 3}, {"kitten", "sitting", 9, 3}, {"kitten", "sitting", 2, 2}, {"ab", "ba", 9, 2}, {"a", "abcdefghij", 4, 4},
	} {
		if got, back := text.Distance(c.a, c.b, c.bound), text.Distance(c.b, c.a, c.bound); got != c.want || back != c.want {
			t.Errorf("%q, %q: %d and %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}
