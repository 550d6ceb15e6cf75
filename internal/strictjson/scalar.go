package strictjson

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// peek skips white space and returns the byte behind it; 0, which is no part
// of JSON, at the end.
func (r *Reader) peek() byte {
	for r.pos < len(r.doc) {
		c := r.doc[r.pos]
		if c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		r.pos++
	}
	return 0
}

// String reads the string that must be next. One without escapes is a part of
// the Reader's copy of the document, and costs no allocation.
func (r *Reader) String() string {
	if r.err != nil {
		return ""
	}
	if r.peek() != '"' {
		r.wrongType("a string")
		return ""
	}
	return r.str()
}

// Uint reads the number that must be next: an integer from 0 to limit, without
// sign, fraction or exponent. Others are of another type.
func (r *Reader) Uint(limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	c := r.peek()
	if c != '-' && (c < '0' || c > '9') {
		r.wrongType("an integer")
		return 0
	}
	start := r.pos
	v := uint64(0)
	for ; r.pos < len(r.doc); r.pos++ {
		digit := uint64(r.doc[r.pos]) - '0'
		if digit > 9 {
			break
		}
		if digit > limit || v > (limit-digit)/10 {
			return r.noUint(start, "the number is too large")
		}
		v = 10*v + digit
	}
	if c := r.byte(); c == '.' || c|0x20 == 'e' || r.doc[start] == '0' && r.pos != start+1 || r.pos == start {
		return r.noUint(start, "want an integer without sign, fraction or exponent")
	}
	return v
}

// OnlyUint reads the next value if it begins with a text such as `{"svn":`, goes
// on with an integer up to limit, and ends with '}'; or it reads nothing. It is
// for documents with many of these: an object with one key needs no care.
func (r *Reader) OnlyUint(prefix string, limit uint32) (uint32, bool) {
	rest := r.doc[r.pos:]
	first := len(prefix)
	if r.err != nil || r.depth == MaxDepth || len(rest) < first || rest[:first] != prefix {
		return 0, false
	}
	v, n := uint64(0), first
	for ; n < len(rest) && rest[n]-'0' <= 9 && v <= uint64(limit); n++ {
		v = 10*v + uint64(rest[n]-'0')
	}
	if v > uint64(limit) || n == first || rest[first] == '0' && n > first+1 || n == len(rest) || rest[n] != '}' {
		return 0, false
	}
	r.pos += n + 1
	return uint32(v), true
}

// noUint fails because the number that begins there is no such integer, or
// none at all.
func (r *Reader) noUint(start int, reason string) uint64 {
	r.pos = start
	r.number()
	r.Fail(ErrType, start, reason)
	return 0
}

// Null reads the next value if it is null, and reports whether it was.
func (r *Reader) Null() bool {
	if r.Peek() != 'n' {
		return false
	}
	r.literal("null")
	return r.err == nil
}

// literal reads true, false or null.
func (r *Reader) literal(word string) {
	rest := r.doc[r.pos:]
	switch {
	case strings.HasPrefix(rest, word):
		r.pos += len(word)
	case strings.HasPrefix(word, rest):
		r.pos = len(r.doc)
		r.syntax("") // cut off
	default:
		r.syntax("want a value")
	}
}

// number reads a number (RFC 8259 §6).
func (r *Reader) number() {
	if r.byte() == '-' {
		r.pos++
	}
	switch c := r.byte(); {
	case c == '0':
		r.pos++
	case c >= '1' && c <= '9':
		r.digits()
	default:
		r.syntax("want a value")
		return
	}
	if r.byte() == '.' {
		r.pos++
		r.digits()
	}
	if c := r.byte(); c == 'e' || c == 'E' {
		r.pos++
		if c := r.byte(); c == '+' || c == '-' {
			r.pos++
		}
		r.digits()
	}
	if c := r.byte(); c >= '0' && c <= '9' {
		r.syntax("a number begins with 0")
	}
}

// digits reads at least one.
func (r *Reader) digits() {
	start := r.pos
	for r.pos < len(r.doc) && r.doc[r.pos]-'0' <= 9 {
		r.pos++
	}
	if r.pos == start {
		r.syntax("want a digit")
	}
}

// byte returns the next one, or 0 at the end.
func (r *Reader) byte() byte {
	if r.pos < len(r.doc) {
		return r.doc[r.pos]
	}
	return 0
}

// special returns the offset of the first byte from i on that ends a string or
// does not stand for itself: '"', '\\' or a control character; or the length of
// the document. It looks at eight bytes at a time.
func (r *Reader) special(i int) int {
	const (
		ones = 0x01_01_01_01_01_01_01_01
		tops = 0x80_80_80_80_80_80_80_80
	)
	doc := r.doc
	for ; i+8 <= len(doc); i += 8 {
		s := doc[i : i+8] // becomes one load
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		// x-ones & ^x has the top bit of the lowest byte of x that is 0, and
		// w-' '*ones & ^w that of the lowest below ' '. Bits above it may be
		// wrong, since that byte borrowed.
		quote, slash := w^'"'*ones, w^'\\'*ones
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-' '*ones)&^w) & tops
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(doc); i++ {
		if c := doc[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}

// str reads the string whose quotation mark is next.
func (r *Reader) str() string {
	start := r.pos + 1
	end := r.special(start)
	if end < len(r.doc) && r.doc[end] == '"' {
		r.pos = end + 1
		return r.doc[start:end]
	}
	if end < len(r.doc) && r.doc[end] == '\\' {
		return r.escaped(start, end)
	}
	r.pos = end
	r.syntax("a control character in a string")
	return ""
}

// escaped reads the rest of a string that begins at start, from its first
// backslash on.
func (r *Reader) escaped(start, backslash int) string {
	b := append(make([]byte, 0, backslash-start+16), r.doc[start:backslash]...)
	r.pos = backslash
	for r.pos < len(r.doc) {
		switch c := r.doc[r.pos]; {
		case c == '"':
			r.pos++
			return string(b)
		case c == '\\':
			if b = r.escape(b); r.err != nil {
				return ""
			}
		case c < ' ':
			r.syntax("a control character in a string")
			return ""
		default:
			b = append(b, c)
			r.pos++
		}
	}
	r.syntax("") // cut off
	return ""
}

// escape appends what the escape that is next means.
func (r *Reader) escape(b []byte) []byte {
	r.pos++
	c := r.byte()
	if c == 'u' {
		return r.unicode(b)
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if i < 0 {
		r.syntax("no such escape")
		return b
	}
	r.pos++
	return append(b, "\"\\/\b\f\n\r\t"[i])
}

// unicode appends the character of \uXXXX, or of two that are a pair of
// surrogates.
func (r *Reader) unicode(b []byte) []byte {
	at := r.pos - 1
	c := r.hex4()
	if utf16.IsSurrogate(c) {
		low := rune(0)
		if strings.HasPrefix(r.doc[r.pos:], `\u`) {
			r.pos++
			low = r.hex4()
		}
		if c = utf16.DecodeRune(c, low); c == utf8.RuneError && r.err == nil {
			r.Fail(ErrSyntax, at, "half of a pair of surrogates")
		}
	}
	return utf8.AppendRune(b, c)
}

// hex4 reads uXXXX.
func (r *Reader) hex4() rune {
	c := rune(0)
	for range 4 {
		r.pos++
		d := r.byte()
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d >= 'a' && d <= 'f':
			d -= 'a' - 10
		case d >= 'A' && d <= 'F':
			d -= 'A' - 10
		default:
			r.syntax("want four hexadecimal digits")
			return 0
		}
		c = c<<4 | rune(d)
	}
	r.pos++
	return c
}
