package edl

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// source is a file that was opened. Its text has no line continuations; where
// they were is remembered, so that places are those of the file as it is.
type source struct {
	name    string
	text    string
	raw     string
	lines   []int    // offsets in raw of the starts of lines
	splices []splice // ascending
}

// splice says that from offset at in text on, raw is delta bytes ahead.
type splice struct{ at, delta int }

const bom = "\ufeff"

func newSource(name string, data []byte) *source {
	s := &source{name: name, raw: string(data)}
	s.text = s.raw
	if strings.HasPrefix(s.text, bom) {
		s.text = s.text[len(bom):]
		s.splices = append(s.splices, splice{0, len(bom)})
	}
	if strings.IndexByte(s.text, '\\') >= 0 {
		s.join()
	}
	return s
}

// join removes line continuations from text.
func (s *source) join() {
	var b strings.Builder
	delta := len(s.raw) - len(s.text)
	rest := s.text
	for {
		i := strings.IndexByte(rest, '\\')
		if i < 0 {
			break
		}
		n := continuation(rest[i:])
		if n == 0 {
			b.WriteString(rest[:i+1])
			rest = rest[i+1:]
			continue
		}
		b.WriteString(rest[:i])
		rest = rest[i+n:]
		delta += n
		s.splices = append(s.splices, splice{b.Len(), delta})
	}
	b.WriteString(rest)
	s.text = b.String()
}

// continuation is the length of a backslash, white space and the end of the
// line at the start of s, or 0. As gcc does, it allows white space.
func continuation(s string) int {
	for i := 1; i < len(s) && s[0] == '\\'; i++ {
		switch s[i] {
		case '\n':
			return i + 1
		case ' ', '\t', '\r', '\v', '\f':
		default:
			return 0
		}
	}
	return 0
}

// pos is the place of an offset in text.
func (s *source) pos(off int) Pos {
	if s == nil {
		return Pos{}
	}
	if i := sort.Search(len(s.splices), func(i int) bool { return s.splices[i].at > off }); i > 0 {
		off += s.splices[i-1].delta
	}
	if s.lines == nil {
		s.lines = append(s.lines, 0)
		for i := 0; i < len(s.raw); i++ {
			if s.raw[i] == '\n' {
				s.lines = append(s.lines, i+1)
			}
		}
	}
	n := sort.SearchInts(s.lines, off+1)
	return Pos{File: s.name, Line: n, Col: off - s.lines[n-1] + 1}
}

// line is the text of a line (from 1), without its end.
func (s *source) line(n int) string {
	if s == nil || n < 1 || n > len(s.lines) {
		return ""
	}
	text := s.raw[s.lines[n-1]:]
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	if len(text) > maxSourceLine {
		return ""
	}
	return validText(strings.TrimSuffix(text, "\r"))
}

// validText replaces each byte that is no UTF-8 by a question mark.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	b := []byte(s)
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			b[i] = '?'
		}
		i += n
	}
	return string(b)
}

// maxSourceLine is the longest line that is kept for messages.
const maxSourceLine = 1 << 16

// span is a piece of a source.
type span struct {
	src      *source
	off, end int
}

// to is the span from the start of a to the end of b, or a where they are not
// of one file.
func (a span) to(b span) span {
	if a.src != b.src || b.end < a.off {
		return a
	}
	a.end = b.end
	return a
}

func (a span) pos() Pos { return a.src.pos(a.off) }
