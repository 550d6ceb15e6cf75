package value

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// number reads a number as C writes it: 42, -0x2a, 052, 0b101, 1.5e3, 0x1p-2,
// with or without a suffix of u and l.
func (p *parser) number() (Value, error) {
	start := p.at
	negative := p.peek(0) == '-'
	if negative || p.peek(0) == '+' {
		p.at++
	}
	if name := p.src[p.at:min(p.at+3, len(p.src))]; name == "inf" || name == "nan" {
		p.at += 3
		return infOrNaN(name, negative), nil
	}
	begin := p.at
	for c := p.peek(0); letter(c) || digit(c) || c == '.' || (c == '+' || c == '-') && p.exponent(begin); c = p.peek(0) {
		p.at++
	}
	body := strings.ToLower(p.src[begin:p.at])
	hexadecimal := strings.HasPrefix(body, "0x")
	if strings.ContainsAny(body, ".p") || !hexadecimal && !strings.HasPrefix(body, "0b") && strings.Contains(body, "e") {
		if hexadecimal && !strings.Contains(body, "p") {
			return Value{}, p.fail(start, "%s: a hexadecimal fraction ends with an exponent, as 0x1.8p3 does", body)
		}
		suffix := "fl"
		if hexadecimal {
			suffix = "l"
		}
		f, err := strconv.ParseFloat(strings.TrimRight(body, suffix), 64)
		if err != nil || strings.Contains(body, "_") {
			return Value{}, p.fail(start, "%s is no number, or larger than a double", body)
		}
		if negative {
			f = -f
		}
		return OfFloat(f), nil
	}
	n, err := strconv.ParseUint(strings.TrimRight(body, "ul"), 0, 64)
	switch {
	case err == nil && strings.Contains(body, "_"), err != nil && !strings.Contains(err.Error(), "range"):
		return Value{}, p.fail(start, "%q is no number", p.src[start:p.at])
	case err != nil:
		return Value{}, p.fail(start, "%s does not fit into 64 bits", body)
	}
	return Value{Kind: Int, Negative: negative && n != 0, Int: n}, nil
}

// address reads &0x1000.
func (p *parser) address() (Value, error) {
	start := p.at
	if p.at++; !digit(p.skip()) {
		return Value{}, p.fail(start, "& without a number, as in &0x1000")
	}
	v, err := p.number()
	if err == nil && v.Kind != Int {
		err = p.fail(start, "%s is no address", p.src[start:p.at])
	}
	v.Kind = Address
	return v, err
}

// exponent reports whether a sign at this place belongs to an exponent.
func (p *parser) exponent(begin int) bool {
	if p.at == begin {
		return false
	}
	body := p.src[begin:p.at]
	last := body[len(body)-1] | 0x20
	if len(body) > 1 && body[1]|0x20 == 'x' {
		return last == 'p'
	}
	return last == 'e'
}

func infOrNaN(name string, negative bool) Value {
	if name == "nan" {
		return OfFloat(math.NaN())
	}
	if negative {
		return OfFloat(math.Inf(-1))
	}
	return OfFloat(math.Inf(1))
}

// char reads 'c', a number. skip is what stands before the character.
func (p *parser) char(skip int) (Value, error) {
	start := p.at
	p.at += skip
	if p.peek(0) == '\'' || p.at == len(p.src) {
		return Value{}, p.fail(start, "a character is missing")
	}
	r, _, err := p.element('\'', start)
	if err != nil {
		return Value{}, err
	}
	if p.peek(0) != '\'' {
		return Value{}, p.fail(start, `%s where "'" should be: a text has double quotes`, p.here())
	}
	p.at++
	return OfInt(int64(r)), nil
}

func (p *parser) text() (Value, error) {
	b, err := p.quoted()
	return Value{Kind: Text, Bytes: b}, err
}

// quoted reads "…", whose bytes may be any.
func (p *parser) quoted() ([]byte, error) {
	start := p.at
	p.at++
	b := []byte{}
	for p.peek(0) != '"' || p.at == len(p.src) {
		r, raw, err := p.element('"', start)
		if err != nil {
			return nil, err
		}
		if raw {
			b = append(b, byte(r))
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	p.at++
	return b, p.take(start, len(b))
}

func (p *parser) wide() (Value, error) {
	start := p.at
	p.at += 2
	w := []rune{}
	for p.peek(0) != '"' || p.at == len(p.src) {
		r, _, err := p.element('"', start)
		if err != nil {
			return Value{}, err
		}
		w = append(w, r)
	}
	p.at++
	return Value{Kind: Wide, Wide: w}, p.take(start, 4*len(w))
}

// take counts the bytes that values stand for.
func (p *parser) take(start, n int) error {
	if p.bytes += n; p.bytes > MaxBytes {
		return p.limit(start, "more than %d bytes of content", MaxBytes)
	}
	return nil
}

var escapes = map[byte]rune{
	'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11, 'e': 27,
	'\\': '\\', '\'': '\'', '"': '"', '?': '?',
}

// element reads one character of a text. raw says that it is a byte, and not
// a code point.
func (p *parser) element(quote byte, start int) (r rune, raw bool, err error) {
	switch c := p.peek(0); {
	case p.at == len(p.src) || c == '\n':
		return 0, false, p.fail(start, "%q is not closed", quote)
	case c == '\\':
		return p.escape()
	}
	r, n := utf8.DecodeRuneInString(p.src[p.at:])
	if r == utf8.RuneError && n == 1 {
		r, raw = rune(p.src[p.at]), true
	}
	p.at += n
	return r, raw, nil
}

// escape reads what follows a backslash: one of the letters of C, up to three
// octal digits, x and up to two (in a wide text: eight) hex digits, u and four
// or U and eight of them.
func (p *parser) escape() (r rune, raw bool, err error) {
	start := p.at
	p.at++
	c := p.peek(0)
	if r, ok := escapes[c]; ok {
		p.at++
		return r, false, nil
	}
	limits := map[byte][2]int{'x': {1, 2}, 'u': {4, 4}, 'U': {8, 8}}
	base, n := 16, limits[c]
	switch {
	case c >= '0' && c <= '7':
		base, n = 8, [2]int{1, 3}
	case n[0] > 0:
		p.at++
	default:
		p.at = min(p.at+1, len(p.src))
		return 0, false, p.fail(start, `%q is no escape: a backslash is written \\`, p.src[start:p.at])
	}
	digits := p.at
	for p.at-digits < n[1] && strings.IndexByte("0123456789abcdef"[:base], p.peek(0)|lower(p.peek(0))) >= 0 {
		p.at++
	}
	v, _ := strconv.ParseUint(p.src[digits:p.at], base, 64)
	switch {
	case p.at-digits < n[0]:
		return 0, false, p.fail(start, "an escape with too few digits")
	case n[1] > 3 && (v > utf8.MaxRune || v>>11 == 0xD800>>11):
		return 0, false, p.fail(start, "U+%04X is no character", v)
	case base == 8 && v > 255:
		return 0, false, p.fail(start, "\\%o is larger than a byte", v)
	}
	return rune(v), n[1] <= 3, nil
}

// lower is the bit that makes a letter small.
func lower(c byte) byte {
	if letter(c) && c != '_' {
		return 0x20
	}
	return 0
}

// prefixed reads what follows hex:, base64: or zero:.
func (p *parser) prefixed(start int, name string) (Value, error) {
	var body string
	if p.peek(0) == '"' {
		b, err := p.quoted()
		if err != nil {
			return Value{}, err
		}
		body = strings.Join(strings.Fields(string(b)), "")
	} else {
		from := p.at
		for c := p.peek(0); letter(c) || digit(c) || name == "base64" && c != 0 && strings.IndexByte("+/=-", c) >= 0; c = p.peek(0) {
			p.at++
		}
		body = p.src[from:p.at]
	}
	var b []byte
	var err error
	switch name {
	case "hex":
		if b, err = hex.DecodeString(body); err != nil {
			return Value{}, p.fail(start, "%q is not an even number of hex digits", clip(body))
		}
	case "base64":
		body = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(body, "="))
		if b, err = base64.RawStdEncoding.DecodeString(body); err != nil {
			return Value{}, p.fail(start, "%q is not base64", clip(body))
		}
	case "zero":
		n, err := strconv.ParseUint(body, 0, 63)
		if err != nil || strings.Contains(body, "_") {
			return Value{}, p.fail(start, "%q is not a number of bytes", clip(body))
		}
		if n > MaxBytes {
			return Value{}, p.limit(start, "%d bytes of zeros, more than %d", n, MaxBytes)
		}
		if err := p.take(start, int(n)); err != nil {
			return Value{}, err
		}
		return OfBytes(make([]byte, n)), nil
	}
	return OfBytes(b), p.take(start, len(b))
}

// clip shortens a text for an error.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// file reads @name or @"name".
func (p *parser) file() (Value, error) {
	start := p.at
	p.at++
	var name string
	if p.peek(0) == '"' {
		b, err := p.quoted()
		if err != nil {
			return Value{}, err
		}
		name = string(b)
	} else {
		from := p.at
		for p.at < len(p.src) && strings.IndexByte(" \t\r\n,)]}", p.src[p.at]) < 0 {
			p.at++
		}
		name = p.src[from:p.at]
	}
	switch {
	case name == "":
		return Value{}, p.fail(start, "@ without the name of a file")
	case p.files == nil:
		return Value{}, p.fail(start, "files cannot be named here")
	}
	b, err := p.files(name, MaxBytes-p.bytes)
	if err != nil {
		return Value{}, p.wrap(start, p.at, ErrFile, "%v", err)
	}
	return OfBytes(b), p.take(start, len(b))
}
