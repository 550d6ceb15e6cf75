package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testsuite/vectors"
)

func BenchmarkP256Verify(b *testing.B) {
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	digest := sha256.Sum256([]byte("a quote"))
	sig, _ := ecdsa.SignASN1(rand.Reader, k, digest[:])
	for b.Loop() {
		if !ecdsa.VerifyASN1(&k.PublicKey, digest[:], sig) {
			b.Fatal("a good signature is refused")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	q := vectors.Named(b, "02-tdx-v4").Quote
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dcap.ParseQuote(q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCold(b *testing.B)    { benchVerify(b, verify.WithCache(0)) }
func BenchmarkWarmPCK(b *testing.B) { benchVerify(b) }
