package qve_test

import (
	"context"
	"testing"

	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// Real quotes have the results that Intel's library gives. Intel's root is built in.
func TestVectors(t *testing.T) {
	for _, set := range vectors.All(t) {
		var roots [][]byte
		if root, err := verify.RootOf(set.Root); err != nil || !root.Intel {
			roots = [][]byte{set.Root}
		}
		q, err := qve.New(newWorld(t, kinds[0]).qve, roots...)
		if err != nil {
			t.Fatal(err)
		}
		quote, err := dcap.ParseQuote(set.Quote)
		if err != nil {
			t.Fatal(err)
		}
		data := supplemental(3)
		ret, expired, result, err := q.SgxQveVerifyQuote(context.Background(), set.Quote, qve.NewCollateral(set.Collateral, quote.Header.TEEType), set.At.Unix(), nil, data)
		if err != nil {
			t.Fatal(err)
		}
		v := tvl.Verdict{Result: tvl.Result(result), Supplemental: data}
		want, late, lost := wantOf(t, set.Want, quote)
		switch {
		case lost && ret == 0, !lost && v.Result.String() != want:
			t.Errorf("%s: %v, %v, want %q; Intel's library says %+v", set.Name, tvl.Code(ret), v.Result, want, set.Want)
		case !lost && expired != 1 && late:
			t.Errorf("%s: expired %d; Intel's library says %+v", set.Name, expired, set.Want)
		}
		if ret == 0 {
			s, err := v.Details()
			if err != nil {
				t.Fatalf("%s: %v", set.Name, err)
			}
			t.Logf("%s: %v, expired %d, TCB date %v, %q", set.Name, v.Result, expired, s.TCBDate, s.AdvisoryIDs)
		} else {
			t.Logf("%s: %v", set.Name, tvl.Code(ret))
		}
	}
}

// wantOf is the result that belongs to the verdicts of Intel's library; whether
// something is expired; and whether there is no result.
func wantOf(t *testing.T, v vectors.Verdicts, quote *dcap.Quote) (result string, late, lost bool) {
	t.Helper()
	for _, name := range []string{v.PCKChain, v.TCBInfo, v.QEIdentity} {
		s, err := verify.ParseStatus(name)
		if err != nil {
			t.Fatal(err)
		}
		late = late || s.Expired()
		lost = lost || s != verify.StatusOK && !s.Expired()
	}
	s, err := verify.ParseStatus(v.Quote)
	if err != nil {
		t.Fatal(err)
	}
	lost = lost || s != verify.StatusOK && !s.TCB() || s == verify.StatusTCBRevoked || s == verify.StatusTCBNotSupported
	lost = lost || quote.Certification.Type() != dcap.CertPCKChain
	return resultName(s), late, lost
}
