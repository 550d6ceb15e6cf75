package edge

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Strings have no zero character inside; wide ones are UTF-32 in memory, with
// four bytes to a wchar_t.

// TextSize is the size in bytes of a string with its terminating zero.
func TextSize(s string) int { return len(s) + 1 }

// WideSize is TextSize of a string of wchar_t.
func WideSize(s string) int { return 4 * (utf8.RuneCountInString(s) + 1) }

// putText writes a string and its terminating zero. What does not fit is left
// out.
func putText(b Block, s string) {
	if len(b) > 0 {
		b[copy(b[:len(b)-1], s)] = 0
	}
}

// putWide is putText for wchar_t.
func putWide(b Block, s string) {
	for _, r := range s {
		if len(b) < 8 {
			break
		}
		b.PutU32(0, uint32(r))
		b = b[4:]
	}
	if len(b) >= 4 {
		b.PutU32(0, 0)
	}
}

// Text reads a string up to its first zero, or to the end of b.
func Text(b Block) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// Wide is Text for wchar_t. What is no character becomes U+FFFD.
func Wide(b Block) string {
	var s strings.Builder
	for ; len(b) >= 4; b = b[4:] {
		c := b.U32(0)
		if c == 0 {
			break
		}
		if c > utf8.MaxRune {
			c = utf8.RuneError
		}
		s.WriteRune(rune(c))
	}
	return s.String()
}
