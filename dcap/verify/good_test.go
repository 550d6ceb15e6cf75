package verify_test

import (
	"bytes"
	"math/big"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// TestGood has what is unusual and right.
func TestGood(t *testing.T) {
	order := func(i, j, k int) func(*world) {
		return chainOf(func(w *world) []*testpki.Cert {
			c := []*testpki.Cert{w.m.PCK, w.pki.PlatformCA, w.pki.Root}
			return []*testpki.Cert{c[i], c[j], c[k]}
		})
	}
	certType := func(c dcap.CertificationType) func(*world) { return func(w *world) { w.q.CertType = c } }
	for _, r := range []row{
		{name: "all kinds"},
		{name: "PCK chain 0 2 1", edit: order(0, 2, 1)},
		{name: "PCK chain 1 0 2", edit: order(1, 0, 2)},
		{name: "PCK chain 1 2 0", edit: order(1, 2, 0)},
		{name: "PCK chain 2 0 1", edit: order(2, 0, 1)},
		{name: "PCK chain 2 1 0", edit: order(2, 1, 0)},
		{name: "root before the TCB signer", made: func(w *world) {
			w.c.TCBInfoChain = pem(w.pki.Root, w.pki.TCBSigning)
		}},
		{name: "lines that end in CR LF", edit: func(w *world) {
			w.q.CertData = bytes.ReplaceAll(w.m.ChainPEM(), []byte("\n"), []byte("\r\n"))
		}},
		{name: "PPID in the clear", edit: certType(dcap.CertPPIDClear)},
		{name: "PPID encrypted, 2048", edit: certType(dcap.CertPPIDRSA2048)},
		{name: "PPID encrypted, 3072", edit: certType(dcap.CertPPIDRSA3072)},
		{name: "PCK certificate alone", edit: certType(dcap.CertPCKLeaf)},
		{name: "padding after the quote", made: func(w *world) { w.raw = append(w.raw, make([]byte, 1000)...) },
			check: func(t *testing.T, r *verify.Result) {
				if r.Quote.Padding != 1000 {
					t.Errorf("padding %d", r.Quote.Padding)
				}
			}},
		{name: "root with the same key in another certificate", edit: func(w *world) {
			w.pki.Root = w.pki.Root.Reissue(func(t *testpki.Template) {
				t.Serial, t.NotAfter = big.NewInt(99), t.NotAfter.AddDate(0, 0, -7)
			})
		}},
		{name: "root with the same key in two certificates", made: func(w *world) {
			w.c.TCBInfoChain = pem(w.pki.TCBSigning, w.pki.Root.Reissue(func(t *testpki.Template) { t.Serial = big.NewInt(99) }))
		}},
		{name: "two roots trusted", edit: func(w *world) {
			other := testpki.New(testpki.Seed("other"))
			w.options = []verify.Option{verify.WithRoots(other.Root.DER), verify.WithRoots(w.pki.Root.DER)}
		}},
		{name: "Processor CA", edit: func(w *world) {
			w.m = w.pki.Platform(testpki.SinglePackage)
			w.quote()
		}, check: func(t *testing.T, r *verify.Result) {
			if r.CA != verify.ProcessorCA || r.PCK.SGX.HasPlatform {
				t.Errorf("CA %s, platform %v", r.CA, r.PCK.SGX.HasPlatform)
			}
		}},
		{name: "documents of no entries and more", edit: func(w *world) {
			w.pki.Root.Revoke(w.pki.ProcessorCA)
			w.pki.PlatformCA.Revoke(w.pki.TCBSigning)
		}},
		{name: "at the first moment", edit: func(w *world) { w.at = w.at.AddDate(0, 0, -12) }},
		{name: "at the last moment", edit: func(w *world) { w.at = w.at.AddDate(0, 0, 18) }},
		{name: "in another zone, with nanoseconds", edit: func(w *world) {
			w.at = w.at.AddDate(0, 0, 18).Add(time.Second - 1).In(time.FixedZone("east", 12*3600))
		}},
		{name: "QE report data behind the hash", edit: func(w *world) {
			w.q.EditUnsigned = func(p *testpki.Parts) { p.QEReport[383] = 1 } // not compared, as in Intel's library
		}},
		{name: "keys of no meaning in documents", made: func(w *world) {
			infoEdit(`"version":3`, `"version":3,"new":[{"a":[]}]`)(w)
			identityEdit(`"version":2`, ` "version" : 2 , "new":null`)(w)
		}},
		{name: "levels in another order", edit: func(w *world) {
			l := w.info().Levels
			l[0], l[6], l[2], l[3] = l[6], l[0], l[3], l[2]
			id := w.identity().Levels
			id[0], id[2] = id[2], id[0]
		}},
	} {
		r.run(t)
	}
}

// TestFacts checks what a result says of a good quote.
func TestFacts(t *testing.T) {
	for _, k := range allKinds {
		w := newWorld(k)
		w.identity().EvaluationDataNumber = 18
		r := w.check(t, verdict{})
		now := w.pki.Now
		v := r.Validity
		if !v.EarliestIssue.Equal(now.AddDate(-5, 0, 0)) || !v.LatestIssue.Equal(now.AddDate(0, 0, -12)) || !v.EarliestExpiration.Equal(now.AddDate(0, 0, 18)) ||
			v.LatestExpiration.Year() != 2049 || v.EvaluationDataNumber != 18 || !v.TCBInfoNextUpdate.Equal(now.AddDate(0, 0, 18)) || !v.QEIdentityNextUpdate.Equal(now.AddDate(0, 0, 18)) ||
			!bytes.Equal(v.RootCRLNumber, []byte{1}) || !bytes.Equal(v.PCKCRLNumber, []byte{1}) {
			t.Errorf("%s: %+v", k.name, v)
		}
		if r.CA != verify.PlatformCA || r.Root.Intel || r.Root.Subject.CommonName != testpki.NameRoot || !bytes.Equal(r.Root.Key[:], publicPoint(w.pki.Root.Key())[1:]) {
			t.Errorf("%s: CA %s, root %+v", k.name, r.CA, r.Root)
		}
		if r.PCK.SGX.PPID != w.m.SGX.PPID || r.PCK.SGX.FMSPC != testpki.DefaultFMSPC || !r.At.Equal(w.at) || r.QEStatus() != dcap.UpToDate {
			t.Errorf("%s: %+v", k.name, r.PCK.SGX)
		}
		if td := r.Quote.TDReport(); (td != nil) != (k.tee() == dcap.TEETDX) || td != nil && td.MRTD != w.q.TD.MRTD {
			t.Errorf("%s: TD report %v", k.name, td)
		}
	}
}

// TestBadRoots gives New what is no root.
func TestBadRoots(t *testing.T) {
	pki := testpki.New(testpki.Seed("verify"))
	broken := pki.Root.Reissue(func(t *testpki.Template) { t.EditSignature = flip })
	for name, der := range map[string][]byte{
		"nothing": nil, "text": garbage, "PEM": pki.RootPEM(), "broken": broken.DER, "cut off": pki.Root.DER[:100],
		"RSA": pki.Root.Reissue(func(t *testpki.Template) { t.Key, t.Signer = rsaKey, rsaKey }).DER,
	} {
		if v, err := verify.New(verify.WithRoots(der)); err == nil || v != nil {
			t.Errorf("%s: accepted", name)
		} else if s := err.Error(); len(s) < 20 || len(s) > 300 || !bytes.HasPrefix([]byte(s), []byte("verify: root 1")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLargeCRL has a list of 100000 entries, which is 5 MB: it is read in time,
// and a warm verification does not read it again.
func TestLargeCRL(t *testing.T) {
	w := newWorld(sgx3)
	w.make()
	w.c.PCKCRL = w.pki.PlatformCA.CRL(func(t *testpki.CRLTemplate) { t.Fill(100000) })
	v := w.verifier(t, verify.WithCache(64<<20))
	for range 2 {
		start := time.Now()
		if _, err := v.Verify(w.raw, w.c, w.at); err != nil {
			t.Fatal(err)
		}
		d := time.Since(start)
		t.Logf("%d bytes: %v", len(w.c.PCKCRL), d)
		if d > 5*time.Second {
			t.Errorf("a list of %d bytes takes %v", len(w.c.PCKCRL), d)
		}
	}
	allocated := testing.AllocsPerRun(3, func() { _, _ = w.verifier(t, verify.WithCache(0)).Verify(w.raw, w.c, w.at) })
	if allocated > 1000 { // not one for each entry
		t.Errorf("%v allocations", allocated)
	}
}
