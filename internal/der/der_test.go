package der_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/internal/der"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// failure is how a reading of a document ends.
func failure(doc []byte, read func(r *der.Reader)) (der.Failure, string, int) {
	r := der.NewReader(doc)
	read(&r)
	r.Close()
	return r.Failed()
}

func TestNesting(t *testing.T) {
	doc := unhex(t, "30 0B 0201 05 3003 0101FF 0401 AA")
	doc[1] = byte(len(doc) - 2)
	r := der.NewReader(doc)
	outer := r.Enter(der.TagSequence)
	if got := r.Integer(); !bytes.Equal(got, []byte{5}) {
		t.Errorf("integer %x", got)
	}
	start := r.Offset()
	if !r.Next(der.TagSequence) || r.Next(der.TagSet) {
		t.Error("Next does not see the SEQUENCE")
	}
	inner := r.Enter(der.TagSequence)
	if !r.Boolean() || r.More() {
		t.Error("boolean")
	}
	r.Leave(inner)
	if got := r.Since(start); !bytes.Equal(got, unhex(t, "30030101FF")) || start != 5 {
		t.Errorf("%x from %d", got, start)
	}
	if tag, b := r.Any(); tag != der.TagOctetString || !bytes.Equal(b, []byte{0xAA}) || cap(b) != 1 {
		t.Errorf("any: %x %x", tag, b)
	}
	r.Leave(outer)
	r.Close()
	if !r.OK() {
		t.Error(r.Failed())
	}

	// Skip leaves what was not read.
	r = der.NewReader(doc)
	outer = r.Enter(der.TagSequence)
	r.Skip(outer)
	r.Close()
	if !r.OK() {
		t.Error(r.Failed())
	}
}

func TestRefused(t *testing.T) {
	seq := func(r *der.Reader) { r.Leave(r.Enter(der.TagSequence)) }
	integer := func(r *der.Reader) { r.Integer() }
	for name, c := range map[string]struct {
		doc     string
		read    func(*der.Reader)
		failure der.Failure
		offset  int
	}{
		"empty":                   {"", seq, der.Truncated, 0},
		"tag only":                {"30", seq, der.Truncated, 0},
		"content cut off":         {"30020101", seq, der.Trailing, 2},
		"too long":                {"300301", seq, der.Truncated, 0},
		"length cut off":          {"3082", seq, der.Truncated, 1},
		"indefinite":              {"30800000", seq, der.Malformed, 1},
		"long form of a short":    {"308100", seq, der.Malformed, 1},
		"long form of 127":        {"30817F", seq, der.Malformed, 1},
		"leading zero":            {"308200FF", seq, der.Malformed, 1},
		"four bytes":              {"308400000001", seq, der.Malformed, 1},
		"wrong tag":               {"3100", seq, der.Malformed, 0},
		"trailing":                {"300000", seq, der.Trailing, 2},
		"inner too long":          {"30020202 00", func(r *der.Reader) { r.Enter(der.TagSequence); r.Integer() }, der.Malformed, 2},
		"nothing left":            {"3000", func(r *der.Reader) { r.Enter(der.TagSequence); r.Integer() }, der.Malformed, 2},
		"tag of several bytes":    {"1F8100", func(r *der.Reader) { r.Any() }, der.Malformed, 0},
		"integer of no bytes":     {"0200", integer, der.Malformed, 0},
		"negative":                {"020180", integer, der.Malformed, 0},
		"integer with a zero":     {"0202007F", integer, der.Malformed, 0},
		"integer over the bound":  {"02020100", func(r *der.Reader) { r.Uint(255) }, der.Malformed, 0},
		"integer of five bytes":   {"02050100000000", func(r *der.Reader) { r.Uint(1<<32 - 1) }, der.Malformed, 0},
		"enumerated as integer":   {"020101", func(r *der.Reader) { r.Enumerated(9) }, der.Malformed, 0},
		"boolean 1":               {"010101", func(r *der.Reader) { r.Boolean() }, der.Malformed, 0},
		"boolean of two":          {"0102FFFF", func(r *der.Reader) { r.Boolean() }, der.Malformed, 0},
		"bit string of no bytes":  {"0300", func(r *der.Reader) { r.BitString() }, der.Malformed, 0},
		"bit string of 7 bits":    {"03020180", func(r *der.Reader) { r.BitString() }, der.Malformed, 0},
		"named bits, 8 unused":    {"030208C0", func(r *der.Reader) { r.NamedBits() }, der.Malformed, 0},
		"named bits, unused set":  {"030206E0", func(r *der.Reader) { r.NamedBits() }, der.Malformed, 0},
		"named bits, last is 0":   {"03020580", func(r *der.Reader) { r.NamedBits() }, der.Malformed, 0},
		"named bits, zero byte":   {"0303008000", func(r *der.Reader) { r.NamedBits() }, der.Malformed, 0},
		"named bits, none, 1":     {"030101", func(r *der.Reader) { r.NamedBits() }, der.Malformed, 0},
		"named bits, three bytes": {"030400000001", func(r *der.Reader) { r.NamedBits() }, der.Malformed, 0},
		"OID of no bytes":         {"0600", func(r *der.Reader) { r.OID() }, der.Malformed, 0},
		"OID that is cut off":     {"06022A86", func(r *der.Reader) { r.OID() }, der.Malformed, 0},
		"OID with 2^31":           {"06062A8880808000", func(r *der.Reader) { r.OID() }, der.Malformed, 0},
		"OID with 80":             {"06032A8001", func(r *der.Reader) { r.OID() }, der.Malformed, 0},
	} {
		f, reason, offset := failure(unhex(t, c.doc), c.read)
		if f != c.failure || offset != c.offset || reason == "" {
			t.Errorf("%s: failure %d at %d (%s), want %d at %d", name, f, offset, reason, c.failure, c.offset)
		}
	}
}

// TestFirstFailureStays: what is read after a failure is nothing, and says no
// other failure.
func TestFirstFailureStays(t *testing.T) {
	r := der.NewReader(unhex(t, "3006 020101 020102"))
	outer := r.Enter(der.TagSequence)
	r.Boolean()
	want, _, _ := r.Failed()
	r.Leave(outer)
	r.Skip(outer)
	r.Close()
	if r.More() || r.Next(der.TagInteger) || r.Integer() != nil || r.Since(0) != nil || r.OID() != nil || !r.Time().IsZero() || r.NamedBits() != 0 || r.Uint(9) != 0 {
		t.Error("something is read after a failure")
	}
	if f, reason, offset := r.Failed(); f != want || offset != 2 || reason != "BOOLEAN expected" {
		t.Errorf("%d %q at %d", f, reason, offset)
	}
}

// TestIntegers compares with encoding/asn1.
func TestIntegers(t *testing.T) {
	for _, n := range []int64{0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1<<24 - 1, 1 << 31, 1<<32 - 1} {
		want, err := asn1.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		doc := der.AppendUint(nil, der.TagInteger, uint32(n))
		if !bytes.Equal(doc, want) {
			t.Errorf("%d written as %x, want %x", n, doc, want)
		}
		r := der.NewReader(want)
		if got := r.Uint(1<<32 - 1); int64(got) != n || !r.OK() {
			t.Errorf("%d read as %d", n, got)
		}
		r = der.NewReader(want)
		if got := new(big.Int).SetBytes(r.Integer()); got.Int64() != n {
			t.Errorf("%d read as %d", n, got)
		}
		if n > 0 {
			r = der.NewReader(want)
			if r.Uint(uint32(n - 1)); r.OK() {
				t.Errorf("%d is within %d", n, n-1)
			}
		}
	}
}

// TestLengths compares with encoding/asn1 at each change of the form.
func TestLengths(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65535, 65536} {
		content := bytes.Repeat([]byte{7}, n)
		want, err := asn1.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		if got := der.Append(nil, der.TagOctetString, content[:n/2], content[n/2:]); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: header %x, want %x", n, got[:6], want[:6])
		}
		r := der.NewReader(want)
		if got := r.Bytes(der.TagOctetString); !bytes.Equal(got, content) || !r.OK() {
			t.Errorf("%d bytes read as %d", n, len(got))
		}
	}
}

func TestNamedBits(t *testing.T) {
	for doc, want := range map[string]uint16{"030100": 0, "03020780": 1, "030206C0": 3, "03020106": 1<<5 | 1<<6, "0303070080": 1 << 8, "0303000001": 1 << 15, "030300FFFF": 0xFFFF} {
		r := der.NewReader(unhex(t, doc))
		if got := r.NamedBits(); got != want || !r.OK() {
			t.Errorf("%s is %04x, want %04x", doc, got, want)
		}
		var bits asn1.BitString
		if _, err := asn1.Unmarshal(unhex(t, doc), &bits); err != nil {
			t.Fatal(err)
		}
		for i := range 16 {
			if bits.At(i) != int(want>>i&1) {
				t.Errorf("%s: bit %d", doc, i)
			}
		}
	}
}

func TestOIDString(t *testing.T) {
	for _, oid := range []asn1.ObjectIdentifier{{1, 2, 840, 113741, 1, 13, 1, 2, 18}, {2, 5, 29, 35}, {0, 9}, {2, 999, 3}, {1, 39}, {2, 1<<31 - 1 - 80}, {1, 2, 1<<31 - 1}} {
		doc, err := asn1.Marshal(oid)
		if err != nil {
			t.Fatal(err)
		}
		r := der.NewReader(doc)
		if got := der.OIDString(r.OID()); got != oid.String() || !r.OK() {
			t.Errorf("%s, want %s", got, oid)
		}
	}
	if got := der.OIDString(unhex(t, "2A FFFFFFFFFFFFFFFFFF7F 05")); got != "1.2.?.5" {
		t.Error(got)
	}
}

// TestTimes compares with package time, on every day of four centuries and at
// the seams of the forms.
func TestTimes(t *testing.T) {
	read := func(tag byte, text string) (time.Time, bool) {
		r := der.NewReader(der.Append(nil, tag, []byte(text)))
		got := r.Time()
		r.Close()
		return got, r.OK()
	}
	for day := time.Date(1, 1, 1, 23, 59, 58, 0, time.UTC); day.Year() < 10000; day = day.AddDate(0, 0, 1) {
		if y := day.Year(); y > 50 && y < 1850 || y > 2250 && y < 9990 {
			day = day.AddDate(1, 0, 0)
		}
		if got, ok := read(der.TagGeneralizedTime, day.Format("20060102150405Z")); !ok || got != day {
			t.Fatalf("%v, want %v", got, day)
		}
		if day.Year() >= 1950 && day.Year() < 2050 {
			if got, ok := read(der.TagUTCTime, day.Format("060102150405Z")); !ok || got != day {
				t.Fatalf("%v, want %v", got, day)
			}
		}
	}
	for _, text := range []string{
		"250229000000Z", "250431000000Z", "250000000000Z", "251300000000Z", "250100000000Z", "250132000000Z",
		"250101240000Z", "250101006000Z", "250101000060Z", "2501010000Z", "250101000000+", "250101000000+0000",
		"2501010000000Z", "25010100000aZ", "/50101000000Z", ":50101000000Z", "", "Z",
	} {
		if got, ok := read(der.TagUTCTime, text); ok {
			t.Errorf("%q is %v", text, got)
		}
		if got, ok := read(der.TagGeneralizedTime, "20"+text); ok {
			t.Errorf("20%q is %v", text, got)
		}
	}
	for _, text := range []string{"00000101000000Z", "a0250101000000Z", "20250101000000.1Z", "250101000000Z", "250101000000.1", "21000229000000Z"} {
		if got, ok := read(der.TagGeneralizedTime, text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
	if _, ok := read(der.TagIA5String, "250101000000Z"); ok {
		t.Error("an IA5String is a time")
	}
}
