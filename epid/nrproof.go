package epid

import (
	"fmt"

	"github.com/feidi-dev/feidi/epid/internal/bn"
)

// proveNot proves that K = B·f and K' != B'·f for the f of the signature and
// the entry (B', K'). If K' is B'·f after all, then T is the neutral element
// and the proof fails; own says so.
func (m *Member) proveNot(draw *drawer, s *BasicSignature, b, k bn.G1, e SigRLEntry, message []byte) (p NRProof, own bool, err error) {
	rl, err := points(e.B, e.K)
	if err != nil {
		return p, false, fmt.Errorf("%w: %w", ErrList, err)
	}
	mu, rmu, rnu := draw.scalar(), draw.scalar(), draw.scalar()
	if draw.err != nil {
		return p, false, draw.err
	}
	nu := mu.Mul(m.f).Neg()
	t := bn.Sum(bn.Term{P: rl[1], K: mu}, bn.Term{P: rl[0], K: nu})
	p.T = t.Bytes()
	r1 := bn.Sum(bn.Term{P: k, K: rmu}, bn.Term{P: b, K: rnu})
	r2 := bn.Sum(bn.Term{P: rl[1], K: rmu}, bn.Term{P: rl[0], K: rnu})
	c := proofChallenge(m.hash, s, e, p.T, r1, r2, message)
	p.C = c.Bytes()
	p.Mu = rmu.Add(c.Mul(mu)).Bytes()
	p.Nu = rnu.Add(c.Mul(nu)).Bytes()
	return p, t.IsInfinity(), nil
}

// checkNot reports whether the proof for an entry is good.
func checkNot(h Hash, s *BasicSignature, e SigRLEntry, p NRProof, message []byte) bool {
	ps, err := points(s.B, s.K, e.B, e.K, p.T)
	if err != nil || ps[4].IsInfinity() {
		return false
	}
	ns, err := scalars(p.C, p.Mu, p.Nu)
	if err != nil {
		return false
	}
	c, mu, nu := ns[0], ns[1], ns[2]
	r1 := bn.Sum(bn.Term{P: ps[1], K: mu}, bn.Term{P: ps[0], K: nu})
	r2 := bn.Sum(bn.Term{P: ps[3], K: mu}, bn.Term{P: ps[2], K: nu}, bn.Term{P: ps[4], K: c.Neg()})
	return proofChallenge(h, s, e, p.T, r1, r2, message) == c
}

func proofChallenge(h Hash, s *BasicSignature, e SigRLEntry, t Point, r1, r2 bn.G1, message []byte) bn.Scalar {
	p, g := bn.Order(), bn.Generator().Bytes()
	r1b, r2b := r1.Bytes(), r2.Bytes()
	return h.number(p[:], g[:], s.B[:], s.K[:], e.B[:], e.K[:], t[:], r1b[:], r2b[:], message)
}
