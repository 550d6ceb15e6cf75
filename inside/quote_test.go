package inside

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testpki"
)

func TestQuoteOutside(t *testing.T) {
	if enclosed {
		t.Skip("in an enclave")
	}
	if _, err := Quote(t.Context(), [64]byte{}); !errors.Is(err, ErrNotEnclosed) {
		t.Error(err)
	}
	var e Enclave
	for name, call := range map[string]func() error{
		"Target":       func() error { _, err := e.Target(); return err },
		"Report":       func() error { _, err := e.Report(nil, [64]byte{}); return err },
		"VerifyReport": func() error { return e.VerifyReport(new(isa.Report)) },
		"Key":          func() error { _, err := e.Key(isa.PolicyMRSigner); return err },
	} {
		if err := call(); !errors.Is(err, ErrNotEnclosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// made is a quote of an enclave.
var made = sync.OnceValue(func() []byte { return testpki.New(testpki.Seed("inside")).Platform().SGXQuote().Bytes() })

// newExchange is an exchange with a quoting enclave, and the quote that it has led to.
// The QE's REPORT counts as verified.
func newExchange() (*exchange, []byte) {
	quote := bytes.Clone(made())
	x := &exchange{report: new(isa.Report)}
	var body [384]byte
	copy(body[:], quote[48:])
	if err := x.report.UnmarshalBinary(append(body[:], make([]byte, isa.ReportSize-len(body))...)); err != nil {
		panic(err)
	}
	signer := [32]byte{1, 2, 3}
	key := aesm.ECDSAKeyID(signer)
	x.key = &key
	x.qe = &isa.TargetInfo{Measurement: [32]byte{9}, Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit}, MiscSelect: isa.MiscEXINFO}
	x.info.Nonce = [16]byte{5, 6}
	qe := &x.info.QEReport.ReportBody
	qe.MREnclave, qe.MRSigner, qe.ISVProdID, qe.Attributes, qe.MiscSelect = x.qe.Measurement, signer, 1, x.qe.Attributes, x.qe.MiscSelect
	x.sign(quote)
	return x, quote
}

// sign puts into the QE's REPORT that it has made a quote.
func (x *exchange) sign(quote []byte) {
	sum := sha256.Sum256(append(bytes.Clone(x.info.Nonce[:]), quote...))
	copy(x.info.QEReport.ReportData[:], sum[:])
}

func TestCheckQuote(t *testing.T) {
	x, quote := newExchange()
	for _, padding := range []int{0, 3, 1000} {
		got, err := x.check(append(bytes.Clone(quote), make([]byte, padding)...))
		if err != nil || !bytes.Equal(got, quote) {
			t.Fatalf("with %d zeros: %d bytes, %v", padding, len(got), err)
		}
	}
	other := testpki.New(testpki.Seed("inside")).Platform().TDXQuote().Bytes()
	for name, c := range map[string]struct {
		want   string
		change func(x *exchange, quote []byte) []byte
	}{
		"another nonce":         {"not made it", func(x *exchange, q []byte) []byte { x.info.Nonce[15] ^= 1; return q }},
		"another signature":     {"not made it", func(x *exchange, q []byte) []byte { q[48+384+4+63] ^= 1; return q }},
		"another header":        {"not made it", func(x *exchange, q []byte) []byte { q[30] ^= 1; return q }},
		"more report data":      {"not made it", func(x *exchange, q []byte) []byte { x.info.QEReport.ReportData[32] = 1; return q }},
		"of another enclave":    {"something else", func(x *exchange, q []byte) []byte { q[48+64] ^= 1; x.sign(q); return q }},
		"of other data":         {"something else", func(x *exchange, q []byte) []byte { q[48+383] ^= 1; x.sign(q); return q }},
		"of a TD":               {"something else", func(x *exchange, q []byte) []byte { x.sign(other); return other }},
		"not a quote":           {"quote", func(x *exchange, q []byte) []byte { x.sign(q[:100]); return q[:100] }},
		"nothing":               {"quote", func(x *exchange, q []byte) []byte { return nil }},
		"bytes behind it":       {"trailing", func(x *exchange, q []byte) []byte { q = append(q, 1); x.sign(q); return q }},
		"another QE":            {"MRENCLAVE", func(x *exchange, q []byte) []byte { x.info.QEReport.MREnclave[0]++; return q }},
		"other attributes":      {"MRENCLAVE", func(x *exchange, q []byte) []byte { x.info.QEReport.Attributes.XFRM ^= 4; return q }},
		"another MISCSELECT":    {"MRENCLAVE", func(x *exchange, q []byte) []byte { x.info.QEReport.MiscSelect ^= 1; return q }},
		"another signer":        {"MRSIGNER", func(x *exchange, q []byte) []byte { x.info.QEReport.MRSigner[31] ^= 1; return q }},
		"another product":       {"ISVPRODID", func(x *exchange, q []byte) []byte { x.info.QEReport.ISVProdID++; return q }},
		"an ID with no signer":  {"MRSIGNER", func(x *exchange, q []byte) []byte { x.key.MRSignerLength = 0; return q }},
		"a long MRSIGNER in it": {"MRSIGNER", func(x *exchange, q []byte) []byte { x.key.MRSigner[40] = 1; return q }},
		"a QE under debug": {"debug", func(x *exchange, q []byte) []byte {
			x.qe.Attributes.Flags |= isa.AttrDebug
			x.info.QEReport.Attributes = x.qe.Attributes
			return q
		}},
	} {
		x, quote := newExchange()
		if got, err := x.check(c.change(x, quote)); !errors.Is(err, ErrQuote) || !strings.Contains(err.Error(), c.want) || got != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckKey(t *testing.T) {
	a, b, epid := aesm.ECDSAKeyID([32]byte{1}), aesm.ECDSAKeyID([32]byte{2}), aesm.ECDSAKeyID([32]byte{1})
	epid.Algorithm = aesm.AlgorithmEPID
	for _, c := range []struct {
		key      *aesm.AttKeyID
		accepted []aesm.AttKeyID
		ok       bool
	}{
		{&a, nil, true}, {&a, []aesm.AttKeyID{b, a}, true}, {&a, []aesm.AttKeyID{b}, false},
		{&epid, nil, false}, {&epid, []aesm.AttKeyID{epid}, false},
	} {
		if err := checkKey(c.key, c.accepted); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrQuote) {
			t.Errorf("%v of %v: %v", c.key, c.accepted, err)
		}
	}
}

// FuzzCheckQuote holds whatever is accepted to what was said, by offsets and not by
// package dcap.
func FuzzCheckQuote(f *testing.F) {
	good, quote := newExchange()
	report, err := good.info.QEReport.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	want, err := good.report.ReportBody.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(quote, report, false)
	f.Add(append(quote[:len(quote):len(quote)], 0, 0), report, false)
	f.Add(quote[:500], report, true)
	f.Add(testpki.New(testpki.Seed("inside")).Platform().SGXQuote(func(q *testpki.Quote) { q.Header.Version = 5 }).Bytes(), report, true)
	f.Fuzz(func(t *testing.T, quote, report []byte, sign bool) {
		x, _ := newExchange()
		if x.info.QEReport.UnmarshalBinary(report) != nil {
			return
		}
		if sign {
			x.sign(quote)
		}
		got, err := x.check(bytes.Clone(quote))
		if err != nil {
			if !errors.Is(err, ErrQuote) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q", err)
			}
			return
		}
		at := 48
		if binary.LittleEndian.Uint16(got) == 5 {
			at += 6
		}
		sum := sha256.Sum256(append([]byte{5, 6, 15: 0}, got...))
		qe := &x.info.QEReport
		if !bytes.HasPrefix(quote, got) || !bytes.Equal(got[at:at+384], want) || !bytes.Equal(qe.ReportData[:], append(sum[:], make([]byte, 32)...)) ||
			qe.MREnclave != [32]byte{9} || qe.MRSigner != [32]byte{1, 2, 3} {
			t.Fatal("accepted")
		}
	})
}
