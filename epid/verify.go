package epid

import (
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/epid/internal/bn"
)

// Verifier verifies the signatures of a group. Lists that are nil are not
// looked at. It is safe for concurrent use, while nobody changes it.
type Verifier struct {
	Group      *Group
	Hash       Hash
	Basename   []byte // which the signer has to have used; empty for any
	GroupRL    *GroupRL
	PrivRL     *PrivRL
	SigRL      *SigRL
	VerifierRL *VerifierRL
}

// Verify verifies a signature of a message. It returns ErrSignature; an error
// that is ErrRevoked, for the first of the lists in the order of the fields; or
// ErrList, if a list is of another group, or the SigRL is not the one that the
// signature was made with. It takes two pairings, three multiplications for
// each entry of the SigRL, and one for each of the PrivRL.
func (v *Verifier) Verify(s *Signature, message []byte) error {
	if err := v.Hash.check(); err != nil {
		return err
	}
	if err := v.basic(&s.BasicSignature, message); err != nil {
		return err
	}
	gid := v.Group.key.GID
	if v.GroupRL != nil && slices.Contains(v.GroupRL.Groups, gid) {
		return fmt.Errorf("%w: group %x", ErrGroupRevoked, gid)
	}
	if err := v.privRL(s); err != nil {
		return err
	}
	if err := v.sigRL(s, message); err != nil {
		return err
	}
	if l := v.VerifierRL; l != nil {
		if err := sameGroup("VerifierRL", l.GID, gid); err != nil {
			return err
		}
		if l.B == s.B && slices.Contains(l.Entries, s.K) {
			return ErrVerifierRevoked
		}
	}
	return nil
}

// basic verifies the basic signature.
func (v *Verifier) basic(s *BasicSignature, message []byte) error {
	ps, err := points(s.B, s.K, s.T)
	if err != nil {
		return fmt.Errorf("%w: B, K or T: %w", ErrSignature, err)
	}
	ns, err := scalars(s.C, s.SX, s.SF, s.SA, s.SB)
	if err != nil {
		return fmt.Errorf("%w: c, sx, sf, sa or sb: %w", ErrSignature, err)
	}
	b, k, t := ps[0], ps[1], ps[2]
	c, sx, sf, sa, sb := ns[0], ns[1], ns[2], ns[3], ns[4]
	if b.IsInfinity() {
		return fmt.Errorf("%w: B is the neutral element", ErrSignature)
	}
	if len(v.Basename) != 0 {
		want, err := v.Hash.point(v.Basename)
		if err != nil {
			return err
		}
		if !b.Equal(want) {
			return fmt.Errorf("%w: it was made with another basename", ErrSignature)
		}
	}
	r1 := bn.Sum(bn.Term{P: b, K: sf}, bn.Term{P: k, K: c.Neg()})
	r2 := v.Group.commitment(t, sx, sf, sa, sb, c)
	if v.Group.challenge(v.Hash, s.B, s.K, s.T, r1, r2, message) != c {
		return ErrSignature
	}
	return nil
}

func (v *Verifier) privRL(s *Signature) error {
	l := v.PrivRL
	if l == nil {
		return nil
	}
	if err := sameGroup("PrivRL", l.GID, v.Group.key.GID); err != nil {
		return err
	}
	b, err := s.B.g1()
	if err != nil {
		return fmt.Errorf("%w: B: %w", ErrSignature, err)
	}
	for i, key := range l.Keys {
		f, err := key.scalar()
		if err != nil {
			return fmt.Errorf("%w: PrivRL, entry %d: %w", ErrList, i, err)
		}
		if b.Mul(f).Bytes() == s.K {
			return fmt.Errorf("%w: entry %d", ErrKeyRevoked, i)
		}
	}
	return nil
}

func (v *Verifier) sigRL(s *Signature, message []byte) error {
	l := v.SigRL
	if l == nil {
		return nil
	}
	if err := sameGroup("SigRL", l.GID, v.Group.key.GID); err != nil {
		return err
	}
	if l.Version != s.RLVersion || len(l.Entries) != len(s.Proofs) {
		return fmt.Errorf("%w: the signature was made with version %d of the SigRL and %d entries, this is version %d with %d",
			ErrList, s.RLVersion, len(s.Proofs), l.Version, len(l.Entries))
	}
	for i, e := range l.Entries {
		if !checkNot(v.Hash, &s.BasicSignature, e, s.Proofs[i], message) {
			return fmt.Errorf("%w: entry %d", ErrSignatureRevoked, i)
		}
	}
	return nil
}

func sameGroup(list string, got, want GroupID) error {
	if got != want {
		return fmt.Errorf("%w: the %s is of group %x, want %x", ErrList, list, got, want)
	}
	return nil
}
