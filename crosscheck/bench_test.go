//go:build unix

package crosscheck

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap/verify"
)

// BenchmarkPeers verifies a set over and over with each peer that accepts it,
// from bytes to answer: quote, collateral and revocation lists are parsed, and
// chains and signatures verified, every time. What is not the same:
//
//   - feidi keeps nothing from one time to the next (no cache);
//   - go-tdx-guest verifies some certificates and lists twice and thrice;
//   - dcap-qvl-js verifies no signature of a revocation list;
//   - oasis-core looks at no revocation list at all;
//   - qvl is Intel's four functions one after the other, each of which parses
//     what it needs.
//
// Programs are started once for all repetitions: the more of these, the less
// does that count. cpu-us/op is time of processors, of the peer's process too,
// which is what to look at on a busy machine. P256Verify is one signature, of nine that a quote with all
// that belongs to it has.
func BenchmarkPeers(b *testing.B) {
	peers := findPeers(b)
	for _, s := range allSets(b) {
		if !benchmarked[s.Name] {
			continue
		}
		b.Run("feidi/"+s.Name, func(b *testing.B) {
			v, err := s.verifier(verify.WithCache(0))
			if err != nil {
				b.Fatal(err)
			}
			defer reportCPU(b)()
			for range b.N {
				if r, err := v.Verify(s.Quote, &s.Collateral, s.At); !r.Authentic() {
					b.Fatal(err)
				}
			}
		})
		for _, p := range peers {
			if !p.Reads(s) {
				continue
			}
			b.Run(p.Name()+"/"+s.Name, func(b *testing.B) {
				if a, err := p.Verify(s); err != nil || a.Steps == nil && !a.Accepted {
					b.Skipf("%v %v", a, err) // it would be measured at half the work
				}
				b.ResetTimer()
				defer reportCPU(b)()
				if err := repeat(p, s, b.N); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
	b.Run("P256Verify", benchmarkP256)
}

// benchmarked are the sets that BenchmarkPeers uses. Not every peer takes each.
var benchmarked = map[string]bool{
	"made/sgx3/UpToDate":                     true,
	"made/tdx4/UpToDate":                     true,
	"12-sgx-v3-00606A000000-oasis":           true,
	"02-tdx-v4-B0C06F000000":                 true,
	"09-tdx-v4-50806F000000-trustee-debugTD": true,
}

func repeat(p Peer, s *Set, n int) error {
	if p, ok := p.(*program); ok {
		_, err := p.repeat(s, n)
		return err
	}
	for range n {
		if _, err := p.Verify(s); err != nil {
			return err
		}
	}
	return nil
}

func benchmarkP256(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("quote"))
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	defer reportCPU(b)()
	for range b.N {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
			b.Fatal("signature refused")
		}
	}
}

// reportCPU begins to measure, and returns what ends it.
func reportCPU(b *testing.B) func() {
	begin := cpuTime()
	return func() {
		b.ReportMetric(float64((cpuTime()-begin).Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
	}
}

// cpuTime is how long processors were busy for this process and those that it
// started and that ended.
func cpuTime() time.Duration {
	var all time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			return 0
		}
		all += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return all
}
