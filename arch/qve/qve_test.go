package qve_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// resultName is the result for a status of package verify, by their names.
func resultName(s verify.Status) string {
	name := strings.ReplaceAll(strings.TrimPrefix(s.String(), "STATUS_"), "CONFIGURATION", "CONFIG")
	return "SGX_QL_QV_RESULT_" + strings.TrimPrefix(name, "TCB_")
}

// Every status of a platform that is genuine is a result of the same name, and its
// REPORT stands the application's check.
func TestStatuses(t *testing.T) {
	for _, k := range kinds {
		for s := dcap.UpToDate; s < dcap.Revoked; s++ {
			w := newWorld(t, k, testpki.Status(s))
			w.checkGenuine(k.name + " " + s.String())
		}
		w := newWorld(t, k, testpki.Status(dcap.Revoked))
		w.want(k.name+" revoked", tvl.TCBRevoked)
	}
	// A TD that began on an older module than the one that runs now.
	for _, s := range []dcap.TCBStatus{dcap.UpToDate, dcap.ConfigurationNeeded} {
		w := newWorld(t, kind{"TDX 1.5", 5, dcap.BodyTD15}, testpki.Status(s))
		w.make(func(q *testpki.Quote) {
			q.TD.TEETCBSVN2 = q.TD.TEETCBSVN
			q.TD.TEETCBSVN[0], q.TD.TEETCBSVN[1] = 4, 1 // out of date
			q.TD.TEETCBSVN2[0], q.TD.TEETCBSVN2[1] = 6, 1
		})
		if got := w.direct().TCBStatus; got != dcap.RelaunchAdvised && got != dcap.RelaunchAdvisedConfigurationNeeded {
			t.Fatalf("the quote is of a TD that is %v", got)
		}
		w.checkGenuine("relaunch " + s.String())
	}
}

// checkGenuine compares what the QvE says with dcap/verify, and has the application
// check the REPORT.
func (w *world) checkGenuine(name string) {
	w.Helper()
	r, info := w.direct(), w.info()
	v, code := w.verify(info, supplemental(3))
	want := resultName(r.Steps.Quote.Status)
	if !r.Authentic() || code != tvl.Success || v.Result.String() != want || v.Expired {
		w.Errorf("%s: %v, %v, expired %v; want %s", name, code, v.Result, v.Expired, want)
		return
	}
	if err := v.Check(w.app.VerifyReport, &info.QeReport, nonce, w.quote, tvl.SignedBy(w.qve.Self.MRSigner, 12)); err != nil {
		w.Errorf("%s: %v", name, err)
	}
	s, err := v.Details()
	if err != nil || !s.TCBDate.Equal(r.Launch.Platform.Date) || !slices.Equal(s.AdvisoryIDs, r.Launch.Platform.AdvisoryIDs) {
		w.Errorf("%s: %v: TCB date %v, advisories %q", name, err, s.TCBDate, s.AdvisoryIDs)
	}
}

// Time decides what is expired, and that is no error.
func TestExpired(t *testing.T) {
	w := newWorld(t, kinds[0])
	next := w.m.TCBInfo(dcap.TEESGX).NextUpdate.Unix()
	for date, want := range map[int64]bool{w.pki.Now.Unix(): false, next - 1: false, next: true, next + 1: true, next + 100*365*86400: true, 1: true} {
		info := w.info()
		v, code := w.verifyAt(date, qve.NewCollateral(w.c, w.tee()), info, supplemental(3))
		v.At = time.Unix(date, 0)
		if code != tvl.Success || v.Expired != want || v.Result != tvl.OK {
			t.Errorf("%d s after: %v, %v, expired %v", date-next, code, v.Result, v.Expired)
		}
		if err := v.Check(w.app.VerifyReport, &info.QeReport, nonce, w.quote, tvl.SignedBy(w.qve.Self.MRSigner, 12)); err != nil {
			t.Error(err)
		}
	}
	for _, date := range []int64{0, -1, 253402300800, 1<<63 - 1} {
		if _, code := w.verifyAt(date, qve.NewCollateral(w.c, w.tee()), nil, nil); code != tvl.InvalidParameter {
			t.Errorf("at %d: %v", date, code)
		}
	}
	// The issuers of the PCK CRL count, too, which nothing else looks at.
	old := w.m.CA().Reissue(func(c *testpki.Template) { c.NotAfter = w.pki.Now.Add(-time.Hour) })
	w.c.PCKCRLChain = append(old.PEM(), w.pki.RootPEM()...)
	if v, code := w.verify(nil, nil); code != tvl.Success || !v.Expired || w.direct().Expired() {
		t.Errorf("expired issuer of the CRL: %v, expired %v", code, v.Expired)
	}
	w.c.PCKCRLChain = nil
	if v, code := w.verify(nil, nil); code != tvl.Success || v.Expired {
		t.Errorf("no issuer of the CRL: %v, expired %v", code, v.Expired)
	}
}

// What a platform is asked for with.
func TestFMSPC(t *testing.T) {
	ctx := context.Background()
	for want, edits := range map[string][]func(*testpki.Platform){"platform": nil, "processor": {testpki.SinglePackage}} {
		w := newWorld(t, kinds[0], append(edits, testpki.FMSPC([6]byte{1, 2, 3, 4, 5, 6}))...)
		ret, fmspc, ca, err := w.server.GetFmspcCaFromQuote(ctx, w.quote, 6, 10)
		if ret != 0 || err != nil || !bytes.Equal(fmspc, []byte{1, 2, 3, 4, 5, 6}) || string(ca) != want {
			t.Errorf("%s: %v, %v, %x, %q", want, tvl.Code(ret), err, fmspc, ca)
		}
	}
	w := newWorld(t, kinds[0])
	leaf := w.m.SGXQuote(func(q *testpki.Quote) { q.CertType = dcap.CertPCKLeaf }).Bytes()
	garbled := bytes.Clone(w.quote)
	copy(garbled[bytes.Index(garbled, []byte("-----BEGIN")):], "xxxxx")
	for _, c := range []struct {
		what     string
		quote    []byte
		fmspc, n uint32
		want     tvl.Code
	}{
		{"short", w.quote[:1019], 6, 10, tvl.InvalidParameter},
		{"no room for FMSPC", w.quote, 5, 10, tvl.InvalidParameter},
		{"no room for CA", w.quote, 6, 9, tvl.InvalidParameter},
		{"cut", w.quote[:1020], 6, 10, tvl.QuoteFormatUnsupported},
		{"leaf only", leaf, 6, 10, tvl.CertificationDataUnsupported},
		{"no PEM", garbled, 6, 10, tvl.PCKCertUnsupportedFormat},
	} {
		if ret, _, _, err := w.server.GetFmspcCaFromQuote(ctx, c.quote, c.fmspc, c.n); tvl.Code(ret) != c.want || err != nil {
			t.Errorf("%s: %v, %v, want %v", c.what, tvl.Code(ret), err, c.want)
		}
	}
	if ret, size, err := w.server.SgxQveGetQuoteSupplementalDataSize(ctx); ret != 0 || size != 536 || err != nil {
		t.Error(ret, size, err)
	}
	if ret, version, err := w.server.SgxQveGetQuoteSupplementalDataVersion(ctx); ret != 0 || version != 0x00030003 || err != nil {
		t.Error(ret, version, err)
	}
}

// A REPORT that cannot be made leaves no verdict.
func TestNoReport(t *testing.T) {
	w := newWorld(t, kinds[0])
	w.qve.FailReport.Store(1)
	w.want("EREPORT fails", tvl.NoReport)
	info := w.info()
	info.AppEnclaveTargetInfo.Reserved3[7] = 1
	if _, code := w.verify(info, nil); code != tvl.NoReport {
		t.Errorf("reserved: %v", code)
	}
	if v, code := w.verify(nil, nil); code != tvl.Success || v.Result != tvl.OK {
		t.Errorf("nobody asks for a REPORT: %v", code)
	}
}

// CRLs come in three encodings, whatever the version says.
func TestCollateral(t *testing.T) {
	w := newWorld(t, kinds[0])
	encodings := []func([]byte) []byte{bytes.Clone, asHex, asPEM, func(b []byte) []byte { return append(asHex(b), 0) }, func(b []byte) []byte { return append(asPEM(b), 0) }}
	for i, encode := range encodings {
		for _, version := range []uint32{1, 3, 0x00010003, 4} {
			c := qve.NewCollateral(w.c, dcap.TEESGX)
			c.Version, c.RootCaCrl, c.PckCrl = version, encode(w.c.RootCRL), encode(w.c.PCKCRL)
			if v, code := w.verifyAt(w.pki.Now.Unix(), c, nil, nil); code != tvl.Success || v.Result != tvl.OK {
				t.Errorf("encoding %d, version %#x: %v", i, version, code)
			}
		}
	}
	for name, bad := range map[string]struct {
		want tvl.Code
		edit func(*edl.SgxQlQveCollateralT)
	}{
		"version 0":      {tvl.CollateralVersionNotSupported, func(c *edl.SgxQlQveCollateralT) { c.Version = 0 }},
		"version 2.3":    {tvl.CollateralVersionNotSupported, func(c *edl.SgxQlQveCollateralT) { c.Version = 2<<16 | 3 }},
		"unended":        {tvl.InvalidParameter, func(c *edl.SgxQlQveCollateralT) { c.TcbInfo = c.TcbInfo[:len(c.TcbInfo)-1] }},
		"zero inside":    {tvl.InvalidParameter, func(c *edl.SgxQlQveCollateralT) { c.QeIdentity = append(c.QeIdentity, 0) }},
		"no chain":       {tvl.InvalidParameter, func(c *edl.SgxQlQveCollateralT) { c.PckCrlIssuerChain = nil }},
		"no CRL":         {tvl.InvalidParameter, func(c *edl.SgxQlQveCollateralT) { c.RootCaCrl = nil }},
		"damaged PEM":    {tvl.CRLUnsupportedFormat, func(c *edl.SgxQlQveCollateralT) { c.PckCrl = asPEM(c.PckCrl)[:200] }},
		"text after PEM": {tvl.CRLUnsupportedFormat, func(c *edl.SgxQlQveCollateralT) { c.PckCrl = append(asPEM(c.PckCrl), 'x') }},
		"damaged DER":    {tvl.CRLUnsupportedFormat, func(c *edl.SgxQlQveCollateralT) { c.PckCrl = c.PckCrl[:200] }},
		"CRL issuers":    {tvl.PCKCertChainError, func(c *edl.SgxQlQveCollateralT) { c.PckCrlIssuerChain = []byte("x\x00") }},
	} {
		c := qve.NewCollateral(w.c, dcap.TEESGX)
		bad.edit(c)
		if _, code := w.verifyAt(w.pki.Now.Unix(), c, w.info(), nil); code != bad.want {
			t.Errorf("%s: %v, want %v", name, code, bad.want)
		}
	}
	if _, code := w.verifyAt(w.pki.Now.Unix(), nil, nil, nil); code != tvl.InvalidParameter {
		t.Errorf("NULL: %v", code)
	}
	c := qve.NewCollateral(w.c, dcap.TEESGX)
	for want, data := range map[tvl.Code][]byte{
		tvl.InvalidParameter: make([]byte, 536), tvl.SupplementalVersionNotSupported: supplemental(4),
	} {
		if _, code := w.verifyAt(w.pki.Now.Unix(), c, nil, data); code != want {
			t.Errorf("supplemental data: %v, want %v", code, want)
		}
	}
	for _, n := range []int{1, 535, 537} {
		if _, code := w.verifyAt(w.pki.Now.Unix(), c, nil, make([]byte, n)); code != tvl.InvalidParameter {
			t.Errorf("%d bytes of supplemental data: %v", n, code)
		}
	}
}
