package pve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/feidi-dev/feidi/arch/word"
)

// Group is an extended EPID group: an issuer with its groups, and its attestation
// service. The enclave takes it from its host with the word of its own signer, see
// package word. Its document has, before that word, numbers in big endian:
//
//	  0   4  extended group ID; 0 is Intel's
//	  4  64  X and Y of the key that signs the issuer's files, on P-256
//	 68 260  modulus and exponent of the attestation service's key, RSA-2048
//	328 388  modulus and exponent of the key that PPIDs are encrypted to, RSA-3072
type Group struct {
	XEID       uint32
	SigningKey *ecdsa.PublicKey
	Service    *rsa.PublicKey
	PPIDKey    *rsa.PublicKey
}

// Sizes in bytes.
const (
	serviceModulus = 256
	ppidModulus    = 384
	groupSize      = 4 + 64 + serviceModulus + 4 + ppidModulus + 4

	// DocumentSize is the size of a group's document.
	DocumentSize = groupSize + word.Overhead
)

const purpose = "an extended EPID group"

// Sign makes the document of a group, which provisioning enclaves take that the
// same key has signed.
func (g *Group) Sign(signer *rsa.PrivateKey) ([]byte, error) {
	point, err := g.SigningKey.Bytes()
	if err != nil || g.SigningKey.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: the key that signs the issuer's files is not on P-256", ErrGroup)
	}
	b := append(binary.BigEndian.AppendUint32(nil, g.XEID), point[1:]...)
	for _, k := range []struct {
		key  *rsa.PublicKey
		size int
	}{{g.Service, serviceModulus}, {g.PPIDKey, ppidModulus}} {
		if k.key.N.BitLen() != 8*k.size || k.key.E < 3 || int64(k.key.E) > 1<<31-1 {
			return nil, fmt.Errorf("%w: a key of %d bits in place of RSA-%d", ErrGroup, k.key.N.BitLen(), 8*k.size)
		}
		b = append(b, k.key.N.FillBytes(make([]byte, k.size))...)
		b = binary.BigEndian.AppendUint32(b, uint32(k.key.E))
	}
	doc, err := word.Sign(purpose, b, signer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGroup, err)
	}
	return doc, nil
}

// OpenGroup returns the group of a document if it has the word of the signer whose
// MRSIGNER is given. The error is ErrGroup.
func OpenGroup(doc []byte, mrSigner [32]byte) (*Group, error) {
	if len(doc) != DocumentSize {
		return nil, fmt.Errorf("%w: %d bytes, and not %d", ErrGroup, len(doc), DocumentSize)
	}
	b, err := word.Open(purpose, doc, mrSigner)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGroup, err)
	}
	take := func(n int) (head []byte) { head, b = b[:n], b[n:]; return head }
	g := &Group{XEID: binary.BigEndian.Uint32(take(4))}
	if g.SigningKey, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, take(64)...)); err != nil {
		return nil, fmt.Errorf("%w: the key that signs the issuer's files: %w", ErrGroup, err)
	}
	key := func(size int) *rsa.PublicKey {
		return &rsa.PublicKey{N: new(big.Int).SetBytes(take(size)), E: int(binary.BigEndian.Uint32(take(4)) & (1<<31 - 1))}
	}
	g.Service, g.PPIDKey = key(serviceModulus), key(ppidModulus)
	return g, nil
}

// Argument reads the arguments of the enclave's program: none, and then there is no
// group, or a document in hexadecimal.
func Argument(args []string, mrSigner [32]byte) (*Group, error) {
	doc, err := word.Argument(args)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGroup, err)
	}
	if doc == nil {
		return nil, nil
	}
	return OpenGroup(doc, mrSigner)
}
