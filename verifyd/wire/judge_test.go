package wire_test

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/verifyd/wire"
)

// ask verifies a quote under the PKI's root, and returns the answer and its
// JSON.
func ask(t *testing.T, pki *testpki.PKI, q *testpki.Quote, trust bool, data *[64]byte) (*wire.Answer, map[string]any) {
	t.Helper()
	var roots []*dcap.Certificate
	var options []verify.Option
	if trust {
		root, err := dcap.ParseCertificate(pki.Root.DER)
		if err != nil {
			t.Fatal(err)
		}
		roots, options = append(roots, root), append(options, verify.WithRoots(root.Raw))
	}
	v, err := verify.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	j, err := wire.Default(roots)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := v.Verify(q.Bytes(), q.Collateral(), pki.Now)
	a := j.Answer(r, data)
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return a, m
}

// Keys that every answer has, and those of its kinds.
var (
	always   = []string{"accepted", "at", "authentic", "expired", "policy", "reason", "status", "steps"}
	platform = []string{
		"advisory_ids", "body_type", "ca", "debug", "evaluation_data_number", "expires", "fmspc", "launch", "pceid", "qe_isvsvn", "qe_status", "quote_version",
		"report_data", "root", "tcb_date", "tcb_status", "tee", "validity",
	}
	enclave = []string{"attributes", "isvprodid", "isvsvn", "misc_select", "mrenclave", "mrsigner", "xfrm"}
	kss     = []string{"config_id", "config_svn", "isv_ext_prod_id", "isv_family_id"}
	td      = []string{"mrconfigid", "mrowner", "mrownerconfig", "mrseam", "mrsignerseam", "mrtd", "rtmr", "td_attributes", "tee_tcb_svn", "xfam"}
	td15    = []string{"current", "mrservicetd", "tee_tcb_svn_2"}
)

func checkKeys(t *testing.T, name string, m map[string]any, want ...[]string) {
	t.Helper()
	got, all := slices.Sorted(maps.Keys(m)), slices.Sorted(slices.Values(slices.Concat(want...)))
	if !slices.Equal(got, all) {
		t.Errorf("%s: keys\n%v, want\n%v", name, got, all)
	}
}

func TestAnswerKeys(t *testing.T) {
	pki := testpki.New(testpki.Seed("answers"))
	p := pki.Platform()
	warning := []string{"warnings"} // the root is not Intel's
	a, m := ask(t, pki, p.SGXQuote(func(q *testpki.Quote) { q.Enclave.Attributes.Flags &^= isa.AttrKSS }), true, nil)
	checkKeys(t, "SGX", m, always, platform, enclave, warning)
	if !strings.Contains(strings.Join(a.Warnings, "\n"), "the policy does not look at whose enclave or TD this is") {
		t.Errorf("warnings %q", a.Warnings)
	}
	if !a.Accepted || !a.Policy.AnyIdentity || !strings.HasPrefix(a.Reason, "a genuine quote of an SGX enclave") {
		t.Errorf("SGX: %+v", a)
	}
	_, m = ask(t, pki, p.SGXQuote(func(q *testpki.Quote) { q.Enclave.Attributes.Flags |= isa.AttrKSS }), true, nil)
	checkKeys(t, "SGX with KSS", m, always, platform, enclave, kss, warning)
	_, m = ask(t, pki, p.TDXQuote(), true, nil)
	checkKeys(t, "TDX", m, always, platform, td, warning)
	a, m = ask(t, pki, p.TDXQuote(func(q *testpki.Quote) {
		q.Header.Version, q.BodyType = 5, dcap.BodyTD15
		q.TD.TEETCBSVN2 = q.TD.TEETCBSVN
	}), true, nil)
	checkKeys(t, "TDX 1.5", m, always, platform, td, td15, warning)
	if !a.Accepted || a.Facts.Current == nil || a.Facts.Current.Status != "UpToDate" || a.Facts.QuoteVersion != 5 {
		t.Errorf("TDX 1.5: %+v", a)
	}
	root := pki.Root
	fingerprint := (&verify.Root{Key: mustParse(t, root.DER).PublicKey}).Fingerprint()
	if want := "sha256:" + hex.EncodeToString(fingerprint[:]); a.Facts.Root != want {
		t.Errorf("root %s, want %s", a.Facts.Root, want)
	}
}

func mustParse(t *testing.T, der []byte) *dcap.Certificate {
	c, err := dcap.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCollateralAtFault: a quote with another's collateral is not called false,
// and what is forged is not excused by collateral.
func TestCollateralAtFault(t *testing.T) {
	pki := testpki.New(testpki.Seed("answers"))
	p := pki.Platform()
	forged := func(q *testpki.Quote) { q.Signer = pki.Key("another") }
	genuine := p.TDXQuote()
	sgx, single := p.Collateral(dcap.TEESGX), pki.Platform(testpki.SinglePackage).Collateral(dcap.TEETDX)
	elsewhere := testpki.New(testpki.Seed("elsewhere")).Platform().Collateral(dcap.TEETDX)
	other := pki.Platform(testpki.FMSPC([6]byte{1, 2, 3, 4, 5, 6})).Collateral(dcap.TEETDX)
	sgxIdentity := *genuine.Collateral()
	sgxIdentity.QEIdentity, sgxIdentity.QEIdentityChain = sgx.QEIdentity, sgx.QEIdentityChain
	none := *genuine.Collateral()
	none.TCBInfo = nil
	mine := genuine.Collateral()
	root := mustParse(t, pki.Root.DER)
	v, err := verify.New(verify.WithRoots(root.Raw))
	if err != nil {
		t.Fatal(err)
	}
	intel, err := verify.New()
	if err != nil {
		t.Fatal(err)
	}
	j, err := wire.Default([]*dcap.Certificate{root})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		v          *verify.Verifier
		q          *testpki.Quote
		collateral *dcap.Collateral
		fault      bool
		want       string
	}{
		"another FMSPC":            {v, genuine, other, true, "STATUS_TCB_INFO_MISMATCH"},
		"of SGX":                   {v, genuine, sgx, true, "STATUS_TCB_INFO_MISMATCH"},
		"QE identity of SGX":       {v, genuine, &sgxIdentity, true, "STATUS_QE_IDENTITY_MISMATCH"},
		"CRL of the other CA":      {v, genuine, single, true, "STATUS_SGX_CRL_UNKNOWN_ISSUER"},
		"under another root":       {v, genuine, elsewhere, true, "STATUS_SGX_CRL_INVALID_SIGNATURE"},
		"no TCB info":              {v, genuine, &none, true, "STATUS_MISSING_PARAMETERS"},
		"forged":                   {v, p.TDXQuote(forged), mine, false, "STATUS_INVALID_QUOTE_SIGNATURE"},
		"a root nobody trusts":     {intel, genuine, mine, false, "STATUS_SGX_PCK_CERT_CHAIN_UNTRUSTED"},
		"that, and another's":      {intel, genuine, other, false, "STATUS_SGX_PCK_CERT_CHAIN_UNTRUSTED"},
		"forged, and TCB info bad": {v, p.TDXQuote(forged), withoutSigner(mine), false, "STATUS_INVALID_QUOTE_SIGNATURE"},
	} {
		r, _ := c.v.Verify(c.q.Bytes(), c.collateral, pki.Now)
		a := j.Answer(r, nil)
		prefix := "not authentic: "
		if c.fault {
			prefix = "could not be authenticated with this collateral: "
		}
		if a.Accepted || a.CollateralAtFault != c.fault || !strings.HasPrefix(a.Reason, prefix) || !strings.Contains(a.Reason, c.want) || len(a.Warnings) > 0 {
			t.Errorf("%s: %v, %s, %q", name, a.CollateralAtFault, a.Reason, a.Warnings)
		}
	}
}

// withoutSigner is collateral whose TCB info nobody is said to have signed.
func withoutSigner(c *dcap.Collateral) *dcap.Collateral {
	out := *c
	out.TCBInfoChain = nil
	return &out
}

// TestUnverified: what is not authentic does not stand where facts do.
func TestUnverified(t *testing.T) {
	pki := testpki.New(testpki.Seed("answers"))
	a, m := ask(t, pki, pki.Platform().TDXQuote(), false, nil)
	checkKeys(t, "unknown root", m, always, []string{"unverified"})
	if a.Accepted || a.Authentic || a.Facts != nil || a.Unverified.MRTD == "" || a.Unverified.Root != "" || !strings.HasPrefix(a.Reason, "not authentic: PCK chain: STATUS_") {
		t.Errorf("%+v", a)
	}
	a, _ = ask(t, pki, pki.Platform().TDXQuote(func(q *testpki.Quote) { q.Signer = pki.Key("another") }), true, nil)
	if a.Accepted || a.Authentic || a.Unverified == nil || a.Steps.Quote.Status != verify.StatusInvalidQuoteSignature || a.Unverified.TCBStatus != "" {
		t.Errorf("forged: %+v", a)
	}
}

func TestDefaultRefuses(t *testing.T) {
	pki := testpki.New(testpki.Seed("answers"))
	for name, c := range map[string]struct {
		q    *testpki.Quote
		rule string
	}{
		"enclave under debug": {pki.Platform().SGXQuote(func(q *testpki.Quote) { q.Enclave.Attributes.Flags |= isa.AttrDebug }), "sgx.allow_debug"},
		"TD under debug":      {pki.Platform().TDXQuote(func(q *testpki.Quote) { q.TD.TDAttributes |= dcap.TDDebug }), "tdx.allow_debug"},
		"out of date":         {pki.Platform(testpki.Status(dcap.OutOfDate)).SGXQuote(), "tcb.accept"},
		"needs configuration": {pki.Platform(testpki.Status(dcap.ConfigurationNeeded)).TDXQuote(), "tcb.accept"},
	} {
		a, _ := ask(t, pki, c.q, true, nil)
		if a.Accepted || !a.Authentic || len(a.Policy.Failures) != 1 || a.Policy.Failures[0].Rule != c.rule || !strings.Contains(a.Reason, c.rule) {
			t.Errorf("%s: %s, %+v", name, a.Reason, a.Policy)
		}
		if debug := strings.Contains(name, "debug"); debug != (len(a.Warnings) == 3) || debug != *a.Facts.Debug {
			t.Errorf("%s: warnings %q", name, a.Warnings)
		}
	}
}

func TestReportData(t *testing.T) {
	pki := testpki.New(testpki.Seed("answers"))
	q := pki.Platform().TDXQuote(func(q *testpki.Quote) { q.TD.ReportData = [64]byte{1, 2, 3} })
	for want, ok := range map[[64]byte]bool{{1, 2, 3}: true, {1, 2}: false, {1, 2, 3, 4}: false} {
		a, _ := ask(t, pki, q, true, &want)
		if a.Accepted != ok || a.Policy.Accepted != ok || !ok && a.Policy.Failures[0].Rule != "request.report_data" {
			t.Errorf("%x: %+v", want[:4], a.Policy)
		}
	}
}
