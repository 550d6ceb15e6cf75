package epid

import (
	"encoding/binary"
	"slices"
)

// Sizes in bytes.
const (
	BasicSignatureSize = 352
	NRProofSize        = 160
)

// SignatureSize returns the size of a signature in bytes that was made with a
// SigRL of so many entries, or without one.
func SignatureSize(entries int) int { return BasicSignatureSize + 8 + NRProofSize*entries }

// BasicSignature proves that a member of the group signed. B is the basename's
// point, and K = B·f the signer's pseudonym for it.
type BasicSignature struct {
	B, K, T           Point
	C, SX, SF, SA, SB Number
}

// NRProof proves that the signer did not make the signature of one SigRL entry.
type NRProof struct {
	T         Point
	C, Mu, Nu Number
}

// Signature is a basic signature with a proof for each entry of the SigRL that
// it was made with.
type Signature struct {
	BasicSignature
	RLVersion uint32 // of the SigRL, 0 without one
	Proofs    []NRProof
}

// ParseSignature reads a signature.
func ParseSignature(b []byte) (*Signature, error) {
	d := decoder{what: "signature", data: b}
	s := Signature{BasicSignature: BasicSignature{
		B: d.point(), K: d.point(), T: d.point(),
		C: d.number(), SX: d.number(), SF: d.number(), SA: d.number(), SB: d.number(),
	}}
	s.RLVersion = d.uint32()
	for range d.count(NRProofSize) {
		s.Proofs = append(s.Proofs, NRProof{d.point(), d.number(), d.number(), d.number()})
	}
	return ended(&d, &s)
}

// Bytes returns the signature's bytes; see SignatureSize.
func (s *Signature) Bytes() []byte {
	b := slices.Concat(s.B[:], s.K[:], s.T[:], s.C[:], s.SX[:], s.SF[:], s.SA[:], s.SB[:])
	b = binary.BigEndian.AppendUint32(b, s.RLVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.Proofs)))
	for _, p := range s.Proofs {
		b = append(b, p.T[:]...)
		b = append(b, p.C[:]...)
		b = append(b, p.Mu[:]...)
		b = append(b, p.Nu[:]...)
	}
	return b
}

// Linked reports whether one member made both signatures with the same
// basename. Both have to be verified before.
func Linked(a, b *Signature) bool { return a.B == b.B && a.K == b.K }
