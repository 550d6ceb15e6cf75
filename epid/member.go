package epid

import (
	"fmt"
	"io"

	"github.com/feidi-dev/feidi/epid/internal/bn"
)

// Member signs for a group. It is safe for concurrent use.
type Member struct {
	group *Group
	hash  Hash
	a     bn.G1
	x, f  bn.Scalar
}

// NewMember checks a private key, or returns ErrKey. Signatures will use the
// hash algorithm.
func (g *Group) NewMember(k PrivateKey, h Hash) (*Member, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	if k.GID != g.key.GID {
		return nil, fmt.Errorf("%w: the key is of group %x, want %x", ErrKey, k.GID, g.key.GID)
	}
	a, err := k.A.g1()
	if err != nil {
		return nil, fmt.Errorf("%w: A: %w", ErrKey, err)
	}
	s, err := scalars(k.X, k.F)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if s[1].IsZero() || a.IsInfinity() || !g.member(a, s[0], s[1]) {
		return nil, ErrKey
	}
	return &Member{g, h, a, s[0], s[1]}, nil
}

// Sign signs a message. An empty basename stands for a random one, see the
// package's comment. The list may be nil; else the signature has a proof for
// each entry, and if one is of this member, there is no signature but
// ErrSignatureRevoked.
func (m *Member) Sign(random io.Reader, message, basename []byte, l *SigRL) (*Signature, error) {
	if l != nil && l.GID != m.group.key.GID {
		return nil, fmt.Errorf("%w: the SigRL is of group %x, want %x", ErrList, l.GID, m.group.key.GID)
	}
	draw := drawer{random: random}
	if len(basename) == 0 {
		b := draw.scalar().Bytes()
		basename = b[:]
	}
	a, rx, rf, ra, rb := draw.scalar(), draw.scalar(), draw.scalar(), draw.scalar(), draw.scalar()
	if draw.err != nil {
		return nil, fmt.Errorf("EPID: signing: %w", draw.err)
	}
	b, err := m.hash.point(basename)
	if err != nil {
		return nil, err
	}
	k := b.Mul(m.f)
	t := m.a.Add(m.group.h2.Mul(a))
	s := Signature{BasicSignature: BasicSignature{B: b.Bytes(), K: k.Bytes(), T: t.Bytes()}}

	// R2 is of T and random numbers only, so c is 0 in it.
	r2 := m.group.commitment(t, rx, rf, ra, rb, bn.Scalar{})
	c := m.group.challenge(m.hash, s.B, s.K, s.T, b.Mul(rf), r2, message)
	s.C = c.Bytes()
	s.SX = rx.Add(c.Mul(m.x)).Bytes()
	s.SF = rf.Add(c.Mul(m.f)).Bytes()
	s.SA = ra.Add(c.Mul(a)).Bytes()
	s.SB = rb.Add(c.Mul(a.Mul(m.x))).Bytes()

	if l == nil {
		return &s, nil
	}
	s.RLVersion = l.Version
	revoked := false // all entries are worked on, not to tell which one it is
	for i, e := range l.Entries {
		p, own, err := m.proveNot(&draw, &s.BasicSignature, b, k, e, message)
		if err != nil {
			return nil, fmt.Errorf("EPID: SigRL, entry %d: %w", i, err)
		}
		revoked = revoked || own
		s.Proofs = append(s.Proofs, p)
	}
	if revoked {
		return nil, ErrSignatureRevoked
	}
	return &s, nil
}

// drawer draws random numbers; the first error stays.
type drawer struct {
	random io.Reader
	err    error
}

func (d *drawer) scalar() (s bn.Scalar) {
	if d.err == nil {
		s, d.err = bn.RandomScalar(d.random)
	}
	return s
}

// Hash returns the hash algorithm of the signatures.
func (m *Member) Hash() Hash { return m.hash }

// Group returns the group.
func (m *Member) Group() *Group { return m.group }
