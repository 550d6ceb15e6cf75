package qve_test

import (
	"bytes"
	"testing"

	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

// Each kind of damage has the error of Intel's QvE, and no verdict.
func TestBad(t *testing.T) {
	other := testpki.New(testpki.Seed("another"))
	flip := func(b []byte, i int) []byte {
		b = bytes.Clone(b)
		b[i] ^= 1
		return b
	}
	for _, c := range []struct {
		what string
		want tvl.Code
		edit func(w *world)
	}{
		{"short quote", tvl.InvalidParameter, func(w *world) { w.quote = w.quote[:1019] }},
		{"cut quote", tvl.QuoteFormatUnsupported, func(w *world) { w.quote = w.quote[:1020] }},
		{"another vendor's QE", tvl.QuoteFormatUnsupported, func(w *world) { w.make(func(q *testpki.Quote) { q.Header.QEVendorID[0]++ }) }},
		{"quote without chain", tvl.CertificationDataUnsupported, func(w *world) { w.make(func(q *testpki.Quote) { q.CertType = dcap.CertPCKLeaf }) }},
		{"quote with PPID", tvl.CertificationDataUnsupported, func(w *world) { w.make(func(q *testpki.Quote) { q.CertType = dcap.CertPPIDRSA3072 }) }},
		{"body changed", tvl.ResultInvalidSignature, func(w *world) { w.quote = flip(w.quote, 100) }},
		{"signed with another key", tvl.ResultInvalidSignature, func(w *world) { w.make(func(q *testpki.Quote) { q.Signer = w.pki.Key("x") }) }},
		{"QE report of another platform", tvl.QEReportInvalidSignature, func(w *world) { w.make(func(q *testpki.Quote) { q.QEReportSigner = w.pki.Key("x") }) }},
		{"QE of another signer", tvl.QEIdentityMismatch, func(w *world) { w.make(func(q *testpki.Quote) { q.QEReport.MRSigner[0]++ }) }},
		{"QE below all levels", tvl.TCBNotSupported, func(w *world) { w.make(func(q *testpki.Quote) { q.QEReport.ISVSVN = 0 }) }},
		{"QE that is revoked", tvl.TCBRevoked, func(w *world) { w.make(func(q *testpki.Quote) { q.QEReport.ISVSVN = 1 }) }},
		{"no chain in the quote", tvl.PCKCertChainError, func(w *world) { w.make(func(q *testpki.Quote) { q.CertData = []byte("none") }) }},
		{"two certificates", tvl.PCKCertChainError, func(w *world) {
			w.make(func(q *testpki.Quote) { q.CertData = append(w.m.PCK.PEM(), w.m.CA().PEM()...) })
		}},
		{"another root", tvl.PCKCertChainError, func(w *world) {
			w.m = other.Platform()
			w.make()
		}},
		{"PCK revoked", tvl.PCKRevoked, func(w *world) {
			w.m.CA().Revoke(w.m.PCK)
			w.make()
		}},
		{"CA revoked", tvl.PCKRevoked, func(w *world) {
			w.pki.Root.Revoke(w.m.CA())
			w.make()
		}},
		{"TCB signer revoked", tvl.PCKRevoked, func(w *world) {
			w.pki.Root.Revoke(w.pki.TCBSigning)
			w.make()
		}},
		{"CRL signed by another", tvl.ResultInvalidSignature, func(w *world) {
			w.c.PCKCRL = w.m.CA().CRL(func(c *testpki.CRLTemplate) { c.Signer = w.pki.Key("x") })
		}},
		{"CRL of another CA", tvl.Unexpected, func(w *world) { w.c.PCKCRL = w.pki.ProcessorCA.CRL() }},
		{"no TCB info", tvl.TCBInfoUnsupportedFormat, func(w *world) { w.c.TCBInfo = nil }},
		{"TCB info that is none", tvl.TCBInfoUnsupportedFormat, func(w *world) { w.c.TCBInfo = []byte("{}") }},
		{"TCB info changed", tvl.TCBInfoChainError, func(w *world) { w.c.TCBInfo = bytes.Replace(w.c.TCBInfo, []byte("UpToDate"), []byte("OutOfDate"), 1) }},
		{"TCB info of another platform", tvl.TCBInfoMismatch, func(w *world) { w.c.TCBInfo = w.pki.Platform(testpki.FMSPC([6]byte{9})).Collateral(w.tee()).TCBInfo }},
		{"TCB info of another root", tvl.ResultInvalidSignature, func(w *world) { // that of the root's CRL, which is looked at first
			c := other.Platform().Collateral(w.tee())
			w.c.TCBInfo, w.c.TCBInfoChain = c.TCBInfo, c.TCBInfoChain
		}},
		{"no TCB chain", tvl.PCKCertChainError, func(w *world) { w.c.TCBInfoChain = []byte("none") }},
		{"no identity", tvl.QEIdentityUnsupportedFormat, func(w *world) { w.c.QEIdentity = []byte("{}") }},
		{"identity changed", tvl.QEIdentityChainError, func(w *world) {
			w.c.QEIdentity = bytes.Replace(w.c.QEIdentity, []byte("UpToDate"), []byte("OutOfDate"), 1)
		}},
		{"identity of the QvE", tvl.QEIdentityMismatch, func(w *world) { w.c.QEIdentity = w.pki.IdentityJSON(w.pki.QVE) }},
		{"no identity chain", tvl.PCKCertChainError, func(w *world) { w.c.QEIdentityChain = []byte("none") }},
		{"no CRL", tvl.InvalidParameter, func(w *world) { w.c.PCKCRL = nil }},
		{"CRL that is none", tvl.CRLUnsupportedFormat, func(w *world) { w.c.RootCRL = []byte("none") }},
	} {
		for _, k := range kinds {
			if c.want == tvl.TCBNotSupported && k.tee() == dcap.TEETDX { // levels begin elsewhere
				continue
			}
			w := newWorld(t, k)
			c.edit(w)
			w.want(k.name+": "+c.what, c.want)
		}
	}
	w := newWorld(t, kinds[2])
	w.make(func(q *testpki.Quote) { q.TD.MRSignerSEAM[0]++ })
	w.want("another TDX module", tvl.TDXModuleMismatch)
}

// A QvE trusts Intel's root, and no other without its signer's word.
func TestOtherRoot(t *testing.T) {
	w := newWorld(t, kinds[0])
	var err error
	if w.server, err = qve.New(w.qve); err != nil {
		t.Fatal(err)
	}
	w.want("a root that is not Intel's", tvl.PCKCertChainError)
	if _, err := qve.New(w.qve, []byte("none")); err == nil {
		t.Error("a root that is no certificate is taken")
	}
}

// Whatever bit of a quote is changed, there is no verdict or the REPORT tells it
// apart.
func TestEveryBit(t *testing.T) {
	w := newWorld(t, kinds[0])
	info := w.info()
	v, code := w.verify(info, supplemental(3))
	if code != tvl.Success {
		t.Fatal(code)
	}
	for i := 0; i < len(w.quote); i += 7 {
		w.quote[i] ^= 1 << (i % 8)
		if err := v.Check(w.app.VerifyReport, &info.QeReport, nonce, w.quote, tvl.SignedBy(w.qve.Self.MRSigner, 12)); err == nil {
			t.Errorf("byte %d: the old verdict stands", i)
		}
		if _, code := w.verify(w.info(), supplemental(3)); code == tvl.Success && i < 432 {
			t.Errorf("byte %d: accepted", i)
		}
		w.quote[i] ^= 1 << (i % 8)
	}
}
