package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// Key returns the P-256 key of that name. The same name gives the same key in
// one PKI and in every other of the same seed. The keys of certificates have
// other names than a caller would think of.
func (p *PKI) Key(name string) *ecdsa.PrivateKey {
	for i := 0; ; i++ {
		d := p.derive(fmt.Sprintf("key %d %s", i, name))
		// Fails once in 2^32, when d is not below the order of the curve.
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:]); err == nil {
			return key
		}
	}
}

// derive returns 32 bytes that only depend on the seed and the label.
func (p *PKI) derive(label string) [32]byte {
	h := hmac.New(sha256.New, p.seed[:])
	h.Write([]byte(label))
	return [32]byte(h.Sum(nil))
}

// derive fills b.
func (p *PKI) fill(b []byte, label string) {
	for i := 0; len(b) > 0; i++ {
		d := p.derive(fmt.Sprintf("%s %d", label, i))
		b = b[copy(b, d[:]):]
	}
}

// keyID is the identifier that Intel gives a key: the SHA-1 of the public key,
// without the identifier of its algorithm (RFC 5280 §4.2.1.2, method 1).
func keyID(key crypto.Signer) []byte {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	must(asn1.Unmarshal(publicKey(key), &spki))
	sum := sha1.Sum(spki.Key.Bytes)
	return sum[:]
}

// publicKey returns the SubjectPublicKeyInfo of a key, DER.
func publicKey(key crypto.Signer) []byte {
	return must(x509.MarshalPKIXPublicKey(key.Public()))
}

// point returns X and Y of a P-256 key, 64 bytes.
func point(key *ecdsa.PrivateKey) []byte {
	return must(key.PublicKey.Bytes())[1:]
}

// Object identifiers of signature algorithms, as AlgorithmIdentifier.
var (
	algorithmSHA256 = tlv(0x30, oid(1, 2, 840, 10045, 4, 3, 2))
	algorithmSHA384 = tlv(0x30, oid(1, 2, 840, 10045, 4, 3, 3))
	algorithmSHA512 = tlv(0x30, oid(1, 2, 840, 10045, 4, 3, 4))
	algorithmRSA    = tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 11), []byte{5, 0})
)

// algorithm returns the AlgorithmIdentifier of signatures by key, DER, and the
// hash that they take.
func algorithm(key crypto.Signer) ([]byte, crypto.Hash) {
	switch k := key.Public().(type) {
	case *ecdsa.PublicKey:
		switch size := k.Curve.Params().BitSize; {
		case size <= 256:
			return algorithmSHA256, crypto.SHA256
		case size <= 384:
			return algorithmSHA384, crypto.SHA384
		}
		return algorithmSHA512, crypto.SHA512
	case *rsa.PublicKey:
		return algorithmRSA, crypto.SHA256
	}
	panic(fmt.Sprintf("testpki: a %T cannot sign here; ECDSA and RSA keys can", key))
}

// sign returns a signature as certificates have it. It is deterministic
// (RFC 6979), for which the absent source of randomness asks.
func sign(key crypto.Signer, message []byte) []byte {
	_, hash := algorithm(key)
	h := hash.New()
	h.Write(message)
	return must(key.Sign(nil, h.Sum(nil), hash))
}

// signRaw returns a signature as quotes and JSON have it: R and S, big endian,
// 64 bytes. Of a key that is not P-256 it is what fits.
func signRaw(key crypto.Signer, message []byte) []byte {
	der, raw := sign(key, message), make([]byte, 64)
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil || sig.R.BitLen() > 256 || sig.S.BitLen() > 256 {
		copy(raw, der)
		return raw
	}
	sig.R.FillBytes(raw[:32])
	sig.S.FillBytes(raw[32:])
	return raw
}

func bigInt(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

// must is for what fails only by a mistake in a test.
func must[T any](v T, err error) T {
	if err != nil {
		panic("testpki: " + err.Error())
	}
	return v
}
