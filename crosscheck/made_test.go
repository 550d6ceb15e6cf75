package crosscheck

import (
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

// recipe makes a set that differs from a good one in one thing.
type recipe struct {
	name  string
	make  func(*testpki.PKI) *testpki.Quote
	spoil func(*testpki.PKI, *dcap.Collateral) // may be nil
}

// digits is an FMSPC without letters: go-tdx-guest v0.3.1 takes no other.
var digits = testpki.FMSPC([6]byte{0x00, 0x10, 0x60, 0x10, 0x00, 0x00})

func madeSets(t testing.TB) []*Set {
	t.Helper()
	var sets []*Set
	for _, r := range append(statusRecipes(), recipes...) {
		p := testpki.New(testpki.Seed("crosscheck " + r.name))
		q := r.make(p)
		c := q.Collateral()
		if r.spoil != nil {
			r.spoil(p, c)
		}
		sets = append(sets, &Set{
			Name: "made/" + r.name, Quote: q.Bytes(), PCK: q.Platform.PCK.PEM(), Collateral: *c, Root: p.RootPEM(), At: p.Now,
		})
	}
	return sets
}

// statusRecipes are a platform of each status, as SGX and as TDX.
func statusRecipes() []recipe {
	var all []recipe
	for s := dcap.UpToDate; s <= dcap.Revoked; s++ {
		all = append(all,
			recipe{name: "sgx3/" + s.String(), make: func(p *testpki.PKI) *testpki.Quote {
				return p.Platform(digits, testpki.Status(s)).SGXQuote()
			}},
			recipe{name: "tdx4/" + s.String(), make: func(p *testpki.PKI) *testpki.Quote {
				return p.Platform(digits, testpki.Status(s)).TDXQuote()
			}},
			recipe{name: "tdx5/" + s.String(), make: func(p *testpki.PKI) *testpki.Quote {
				return p.Platform(digits, testpki.Status(s)).TDXQuote(tdx15)
			}})
	}
	return all
}

func tdx15(q *testpki.Quote) { q.Header.Version, q.BodyType = 5, dcap.BodyTD15 }

func td(p *testpki.PKI, edits ...func(*testpki.Platform)) *testpki.Quote {
	return p.Platform(append([]func(*testpki.Platform){digits}, edits...)...).TDXQuote()
}

func enclave(p *testpki.PKI) *testpki.Quote { return p.Platform(digits).SGXQuote() }

// module sets SVN and major version of the TDX module.
func module(svn, major uint8) func(*testpki.Platform) {
	return func(m *testpki.Platform) { m.TEETCBSVN[0], m.TEETCBSVN[1] = svn, major }
}

var recipes = []recipe{
	// What the platform is.
	{name: "letters-in-fmspc", make: func(p *testpki.PKI) *testpki.Quote { return p.Platform().TDXQuote() }},
	{name: "processor-ca", make: func(p *testpki.PKI) *testpki.Quote { return td(p, testpki.SinglePackage) }},
	{name: "sgx-in-version-4", make: func(p *testpki.PKI) *testpki.Quote {
		q := enclave(p)
		q.Header.Version, q.Header.QESVN, q.Header.PCESVN = 4, 0, 0 // reserved from 4 on
		return q
	}},
	{name: "encrypted-ppid", make: func(p *testpki.PKI) *testpki.Quote {
		q := enclave(p)
		q.CertType = dcap.CertPPIDRSA3072
		return q
	}},
	{name: "td-report-15-ex", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.Header.Version, q.BodyType = 5, dcap.BodyTD15Ex
		return q
	}},
	{name: "td-report-10-in-version-5", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.Header.Version = 5
		return q
	}},
	{name: "debug-enclave", make: func(p *testpki.PKI) *testpki.Quote {
		q := enclave(p)
		q.Enclave.Attributes.Flags |= 1 << 1
		return q
	}},
	{name: "debug-td", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.TD.TDAttributes |= 1
		return q
	}},

	// TDX modules and quoting enclaves.
	{name: "module-out-of-date", make: func(p *testpki.PKI) *testpki.Quote { return td(p, module(4, 1)) }},
	{name: "module-revoked", make: func(p *testpki.PKI) *testpki.Quote { return td(p, module(2, 1)) }},
	{name: "module-below-all-levels", make: func(p *testpki.PKI) *testpki.Quote { return td(p, module(1, 1)) }},
	{name: "module-unknown", make: func(p *testpki.PKI) *testpki.Quote { return td(p, module(6, 2)) }},
	{name: "module-0", make: func(p *testpki.PKI) *testpki.Quote { return td(p, module(5, 0)) }},
	{name: "module-16", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p, module(6, 16))
		q.Platform.TCBInfo(dcap.TEETDX).TDXModuleIdentities[0].ID = "TDX_10"
		return q
	}},
	{name: "module-of-another-signer", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.TD.MRSignerSEAM[0] = 1
		return q
	}},
	{name: "relaunch-advised", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		tdx15(q)
		q.TD.TEETCBSVN[0] = 4
		return q
	}},
	{name: "qe-out-of-date", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.QEReport.ISVSVN = 4
		return q
	}},
	{name: "qe-revoked", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.QEReport.ISVSVN = 1
		return q
	}},
	{name: "qe-of-another-signer", make: func(p *testpki.PKI) *testpki.Quote {
		q := enclave(p)
		q.QEReport.MRSigner[0] ^= 1
		return q
	}},
	{name: "qe-under-debug", make: func(p *testpki.PKI) *testpki.Quote {
		q := enclave(p)
		q.QEReport.Attributes.Flags |= 1 << 1
		return q
	}},

	// Forgery.
	{name: "quote-signed-by-another", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.Signer = p.Key("somebody")
		return q
	}},
	{name: "qe-report-signed-by-another", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.QEReportSigner = p.Key("somebody")
		return q
	}},
	{name: "another-attestation-key", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.EditUnsigned = func(parts *testpki.Parts) { parts.QEReport[320] ^= 1 }
		return q
	}},
	{name: "another-root", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		p.Root = testpki.New(testpki.Seed("another")).Root
		return q
	}},

	// Collateral.
	{name: "pck-revoked", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		p.PlatformCA.Revoke(q.Platform.PCK)
		return q
	}},
	{name: "platform-ca-revoked", make: func(p *testpki.PKI) *testpki.Quote {
		p.Root.Revoke(p.PlatformCA)
		return td(p)
	}},
	{name: "tcb-signer-revoked", make: func(p *testpki.PKI) *testpki.Quote {
		p.Root.Revoke(p.TCBSigning)
		return td(p)
	}},
	{name: "pck-crl-expired", make: td0, spoil: func(p *testpki.PKI, c *dcap.Collateral) {
		c.PCKCRL = p.PlatformCA.CRL(func(t *testpki.CRLTemplate) { t.NextUpdate = p.Now.Add(-time.Hour) })
	}},
	{name: "pck-crl-of-tomorrow", make: td0, spoil: func(p *testpki.PKI, c *dcap.Collateral) {
		c.PCKCRL = p.PlatformCA.CRL(func(t *testpki.CRLTemplate) { t.ThisUpdate = p.Now.AddDate(0, 0, 1) })
	}},
	{name: "pck-crl-signed-by-another", make: td0, spoil: func(p *testpki.PKI, c *dcap.Collateral) {
		c.PCKCRL = p.PlatformCA.CRL(func(t *testpki.CRLTemplate) { t.Signer = p.Key("somebody") })
	}},
	{name: "root-crl-signed-by-another", make: td0, spoil: func(p *testpki.PKI, c *dcap.Collateral) {
		c.RootCRL = p.Root.CRL(func(t *testpki.CRLTemplate) { t.Signer = p.Key("somebody") })
	}},
	{name: "tcb-info-expired", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.Platform.TCBInfo(dcap.TEETDX).NextUpdate = p.Now.Add(-time.Hour)
		return q
	}},
	{name: "tcb-info-of-tomorrow", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.Platform.TCBInfo(dcap.TEETDX).IssueDate = p.Now.AddDate(0, 0, 1)
		return q
	}},
	{name: "tcb-info-of-another-fmspc", make: td0, spoil: func(p *testpki.PKI, c *dcap.Collateral) {
		c.TCBInfo = p.Platform(testpki.FMSPC([6]byte{0, 0x20})).Collateral(dcap.TEETDX).TCBInfo
	}},
	{name: "tcb-info-changed", make: td0, spoil: func(_ *testpki.PKI, c *dcap.Collateral) {
		c.TCBInfo = []byte(replaceOnce(string(c.TCBInfo), `"pcesvn":15`, `"pcesvn":14`))
	}},
	{name: "tcb-info-of-sgx", make: td0, spoil: func(p *testpki.PKI, c *dcap.Collateral) {
		c.TCBInfo = p.Platform(digits).Collateral(dcap.TEESGX).TCBInfo
	}},
	{name: "qe-identity-expired", make: func(p *testpki.PKI) *testpki.Quote {
		p.TDQE.NextUpdate = p.Now.Add(-time.Hour)
		return td(p)
	}},
	{name: "qe-identity-of-sgx", make: td0, spoil: func(p *testpki.PKI, c *dcap.Collateral) {
		c.QEIdentity = p.IdentityJSON(p.QE)
	}},
	{name: "pck-expired", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		q.Platform.Reissue(func(t *testpki.Template) { t.NotAfter = p.Now.Add(-time.Hour) })
		return q
	}},
	{name: "levels-from-the-lowest-up", make: func(p *testpki.PKI) *testpki.Quote {
		q := td(p)
		levels := q.Platform.TCBInfo(dcap.TEETDX).Levels
		for i, j := 0, len(levels)-1; i < j; i, j = i+1, j-1 {
			levels[i], levels[j] = levels[j], levels[i]
		}
		return q
	}},
}

func td0(p *testpki.PKI) *testpki.Quote { return td(p) }
