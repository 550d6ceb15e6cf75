package epid

import (
	"fmt"
	"slices"
	"sync"

	"github.com/feidi-dev/feidi/epid/internal/bn"
)

// PublicKeySize is the size of a group's public key in bytes.
const PublicKeySize = 260

// PublicKey is the public key of a group. Whoever verifies gets it from the
// issuer, in a signed file.
type PublicKey struct {
	GID    GroupID
	H1, H2 Point
	W      Point2
}

// ParsePublicKey reads 260 bytes. It checks sizes and h1 and h2; NewGroup
// checks w, too.
func ParsePublicKey(b []byte) (PublicKey, error) {
	d := decoder{what: "group public key", data: b}
	k := PublicKey{GID: d.gid(), H1: d.point(), H2: d.point()}
	d.read(k.W[:])
	return k, d.end()
}

// Bytes returns the 260 bytes.
func (k PublicKey) Bytes() []byte { return slices.Concat(k.GID[:], k.H1[:], k.H2[:], k.W[:]) }

// Group is a group's public key, checked and ready for use. It is safe for
// concurrent use.
type Group struct {
	key    PublicKey
	h1, h2 bn.G1
	w      *bn.Lines
	hashed []byte // p | g1 | g2 | h1 | h2 | w, with which most hashes begin
}

// g2 are the lines of G2's generator.
var g2 = sync.OnceValue(func() *bn.Lines {
	l, err := bn.Prepare(bn.Generator2())
	if err != nil {
		panic("epid: " + err.Error())
	}
	return l
})

// NewGroup checks a public key, or returns ErrKey. It takes about two pairings.
func NewGroup(k PublicKey) (*Group, error) {
	h, err := points(k.H1, k.H2)
	if err != nil {
		return nil, fmt.Errorf("%w: h1 or h2: %w", ErrKey, err)
	}
	if h[0].IsInfinity() || h[1].IsInfinity() {
		return nil, fmt.Errorf("%w: h1 or h2 is the neutral element", ErrKey)
	}
	w, err := bn.NewG2(k.W)
	if err != nil {
		return nil, fmt.Errorf("%w: w: %w", ErrKey, err)
	}
	lines, err := bn.Prepare(w)
	if err != nil {
		return nil, fmt.Errorf("%w: w is the neutral element", ErrKey)
	}
	p, g := bn.Order(), bn.Generator().Bytes()
	gg := bn.Generator2().Bytes()
	return &Group{
		key: k, h1: h[0], h2: h[1], w: lines,
		hashed: slices.Concat(p[:], g[:], gg[:], k.H1[:], k.H2[:], k.W[:]),
	}, nil
}

// PublicKey returns the group's public key.
func (g *Group) PublicKey() PublicKey { return g.key }

// member reports whether (A, x, f) is a member of the group:
// e(A, g2·x + w) = e(g1 + h1·f, g2), with all on one side.
func (g *Group) member(a bn.G1, x, f bn.Scalar) bool {
	left := bn.Sum(bn.Term{P: a, K: x}, bn.Term{P: g.h1, K: f.Neg()}).Add(bn.Generator().Neg())
	return bn.Pair(bn.PairTerm{P: left, Q: g2()}, bn.PairTerm{P: a, Q: g.w}).IsOne()
}

// commitment is R2 of a signature, and of its verification:
//
//	e(T·-x + h1·f + h2·b + g1·c, g2) + e(h2·a + T·-c, w)
//
// which is the specification's e(T, g2·-x + w·-c) + e(h1, g2)·f + e(h2, g2)·b
// + e(h2, w)·a + e(g1, g2)·c, with fewer pairings and none of their powers.
func (g *Group) commitment(t bn.G1, x, f, a, b, c bn.Scalar) bn.GT {
	left := bn.Sum(bn.Term{P: t, K: x.Neg()}, bn.Term{P: g.h1, K: f}, bn.Term{P: g.h2, K: b}, bn.Term{P: bn.Generator(), K: c})
	right := bn.Sum(bn.Term{P: g.h2, K: a}, bn.Term{P: t, K: c.Neg()})
	return bn.Pair(bn.PairTerm{P: left, Q: g2()}, bn.PairTerm{P: right, Q: g.w})
}

// challenge is c of a signature: two hashes.
func (g *Group) challenge(h Hash, b, k, t Point, r1 bn.G1, r2 bn.GT, message []byte) bn.Scalar {
	r1b, r2b := r1.Bytes(), r2.Bytes()
	t3 := h.number(g.hashed, b[:], k[:], t[:], r1b[:], r2b[:]).Bytes()
	return h.number(t3[:], message)
}
