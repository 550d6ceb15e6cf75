package p256_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/feidi-dev/feidi/internal/p256"
)

// So many signatures that some have numbers shorter than 32 bytes.
func TestSign(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := p256.Public(key)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, pub[:]...))
	if err != nil || !back.Equal(&key.PublicKey) {
		t.Fatalf("public key %x, %v", pub, err)
	}
	short := 0
	for i := range 2000 {
		message := []byte{byte(i), byte(i >> 8)}
		sig, err := p256.Sign(key, message)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(message)
		if !ecdsa.Verify(back, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
			t.Fatalf("%x does not verify", sig)
		}
		if sig[0] == 0 || sig[32] == 0 {
			short++
		}
	}
	if short == 0 {
		t.Error("no number was short: not all was tested")
	}
}

// RFC 6979, A.2.5: P-256, SHA-256, "sample".
func TestPublished(t *testing.T) {
	d, _ := hex.DecodeString("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		t.Fatal(err)
	}
	const want = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" +
		"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
	if sig, err := p256.Sign(key, []byte("sample")); err != nil || hex.EncodeToString(sig[:]) != want {
		t.Errorf("%x, %v", sig, err)
	}
}

func TestOtherCurves(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p256.Public(key); err == nil {
		t.Error("a key on P-384")
	}
}

func BenchmarkSign(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	message := make([]byte, 432) // header and body of a quote
	for b.Loop() {
		if _, err := p256.Sign(key, message); err != nil {
			b.Fatal(err)
		}
	}
}
