package verify_test

import (
	"testing"

	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

// TestVectors compares all four steps with the verdicts of Intel's library on
// real quotes: cold, and again with what the first time left in the cache.
func TestVectors(t *testing.T) {
	for _, set := range vectors.All(t) {
		t.Run(set.Name, func(t *testing.T) {
			v, err := verify.New(verify.WithRoots(set.Root))
			if err != nil {
				t.Fatal(err)
			}
			quotes := [][]byte{set.Quote, set.Quote}
			if set.Padded != nil {
				quotes = append(quotes, set.Padded)
			}
			for i, q := range quotes {
				r, err := v.Verify(q, set.Collateral, set.At)
				got := vectors.Verdicts{
					PCKChain: r.Steps.PCKChain.Status.String(), TCBInfo: r.Steps.TCBInfo.Status.String(),
					QEIdentity: r.Steps.QEIdentity.Status.String(), Quote: r.Steps.Quote.Status.String(),
				}
				if got != set.Want {
					t.Errorf("run %d: %+v, Intel's library says %+v\n%v", i+1, got, set.Want, err)
				}
				if (err == nil) != (r.Status == verify.StatusOK) {
					t.Errorf("run %d: %v, but the error is %v", i+1, r.Status, err)
				}
				if i == 0 {
					t.Logf("%v\n%s", r.Status, r.Explain())
				}
			}
		})
	}
}

// TestIntelRoot verifies the sets of Intel's root with the built-in key.
func TestIntelRoot(t *testing.T) {
	v, err := verify.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range vectors.All(t) {
		r, _ := v.Verify(set.Quote, set.Collateral, set.At)
		if want := set.Name != "16-sgx-v3-intel-synthetic"; r.Root.Intel != want {
			t.Errorf("%s: root is Intel's: %v, want %v (%v)", set.Name, r.Root.Intel, want, r.Steps.PCKChain)
		}
		if set.Name == "16-sgx-v3-intel-synthetic" && r.Steps.PCKChain.Status != verify.StatusSGXPCKCertChainUntrusted {
			t.Errorf("%s: another root than Intel's passes: %v", set.Name, r.Steps.PCKChain)
		}
	}
}

func benchVerify(b *testing.B, options ...verify.Option) {
	for _, name := range []string{"02-tdx-v4", "01-sgx-v3"} {
		set := vectors.Named(b, name)
		b.Run(name, func(b *testing.B) {
			v, err := verify.New(options...)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if r, err := v.Verify(set.Quote, set.Collateral, set.At); !r.Authentic() {
					b.Fatal(err)
				}
			}
		})
	}
}
