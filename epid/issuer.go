package epid

import (
	"fmt"
	"io"
	"slices"

	"github.com/feidi-dev/feidi/epid/internal/bn"
)

// IssuerKeySize is the size of an issuer's private key in bytes.
const IssuerKeySize = 36

// IssuerKey is the private key of a group's issuer. Who knows it makes members.
type IssuerKey struct {
	GID   GroupID
	Gamma Number
}

// ParseIssuerKey reads 36 bytes.
func ParseIssuerKey(b []byte) (IssuerKey, error) {
	d := decoder{what: "issuer's private key", data: b}
	k := IssuerKey{d.gid(), d.number()}
	return k, d.end()
}

// Bytes returns the 36 bytes.
func (k IssuerKey) Bytes() []byte { return slices.Concat(k.GID[:], k.Gamma[:]) }

// Issuer makes the members of a group. It is safe for concurrent use.
type Issuer struct {
	group *Group
	gamma bn.Scalar
}

// NewIssuer makes a group.
func NewIssuer(random io.Reader, gid GroupID) (*Issuer, error) {
	gamma, err := bn.RandomScalar(random)
	if err != nil {
		return nil, fmt.Errorf("making an EPID group: %w", err)
	}
	k := PublicKey{GID: gid, W: bn.Generator2().Mul(gamma).Bytes()}
	for _, h := range []*Point{&k.H1, &k.H2} {
		// The hash of a random number: nobody knows its logarithm.
		seed, err := bn.RandomScalar(random)
		if err != nil {
			return nil, fmt.Errorf("making an EPID group: %w", err)
		}
		b := seed.Bytes()
		p, err := SHA512.point(b[:])
		if err != nil {
			return nil, fmt.Errorf("making an EPID group: %w", err)
		}
		*h = p.Bytes()
	}
	return OpenIssuer(k, IssuerKey{gid, gamma.Bytes()})
}

// OpenIssuer returns the issuer of these keys, or ErrKey if they do not belong
// together.
func OpenIssuer(public PublicKey, key IssuerKey) (*Issuer, error) {
	g, err := NewGroup(public)
	if err != nil {
		return nil, err
	}
	gamma, err := key.Gamma.scalar()
	if err != nil {
		return nil, fmt.Errorf("%w: gamma: %w", ErrKey, err)
	}
	if public.GID != key.GID || bn.Generator2().Mul(gamma).Bytes() != public.W {
		return nil, fmt.Errorf("%w: the issuer's private key is of another group", ErrKey)
	}
	return &Issuer{g, gamma}, nil
}

// Group returns the group.
func (i *Issuer) Group() *Group { return i.group }

// Key returns the issuer's private key.
func (i *Issuer) Key() IssuerKey { return IssuerKey{i.group.key.GID, i.gamma.Bytes()} }

// Certify makes a member of whoever made the join request with this nonce, or
// returns ErrJoin. A nonce serves once.
func (i *Issuer) Certify(random io.Reader, h Hash, nonce Nonce, r JoinRequest) (Credential, error) {
	f, err := i.group.checkJoin(h, nonce, r)
	if err != nil {
		return Credential{}, err
	}
	for {
		x, err := bn.RandomScalar(random)
		if err != nil {
			return Credential{}, fmt.Errorf("making an EPID member: %w", err)
		}
		if i.gamma.Add(x).IsZero() {
			continue // happens to nobody
		}
		return Credential{i.group.key.GID, i.certify(x, f).Bytes(), x.Bytes()}, nil
	}
}

// certify returns A = (g1 + F)/(gamma + x).
func (i *Issuer) certify(x bn.Scalar, f bn.G1) bn.G1 {
	return bn.Generator().Add(f).Mul(i.gamma.Add(x).Inverse())
}
