package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
)

// key is a P-256 public key that is ready to verify with.
type key struct {
	raw [64]byte // X and Y, big endian
	pub *ecdsa.PublicKey
}

// newKey fails for what is no point of the curve.
func newKey(raw *[64]byte) (*key, error) {
	var point [65]byte
	point[0] = 4 // uncompressed
	copy(point[1:], raw[:])
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point[:])
	if err != nil {
		return nil, fmt.Errorf("a public key is no point of P-256")
	}
	return &key{*raw, pub}, nil
}

// verifies reports whether sig, R and S, signs a SHA-256 digest. The standard
// library takes signatures in DER only.
func (k *key) verifies(digest *[32]byte, sig *[64]byte) bool {
	var buf [72]byte
	der := append(buf[:0], 0x30, 0)
	der = appendInteger(der, sig[:32])
	der = appendInteger(der, sig[32:])
	der[1] = byte(len(der) - 2)
	return ecdsa.VerifyASN1(k.pub, digest[:], der)
}

// appendInteger appends a non-negative INTEGER of at most 32 bytes.
func appendInteger(b, v []byte) []byte {
	for len(v) > 1 && v[0] == 0 {
		v = v[1:]
	}
	pad := v[0] >> 7 // a leading zero keeps it positive
	b = append(b, 0x02, byte(len(v))+pad)
	if pad != 0 {
		b = append(b, 0)
	}
	return append(b, v...)
}
