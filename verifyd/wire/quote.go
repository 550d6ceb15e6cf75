package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
)

// MaxText is the most bytes of a quote in any form: as text it takes twice its
// size in hexadecimal digits, and white space.
const MaxText = 3 * dcap.MaxQuoteSize

// ErrNoQuote: bytes that are no quote in any form that is read.
var ErrNoQuote = errors.New("no quote")

// DecodeQuote returns the bytes of a quote that is given raw, in hexadecimal
// digits or in base64 (either alphabet, with or without padding). White space
// in text does not count.
//
// The forms cannot be taken for each other. A raw quote begins with its version,
// a number below 256 in two bytes, little endian, and text has no zero byte.
// Text in hexadecimal digits begins with 0, which base64 of a quote of a
// version below 208 never does.
//
// What it returns may be b itself. That it is a quote, dcap.ParseQuote tells.
func DecodeQuote(b []byte) ([]byte, error) {
	switch {
	case len(b) == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrNoQuote)
	case len(b) > MaxText:
		return nil, fmt.Errorf("%w: it is longer than the limit of %d bytes", ErrNoQuote, MaxText)
	case len(b) > 1 && b[1] == 0:
		return b, nil
	}
	text := make([]byte, 0, len(b))
	for i, c := range b {
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		case c < ' ' || c > '~':
			return nil, fmt.Errorf("%w: it is neither raw, which begins with a version such as 03 00, nor text: its byte %d is %#02x", ErrNoQuote, i, c)
		default:
			text = append(text, c)
		}
	}
	digits := bytes.TrimPrefix(text, []byte("0x"))
	if len(digits) > 0 && digits[0] == '0' {
		n, err := hex.Decode(digits, digits)
		if err != nil {
			return nil, fmt.Errorf("%w: it begins like hexadecimal digits, but %s", ErrNoQuote, notHex(err))
		}
		return digits[:n], nil
	}
	return decodeBase64(text)
}

// notHex says what is wrong with hexadecimal digits.
func notHex(err error) string {
	var b hex.InvalidByteError
	if errors.As(err, &b) {
		return fmt.Sprintf("%q is none", rune(b))
	}
	return "their number is odd"
}

func decodeBase64(text []byte) ([]byte, error) {
	text = bytes.TrimRight(text, "=")
	for i, c := range text {
		switch c {
		case '-':
			text[i] = '+'
		case '_':
			text[i] = '/'
		}
	}
	q := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
	n, err := base64.RawStdEncoding.Strict().Decode(q, text)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("%w: it is not raw, which begins with a version such as 03 00, nor hexadecimal digits, nor base64", ErrNoQuote)
	}
	return q[:n], nil
}
