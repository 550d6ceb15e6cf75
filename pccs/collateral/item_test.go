package collateral_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/testpki"
)

// TestItemNames has the names by which databases know documents: they stay.
func TestItemNames(t *testing.T) {
	for name, item := range map[string]collateral.Item{
		"sgx/v4/tcb?fmspc=00FE1D100000&update=standard":                    sgxInfo,
		"tdx/v4/tcb?fmspc=00FE1D100000&update=standard":                    tdxInfo,
		"sgx/v3/tcb?fmspc=00FE1D100000&update=standard":                    oldInfo,
		"sgx/v4/tcb?fmspc=00FE1D100000&tcbEvaluationDataNumber=4294967295": numbered(sgxInfo, 1<<32-1),
		"sgx/v4/qe/identity?update=standard":                               qe,
		"tdx/v4/qe/identity?update=standard":                               tdqe,
		"sgx/v4/qve/identity?update=standard":                              qve,
		"sgx/v4/pckcrl?ca=processor":                                       processor,
		"sgx/v4/rootcacrl":                                                 rootCRL,
		"sgx/v4/crl?uri=http%3A%2F%2Fx%2Fa%3Fb%26c":                        {Kind: collateral.CRL, API: 4, URI: "http://x/a?b&c"},
		"sgx/v4/fmspcs?platform=all":                                       fmspcs,
		"tdx/v4/tcbevaluationdatanumbers":                                  tdxNumber,
	} {
		if got := item.String(); got != name {
			t.Errorf("%+v is called %s and not %s", item, got, name)
		}
		if got, err := collateral.ParseItem(name); err != nil || got != item {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if got := item.Canonical(); got != item {
			t.Errorf("%s is not canonical: %+v", name, got)
		}
	}
}

func TestItemRefused(t *testing.T) {
	for _, name := range []string{
		"", "sgx", "sgx/v4", "sgx/v4/", "sgx/v4/tcbs", "sev/v4/rootcacrl", "sgx/v2/qe/identity?update=standard", "sgx/v4/rootcacrl?",
		"sgx/v4/tcb?update=standard", "sgx/v4/tcb?fmspc=00FE1D100000", "sgx/v4/tcb?fmspc=00fe1d100000&update=standard",
		"sgx/v4/tcb?fmspc=00FE1D1000&update=standard", "sgx/v4/tcb?fmspc=00FE1D10000G&update=standard",
		"sgx/v4/tcb?fmspc=00FE1D100000&update=late", "sgx/v4/tcb?fmspc=00FE1D100000&tcbEvaluationDataNumber=17&update=early",
		"sgx/v4/tcb?update=standard&fmspc=00FE1D100000", "sgx/v4/tcb?fmspc=00FE1D100000&update=standard&update=standard",
		"sgx/v4/tcb?ca=platform&fmspc=00FE1D100000&update=standard", "sgx/v4/tcb?fmspc=00FE1D100000&update=standard&x=1",
		"sgx/v4/qe/identity?tcbEvaluationDataNumber=0", "sgx/v4/qe/identity?tcbEvaluationDataNumber=017", "sgx/v4/qe/identity?tcbEvaluationDataNumber=4294967296",
		"sgx/v3/qe/identity?tcbEvaluationDataNumber=17", "tdx/v3/qe/identity?update=standard", "tdx/v4/qve/identity?update=standard",
		"tdx/v4/pckcrl?ca=platform", "sgx/v3/pckcrl?ca=platform", "sgx/v4/pckcrl?ca=Platform", "sgx/v4/pckcrl", "sgx/v3/rootcacrl",
		"sgx/v4/fmspcs", "sgx/v4/fmspcs?platform=E6", "tdx/v4/fmspcs?platform=all", "sgx/v3/tcbevaluationdatanumbers",
		"sgx/v4/crl", "sgx/v4/crl?uri=%zz", "sgx/v4/crl?uri=" + strings.Repeat("a", 2049), "sgx/v4/rootcacrl?" + strings.Repeat("a", 1<<20),
	} {
		item, err := collateral.ParseItem(name)
		if err == nil {
			t.Errorf("%.100q is taken for %+v", name, item)
		} else if len(err.Error()) > 400 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.100q: %v", name, err)
		}
	}
	long := collateral.Item{Kind: collateral.CRL, API: 4, URI: strings.Repeat("\xff", 2048)}
	if got, err := collateral.ParseItem(long.String()); err != nil || got != long {
		t.Errorf("the longest: %v", err)
	}
}

func TestItemCanonical(t *testing.T) {
	for _, c := range []struct{ asked, want collateral.Item }{
		{collateral.Item{Kind: collateral.TCBInfo, API: 4, FMSPC: "00fe1d100000"}, sgxInfo},
		{collateral.Item{Kind: collateral.TCBInfo, API: 4, FMSPC: "00fe1d100000", Evaluation: 17}, numbered(sgxInfo, 17)},
		{collateral.Item{Kind: collateral.PCKCRL, API: 3, CA: "PLATFORM"}, platform},
		{collateral.Item{Kind: collateral.RootCRL, API: 3, TEE: dcap.TEETDX}, rootCRL},
		{collateral.Item{Kind: collateral.FMSPCs}, fmspcs},
		{collateral.Item{Kind: collateral.Evaluations, TEE: dcap.TEETDX}, tdxNumber},
		{collateral.Item{Kind: collateral.QVEIdentity, API: 4}, qve},
	} {
		got := c.asked.Canonical()
		if got != c.want {
			t.Errorf("%+v becomes %v and not %v", c.asked, got, c.want)
		}
		if err := got.Valid(); err != nil {
			t.Error(err)
		}
	}
}

// TestResolve has what an address means where Intel's root is trusted, the
// sandbox's, or a world's.
func TestResolve(t *testing.T) {
	const intel, sandbox = "https://certificates.trustedservices.intel.com", "https://sbx-certificates.trustedservices.intel.com"
	const world = "http://127.0.0.1:8081/sgx-world"
	trusting := func(base string) *collateral.Checker {
		pki := testpki.New(testpki.Seed("uri"))
		root := pki.Root.Reissue(func(t *testpki.Template) { t.Set(testpki.CRLDistributionPoint(base + "/FeidiSGXRootCA.der")) })
		c, err := collateral.NewChecker(root.DER)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	production, err := collateral.NewChecker()
	if err != nil {
		t.Fatal(err)
	}
	checkers := map[string]*collateral.Checker{intel: production, sandbox: trusting(sandbox), world: trusting(world)}
	api := map[string]string{intel: "https://api.trustedservices.intel.com", sandbox: "https://sbx.api.trustedservices.intel.com", world: world}
	for env, c := range checkers {
		file := "/FeidiSGXRootCA"
		if env == intel {
			file = "/IntelSGXRootCA"
		}
		for uri, want := range map[string]collateral.Item{
			env + file + ".der": rootCRL, env + file + ".crl": rootCRL, env + file + ".pem": rootCRL,
			api[env] + "/sgx/certification/v4/pckcrl?ca=platform":               platform,
			api[env] + "/sgx/certification/v3/pckcrl?ca=processor&encoding=der": processor,
			api[env] + "/sgx/certification/v1/pckcrl?encoding=pem&ca=processor": processor,
		} {
			if got, err := c.Resolve(collateral.Item{Kind: collateral.CRL, URI: uri}); err != nil || got != want {
				t.Errorf("%s where %s is trusted: %v, %v", uri, env, got, err)
			}
		}
		for other := range checkers {
			if other == env {
				continue
			}
			want := collateral.ErrUntrusted
			if other == world {
				want = collateral.ErrURI // it says nothing to anybody
			}
			for _, uri := range []string{other + "/IntelSGXRootCA.der", api[other] + "/sgx/certification/v4/pckcrl?ca=platform"} {
				if got, err := c.Resolve(collateral.Item{Kind: collateral.CRL, URI: uri}); !errors.Is(err, want) {
					t.Errorf("%s where %s is trusted: %v, %v, want %v", uri, env, got, err, want)
				}
			}
		}
	}
	for _, uri := range []string{
		"http://certificates.trustedservices.intel.com/IntelSGXRootCA.der", "https://certificates.trustedservices.intel.com.example.com/IntelSGXRootCA.der",
		"https://user@certificates.trustedservices.intel.com/IntelSGXRootCA.der", "https://certificates.trustedservices.intel.com:8443/IntelSGXRootCA.der",
		"https://certificates.trustedservices.intel.com/IntelSGXRootCA.der?x=http://169.254.169.254/", "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der#x",
		"https://certificates.trustedservices.intel.com/x/../IntelSGXRootCA.der", "https://certificates.trustedservices.intel.com/IntelSGXRootCAX",
		"https://api.trustedservices.intel.com/IntelSGXRootCA.der", "https://certificates.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform",
		"https://api.trustedservices.intel.com/sgx/certification/v0/pckcrl?ca=platform", "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl",
		"https://example.com/?https://certificates.trustedservices.intel.com/IntelSGXRootCA.der", "file:///etc/passwd", "http://169.254.169.254/", "//", ":", "a b", "\x00",
		"https://certificates.trustedservices.intel.com", "https://certificates.trustedservices.intel.com/",
	} {
		if got, err := production.Resolve(collateral.Item{Kind: collateral.CRL, URI: uri}); !errors.Is(err, collateral.ErrURI) {
			t.Errorf("%s: %v, %v", uri, got, err)
		}
	}
	if got, err := production.Resolve(collateral.Item{Kind: collateral.TCBInfo, API: 4, FMSPC: "00fe1d100000"}); err != nil || got != sgxInfo {
		t.Errorf("TCB info: %v, %v", got, err)
	}
}
