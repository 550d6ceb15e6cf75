package qve_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

// The supplemental data say what the platform, its certificate and the documents do.
func TestSupplemental(t *testing.T) {
	w := newWorld(t, kinds[2])
	w.m.SGX.PCEID = [2]byte{1, 2}
	w.m.TCBInfo(dcap.TEETDX).PCEID = w.m.SGX.PCEID
	w.m.SGX.Configuration = dcap.PCKConfiguration{DynamicPlatform: dcap.True, CachedKeys: dcap.False, SMTEnabled: dcap.True}
	w.m.Reissue()
	w.pki.TDQE.EvaluationDataNumber, w.m.TCBInfo(dcap.TEETDX).EvaluationDataNumber = 19, 18
	// Each of these is at an end of the time of all.
	day := func(n int) time.Time { return w.pki.Now.Add(time.Duration(n) * 24 * time.Hour).Truncate(time.Second) }
	w.m.TCBInfo(dcap.TEETDX).NextUpdate = day(3)
	w.pki.TDQE.IssueDate = day(-1)
	w.make()
	w.c.PCKCRL = w.m.CA().CRL(func(c *testpki.CRLTemplate) { setNumber(c, 0x0102) })
	w.c.RootCRL = w.pki.Root.CRL(func(c *testpki.CRLTemplate) { setNumber(c, 0xFFFFFFFF) })
	v, code := w.verify(nil, supplemental(3))
	s, err := v.Details()
	if code != tvl.Success || err != nil {
		t.Fatal(code, err)
	}
	qe, root, level := &w.pki.TDQE.Levels[0], w.pki.Root.X509(), &w.m.TCBInfo(dcap.TEETDX).Levels[0]
	rootKey, err := root.PublicKey.(*ecdsa.PublicKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	signing := w.pki.TCBSigning.X509()
	want := tvl.Supplemental{
		Major: 3, Minor: 3,
		EarliestIssue: root.NotBefore, LatestIssue: day(-1), EarliestExpiration: day(3), TCBDate: level.Date,
		PCKCRLNumber: 0x0102, RootCRLNumber: 0xFFFFFFFF, EvaluationDataNumber: 18, RootKeyID: sha512.Sum384(rootKey),
		PPID: w.m.SGX.PPID, CPUSVN: w.m.SGX.CPUSVN, PCESVN: w.m.SGX.PCESVN, PCEID: 0x0201,
		TEE: dcap.TEETDX, SGXType: w.m.SGX.SGXType, PlatformInstanceID: w.m.SGX.PlatformInstanceID, Configuration: w.m.SGX.Configuration,
		AdvisoryIDs: level.AdvisoryIDs,
		QE: tvl.QESupplemental{
			EarliestIssue: root.NotBefore, LatestIssue: signing.NotBefore, EarliestExpiration: signing.NotAfter,
			TCBDate: qe.Date, EvaluationDataNumber: 19, Status: tvl.OK,
		},
	}
	wantBytes, err := want.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(v.Supplemental, wantBytes) {
		t.Errorf("%+v\nwant\n%+v", s, want)
	}

	// A caller that knows version 3.0 gets no advisories, and what is new since all
	// the same.
	w2 := newWorld(t, kinds[0], testpki.Status(dcap.SWHardeningNeeded))
	for minor, n := range []int{0, 0, 0, len(w2.direct().Launch.Platform.AdvisoryIDs)} {
		v, code := w2.verify(nil, supplemental(uint16(minor)))
		s, err := v.Details()
		if code != tvl.Success || err != nil || len(s.AdvisoryIDs) != n || int(s.Minor) != minor || s.TEE != dcap.TEESGX || s.QE.TCBDate.IsZero() {
			t.Errorf("version 3.%d: %v, %v, %+v", minor, code, err, s)
		}
	}
	// A QE that is out of date, and a processor's certificate.
	w3 := newWorld(t, kinds[0], testpki.SinglePackage)
	w3.make(func(q *testpki.Quote) { q.QEReport.ISVSVN = 6 })
	v, _ = w3.verify(nil, supplemental(3))
	if s, err := v.Details(); err != nil || s.QE.Status != tvl.OutOfDate || v.Result != tvl.OutOfDate || s.Configuration != (dcap.PCKConfiguration{}) || s.PlatformInstanceID != [16]byte{} {
		t.Errorf("%v, %+v, %v", v.Result, s, err)
	}
	if binary.LittleEndian.Uint32(v.Supplemental[160:]) != 2 { // PCK_FLAG_UNDEFINED
		t.Errorf("dynamic platform is %d", v.Supplemental[160])
	}
}

// setNumber gives a CRL that number.
func setNumber(c *testpki.CRLTemplate, n int64) {
	der, err := asn1.Marshal(n)
	if err != nil {
		panic(err)
	}
	for i := range c.Extensions {
		if c.Extensions[i].Id.Equal(testpki.OIDCRLNumber) {
			c.Extensions[i].Value = der
		}
	}
}

// What does not fit into the structure is an error, and no half truth.
func TestSupplementalTooMuch(t *testing.T) {
	w := newWorld(t, kinds[0])
	w.m.TCBInfo(dcap.TEESGX).Levels[0].AdvisoryIDs = slices.Repeat([]string{"INTEL-SA-00001"}, 21)
	w.make()
	w.want("21 advisories", tvl.Unexpected)
	if v, code := w.verify(nil, supplemental(0)); code != tvl.Success {
		t.Errorf("without advisories: %v, %v", code, v)
	}
	w = newWorld(t, kinds[0])
	w.c.PCKCRL = w.m.CA().CRL(func(c *testpki.CRLTemplate) { setNumber(c, 1<<32) })
	w.want("a CRL number of 33 bits", tvl.Unexpected)
}
