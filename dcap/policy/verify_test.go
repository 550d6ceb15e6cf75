package policy_test

import (
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// TestVerification judges quotes that were really verified, of the fake Intel.
func TestVerification(t *testing.T) {
	pki := testpki.New(testpki.Seed("policy"))
	v, err := verify.New(verify.WithRoots(pki.Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	judge := func(q *testpki.Quote, p *policy.Policy) *policy.Verdict {
		t.Helper()
		r, err := v.Verify(q.Bytes(), q.Collateral(), pki.Now)
		if !r.Authentic() {
			t.Fatal(err)
		}
		return p.Check(r)
	}
	var key verify.Root
	copy(key.Key[:], spki(t, pki.Root.X509().RawSubjectPublicKeyInfo))
	software := policy.Roots(key.Fingerprint())

	sgx := pki.Platform().SGXQuote()
	enclave := policy.Enclave{MREnclave: [][32]byte{sgx.Enclave.MREnclave}}
	p, err := policy.New(software, enclave, policy.ReportDataPrefix(sgx.Enclave.ReportData[:32]))
	if err != nil {
		t.Fatal(err)
	}
	if v := judge(sgx, p); !v.Accepted {
		t.Error(v.Err())
	}
	// Without the root's name it is a quote of nobody.
	intel, err := policy.New(enclave)
	if err != nil {
		t.Fatal(err)
	}
	if v := judge(sgx, intel); strings.Join(rules(v), " ") != "platform.roots" {
		t.Errorf("a software root: %v", v.Err())
	}
	sgx.Enclave.Attributes.Flags |= isa.AttrDebug
	sgx.Enclave.ReportData[0]++
	if v := judge(sgx, p); strings.Join(rules(v), " ") != "sgx.allow_debug report_data_prefix" {
		t.Errorf("another one: %v", v.Err())
	}

	td := pki.Platform(testpki.Status(dcap.OutOfDate), testpki.FMSPC([6]byte{9})).TDXQuote()
	p, err = policy.New(software, policy.TD{MRTD: [][48]byte{td.TD.MRTD}})
	if err != nil {
		t.Fatal(err)
	}
	if v := judge(td, p); strings.Join(rules(v), " ") != "tcb.accept" {
		t.Errorf("an old platform: %v", v.Err())
	}
	if p, err = p.With(policy.AcceptTCB(dcap.OutOfDate)); err != nil {
		t.Fatal(err)
	}
	if v := judge(td, p); !v.Accepted {
		t.Error(v.Err())
	}
}

// spki is the key of a P-256 SubjectPublicKeyInfo, which ends with it.
func spki(t *testing.T, der []byte) []byte {
	t.Helper()
	if len(der) != 91 || der[26] != 4 {
		t.Fatalf("no P-256 key: %x", der)
	}
	return der[27:]
}

// TestVectors judges real quotes by the strictest policy that names no
// identity, and by others that let some of them pass.
func TestVectors(t *testing.T) {
	lax := parse(t, "[tcb]\naccept = [\"SWHardeningNeeded\", \"ConfigurationNeeded\", \"ConfigurationAndSWHardeningNeeded\"]\nout_of_date_grace = \"365d\"\nout_of_date_grace_from = \"newer_level\"\n[collateral]\nexpired_grace = \"90d\"\n"+anySGX+"allow_debug = true\n"+anyTDX+"allow_debug = true\n")
	strict := parse(t, anySGX+anyTDX)
	want := map[string]struct{ strict, lax string }{
		"01-sgx-v3-00A067110000":                 {"tcb.accept", ""},
		"03-tdx-v5-90C06F000000-outdated":        {"tcb.accept", "tcb.accept"}, // of no level
		"07-tdx-v4-00A06D080000-trustee":         {"not_yet_valid tcb.accept", "not_yet_valid tcb.out_of_date_grace"},
		"09-tdx-v4-50806F000000-trustee-debugTD": {"tdx.allow_debug", ""},
		"12-sgx-v3-00606A000000-oasis":           {"not_yet_valid tcb.accept", "not_yet_valid"},
		"12-sgx-v3-00606A000000-oasis-eval17":    {"tcb.accept", "tcb.out_of_date_grace"},
		"13-sgx-v3-00606A000000-occlum-debug":    {"not_yet_valid tcb.accept sgx.allow_debug", "not_yet_valid"},
		"15-sgx-v3-00906EA10000-fortanix-dcapql": {"authentic", "authentic"},
		"16-sgx-v3-intel-synthetic":              {"platform.roots", "platform.roots"},
	} // those that are not here pass
	for _, set := range vectors.All(t) {
		v, err := verify.New(verify.WithRoots(set.Root))
		if err != nil {
			t.Fatal(err)
		}
		r, _ := v.Verify(set.Quote, set.Collateral, set.At)
		for _, c := range []struct {
			p    *policy.Policy
			want string
		}{{strict, want[set.Name].strict}, {lax, want[set.Name].lax}} {
			if verdict := c.p.Check(r); strings.Join(rules(verdict), " ") != c.want {
				t.Errorf("%s: want %q: %v", set.Name, c.want, verdict.Err())
			}
		}
	}
}
