package dcap_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

// newChain is a chain of three certificates, and these in DER.
func newChain(t testing.TB) (text []byte, ders [][]byte) {
	t.Helper()
	p := newPKI(t)
	ders = [][]byte{p.platform, p.ca, p.root}
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return text, ders
}

// decodeAll is what encoding/pem reads.
func decodeAll(text []byte) (ders [][]byte) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		ders = append(ders, block.Bytes)
	}
	return ders
}

// rewrap writes a chain in lines of a width.
func rewrap(text []byte, width int) []byte {
	var b []byte
	for _, block := range strings.SplitAfter(string(text), "-----END CERTIFICATE-----\n") {
		if block == "" {
			continue
		}
		body := strings.TrimSuffix(strings.TrimPrefix(block, "-----BEGIN CERTIFICATE-----\n"), "-----END CERTIFICATE-----\n")
		body = strings.ReplaceAll(body, "\n", "")
		b = append(b, "-----BEGIN CERTIFICATE-----\n"...)
		for line := range slices.Chunk([]byte(body), width) {
			b = append(append(b, line...), '\n')
		}
		b = append(b, "-----END CERTIFICATE-----\n"...)
	}
	return b
}

// forms are the ways in which a chain is written.
func forms(text []byte) map[string][]byte {
	replace := func(old, new string) []byte { return bytes.ReplaceAll(text, []byte(old), []byte(new)) }
	return map[string][]byte{
		"as it is":               text,
		"without the last LF":    text[:len(text)-1],
		"with a zero byte":       append(bytes.Clone(text), 0),
		"with a zero byte alone": append(bytes.Clone(text[:len(text)-1]), 0),
		"with CR LF":             replace("\n", "\r\n"),
		"with blank lines":       replace("-----END CERTIFICATE-----\n", "-----END CERTIFICATE-----\n\n\n"),
		"in lines of 76":         rewrap(text, 76),
		"without ends between":   replace("-----END CERTIFICATE-----\n", "-----END CERTIFICATE-----"),
		"CR LF in the first":     mixed(text),
	}
}

// mixed writes the first certificate with CR LF, as a quote may have it whose
// certificate and issuer chain come from different places.
func mixed(text []byte) []byte {
	end := bytes.Index(text, []byte("-----END CERTIFICATE-----\n")) + len("-----END CERTIFICATE-----\n")
	return append(bytes.ReplaceAll(text[:end:end], []byte("\n"), []byte("\r\n")), text[end:]...)
}

func TestChain(t *testing.T) {
	text, ders := newChain(t)
	var appended []byte
	for _, der := range ders {
		appended = dcap.AppendPEM(appended, der)
	}
	if !bytes.Equal(appended, text) {
		t.Errorf("AppendPEM writes\n%s, want\n%s", appended, text)
	}
	for name, text := range forms(text) {
		got, err := dcap.SplitChain(text)
		if err != nil || !slices.EqualFunc(got, ders, bytes.Equal) {
			t.Errorf("%s: %v", name, err)
		}
		chain, err := dcap.ParseChain(text)
		if err != nil || len(chain) != 3 {
			t.Fatalf("%s: %v", name, err)
		}
		for i, c := range chain {
			if !bytes.Equal(c.Raw, ders[i]) {
				t.Errorf("%s: certificate %d is not the one", name, i)
			}
		}
	}
	// All lengths modulo 48 and 3, which are those of a line and of padding.
	for n := 1; n < 200; n++ {
		der := bytes.Repeat([]byte{0xFF}, n)
		text := dcap.AppendPEM(nil, der)
		if want := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}); !bytes.Equal(text, want) {
			t.Fatalf("%d bytes are written as\n%s, want\n%s", n, text, want)
		}
		if got, err := dcap.SplitChain(text); err != nil || len(got) != 1 || !bytes.Equal(got[0], der) {
			t.Fatalf("%d bytes: %x, %v", n, got, err)
		}
	}
}

func TestRealChains(t *testing.T) {
	for name, text := range vectorFiles(t, "*.pem") {
		got, err := dcap.SplitChain(text)
		if err != nil || !slices.EqualFunc(got, decodeAll(text), bytes.Equal) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := dcap.ParseChain(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	chains := 0
	for name, quote := range vectorFiles(t, "quote.bin") {
		i := bytes.Index(quote, []byte("-----BEGIN"))
		if i < 0 {
			continue
		}
		chain, err := dcap.ParseChain(quote[i:])
		if err != nil || len(chain) != 3 || chain[0].SGX == nil {
			t.Errorf("the chain in %s: %v", name, err)
		}
		chains++
	}
	if t.Logf("%d chains of quotes", chains); chains < 5 {
		t.Error("too few")
	}
}

// TestChainChanges: no bit of a chain's text can be changed without an error
// or another certificate, in none of its forms.
func TestChainChanges(t *testing.T) {
	text, ders := newChain(t)
	for name, text := range forms(text) {
		if _, err := dcap.SplitChain(text); err != nil {
			t.Fatal(name, err)
		}
		accepted := 0
		b := bytes.Clone(text)
		for bit := range 8 * len(text) {
			copy(b, text)
			b[bit/8] ^= 1 << (bit % 8)
			got, err := dcap.SplitChain(b)
			if err != nil {
				wantParseError(t, err, len(b))
			} else if accepted++; slices.EqualFunc(got, ders, bytes.Equal) {
				t.Errorf("%s: a change of bit %d of byte %d (%q) is not seen", name, bit%8, bit/8, b[bit/8])
			}
			// ParseChain takes the same text; once is enough.
			if name != "as it is" {
				continue
			}
			if chain, err := dcap.ParseChain(b); err == nil && len(chain) == 3 && bytes.Equal(chain[0].Raw, ders[0]) && bytes.Equal(chain[1].Raw, ders[1]) && bytes.Equal(chain[2].Raw, ders[2]) {
				t.Errorf("%s: ParseChain: a change of bit %d of byte %d is not seen", name, bit%8, bit/8)
			}
		}
		t.Logf("%s: %d changes, %d are other certificates in the same form", name, 8*len(text), accepted)
		// Cut off, the text has fewer certificates, or only the end is missing.
		for n := range text {
			got, err := dcap.SplitChain(text[:n])
			if err != nil {
				wantParseError(t, err, n)
			} else if tail := bytes.Trim(text[n:], "\x00\r\n"); len(got) == 3 && len(tail) > 0 || len(got) < 3 && !bytes.HasPrefix(tail, []byte("-----BEGIN")) {
				t.Fatalf("%s: the first %d bytes have %d certificates", name, n, len(got))
			}
		}
	}
}

func TestRefusedChains(t *testing.T) {
	text, ders := newChain(t)
	s := string(text)
	one := string(dcap.AppendPEM(nil, ders[2]))
	// A text that ends in padding: two bytes less than a multiple of 3.
	padded := string(dcap.AppendPEM(nil, []byte{1, 2, 3, 4}))
	for name, c := range map[string]struct {
		text   string
		kind   error
		offset int // -1: anywhere
	}{
		"nothing":                  {"", dcap.ErrTruncated, 0},
		"a zero byte":              {"\x00", dcap.ErrTruncated, 0},
		"text before":              {"x" + s, dcap.ErrFormat, 0},
		"blank line before":        {"\n" + s, dcap.ErrFormat, 0},
		"text after":               {s + "x", dcap.ErrFormat, len(s)},
		"two zero bytes":           {s + "\x00\x00", dcap.ErrFormat, len(s)},
		"text between":             {one + "subject=x\n" + one, dcap.ErrFormat, len(one)},
		"a space between":          {one[:len(one)-1] + " " + one, dcap.ErrFormat, len(one) - 1},
		"another label":            {strings.ReplaceAll(one, "CERTIFICATE", "X509 CRL"), dcap.ErrFormat, 11},
		"headers":                  {strings.Replace(one, "-----\n", "-----\nProc-Type: 4\n\n", 1), dcap.ErrFormat, -1},
		"space after a line":       {strings.Replace(one, "\n", " \n", 1), dcap.ErrFormat, -1},
		"space before the end":     {strings.Replace(one, "-----END", " -----END", 1), dcap.ErrFormat, -1},
		"CR LF in one line":        {strings.Replace(one, "-----\n", "-----\r\n", 1), dcap.ErrFormat, -1},
		"CR LF but for one line":   {strings.Replace(strings.ReplaceAll(one, "\n", "\r\n"), "\r\n", "\n", 3), dcap.ErrFormat, -1},
		"lines of 60":              {string(rewrap([]byte(one), 60)), dcap.ErrFormat, -1},
		"lines of 128":             {string(rewrap([]byte(one), 128)), dcap.ErrFormat, -1},
		"blank line in it":         {strings.Replace(one, "\n-----END", "\n\n-----END", 1), dcap.ErrFormat, -1},
		"URL-safe base64":          {strings.Replace(padded, "A", "_", 1), dcap.ErrFormat, -1},
		"stray bits of four":       {strings.Replace(padded, "BA==", "BB==", 1), dcap.ErrFormat, -1},
		"stray bits of two":        {"-----BEGIN CERTIFICATE-----\nAQJ=\n-----END CERTIFICATE-----\n", dcap.ErrFormat, -1},
		"no padding":               {strings.Replace(padded, "BA==", "BA", 1), dcap.ErrFormat, -1},
		"too much padding":         {strings.Replace(padded, "BA==", "B===", 1), dcap.ErrFormat, -1},
		"padding only":             {strings.Replace(padded, "BA==", "====", 1), dcap.ErrFormat, -1},
		"padding and more":         {strings.Replace(padded, "BA==", "BA==AAAA", 1), dcap.ErrFormat, -1},
		"padding in a line":        {strings.Replace(padded, "BA==", "BA==\nAAAA", 1), dcap.ErrFormat, -1},
		"no base64":                {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", dcap.ErrFormat, 28 + 25},
		"end of another":           {strings.Replace(one, "END CERTIFICATE", "END CERTIFICATI", 1), dcap.ErrFormat, -1},
		"nine certificates":        {strings.Repeat(one, 9), dcap.ErrTooLarge, 8 * len(one)},
		"over the bound":           {strings.Repeat("\n", dcap.MaxChainSize+1), dcap.ErrTooLarge, dcap.MaxChainSize},
		"cut off in the header":    {one[:20], dcap.ErrTruncated, 20},
		"cut off in a certificate": {one[:400], dcap.ErrTruncated, 400},
		"cut off in the end":       {one[:len(one)-5], dcap.ErrTruncated, len(one) - 5},
	} {
		_, err := dcap.SplitChain([]byte(c.text))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if e := wantParseError(t, err, len(c.text)); !errors.Is(err, c.kind) || c.offset >= 0 && e.Offset != c.offset {
			t.Errorf("%s: %v, want %v at %d", name, err, c.kind, c.offset)
		}
	}
	if got, err := dcap.SplitChain([]byte(strings.Repeat(one, 8))); err != nil || len(got) != 8 {
		t.Errorf("eight certificates: %v", err)
	}
}

// TestChainErrors: an error in a certificate has its place in the text.
func TestChainErrors(t *testing.T) {
	_, ders := newChain(t)
	n := parseTree(ders[1])
	n.list().insert(0, &node{tag: 0x30, children: []*node{{tag: 6, content: []byte{0x2A, 3}}, {tag: 1, content: []byte{255}}, {tag: 4}}})
	bad := n.bytes()
	_, err := dcap.ParseCertificate(bad)
	offset := wantParseError(t, err, len(bad)).Offset
	text := dcap.AppendPEM(nil, ders[0])
	start := len(text)
	text = dcap.AppendPEM(dcap.AppendPEM(text, bad), ders[2])
	for eol, text := range map[string][]byte{"\n": text, "\r\n": bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))} {
		chain, err := dcap.ParseChain(text)
		e := wantParseError(t, err, len(text))
		if len(chain) != 1 || !bytes.Equal(chain[0].Raw, ders[0]) {
			t.Errorf("%d certificates before the wrong one", len(chain))
		}
		if !errors.Is(err, dcap.ErrInvalid) || e.Path != "certificates[1].extensions" || e.Document != "certificate chain" {
			t.Error(err)
		}
		// What is in the text from there, without the ends of lines, decodes
		// to the certificate from the offset on.
		prefix := strings.ReplaceAll(string(text[:e.Offset]), eol, "\n")[start+28:]
		if characters := len(strings.ReplaceAll(prefix, "\n", "")); characters != offset/3*4 || text[e.Offset] == eol[0] {
			t.Errorf("offset %d is %d characters into the certificate, want %d", e.Offset, characters, offset/3*4)
		}
	}
}

func FuzzChain(f *testing.F) {
	text, _ := newChain(f)
	for _, text := range forms(text) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ders, err := dcap.SplitChain(text)
		if err != nil {
			wantParseError(t, err, len(text))
			return
		}
		// encoding/pem wants an end of line between two certificates.
		apart := bytes.ReplaceAll(text, []byte("----------BEGIN"), []byte("-----\n-----BEGIN"))
		if !slices.EqualFunc(ders, decodeAll(bytes.TrimSuffix(apart, []byte{0})), bytes.Equal) {
			t.Fatal("encoding/pem reads something else")
		}
		// The text has the certificates, ends of lines and a zero byte.
		var again []byte
		for _, der := range ders {
			again = dcap.AppendPEM(again, der)
		}
		squeeze := func(b []byte) string { return strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(string(b)) }
		if squeeze(again) != squeeze(text) {
			t.Fatal("the text has something else")
		}
		chain, err := dcap.ParseChain(text)
		if err != nil {
			wantParseError(t, err, len(text))
			return
		}
		for i, c := range chain {
			if !bytes.Equal(c.Raw, ders[i]) {
				t.Fatal("the certificates are not those of the text")
			}
		}
	})
}
