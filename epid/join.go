package epid

import (
	"fmt"
	"io"
	"slices"

	"github.com/feidi-dev/feidi/epid/internal/bn"
)

// Sizes in bytes.
const (
	JoinRequestSize = 128
	CredentialSize  = 100
)

// Nonce is what an issuer draws for a join request, to know that it is fresh.
type Nonce [32]byte

// JoinRequest is a member's F = h1·f with the proof that it knows f.
type JoinRequest struct {
	F    Point
	C, S Number
}

// ParseJoinRequest reads 128 bytes.
func ParseJoinRequest(b []byte) (JoinRequest, error) {
	d := decoder{what: "join request", data: b}
	r := JoinRequest{d.point(), d.number(), d.number()}
	return r, d.end()
}

// Bytes returns the 128 bytes.
func (r JoinRequest) Bytes() []byte { return slices.Concat(r.F[:], r.C[:], r.S[:]) }

// Credential is what the issuer answers: with the member's secret it is a
// private key.
type Credential struct {
	GID GroupID
	A   Point
	X   Number
}

// ParseCredential reads 100 bytes.
func ParseCredential(b []byte) (Credential, error) {
	d := decoder{what: "credential", data: b}
	c := Credential{d.gid(), d.point(), d.number()}
	return c, d.end()
}

// Bytes returns the 100 bytes.
func (c Credential) Bytes() []byte { return slices.Concat(c.GID[:], c.A[:], c.X[:]) }

// PrivateKey joins the credential with the secret of the join request.
func (c Credential) PrivateKey(f Number) PrivateKey { return PrivateKey{c.GID, c.A, c.X, f} }

// SecretSeedSize is how many bytes NewSecret reads.
const SecretSeedSize = 64

// NewSecret draws a member's secret f, which is SecretSeedSize bytes mod p. The same
// bytes make the same secret.
func NewSecret(random io.Reader) (Number, error) {
	f, err := bn.RandomScalar(random)
	return f.Bytes(), err
}

// Join makes a join request for the secret f and the issuer's nonce.
func (g *Group) Join(random io.Reader, h Hash, f Number, nonce Nonce) (JoinRequest, error) {
	if err := h.check(); err != nil {
		return JoinRequest{}, err
	}
	s, err := f.scalar()
	if err != nil || s.IsZero() {
		return JoinRequest{}, fmt.Errorf("%w: the secret is not in [1, p-1]", ErrKey)
	}
	r, err := bn.RandomScalar(random)
	if err != nil {
		return JoinRequest{}, fmt.Errorf("making a join request: %w", err)
	}
	req := JoinRequest{F: g.h1.Mul(s).Bytes()}
	c := g.joinChallenge(h, req.F, g.h1.Mul(r), nonce)
	req.C, req.S = c.Bytes(), r.Add(c.Mul(s)).Bytes()
	return req, nil
}

// checkJoin returns F, or ErrJoin.
func (g *Group) checkJoin(h Hash, nonce Nonce, req JoinRequest) (bn.G1, error) {
	if err := h.check(); err != nil {
		return bn.G1{}, err
	}
	f, err := req.F.g1()
	if err != nil {
		return f, fmt.Errorf("%w: F: %w", ErrJoin, err)
	}
	// A member whose f is 0 could not be revoked by its key.
	if f.IsInfinity() {
		return f, fmt.Errorf("%w: F is the neutral element", ErrJoin)
	}
	cs, err := scalars(req.C, req.S)
	if err != nil {
		return f, fmt.Errorf("%w: %w", ErrJoin, err)
	}
	r := bn.Sum(bn.Term{P: g.h1, K: cs[1]}, bn.Term{P: f, K: cs[0].Neg()})
	if g.joinChallenge(h, req.F, r, nonce) != cs[0] {
		return f, ErrJoin
	}
	return f, nil
}

func (g *Group) joinChallenge(h Hash, f Point, r bn.G1, nonce Nonce) bn.Scalar {
	rb := r.Bytes()
	return h.number(g.hashed, f[:], rb[:], nonce[:])
}
