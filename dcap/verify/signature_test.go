package verify_test

import (
	"crypto/elliptic"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

type rs struct{ R, S *big.Int }

var order = elliptic.P256().Params().N

// onDER edits R and S of a signature in DER.
func onDER(f func(*rs)) func([]byte) []byte {
	return func(der []byte) []byte {
		var sig rs
		if _, err := asn1.Unmarshal(der, &sig); err != nil {
			panic(err)
		}
		f(&sig)
		b, err := asn1.Marshal(sig)
		if err != nil {
			panic(err)
		}
		return b
	}
}

// onRaw edits R and S of a signature of 64 bytes. What is larger is cut.
func onRaw(f func(*rs)) func([]byte) []byte {
	return func(raw []byte) []byte {
		sig := rs{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])}
		f(&sig)
		b := make([]byte, 64)
		sig.R.FillBytes(b[:32])
		sig.S.FillBytes(b[32:])
		return b
	}
}

// numbers are pairs R, S that are no signatures: 0, and from the order of the
// group on.
var numbers = map[string]func(*rs){
	"R is 0":             func(s *rs) { s.R = new(big.Int) },
	"S is 0":             func(s *rs) { s.S = new(big.Int) },
	"R is the order":     func(s *rs) { s.R = order },
	"S is the order":     func(s *rs) { s.S = order },
	"R has 256 bits set": func(s *rs) { s.R = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)) },
	"S has 256 bits set": func(s *rs) { s.S = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)) },
	"R and S exchanged":  func(s *rs) { s.R, s.S = s.S, s.R },
}

// forms are other ways to write a signature in DER, which are none: BER, too
// long, or with something behind.
var forms = map[string]func([]byte) []byte{
	"length in long form":      func(b []byte) []byte { return append([]byte{0x30, 0x81, b[1]}, b[2:]...) },
	"zero before R":            func(b []byte) []byte { return rewrite(b, 0) },
	"zero before S":            func(b []byte) []byte { return rewrite(b, 1) },
	"data behind":              func(b []byte) []byte { return append(b, 0) },
	"data behind S":            func(b []byte) []byte { return append(append([]byte{0x30, b[1] + 2}, b[2:]...), 5, 0) },
	"R negative":               onDER(func(s *rs) { s.R = new(big.Int).Neg(s.R) }),
	"S negative":               onDER(func(s *rs) { s.S = new(big.Int).Neg(s.S) }),
	"S has 257 bits":           onDER(func(s *rs) { s.S = new(big.Int).Lsh(big.NewInt(1), 256) }),
	"R and S raw":              func(b []byte) []byte { return make([]byte, 64) },
	"nothing":                  func([]byte) []byte { return nil },
	"S is missing":             func(b []byte) []byte { return append([]byte{0x30, b[3] + 2}, b[2:4+int(b[3])]...) },
	"a SET in place of a list": func(b []byte) []byte { b[0] = 0x31; return b },
}

// rewrite puts a zero before one of the numbers, which the number does not need
// or has already.
func rewrite(b []byte, which int) []byte {
	at := 2
	if which == 1 {
		at += 2 + int(b[3])
	}
	n := append([]byte{0x02, b[at+1] + 1, 0}, b[at+2:at+2+int(b[at+1])]...)
	out := append([]byte{0x30, b[1] + 1}, b[2:at]...)
	return append(append(out, n...), b[at+2+int(b[at+1]):]...)
}

// badSignatures is about signatures that are not written as they have to be, of
// everything that is signed.
func badSignatures() (list []bad) {
	pck := func(f func([]byte) []byte) func(*world) {
		return func(w *world) { w.reissue(func(t *testpki.Template) { t.EditSignature = f }) }
	}
	crl := func(f func([]byte) []byte) func(*world) {
		return func(w *world) {
			w.c.PCKCRL = w.pki.PlatformCA.CRL(func(t *testpki.CRLTemplate) { t.EditSignature = f })
		}
	}
	for name, f := range forms {
		list = append(list,
			bad{name: "signature of PCK certificate: " + name, kinds: []kind{sgx3}, want: certificateBad, words: "signature", edit: pck(f)},
			bad{name: "signature of revocation list: " + name, kinds: []kind{sgx3}, words: "signature", made: crl(f),
				want: verdict{pck: verify.StatusSGXCRLUnsupportedFormat, quote: verify.StatusUnsupportedPCKRLFormat}})
	}
	for name, f := range numbers {
		der := verdict{pck: verify.StatusSGXPCKInvalidIssuer}
		list1 := verdict{pck: verify.StatusSGXCRLInvalidSignature}
		if strings.HasSuffix(name, "is 0") { // which is not written at all
			der = certificateBad
			list1 = verdict{pck: verify.StatusSGXCRLUnsupportedFormat, quote: verify.StatusUnsupportedPCKRLFormat}
		}
		list = append(list,
			bad{name: "signature of PCK certificate: " + name, kinds: []kind{tdx4}, want: der, edit: pck(onDER(f))},
			bad{name: "signature of revocation list: " + name, kinds: []kind{tdx4}, want: list1, made: crl(onDER(f))},
			bad{name: "signature of TCB info: " + name, kinds: []kind{tdx4}, want: verdict{tcb: verify.StatusTCBInfoInvalidSignature}, made: func(w *world) {
				w.c.TCBInfo = w.pki.TCBInfoJSON(w.info(), func(d *testpki.Document) { d.EditSignature = onRaw(f) })
			}},
			bad{name: "signature of identity: " + name, kinds: []kind{tdx4}, want: verdict{id: verify.StatusSGXEnclaveIdentityInvalidSignature}, made: func(w *world) {
				w.c.QEIdentity = w.pki.IdentityJSON(w.identity(), func(d *testpki.Document) { d.EditSignature = onRaw(f) })
			}},
			bad{name: "signature of QE report: " + name, kinds: []kind{tdx4}, want: verdict{quote: verify.StatusInvalidQEReportSignature}, edit: func(w *world) {
				w.q.EditSigned = func(p *testpki.Parts) { p.QEReportSignature = onRaw(f)(p.QEReportSignature) }
			}},
			bad{name: "signature of quote: " + name, kinds: []kind{tdx4}, want: verdict{quote: verify.StatusInvalidQuoteSignature}, edit: func(w *world) {
				w.q.EditSigned = func(p *testpki.Parts) { p.Signature = onRaw(f)(p.Signature) }
			}})
	}
	return list
}

// A signature has a second form, with the order less S, which is as good: ECDSA
// does not say which of the two it is, and Intel's are of both.
func TestBothS(t *testing.T) {
	other := func(s *rs) { s.S = new(big.Int).Sub(order, s.S) }
	r := row{name: "other S", edit: func(w *world) {
		edit := func(t *testpki.Template) { t.EditSignature = onDER(other) }
		w.pki.PlatformCA, w.pki.TCBSigning, w.pki.Root = w.pki.PlatformCA.Reissue(edit), w.pki.TCBSigning.Reissue(edit), w.pki.Root.Reissue(edit)
		w.reissue(edit)
		w.q.EditSigned = func(p *testpki.Parts) {
			p.Signature, p.QEReportSignature = onRaw(other)(p.Signature), onRaw(other)(p.QEReportSignature)
		}
	}, made: func(w *world) {
		crl := func(t *testpki.CRLTemplate) { t.EditSignature = onDER(other) }
		w.c.RootCRL, w.c.PCKCRL = w.pki.Root.CRL(crl), w.pki.PlatformCA.CRL(crl)
		document := func(d *testpki.Document) { d.EditSignature = onRaw(other) }
		w.c.TCBInfo, w.c.QEIdentity = w.pki.TCBInfoJSON(w.info(), document), w.pki.IdentityJSON(w.identity(), document)
	}}
	r.run(t)
}

// Short numbers have leading zeros in 64 bytes, and none in DER.
func TestShortNumbers(t *testing.T) {
	w := newWorld(tdx4)
	w.make()
	v := w.verifier(t)
	short := 0
	for i := range 2000 {
		q := *w.q
		copy(q.TD.ReportData[:], fmt.Sprint(i))
		var sig []byte
		q.EditSigned = func(p *testpki.Parts) { sig = p.Signature }
		raw := q.Bytes()
		if sig[0] != 0 && sig[32] != 0 {
			continue
		}
		short++
		if _, err := v.Verify(raw, w.c, w.at); err != nil {
			t.Errorf("%x: %v", sig, err)
		}
		if short == 8 {
			return
		}
	}
	t.Errorf("only %d signatures with a short number", short)
}
