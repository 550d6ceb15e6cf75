// Package p256 signs as quotes have it: with ECDSA over P-256 and SHA-256, and
// with numbers of 32 bytes, big endian.
package p256

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"

	"github.com/feidi-dev/feidi/internal/der"
)

// Size is the size of a signature (R and S) and of a public key (X and Y) in
// bytes.
const Size = 64

// errSignature is never seen: it is of a signature that Go does not make.
var errSignature = errors.New("p256: not a signature over P-256")

// Sign returns the signature of a message, which is the same each time (RFC 6979):
// it needs no random numbers, and two thirds of the time of one that has them.
func Sign(key *ecdsa.PrivateKey, message []byte) (sig [Size]byte, err error) {
	digest := sha256.Sum256(message)
	b, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return sig, err
	}
	d := der.NewReader(b)
	d.Enter(der.TagSequence)
	r, s := d.Integer(), d.Integer()
	if d.Close(); !d.OK() || !put(sig[:32], r) || !put(sig[32:], s) {
		return [Size]byte{}, errSignature
	}
	return sig, nil
}

// put writes a number at the end of dst, and reports whether there is room.
func put(dst, n []byte) bool {
	for len(n) > 0 && n[0] == 0 {
		n = n[1:]
	}
	if len(n) > len(dst) {
		return false
	}
	copy(dst[len(dst)-len(n):], n)
	return true
}

// Public returns the public key of a key on P-256.
func Public(key *ecdsa.PrivateKey) (pub [Size]byte, err error) {
	b, err := key.PublicKey.Bytes() // 0x04, X, Y
	if err != nil || len(b) != 1+Size {
		return pub, errors.Join(errors.New("p256: not a key on P-256"), err)
	}
	return [Size]byte(b[1:]), nil
}
