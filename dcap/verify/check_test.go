package verify_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// statusOf is the status in an error of one document.
func statusOf(err error) verify.Status {
	if err == nil {
		return verify.StatusOK
	}
	var e *verify.Error
	if !errors.As(err, &e) {
		return 255
	}
	return e.Status
}

// judged compares what was said of a document alone with the step that it is of.
func judged[T any](t *testing.T, what string, got *T, err error, step verify.Step) {
	t.Helper()
	status := statusOf(err)
	if status != step.Status {
		t.Errorf("%s alone: %v (%v), in the verification of a quote %v (%v)", what, status, err, step.Status, step.Err)
	}
	if there := got != nil; there != (status == verify.StatusOK || status.Expired()) {
		t.Errorf("%s alone: returned %v, with %v", what, there, status)
	}
}

// alone verifies the documents of a verification one by one: each of all the
// situations that the tests of quotes have. Chains that end in different roots
// are for a verification of them together.
func (w *world) alone(t *testing.T, v *verify.Verifier, r *verify.Result) {
	t.Helper()
	if len(w.c.RootCRL) == 0 {
		return // which alone is no error
	}
	info, err := v.TCBInfo(w.c.TCBInfo, w.c.TCBInfoChain, w.c.RootCRL, w.at)
	if !ofAnother(r.Steps.TCBInfo) {
		judged(t, "TCB info", info, err, r.Steps.TCBInfo)
	}
	id, err := v.EnclaveIdentity(w.c.QEIdentity, w.c.QEIdentityChain, w.c.RootCRL, w.at)
	if !ofAnother(r.Steps.QEIdentity) {
		judged(t, "identity", id, err, r.Steps.QEIdentity)
	}
	chain := w.c.PCKChain
	if r.Quote == nil {
		return
	}
	switch c := r.Quote.Certification.(type) {
	case *dcap.PCKChain:
		chain = c.PEM
	case *dcap.PCKLeaf:
		return // its chain is in two parts
	}
	if len(w.c.PCKCRL) == 0 {
		return
	}
	pck, ca, err := v.PCK(chain, w.c.PCKCRL, w.c.RootCRL, w.at)
	judged(t, "PCK certificate", pck, err, r.Steps.PCKChain)
	if pck != nil && (ca != r.CA || !bytes.Equal(pck.Raw, r.PCK.Raw)) {
		t.Errorf("PCK certificate alone: of the %s CA, in the verification of a quote the %s CA", ca, r.CA)
	}
}

func ofAnother(s verify.Step) bool {
	return s.Err != nil && strings.Contains(s.Err.Error(), "of another key than the chain of the PCK certificate")
}

// TestAloneVectors does the same with real documents, and has their CRLs.
func TestAloneVectors(t *testing.T) {
	for _, set := range vectors.All(t) {
		t.Run(set.Name, func(t *testing.T) {
			v, err := verify.New(verify.WithRoots(set.Root))
			if err != nil {
				t.Fatal(err)
			}
			r, _ := v.Verify(set.Quote, set.Collateral, set.At)
			w := &world{c: set.Collateral, at: set.At}
			w.alone(t, v, r)
			if r.Steps.PCKChain.Status != verify.StatusOK {
				return
			}
			if _, err := v.RootCRL(set.Collateral.RootCRL, set.At); err != nil {
				t.Error(err)
			}
			if !r.Root.Intel || set.Collateral.PCKCRLChain == nil {
				return // another may have a chain that is not of its CA
			}
			intel, err := verify.New()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := intel.RootCRL(set.Collateral.RootCRL, set.At); err != nil {
				t.Errorf("as Intel's: %v", err)
			}
			if _, ca, err := v.PCKCRL(set.Collateral.PCKCRL, set.Collateral.PCKCRLChain, set.Collateral.RootCRL, set.At); err != nil || ca != r.CA {
				t.Errorf("CRL of the %s CA: %s, %v", r.CA, ca, err)
			}
		})
	}
}

// list is a situation of a revocation list alone.
type list struct {
	name string
	want verify.Status
	crl  []byte
	pem  []byte // of its issuer
	root []byte // CRL of the root
	at   time.Duration
}

func TestPCKCRLAlone(t *testing.T) {
	pki := testpki.New(testpki.Seed("lists"))
	other := testpki.New(testpki.Seed("other lists"))
	v, err := verify.New(verify.WithRoots(pki.Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	good := list{crl: pki.PlatformCA.CRL(), pem: pem(pki.PlatformCA, pki.Root), root: pki.Root.CRL()}
	alter := func(name string, want verify.Status, f func(*list)) list {
		l := good
		l.name, l.want = name, want
		f(&l)
		return l
	}
	root := func(edits ...func(*testpki.CRLTemplate)) []byte { return pki.Root.CRL(edits...) }
	revoked := root(func(t *testpki.CRLTemplate) {
		t.Revoked = append(t.Revoked, testpki.Revocation{Serial: pki.PlatformCA.Template.Serial, Date: pki.Now})
	})
	usage := pki.PlatformCA.Reissue(func(t *testpki.Template) { t.Set(testpki.KeyUsage(dcap.KeyUsageCertSign)) })
	noCA := pki.PlatformCA.Reissue(func(t *testpki.Template) { t.Set(testpki.BasicConstraints(false, -1)) })
	forgedCA := pki.PlatformCA.Reissue(func(t *testpki.Template) { t.Signer = pki.Key("nobody's") })
	for _, l := range []list{
		alter("good", verify.StatusOK, func(l *list) {}),
		alter("root first", verify.StatusOK, func(l *list) { l.pem = pem(pki.Root, pki.PlatformCA) }),
		alter("without the root's", verify.StatusOK, func(l *list) { l.root = nil }),
		alter("none", verify.StatusMissingParameters, func(l *list) { l.crl = nil }),
		alter("cut off", verify.StatusSGXCRLUnsupportedFormat, func(l *list) { l.crl = l.crl[:100] }),
		alter("of the Processor CA", verify.StatusSGXCRLUnknownIssuer, func(l *list) { l.crl = pki.ProcessorCA.CRL() }),
		alter("of the root", verify.StatusSGXCRLUnknownIssuer, func(l *list) { l.crl = l.root }),
		alter("of the root, with its chain", verify.StatusSGXCACertUnsupportedFormat, func(l *list) { l.crl, l.pem = l.root, pki.RootPEM() }),
		alter("signature", verify.StatusSGXCRLInvalidSignature, func(l *list) {
			l.crl = pki.PlatformCA.CRL(func(t *testpki.CRLTemplate) { t.Signer = pki.Key("nobody's") })
		}),
		alter("no chain", verify.StatusSGXCACertUnsupportedFormat, func(l *list) { l.pem = nil }),
		alter("no root", verify.StatusSGXCACertUnsupportedFormat, func(l *list) { l.pem = pki.PlatformCA.PEM() }),
		alter("of a PCK", verify.StatusSGXCACertUnsupportedFormat, func(l *list) { l.pem = pki.Platform().ChainPEM() }),
		alter("two CAs", verify.StatusSGXRootCAInvalid, func(l *list) { l.pem = pem(pki.PlatformCA, pki.ProcessorCA) }),
		alter("two roots", verify.StatusSGXIntermediateCAMissing, func(l *list) { l.pem = pem(pki.Root, pki.Root) }),
		alter("forged CA", verify.StatusSGXCACertInvalid, func(l *list) { l.pem = pem(forgedCA, pki.Root) }),
		alter("no CA", verify.StatusSGXCACertInvalid, func(l *list) { l.pem = pem(noCA, pki.Root) }),
		alter("CA that signs no lists", verify.StatusSGXCRLInvalid, func(l *list) { l.pem = pem(usage, pki.Root) }),
		alter("all of another root", verify.StatusSGXRootCAUntrusted, func(l *list) {
			l.crl, l.pem, l.root = other.PlatformCA.CRL(), pem(other.PlatformCA, other.Root), other.Root.CRL()
		}),
		alter("CA revoked", verify.StatusSGXIntermediateCARevoked, func(l *list) { l.root = revoked }),
		alter("root's unreadable", verify.StatusSGXCRLUnsupportedFormat, func(l *list) { l.root = l.root[1:] }),
		alter("root's of another root", verify.StatusSGXCRLInvalidSignature, func(l *list) { l.root = other.Root.CRL() }),
		alter("expired", verify.StatusSGXCRLExpired, func(l *list) { l.at = 18*24*time.Hour + time.Second }),
		alter("in its last second", verify.StatusOK, func(l *list) { l.at = 18 * 24 * time.Hour }),
		alter("not yet", verify.StatusSGXCRLExpired, func(l *list) { l.at = -12*24*time.Hour - time.Second }),
		alter("root's expired", verify.StatusSGXCRLExpired, func(l *list) {
			l.root = root(func(t *testpki.CRLTemplate) { t.NextUpdate = pki.Now.Add(-time.Second) })
		}),
		alter("CA expired", verify.StatusSGXPCKCertChainExpired, func(l *list) {
			l.pem = pem(pki.PlatformCA.Reissue(func(t *testpki.Template) { t.NotAfter = pki.Now.Add(-time.Second) }), pki.Root)
		}),
		alter("CA of the future", verify.StatusSGXPCKCertChainExpired, func(l *list) {
			l.pem = pem(pki.PlatformCA.Reissue(func(t *testpki.Template) { t.NotBefore = pki.Now.Add(time.Second) }), pki.Root)
		}),
	} {
		crl, ca, err := v.PCKCRL(l.crl, l.pem, l.root, pki.Now.Add(l.at))
		judged(t, l.name, crl, err, verify.Step{Status: l.want})
		if crl != nil && ca != verify.PlatformCA {
			t.Errorf("%s: of the %q CA", l.name, ca)
		}
		if err != nil {
			readable(t, "PCK CRL", verify.Step{Status: statusOf(err), Err: err})
		}
	}
	if _, ca, err := v.PCKCRL(pki.ProcessorCA.CRL(), pem(pki.ProcessorCA, pki.Root), nil, pki.Now); err != nil || ca != verify.ProcessorCA {
		t.Errorf("%q CA: %v", ca, err)
	}
	if _, _, err := v.PCKCRL(good.crl, good.pem, nil, time.Time{}); statusOf(err) != verify.StatusInvalidParameter {
		t.Errorf("at no time: %v", err)
	}
}

func TestRootCRLAlone(t *testing.T) {
	pki := testpki.New(testpki.Seed("lists"))
	other := testpki.New(testpki.Seed("other lists"))
	v, err := verify.New(verify.WithRoots(other.Root.DER, pki.Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	intel, err := verify.New()
	if err != nil {
		t.Fatal(err)
	}
	crl := func(edit func(*testpki.CRLTemplate)) []byte { return pki.Root.CRL(edit) }
	good := pki.Root.CRL()
	for _, c := range []struct {
		name string
		v    *verify.Verifier
		want verify.Status
		crl  []byte
		at   time.Duration
	}{
		{"good", v, verify.StatusOK, good, 0},
		{"of the other root", v, verify.StatusOK, other.Root.CRL(), 0},
		{"where Intel's is trusted", intel, verify.StatusSGXRootCAUntrusted, good, 0},
		{"none", v, verify.StatusMissingParameters, nil, 0},
		{"cut off", v, verify.StatusSGXCRLUnsupportedFormat, good[:len(good)-1], 0},
		{"of a CA", v, verify.StatusSGXRootCAUntrusted, pki.PlatformCA.CRL(), 0},
		{"by another name", v, verify.StatusSGXCRLUnknownIssuer, crl(func(t *testpki.CRLTemplate) { t.Issuer.CommonName = "Intel SGX Root CB" }), 0},
		{"signature", v, verify.StatusSGXCRLInvalidSignature, crl(func(t *testpki.CRLTemplate) { t.Signer = other.Root.Key() }), 0},
		{"without the key's name", v, verify.StatusSGXCRLInvalidExtensions, crl(func(t *testpki.CRLTemplate) { t.Extensions = t.Extensions[:1] }), 0},
		{"without number", v, verify.StatusSGXCRLUnsupportedFormat, crl(func(t *testpki.CRLTemplate) { t.Extensions = t.Extensions[1:] }), 0},
		{"expired", v, verify.StatusSGXCRLExpired, good, 2 * 365 * 24 * time.Hour},
		{"not yet", v, verify.StatusSGXCRLExpired, good, -13 * 24 * time.Hour},
	} {
		got, err := c.v.RootCRL(c.crl, pki.Now.Add(c.at))
		judged(t, c.name, got, err, verify.Step{Status: c.want})
		if err != nil {
			readable(t, "root CRL", verify.Step{Status: statusOf(err), Err: err})
		}
	}
}

// TestRevocationAlone has what is not asked where there is no list.
func TestRevocationAlone(t *testing.T) {
	pki := testpki.New(testpki.Seed("alone"))
	m := pki.Platform()
	pki.Root.Revoke(pki.TCBSigning, pki.PlatformCA)
	pki.PlatformCA.Revoke(m.PCK)
	v, err := verify.New(verify.WithRoots(pki.Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	info, chain, root := pki.TCBInfoJSON(m.TCBInfo(dcap.TEESGX)), pki.TCBChainPEM(), pki.Root.CRL()
	for _, c := range []struct {
		root, pck []byte
		tcb, cert verify.Status
	}{
		{root, pki.PlatformCA.CRL(), verify.StatusSGXTCBSigningCertRevoked, verify.StatusSGXIntermediateCARevoked},
		{nil, pki.PlatformCA.CRL(), verify.StatusOK, verify.StatusSGXPCKRevoked},
		{root, nil, verify.StatusSGXTCBSigningCertRevoked, verify.StatusSGXIntermediateCARevoked},
		{nil, nil, verify.StatusOK, verify.StatusOK},
	} {
		if _, err := v.TCBInfo(info, chain, c.root, pki.Now); statusOf(err) != c.tcb {
			t.Errorf("TCB info: %v, want %v", err, c.tcb)
		}
		if _, _, err := v.PCK(m.ChainPEM(), c.pck, c.root, pki.Now); statusOf(err) != c.cert {
			t.Errorf("PCK certificate: %v, want %v", err, c.cert)
		}
	}
}

func TestEvaluationNumbers(t *testing.T) {
	pki := testpki.New(testpki.Seed("numbers"))
	other := testpki.New(testpki.Seed("other numbers"))
	v, err := verify.New(verify.WithRoots(pki.Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	const rows = `[{"tcbEvaluationDataNumber":19,"tcbRecoveryEventDate":"2025-05-13T00:00:00Z","tcbDate":"2025-05-14T00:00:00Z"},{"x":[{}],"tcbEvaluationDataNumber":17}]`
	body := func(id, key, rows string) string {
		return fmt.Sprintf(`{"id":%q,"version":1,"issueDate":"2026-05-20T00:00:00Z","nextUpdate":"2026-06-19T00:00:00Z",%q:%s}`, id, key, rows)
	}
	document := func(body string) []byte {
		raw := pki.IdentityJSON(pki.QE, func(d *testpki.Document) { d.Name, d.Body = "tcbEvaluationDataNumbers", []byte(body) })
		return raw
	}
	good := document(body("TDX", "tcbEvalNumbers", rows))
	revoked := pki.Root.CRL(func(t *testpki.CRLTemplate) {
		t.Revoked = []testpki.Revocation{{Serial: new(big.Int).Set(pki.TCBSigning.Template.Serial), Date: pki.Now}}
	})
	format := verify.StatusSGXTCBInfoUnsupportedFormat
	for _, c := range []struct {
		name  string
		want  verify.Status
		doc   []byte
		chain []byte
		root  []byte
		at    time.Duration
	}{
		{"good", verify.StatusOK, good, pki.TCBChainPEM(), pki.Root.CRL(), 0},
		{"as the manual has it", verify.StatusOK, document(body("TDX", "tcbNumbers", rows)), pki.TCBChainPEM(), nil, 0},
		{"a digit", verify.StatusTCBInfoInvalidSignature, bytes.Replace(good, []byte(":19,"), []byte(":20,"), 1), pki.TCBChainPEM(), nil, 0},
		{"a space", verify.StatusTCBInfoInvalidSignature, bytes.Replace(good, []byte(`,"version"`), []byte(`, "version"`), 1), pki.TCBChainPEM(), nil, 0},
		{"other root", verify.StatusSGXTCBSigningCertChainUntrusted, good, other.TCBChainPEM(), nil, 0},
		{"no chain", verify.StatusMissingParameters, good, nil, nil, 0},
		{"signer revoked", verify.StatusSGXTCBSigningCertRevoked, good, pki.TCBChainPEM(), revoked, 0},
		{"expired", verify.StatusSGXTCBInfoExpired, good, pki.TCBChainPEM(), nil, 19 * 24 * time.Hour},
		{"not yet", verify.StatusSGXTCBInfoExpired, good, pki.TCBChainPEM(), nil, -13 * 24 * time.Hour},
		{"signer expired", verify.StatusSGXSigningCertChainExpired, good, pki.TCBChainPEM(), nil, 10 * 365 * 24 * time.Hour},
		{"nothing", format, nil, pki.TCBChainPEM(), nil, 0},
		{"cut off", format, good[:len(good)-1], pki.TCBChainPEM(), nil, 0},
		{"more", format, append(slices.Clone(good), ' ', '1'), pki.TCBChainPEM(), nil, 0},
		{"large", format, append(slices.Clone(good), bytes.Repeat([]byte(" "), dcap.MaxJSONSize)...), pki.TCBChainPEM(), nil, 0},
		{"a page", format, []byte("<html>"), pki.TCBChainPEM(), nil, 0},
		{"twice", format, bytes.Replace(good, []byte(`,"signature"`), []byte(`,"tcbEvaluationDataNumbers":{},"signature"`), 1), pki.TCBChainPEM(), nil, 0},
		{"signature of 63 bytes", format, append(slices.Clone(good[:len(good)-4]), `"}`...), pki.TCBChainPEM(), nil, 0},
		{"of nothing", format, document(body("SEV", "tcbEvalNumbers", rows)), pki.TCBChainPEM(), nil, 0},
		{"empty", format, document(body("SGX", "tcbEvalNumbers", "[]")), pki.TCBChainPEM(), nil, 0},
		{"no number", format, document(body("SGX", "tcbEvalNumbers", `[{"tcbDate":""}]`)), pki.TCBChainPEM(), nil, 0},
		{"large number", format, document(body("SGX", "tcbEvalNumbers", `[{"tcbEvaluationDataNumber":4294967296}]`)), pki.TCBChainPEM(), nil, 0},
		{"date", format, document(strings.Replace(body("SGX", "tcbEvalNumbers", rows), "05-20T", "13-20T", 1)), pki.TCBChainPEM(), nil, 0},
		{"TCB info", format, pki.IdentityJSON(pki.QE), pki.TCBChainPEM(), nil, 0},
	} {
		got, err := v.EvaluationNumbers(c.doc, c.chain, c.root, pki.Now.Add(c.at))
		judged(t, c.name, got, err, verify.Step{Status: c.want})
		if got != nil && (got.ID != "TDX" || !slices.Equal(got.Numbers, []uint32{19, 17}) || got.NextUpdate != time.Date(2026, 6, 19, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
