package quote

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/isa"
)

// Sizes in bytes.
const (
	SignedSize = 432 // of what is signed
	HeaderSize = 436 // of what is before the signature
)

// Version is the version of EPID quotes.
const Version = 2

// ErrFormat is the error of bytes that are no EPID quote.
var ErrFormat = errors.New("not an EPID quote")

// Quote is a quote.
type Quote struct {
	Linkable  bool         // quotes of one machine for one SPID have one pseudonym
	GID       epid.GroupID // big-endian, other than in the quote
	QESVN     uint16
	PCESVN    uint16
	XEID      uint32
	Basename  [32]byte
	Body      isa.ReportBody
	Signature []byte // sealed
}

// Size returns the size in bytes of a quote that was made with a SigRL of so many
// entries, or without one.
func Size(entries int) int { return HeaderSize + epid.SealedSize(entries) }

// Basename returns the basename of an SPID. The random bytes are for unlinkable
// quotes.
func Basename(spid, random [16]byte) (b [32]byte) {
	copy(b[:], spid[:])
	copy(b[16:], random[:])
	return b
}

// SPID returns the ID of the service provider that the quote was made for.
func (q *Quote) SPID() [16]byte { return [16]byte(q.Basename[:16]) }

// AppendSigned appends the 432 bytes that are signed.
func (q *Quote) AppendSigned(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, Version)
	var kind uint16
	if q.Linkable {
		kind = 1
	}
	b = le.AppendUint16(b, kind)
	b = le.AppendUint32(b, binary.BigEndian.Uint32(q.GID[:]))
	b = le.AppendUint16(b, q.QESVN)
	b = le.AppendUint16(b, q.PCESVN)
	b = le.AppendUint32(b, q.XEID)
	b = append(b, q.Basename[:]...)
	b, _ = q.Body.AppendBinary(b) // has no errors
	return b
}

// Bytes returns the quote's bytes.
func (q *Quote) Bytes() []byte {
	b := q.AppendSigned(make([]byte, 0, HeaderSize+len(q.Signature)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(q.Signature)))
	return append(b, q.Signature...)
}

// Parse reads a quote. Zeros may follow it, since programs have room for quotes
// that are larger. The error is ErrFormat.
func Parse(b []byte) (*Quote, error) {
	bad := func(offset int, format string, args ...any) (*Quote, error) {
		return nil, fmt.Errorf("%w: offset %d: %s", ErrFormat, offset, fmt.Sprintf(format, args...))
	}
	if len(b) < HeaderSize {
		return bad(len(b), "it ends before its signature, which begins at %d", HeaderSize)
	}
	le := binary.LittleEndian
	if v := le.Uint16(b); v != Version {
		return bad(0, "version %d, want %d", v, Version)
	}
	kind := le.Uint16(b[2:])
	if kind > 1 {
		return bad(2, "sign type %d is neither 0 nor 1", kind)
	}
	q := &Quote{
		Linkable: kind == 1, QESVN: le.Uint16(b[8:]), PCESVN: le.Uint16(b[10:]), XEID: le.Uint32(b[12:]),
		Basename: [32]byte(b[16:]),
	}
	binary.BigEndian.PutUint32(q.GID[:], le.Uint32(b[4:]))
	if q.Linkable && [16]byte(q.Basename[16:]) != [16]byte{} {
		return bad(32, "the basename of a linkable quote ends with zeros")
	}
	if err := q.Body.UnmarshalBinary(b[48:SignedSize]); err != nil {
		return bad(48, "REPORT: %v", err)
	}
	size, rest := le.Uint32(b[SignedSize:]), b[HeaderSize:]
	if uint64(size) > uint64(len(rest)) {
		return bad(SignedSize, "signature of %d bytes in %d", size, len(rest))
	}
	if size < uint32(epid.SealedSize(0)) || (size-uint32(epid.SealedSize(0)))%epid.NRProofSize != 0 {
		return bad(SignedSize, "a signature cannot have %d bytes", size)
	}
	q.Signature = slices.Clone(rest[:size])
	for i, c := range rest[size:] {
		if c != 0 {
			return bad(HeaderSize+int(size)+i, "something follows the signature")
		}
	}
	return q, nil
}
