package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

// forms are the forms in which a quote may be given.
func forms(q []byte) map[string][]byte {
	digits, std := hex.EncodeToString(q), base64.StdEncoding.EncodeToString(q)
	wrapped := func(s, end string) []byte {
		var b strings.Builder
		for len(s) > 64 {
			b.WriteString(s[:64] + end)
			s = s[64:]
		}
		return []byte(b.String() + s + end)
	}
	return map[string][]byte{
		"raw": q, "hex": []byte(digits), "upper hex": []byte(strings.ToUpper(digits)), "0x": []byte("0x" + digits + "\n"), "hex lines": wrapped(digits, "\r\n"),
		"base64": []byte(std), "base64 lines": wrapped(std, "\n"), "base64 without padding": []byte(strings.TrimRight(std, "=")),
		"base64url": []byte(base64.URLEncoding.EncodeToString(q)), "base64url without padding": []byte(base64.RawURLEncoding.EncodeToString(q)),
	}
}

func TestDecodeQuote(t *testing.T) {
	p := testpki.New(testpki.Seed("forms")).Platform()
	quotes := map[string][]byte{
		"SGX": p.SGXQuote().Bytes(), "TDX": p.TDXQuote().Bytes(),
		// All of it is also hexadecimal digits, whichever way it is written.
		"zeros": append([]byte{4, 0}, make([]byte, 61)...), "a third": append([]byte{3, 0, 0}, bytes.Repeat([]byte{0x04, 0x10, 0x41}, 200)...),
	}
	for name, q := range quotes {
		for form, b := range forms(q) {
			if got, err := wire.DecodeQuote(bytes.Clone(b)); err != nil || !bytes.Equal(got, q) {
				t.Errorf("%s, %s: %d bytes, %v", name, form, len(got), err)
			}
		}
	}
}

func TestDecodeQuoteErrors(t *testing.T) {
	for in, want := range map[string]string{
		"": "empty", "\x03": "neither raw", "\x03\x01": "neither raw", "hello, world": "nor base64", "0300zz": "hexadecimal", "03000": "hexadecimal", "AwAC!": "nor base64",
		" \n": "nor base64", "=": "nor base64", "AwACAB": "nor base64" /* bits that are not zero */, strings.Repeat("A", wire.MaxText+1): "limit",
	} {
		if b, err := wire.DecodeQuote([]byte(in)); !errors.Is(err, wire.ErrNoQuote) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %x, %v; want %q", in, b, err, want)
		}
	}
	if _, err := wire.DecodeQuote(make([]byte, dcap.MaxQuoteSize)); err != nil {
		t.Errorf("a raw quote of the largest size: %v", err)
	}
	if _, err := wire.DecodeQuote([]byte(hex.EncodeToString(make([]byte, dcap.MaxQuoteSize)))); err != nil {
		t.Errorf("one in digits: %v", err)
	}
}

func FuzzDecodeQuote(f *testing.F) {
	for _, b := range forms([]byte{4, 0, 2, 0, 0x81, 0, 0, 0}) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		q, err := wire.DecodeQuote(b)
		if !bytes.Equal(b, in) {
			t.Fatal("it changes its input")
		}
		if err != nil {
			if !errors.Is(err, wire.ErrNoQuote) {
				t.Fatalf("not ErrNoQuote: %v", err)
			}
			return
		}
		if len(q) == 0 || len(q) > len(b) {
			t.Fatalf("%d bytes of %d", len(q), len(b))
		}
		// What it gives can be written and read in every form again, if it
		// begins as a quote does.
		if len(q) < 2 || q[1] != 0 || q[0] > 10 {
			return
		}
		for form, b := range forms(q) {
			if again, err := wire.DecodeQuote(b); err != nil || !bytes.Equal(again, q) {
				t.Fatalf("%s: %x, %v; want %x", form, again, err, q)
			}
		}
	})
}
