package epid

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/epid/internal/bn"
)

// Sizes in bytes.
const (
	PrivateKeySize    = 132
	CompressedKeySize = 68
)

// PrivateKey is a member's private key.
type PrivateKey struct {
	GID  GroupID
	A    Point
	X, F Number
}

// ParsePrivateKey reads 132 bytes. Group.NewMember checks that it is a member's.
func ParsePrivateKey(b []byte) (PrivateKey, error) {
	d := decoder{what: "private key", data: b}
	k := PrivateKey{d.gid(), d.point(), d.number(), d.number()}
	return k, d.end()
}

// Bytes returns the 132 bytes.
func (k PrivateKey) Bytes() []byte { return slices.Concat(k.GID[:], k.A[:], k.X[:], k.F[:]) }

// CompressedKey is a private key of which x and f come from a seed, and A is
// known by its x. The issuer chose f: such keys are for devices that get their
// key in the factory.
type CompressedKey struct {
	GID  GroupID
	AX   [32]byte
	Seed [32]byte
}

// ParseCompressedKey reads 68 bytes.
func ParseCompressedKey(b []byte) (CompressedKey, error) {
	d := decoder{what: "compressed private key", data: b}
	k := CompressedKey{GID: d.gid()}
	d.read(k.AX[:])
	d.read(k.Seed[:])
	return k, d.end()
}

// Bytes returns the 68 bytes.
func (k CompressedKey) Bytes() []byte { return slices.Concat(k.GID[:], k.AX[:], k.Seed[:]) }

// Compressed makes a member from a seed, always the same.
func (i *Issuer) Compressed(seed [32]byte) (CompressedKey, error) {
	x, f := fromSeed(seed)
	if f.IsZero() || x.Add(i.gamma).IsZero() {
		return CompressedKey{}, fmt.Errorf("%w: the seed makes no key: take another one", ErrKey)
	}
	a := i.certify(x, i.group.h1.Mul(f)).Bytes()
	return CompressedKey{i.group.key.GID, [32]byte(a[:32]), seed}, nil
}

// Decompress returns the private key, or ErrKey if it is not of the group.
func (g *Group) Decompress(k CompressedKey) (PrivateKey, error) {
	if k.GID != g.key.GID {
		return PrivateKey{}, fmt.Errorf("%w: the key is of group %x, want %x", ErrKey, k.GID, g.key.GID)
	}
	a, b, err := bn.Lift(k.AX)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("%w: x of A: %w", ErrKey, err)
	}
	x, f := fromSeed(k.Seed)
	for _, p := range []bn.G1{a, b} {
		if g.member(p, x, f) {
			return PrivateKey{k.GID, p.Bytes(), x.Bytes(), f.Bytes()}, nil
		}
	}
	return PrivateKey{}, fmt.Errorf("%w: neither point with this x is a member's", ErrKey)
}

// fromSeed derives x and f, each two hashes mod p, as Intel's SDK does.
func fromSeed(seed [32]byte) (x, f bn.Scalar) {
	part := func(n byte) []byte {
		h := sha256.Sum256(slices.Concat(seed[:], []byte{n}, []byte("ECC-SafeID")))
		return h[:]
	}
	return bn.ScalarMod(slices.Concat(part(6), part(7))), bn.ScalarMod(slices.Concat(part(8), part(9)))
}
