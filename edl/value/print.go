package value

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// String writes the value in the language of Parse, which reads the same
// value back.
func (v Value) String() string { return string(v.append(nil)) }

// String writes the call in the language of Parse.
func (c *Call) String() string {
	b := append([]byte(c.Name), '(')
	return string(append(appendFields(b, c.Args), ')'))
}

func appendFields(b []byte, fields []Field) []byte {
	for i, f := range fields {
		if i > 0 {
			b = append(b, ", "...)
		}
		if f.Name != "" {
			b = append(b, f.Name...)
			if isPrefix(f.Name) { // hex: begins bytes
				b = append(b, ' ')
			}
			b = append(b, ": "...)
		}
		b = f.Value.append(b)
	}
	return b
}

// fewZeros is how many zeros are still written as hex digits.
const fewZeros = 16

func (v Value) append(b []byte) []byte {
	switch v.Kind {
	case Null:
		return append(b, "null"...)
	case Bool:
		return strconv.AppendBool(b, v.Int != 0)
	case Int:
		if v.Negative {
			b = append(b, '-')
		}
		return strconv.AppendUint(b, v.Int, 10)
	case Address:
		return fmt.Appendf(b, "&%#x", v.Int)
	case Float:
		return appendFloat(b, v.Float)
	case Text:
		return append(appendText(append(b, '"'), v.Bytes), '"')
	case Wide:
		b = append(b, `L"`...)
		for _, r := range v.Wide {
			b = appendRune(b, r)
		}
		return append(b, '"')
	case Bytes:
		if len(v.Bytes) > fewZeros && isZero(v.Bytes) {
			return fmt.Appendf(b, "zero:%d", len(v.Bytes))
		}
		return hex.AppendEncode(append(b, "hex:"...), v.Bytes)
	case Name:
		return append(b, v.Name...)
	case List:
		b = append(b, '[')
		for i, e := range v.List {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = e.append(b)
		}
		return append(b, ']')
	case Struct:
		return append(appendFields(append(b, '{'), v.Fields), '}')
	}
	return append(b, '_')
}

// appendFloat writes what cannot be taken for an integer.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "nan"...)
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, 64)
	for _, c := range b[start:] {
		if c == '.' || c == 'e' {
			return b
		}
	}
	return append(b, ".0"...)
}

// appendText writes bytes that are mostly UTF-8.
func appendText(b, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			b = fmt.Appendf(b, `\x%02x`, text[0])
		} else {
			b = appendRune(b, r)
		}
		text = text[n:]
	}
	return b
}

func appendRune(b []byte, r rune) []byte {
	switch {
	case r == '"' || r == '\\':
		return append(b, '\\', byte(r))
	case r == '\n':
		return append(b, `\n`...)
	case r == '\t':
		return append(b, `\t`...)
	case r == '\r':
		return append(b, `\r`...)
	case r < ' ' || r == 0x7F:
		return fmt.Appendf(b, `\x%02x`, r)
	case unicode.IsPrint(r):
		return utf8.AppendRune(b, r)
	case r > 0xFFFF:
		return fmt.Appendf(b, `\U%08x`, r)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// Equal reports whether both stand for the same, wherever they were written.
// A NaN equals a NaN.
func (v Value) Equal(w Value) bool {
	return v.Kind == w.Kind && string(v.append(nil)) == string(w.append(nil))
}
