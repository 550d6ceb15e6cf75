package dcap_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// layout is where the parts of a quote are, with 32 bytes of QE authentication
// data (DCAP Quoting Library API, "Quote Format" of versions 3, 4 and 5).
type layout struct {
	version uint16
	body    dcap.BodyType
	signed  int // header, body descriptor and body
	qe      int // where the QE report is
}

var layouts = []layout{
	{3, dcap.BodySGX, 432, 564},
	{4, dcap.BodySGX, 432, 570},
	{4, dcap.BodyTD10, 632, 770},
	{5, dcap.BodySGX, 438, 576},
	{5, dcap.BodyTD10, 638, 776},
	{5, dcap.BodyTD15, 702, 840},
	{5, dcap.BodyTD15Ex, 939, 1077},
}

func (l layout) String() string { return fmt.Sprintf("version %d, %v", l.version, l.body) }

// cert is where type and size of the certification data are.
func (l layout) cert() int { return l.qe + 384 + 64 + 2 + 32 }

func (l layout) make(edits ...func(*testpki.Quote)) []byte {
	m := testpki.New(testpki.Seed("quote")).Platform()
	make := m.TDXQuote
	if l.body == dcap.BodySGX {
		make = m.SGXQuote
	}
	return make(append([]func(*testpki.Quote){func(q *testpki.Quote) { q.Header.Version, q.BodyType = l.version, l.body }}, edits...)...).Bytes()
}

// TestQuoteLayout overwrites a quote with a pattern but for sizes and types, and
// checks where each part is read from.
func TestQuoteLayout(t *testing.T) {
	for _, l := range layouts {
		raw := l.make()
		p := pattern(len(raw))
		over := func(from, to int) { copy(raw[from:to], p[from:]) }
		over(8, 48)
		descriptor := 0
		if l.version == 5 {
			descriptor = 6
		}
		over(48+descriptor, l.signed)
		sig := l.signed + 4
		over(sig, sig+128)
		over(l.qe, l.qe+384+64)
		over(l.qe+450, l.cert())
		over(l.cert()+6, len(raw))
		q, err := dcap.ParseQuote(raw)
		if err != nil {
			t.Errorf("%v: %v", l, err)
			continue
		}
		h := q.Header
		if h.Version != l.version || h.AttestationKeyType != dcap.ECDSAP256 || (h.TEEType == dcap.TEESGX) != (l.body == dcap.BodySGX) ||
			!bytes.Equal(u16(h.QESVN), p[8:10]) || !bytes.Equal(u16(h.PCESVN), p[10:12]) || !bytes.Equal(h.QEVendorID[:], p[12:28]) || !bytes.Equal(h.UserData[:], p[28:48]) {
			t.Errorf("%v: header %+v", l, h)
		}
		for _, f := range []field{
			{"signed", 0, l.signed, q.Signed}, {"signature", sig, 64, q.Signature[:]}, {"attestation key", sig + 64, 64, q.AttestationKey[:]},
			{"QE report", l.qe, 384, q.RawQEReport}, {"MRENCLAVE of the QE", l.qe + 64, 32, q.QEReport.MREnclave[:]}, {"QE report signature", l.qe + 384, 64, q.QEReportSignature[:]},
			{"QE authentication data", l.qe + 450, 32, q.QEAuthData}, {"certification data", l.cert() + 6, len(raw) - l.cert() - 6, q.Certification.(*dcap.PCKChain).PEM},
			{"all", 0, len(raw), q.Raw},
		} {
			if !bytes.Equal(f.got, raw[f.offset:f.offset+f.size]) {
				t.Errorf("%v: %s is not at %d", l, f.name, f.offset)
			}
			if len(f.got) > 0 && cap(f.got) > len(f.got) && f.name != "signed" {
				t.Errorf("%v: %s can be appended to into what follows", l, f.name)
			}
		}
		if q.Padding != 0 {
			t.Errorf("%v: padding %d", l, q.Padding)
		}
	}
}

// roundTrip writes a quote as it was read.
func roundTrip(t *testing.T, name string, raw []byte) {
	t.Helper()
	q, err := dcap.ParseQuote(raw)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	got, err := q.AppendBinary([]byte("before"))
	if err != nil || !bytes.Equal(got, append([]byte("before"), raw[:len(raw)-q.Padding]...)) {
		t.Errorf("%s: not written as it was read: %v", name, err)
	}
	if !bytes.Equal(q.AppendSigned(nil), q.Signed) {
		t.Errorf("%s: what is signed is not written as it was read", name)
	}
	q.Raw, q.Signed, q.RawQEReport, q.Padding = nil, nil, nil, 99 // are not looked at
	if again, err := q.AppendBinary(nil); err != nil || !bytes.Equal(again, got[6:]) {
		t.Errorf("%s: written of other fields: %v", name, err)
	}
}

func TestQuoteRoundTrip(t *testing.T) {
	for _, l := range layouts {
		for _, kind := range []dcap.CertificationType{1, 2, 3, 4, 5, 7} {
			raw := l.make(func(q *testpki.Quote) { q.CertType = kind })
			roundTrip(t, fmt.Sprintf("%v, %v", l, kind), raw)
			roundTrip(t, fmt.Sprintf("%v, %v, padding", l, kind), append(raw, make([]byte, 77)...))
		}
		for _, n := range []int{0, 1, 33, 2000, 65535} {
			roundTrip(t, fmt.Sprintf("%v, %d bytes of authentication data", l, n), l.make(func(q *testpki.Quote) { q.AuthData = make([]byte, n) }))
		}
	}
}

func TestQuoteRoundTripVectors(t *testing.T) {
	for _, set := range vectors.All(t) {
		roundTrip(t, set.Name, set.Quote)
		if set.Padded != nil {
			roundTrip(t, set.Name+", padded", set.Padded)
			if q, err := dcap.ParseQuote(set.Padded); err != nil || q.Padding != len(set.Padded)-len(set.Quote) {
				t.Errorf("%s: padding %d, want %d (%v)", set.Name, q.Padding, len(set.Padded)-len(set.Quote), err)
			}
		}
	}
}

// TestQuoteAppendErrors is about values that are no quote.
func TestQuoteAppendErrors(t *testing.T) {
	q, err := dcap.ParseQuote(layouts[0].make())
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(q *dcap.Quote){
		"no body":               func(q *dcap.Quote) { q.Body = nil },
		"no certification data": func(q *dcap.Quote) { q.Certification = nil },
		"authentication data":   func(q *dcap.Quote) { q.QEAuthData = make([]byte, 65536) },
	} {
		c := *q
		edit(&c)
		if b, err := c.AppendBinary(nil); err == nil {
			t.Errorf("%s: %d bytes", name, len(b))
		}
	}
}

// badQuote is a quote that is wrong, and where: at an offset, or at a place that
// is not told.
type badQuote struct {
	name   string
	edit   func(b []byte) []byte
	kind   error
	offset int
	words  string
}

const (
	somewhere   = -1
	twoFromLast = -2
)

func badQuotes(l layout) []badQuote {
	put := func(at int, v ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], v); return b }
	}
	add := func(at int, n uint32) func([]byte) []byte {
		return func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[at:], binary.LittleEndian.Uint32(b[at:])+n)
			return b
		}
	}
	minus1 := ^uint32(0)
	list := []badQuote{
		{"version 2", put(0, 2), dcap.ErrVersion, 0, "version 2"},
		{"version 6", put(0, 6), dcap.ErrVersion, 0, "version 6"},
		{"version 0x0103", put(1, 1), dcap.ErrVersion, 0, "version 2"},
		{"attestation key type", put(2, 3), dcap.ErrKind, 2, "attestation key type 3"},
		{"TEE type", put(4, 1), dcap.ErrKind, 4, "TEE type 0x1"},
		{"TEE type of more bytes", put(7, 1), dcap.ErrKind, 4, "TEE type 0x10000"},
		{"signature data too large", add(l.signed, 1), dcap.ErrTruncated, l.signed + 4, "are left"},
		{"signature data of 4 GB", put(l.signed, 0xff, 0xff, 0xff, 0xff), dcap.ErrTruncated, l.signed + 4, "4294967295"},
		{"no signature data", put(l.signed, 0, 0, 0, 0), dcap.ErrInvalid, somewhere, "ends at"},
		{"certification data too large", add(l.cert()+2, 1), dcap.ErrTruncated, l.cert() + 6, "are left"},
		{"certification data of 4 GB", put(l.cert()+2, 0xff, 0xff, 0xff, 0xff), dcap.ErrTruncated, l.cert() + 6, "4294967295"},
		{"certification data too small", add(l.cert()+2, minus1), dcap.ErrInvalid, somewhere, "ends at"},
		{"certification data of type 0", put(l.cert(), 0), dcap.ErrKind, l.cert(), "type 0"},
		{"certification data of type 6", put(l.cert(), 6), dcap.ErrKind, l.cert(), "type 6"},
		{"certification data of type 8", put(l.cert(), 8), dcap.ErrKind, l.cert(), "type 8"},
		{"authentication data of 64 KB", put(l.qe+448, 0xff, 0xff), dcap.ErrTruncated, l.qe + 450, "65535"},
		{"padding that is not zero", func(b []byte) []byte { return append(b, 0, 0, 7, 0) }, dcap.ErrTrailing, twoFromLast, "not padding"},
		{"too large", func(b []byte) []byte { return append(b, make([]byte, dcap.MaxQuoteSize)...) }, dcap.ErrTooLarge, dcap.MaxQuoteSize, "at most"},
	}
	if l.version == 5 {
		list = append(list, []badQuote{
			{"body type 0", put(48, 0), dcap.ErrKind, 48, "body type 0"},
			{"body type 5", put(48, 5), dcap.ErrKind, 48, "body type 5"},
			{"body size 0", put(50, 0, 0, 0, 0), dcap.ErrInvalid, 50, "this says 0"},
			{"body size less", add(50, minus1), dcap.ErrInvalid, 50, "this says"},
			{"body size more", put(53, 1), dcap.ErrInvalid, 50, "this says"},
			{"other TEE", func(b []byte) []byte { b[4] ^= 0x81; return b }, dcap.ErrInvalid, 48, "a body of type"},
		}...)
	}
	if l.version > 3 {
		list = append(list, []badQuote{
			{"outer type 5", put(l.qe-6, 5), dcap.ErrKind, l.qe - 6, "of type 6"},
			{"outer size more", add(l.qe-4, 1), dcap.ErrTruncated, l.qe, "are left"},
			{"outer size less", add(l.qe-4, minus1), dcap.ErrInvalid, l.qe - 4, "ends at"},
		}...)
	} else {
		list = append(list, badQuote{"TDX in version 3", put(4, 0x81), dcap.ErrKind, 4, "SGX only"})
	}
	return list
}

func TestQuoteErrors(t *testing.T) {
	for _, l := range layouts {
		for _, c := range badQuotes(l) {
			raw := c.edit(l.make())
			q, err := dcap.ParseQuote(raw)
			var p *dcap.ParseError
			if q != nil || !errors.As(err, &p) || !errors.Is(err, c.kind) || p.Document != "quote" || !strings.Contains(p.Reason, c.words) {
				t.Errorf("%v, %s: %v", l, c.name, err)
				continue
			}
			switch {
			case c.offset == twoFromLast: // not where the quote ends, but what is wrong
				c.offset = len(raw) - 2
			case c.offset == somewhere:
				c.offset = p.Offset
			}
			if p.Offset != c.offset || p.Offset < 0 || p.Offset > len(raw) {
				t.Errorf("%v, %s: at offset %d, want %d: %v", l, c.name, p.Offset, c.offset, err)
			}
			if s := err.Error(); strings.Contains(s, "\n") || !strings.HasSuffix(s, fmt.Sprintf("(at offset %d)", p.Offset)) {
				t.Errorf("%v, %s: %q", l, c.name, s)
			}
		}
	}
}

// TestQuoteTruncated cuts quotes at every length.
func TestQuoteTruncated(t *testing.T) {
	for _, l := range layouts {
		raw := l.make()
		for n := range raw {
			q, err := dcap.ParseQuote(raw[:n:n])
			var p *dcap.ParseError
			if q != nil || !errors.As(err, &p) || !errors.Is(err, dcap.ErrTruncated) || p.Offset > n {
				t.Errorf("%v, cut off at %d: %v", l, n, err)
			}
		}
	}
}

// Padding is zeros, as many as fit.
func TestQuotePadding(t *testing.T) {
	raw := layouts[2].make()
	for _, n := range []int{1, 2, 1000, dcap.MaxQuoteSize - len(raw)} {
		q, err := dcap.ParseQuote(append(bytes.Clone(raw), make([]byte, n)...))
		if err != nil || q.Padding != n || !bytes.Equal(q.Raw, raw) {
			t.Errorf("%d zeros: %v", n, err)
			continue
		}
	}
	if _, err := dcap.ParseQuote(append(bytes.Clone(raw), make([]byte, dcap.MaxQuoteSize-len(raw)+1)...)); !errors.Is(err, dcap.ErrTooLarge) {
		t.Errorf("a zero too many: %v", err)
	}
}

// A quote is read with one allocation, whatever is in it.
func TestQuoteAllocations(t *testing.T) {
	for _, l := range layouts {
		for kind := range dcap.CertificationType(8) {
			if kind == 0 || kind == 6 {
				continue
			}
			raw := l.make(func(q *testpki.Quote) { q.CertType = kind })
			if n := testing.AllocsPerRun(20, func() { _, _ = dcap.ParseQuote(raw) }); n > 1 {
				t.Errorf("%v, %v: %v allocations", l, kind, n)
			}
		}
	}
}

// FuzzQuote reads anything. What is a quote is written as it was read.
func FuzzQuote(f *testing.F) {
	for _, l := range layouts {
		f.Add(l.make())
		f.Add(l.make(func(q *testpki.Quote) { q.CertType, q.AuthData = dcap.CertPPIDClear, nil }))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := dcap.ParseQuote(b)
		if err != nil {
			var p *dcap.ParseError
			if !errors.As(err, &p) || p.Offset < 0 || p.Offset > len(b) || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Fatalf("%v", err)
			}
			return
		}
		roundTrip(t, "fuzz", b)
		if len(q.Raw)+q.Padding != len(b) || q.Certification == nil || q.Body == nil || (q.TDReport() == nil) != (q.Header.TEEType == dcap.TEESGX) {
			t.Fatalf("%+v", q)
		}
		_ = q.ReportData()
	})
}
