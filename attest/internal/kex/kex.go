// Package kex is what the two key exchanges of Intel's SGX SDK have in common:
// keys on the curve P-256 in the SDK's byte order, and the derivation of
// symmetric keys from the secret that they give.
//
// Sources: sgx_tcrypto.h, sgx_ecp_types.h and sgx_key_exchange.h of the SDK;
// NIST SP 800-56C, of which this is the extraction with AES-CMAC, and SP
// 800-108, which is the expansion.
package kex

import (
	"crypto/ecdh"
	"crypto/rand"
	"slices"

	"github.com/feidi-dev/feidi/internal/cmac"
)

// KDF is the number that the SDK gives to this derivation of keys, the only
// one that it has ("AES-CMAC entropy extraction and key derivation").
const KDF = 1

// PublicSize is the size of a public key in bytes.
const PublicSize = 2 * coordinateSize

const coordinateSize = 32

// Public is a public key as messages have it (sgx_ec256_public_t): x and y,
// 32 bytes each, little-endian, while the rest of the world has them
// big-endian.
type Public [PublicSize]byte

// GenerateKey makes the key pair of one exchange.
func GenerateKey() (*ecdh.PrivateKey, error) { return ecdh.P256().GenerateKey(rand.Reader) }

// PublicOf returns the public half of a key.
func PublicOf(k *ecdh.PrivateKey) Public {
	p := Public(k.PublicKey().Bytes()[1:]) // without the 4 that means uncompressed
	p.swap()
	return p
}

// Key returns the key for use with crypto/ecdh. It fails if p is no point of
// the curve.
func (p Public) Key() (*ecdh.PublicKey, error) {
	return ecdh.P256().NewPublicKey(p.Uncompressed())
}

// Uncompressed returns the encoding of SEC 1, 65 bytes. It need not be a point
// of the curve.
func (p Public) Uncompressed() []byte {
	p.swap()
	return append([]byte{4}, p[:]...)
}

// swap turns the byte order of the coordinates.
func (p *Public) swap() {
	slices.Reverse(p[:coordinateSize])
	slices.Reverse(p[coordinateSize:])
}

// Secret is what two keys give, and all other keys are derived from: the
// CMAC of the shared x coordinate, little-endian, under a key of zeros.
type Secret [cmac.Size]byte

// Agree returns the secret of a key of ours and one of the peer's. It fails
// if that is no point of the curve.
func Agree(own *ecdh.PrivateKey, peer Public) (s Secret, err error) {
	p, err := peer.Key()
	if err != nil {
		return s, err
	}
	x, err := own.ECDH(p)
	if err != nil {
		return s, err
	}
	slices.Reverse(x)
	s = cmac.Sum([cmac.Size]byte{}, x)
	clear(x)
	return s, nil
}

// Derive returns the key of a label: the CMAC under the secret of a counter of
// one, the label, a zero, and the size of the key in bits in two bytes,
// little-endian.
func (s *Secret) Derive(label string) [cmac.Size]byte {
	msg := append([]byte{1}, label...)
	return cmac.Sum(*s, append(msg, 0, 8*cmac.Size, 0))
}
