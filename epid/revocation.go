package epid

import (
	"encoding/binary"
	"slices"
)

// PrivRL lists the secrets f of members whose private keys are known.
type PrivRL struct {
	GID     GroupID
	Version uint32
	Keys    []Number
}

// ParsePrivRL reads 12 bytes and 32 for each entry.
func ParsePrivRL(b []byte) (*PrivRL, error) {
	d := decoder{what: "PrivRL", data: b}
	l := PrivRL{GID: d.gid(), Version: d.uint32()}
	for range d.count(len(Number{})) {
		l.Keys = append(l.Keys, d.number())
	}
	return ended(&d, &l)
}

// Bytes returns the list's bytes.
func (l *PrivRL) Bytes() []byte {
	b := header(l.GID[:], l.Version, len(l.Keys))
	for _, k := range l.Keys {
		b = append(b, k[:]...)
	}
	return b
}

// SigRL lists signatures whose signers are revoked.
type SigRL struct {
	GID     GroupID
	Version uint32
	Entries []SigRLEntry
}

// SigRLEntry is B and K of a signature.
type SigRLEntry struct{ B, K Point }

// ParseSigRL reads 12 bytes and 128 for each entry.
func ParseSigRL(b []byte) (*SigRL, error) {
	d := decoder{what: "SigRL", data: b}
	l := SigRL{GID: d.gid(), Version: d.uint32()}
	for range d.count(len(Point{}) * 2) {
		l.Entries = append(l.Entries, SigRLEntry{d.point(), d.point()})
	}
	return ended(&d, &l)
}

// Bytes returns the list's bytes.
func (l *SigRL) Bytes() []byte {
	b := header(l.GID[:], l.Version, len(l.Entries))
	for _, e := range l.Entries {
		b = append(append(b, e.B[:]...), e.K[:]...)
	}
	return b
}

// GroupRL lists revoked groups.
type GroupRL struct {
	Version uint32
	Groups  []GroupID
}

// ParseGroupRL reads 8 bytes and 4 for each entry.
func ParseGroupRL(b []byte) (*GroupRL, error) {
	d := decoder{what: "GroupRL", data: b}
	l := GroupRL{Version: d.uint32()}
	for range d.count(len(GroupID{})) {
		l.Groups = append(l.Groups, d.gid())
	}
	return ended(&d, &l)
}

// Bytes returns the list's bytes.
func (l *GroupRL) Bytes() []byte {
	b := header(nil, l.Version, len(l.Groups))
	for _, g := range l.Groups {
		b = append(b, g[:]...)
	}
	return b
}

// VerifierRL is a verifier's own list: the K of members that it wants no more,
// for the basename of B.
type VerifierRL struct {
	GID     GroupID
	B       Point
	Version uint32
	Entries []Point
}

// ParseVerifierRL reads 76 bytes and 64 for each entry.
func ParseVerifierRL(b []byte) (*VerifierRL, error) {
	d := decoder{what: "VerifierRL", data: b}
	l := VerifierRL{GID: d.gid(), B: d.point(), Version: d.uint32()}
	for range d.count(len(Point{})) {
		l.Entries = append(l.Entries, d.point())
	}
	return ended(&d, &l)
}

// Bytes returns the list's bytes.
func (l *VerifierRL) Bytes() []byte {
	b := header(slices.Concat(l.GID[:], l.B[:]), l.Version, len(l.Entries))
	for _, k := range l.Entries {
		b = append(b, k[:]...)
	}
	return b
}

func header(begin []byte, version uint32, entries int) []byte {
	b := binary.BigEndian.AppendUint32(slices.Clone(begin), version)
	return binary.BigEndian.AppendUint32(b, uint32(entries))
}
