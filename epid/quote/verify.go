package quote

import (
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/epid"
)

// ErrGroup is the error of a quote of a group that the verifier does not know.
var ErrGroup = errors.New("EPID: unknown group")

// Group is a group whose quotes are verified, with its revocation lists. Lists
// that are nil are not looked at.
type Group struct {
	*epid.Group
	PrivRL *epid.PrivRL
	SigRL  *epid.SigRL
}

// Verifier verifies quotes, as the attestation service. It is safe for concurrent
// use, while nobody changes it.
type Verifier struct {
	Key     *rsa.PrivateKey // opens signatures; 2048 bits
	XEID    uint32          // whose groups they are
	Groups  []Group         // one for each ID
	GroupRL *epid.GroupRL   // nil if no group is revoked
	// VerifierRL is the list that a service provider keeps for the basename of
	// its own linkable quotes; nil for none.
	VerifierRL *epid.VerifierRL
}

// Result is what is known of a quote that a member of a group has signed that is
// not revoked. Whether the enclave in it is good enough is for the caller to say.
type Result struct {
	Quote *Quote
	// Pseudonym is B and K of the signature. In a linkable quote it is the same in
	// all quotes of a machine for one SPID, and in an unlinkable one of no meaning.
	Pseudonym [128]byte
	// Signature is what goes into a SigRL (RevokeBy) if the signer is to be
	// revoked.
	Signature *epid.Signature
}

// RevokeBy returns the entry of a SigRL that revokes the signer.
func (r *Result) RevokeBy() epid.SigRLEntry {
	return epid.SigRLEntry{B: r.Signature.B, K: r.Signature.K}
}

// Verify verifies a quote. Errors, first that of the bytes, then that of the
// signature, then those of the lists: ErrFormat, ErrGroup, epid.ErrFormat for a
// signature that does not open, epid.ErrSignature, those that are epid.ErrRevoked,
// and epid.ErrList if the quote was made with another SigRL than that of its
// group, or without one: its machine has to make a new one with it.
func (v *Verifier) Verify(b []byte) (*Result, error) {
	q, err := Parse(b)
	if err != nil {
		return nil, err
	}
	if q.XEID != v.XEID {
		return nil, fmt.Errorf("%w: extended group %d, want %d", ErrGroup, q.XEID, v.XEID)
	}
	g := v.group(q.GID)
	if g == nil {
		return nil, fmt.Errorf("%w: %x", ErrGroup, q.GID)
	}
	s, err := epid.OpenSignature(v.Key, q.Signature)
	if err != nil {
		return nil, err
	}
	e := epid.Verifier{
		Group: g.Group, Basename: q.Basename[:],
		GroupRL: v.GroupRL, PrivRL: g.PrivRL, SigRL: g.SigRL,
	}
	if v.VerifierRL != nil && v.VerifierRL.GID == q.GID {
		e.VerifierRL = v.VerifierRL
	}
	if err := e.Verify(s, q.AppendSigned(nil)); err != nil {
		return nil, err
	}
	r := &Result{Quote: q, Signature: s}
	copy(r.Pseudonym[:], s.B[:])
	copy(r.Pseudonym[64:], s.K[:])
	return r, nil
}

func (v *Verifier) group(gid epid.GroupID) *Group {
	for i := range v.Groups {
		if v.Groups[i].PublicKey().GID == gid {
			return &v.Groups[i]
		}
	}
	return nil
}
