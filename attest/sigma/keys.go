package sigma

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"slices"

	"github.com/feidi-dev/feidi/attest/internal/kex"
	"github.com/feidi-dev/feidi/isa"
)

// Keys are what an exchange gives to each side. What they are used for is up
// to the application; the names are the SDK's intent.
type Keys struct {
	SK [isa.KeySize]byte // for encryption
	MK [isa.KeySize]byte // for authentication
}

// transcript is what the two sides have in common.
type transcript struct {
	ga, gb kex.Public
	secret kex.Secret
}

func (t *transcript) keys() *Keys {
	return &Keys{SK: t.secret.Derive("SK"), MK: t.secret.Derive("MK")}
}

// signed is the digest that the service provider signs.
func (t *transcript) signed() [sha256.Size]byte {
	return sha256.Sum256(slices.Concat(t.gb[:], t.ga[:]))
}

// reportData are the report data of the quote.
func (t *transcript) reportData() (d [64]byte) {
	vk := t.secret.Derive("VK")
	defer clear(vk[:])
	h := sha256.New()
	h.Write(t.ga[:])
	h.Write(t.gb[:])
	h.Write(vk[:])
	h.Sum(d[:0])
	return d
}

// signatureSize is the size of a signature: r and s, 32 bytes each,
// little-endian (sgx_ec256_signature_t).
const signatureSize = 64

func sign(key *ecdsa.PrivateKey, digest [sha256.Size]byte) (b [signatureSize]byte, err error) {
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return b, err
	}
	r.FillBytes(b[:32])
	s.FillBytes(b[32:])
	slices.Reverse(b[:32])
	slices.Reverse(b[32:])
	return b, nil
}

func verify(key *ecdsa.PublicKey, digest [sha256.Size]byte, b [signatureSize]byte) bool {
	slices.Reverse(b[:32])
	slices.Reverse(b[32:])
	r, s := new(big.Int).SetBytes(b[:32]), new(big.Int).SetBytes(b[32:])
	return ecdsa.Verify(key, digest[:], r, s)
}

// checkKey refuses keys that are of another curve, or of none.
func checkKey(key *ecdsa.PublicKey) error {
	if key == nil || key.Curve != elliptic.P256() {
		return ErrKey
	}
	if _, err := key.ECDH(); err != nil {
		return ErrKey
	}
	return nil
}
