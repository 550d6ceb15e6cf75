package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"net/http"
	"testing"
)

// BenchmarkAnswer is an answer without a socket. What it costs at least is the
// arithmetic of BenchmarkParts.
func BenchmarkAnswer(b *testing.B) {
	f := theWorld(b)
	s := New(f.World, Options{})
	for _, c := range []struct{ name, path string }{
		{"pckcert", pathCert + "?" + f.pckQuery(b).Encode()},
		{"tcb", fmt.Sprintf("%stcb?fmspc=%x", sgx, f.single.FMSPC)},
		{"pckcrl", sgx + "pckcrl?ca=processor&encoding=der"},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, err := http.NewRequest("GET", origin+c.path, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				resp, err := s.Transport().RoundTrip(r)
				if err != nil || resp.StatusCode != 200 {
					b.Fatal(resp.StatusCode, err)
				}
			}
		})
	}
}

// BenchmarkParts is the arithmetic: a PPID is decrypted by RSA-3072, and documents
// and certificates are signed by ECDSA on P-256.
func BenchmarkParts(b *testing.B) {
	f := theWorld(b)
	b.Run("decrypt", func(b *testing.B) {
		k, err := rsa.GenerateKey(rand.Reader, 3072)
		if err != nil {
			b.Fatal(err)
		}
		c, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &k.PublicKey, f.ppid[:], nil)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := rsa.DecryptOAEP(sha256.New(), nil, k, c, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sign", func(b *testing.B) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		digest := make([]byte, 32)
		for b.Loop() {
			if _, err := ecdsa.SignASN1(rand.Reader, k, digest); err != nil {
				b.Fatal(err)
			}
		}
	})
}
