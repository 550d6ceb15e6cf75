package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/testpki"
)

// The benchmarks of this file make their quotes, and compare themselves with
// what they cannot do without: each verification is followed by one of P-256,
// and "p256/op" is the ratio of the medians of the two. So it means the same on
// a busy machine. A verification takes nine signatures with nothing in the
// cache, three with the collateral in it, and two with the PCK certificate, too.

// p256 returns a function that verifies one P-256 signature.
func p256(b *testing.B) func() {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a quote"))
	sig, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		if !ecdsa.VerifyASN1(&k.PublicKey, digest[:], sig) {
			panic("a good signature is refused")
		}
	}
}

// compared runs op, and a P-256 verification after each.
func compared(b *testing.B, op func(i int)) {
	one := p256(b)
	var ops, ones []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		op(i)
		middle := time.Now()
		one()
		ops, ones = append(ops, middle.Sub(start)), append(ones, time.Since(middle))
	}
	b.ReportMetric(float64(median(ops)), "ns/op")
	b.ReportMetric(float64(median(ops))/float64(median(ones)), "p256/op")
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// made is a quote of each kind that is common, and its collateral.
func made() map[string]Input {
	pki := testpki.New(testpki.Seed("bench"))
	m := pki.Platform()
	list := map[string]Input{}
	for name, q := range map[string]*testpki.Quote{
		"SGX-v3": m.SGXQuote(), "TDX-v4": m.TDXQuote(),
		"TDX-v5": m.TDXQuote(func(q *testpki.Quote) { q.Header.Version, q.BodyType = 5, dcap.BodyTD15 }),
	} {
		list[name] = Input{q.Bytes(), q.Collateral(), pki.Now}
	}
	return list
}

func trusting(b *testing.B, options ...Option) *Verifier {
	v, err := New(append(options, WithRoots(testpki.New(testpki.Seed("bench")).Root.DER))...)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

func verifyMade(b *testing.B, options ...Option) {
	for _, name := range []string{"SGX-v3", "TDX-v4", "TDX-v5"} {
		in := made()[name]
		b.Run(name, func(b *testing.B) {
			v := trusting(b, options...)
			compared(b, func(int) {
				if _, err := v.Verify(in.Quote, in.Collateral, in.At); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkMadeCold and BenchmarkMadeWarmPCK are BenchmarkCold and
// BenchmarkWarmPCK for where there are no real quotes.
func BenchmarkMadeCold(b *testing.B)    { verifyMade(b, WithCache(0)) }
func BenchmarkMadeWarmPCK(b *testing.B) { verifyMade(b) }

// family are quotes of many platforms that have the same collateral.
func family(n int) (quotes, leaves [][]byte, c *dcap.Collateral, at time.Time) {
	pki := testpki.New(testpki.Seed("bench"))
	for range n {
		m := pki.Platform()
		quotes, leaves = append(quotes, m.TDXQuote().Bytes()), append(leaves, m.PCK.DER)
	}
	return quotes, leaves, pki.Platform().Collateral(dcap.TEETDX), pki.Now
}

// BenchmarkWarmCollateral has a PCK certificate each time that the verifier
// does not know: of 2500 that come in turn, its cache has room for some 30.
func BenchmarkWarmCollateral(b *testing.B) {
	quotes, leaves, c, at := family(2500)
	v := trusting(b, WithCache(64<<10))
	// known counts the PCK certificates that are in the cache.
	known := func() (n int) {
		for _, raw := range leaves {
			h := v.certificates.entries
			if slices.ContainsFunc(entriesOf(h), func(e []byte) bool { return string(e) == string(raw) }) {
				n++
			}
		}
		return n
	}
	for _, q := range quotes {
		if _, err := v.Verify(q, c, at); err != nil {
			b.Fatal(err)
		}
	}
	if n := known(); n == 0 || n > 40 || len(v.crls.entries) != 2 || len(v.tcbInfos.entries) != 1 || len(v.identities.entries) != 1 {
		b.Fatalf("the cache has %d of %d PCK certificates", n, len(leaves))
	}
	compared(b, func(i int) {
		if _, err := v.Verify(quotes[i%len(quotes)], c, at); err != nil {
			b.Fatal(err)
		}
	})
	if n := known(); n > 40 {
		b.Errorf("the cache has %d of %d PCK certificates", n, len(leaves))
	}
}

// entriesOf lists the bytes of what a cache has.
func entriesOf[T any](entries map[uint64]*entry[T]) (list [][]byte) {
	for _, e := range entries {
		list = append(list, e.raw)
	}
	return list
}

// BenchmarkParallel verifies on all processors. Here p256/op is the ratio to
// P-256 verifications on all of them: if it is that of BenchmarkMadeWarmPCK,
// then verification scales as signatures do. Compare -cpu 1,2,4.
func BenchmarkParallel(b *testing.B) {
	quotes, _, c, at := family(64)
	v := trusting(b)
	one := p256(b)
	var next atomic.Int64
	parallel := func(op func()) time.Duration {
		start := time.Now()
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				op()
			}
		})
		return time.Since(start)
	}
	verify := func() {
		if _, err := v.Verify(quotes[next.Add(1)%int64(len(quotes))], c, at); err != nil {
			b.Error(err)
		}
	}
	for range quotes {
		verify()
	}
	b.ResetTimer()
	d := parallel(verify)
	b.StopTimer()
	b.ReportMetric(float64(d)/float64(parallel(one)), "p256/op")
	b.ReportMetric(float64(b.N)/d.Seconds(), "quotes/s")
}
