package aesm

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A coder walks a message's fields, so that each layout is written down once:
// it adds up their sizes, or writes them all, or gives one that was read to the
// field of its number, or looks which that the schema requires were not there.
type coder struct {
	mode    mode
	size    int    // added up so far
	out     []byte // written so far
	field   field  // being read
	seen    uint32 // fields that were read, a bit for each number
	missing uint32 // number of a field that is required and was not read, or 0
}

type mode uint8

const (
	sizing mode = iota
	writing
	reading
	checking
)

// presence says when a field is in a message.
type presence uint8

const (
	optional presence = iota // written unless zero, or nil if bytes
	always                   // optional in the schema, but always written, as Intel does: zero means something
	required
)

func (c *coder) u64(n uint32, v *uint64, p presence) {
	switch c.mode {
	case sizing:
		if p != optional || *v != 0 {
			c.size += varintSize(tag(n, wireVarint)) + varintSize(*v)
		}
	case writing:
		if p != optional || *v != 0 {
			c.out = binary.AppendUvarint(binary.AppendUvarint(c.out, tag(n, wireVarint)), *v)
		}
	case reading:
		// A field of another wire type than the schema's is as good as an
		// unknown one, in every implementation of protocol buffers.
		if c.field.number == n && c.field.wire == wireVarint {
			*v = c.field.value // of several the last counts
			c.seen |= 1 << n
		}
	case checking:
		c.check(n, p)
	}
}

// u32 takes the low half of what is too large, as the schema's type does.
func (c *coder) u32(n uint32, v *uint32, p presence) {
	w := uint64(*v)
	c.u64(n, &w, p)
	*v = uint32(w)
}

func (c *coder) flag(n uint32, v *bool, p presence) {
	var w uint64
	if *v {
		w = 1
	}
	c.u64(n, &w, p)
	*v = w != 0
}

// bytes tells absent from empty: absent is nil.
func (c *coder) bytes(n uint32, v *[]byte, p presence) {
	switch c.mode {
	case sizing:
		if p != optional || *v != nil {
			c.size += varintSize(tag(n, wireBytes)) + varintSize(uint64(len(*v))) + len(*v)
		}
	case writing:
		if p != optional || *v != nil {
			c.out = append(appendLength(c.out, n, len(*v)), *v...)
		}
	case reading:
		if c.field.number == n && c.field.wire == wireBytes {
			*v = append(make([]byte, 0, len(c.field.data)), c.field.data...)
			c.seen |= 1 << n
		}
	case checking:
		c.check(n, p)
	}
}

func (c *coder) check(n uint32, p presence) {
	if p == required && c.seen&(1<<n) == 0 && c.missing == 0 {
		c.missing = n
	}
}

// appendMessage appends a message as the only field of a Request or Response.
func appendMessage(b []byte, m message) []byte {
	c := coder{mode: sizing}
	m.fields(&c)
	c = coder{mode: writing, out: appendLength(slices.Grow(b, c.size+maxLength), uint32(m.Kind()), c.size)}
	m.fields(&c)
	return c.out
}

// maxLength is the size of the largest tag and length of a message.
const maxLength = 2 * binary.MaxVarintLen32

// appendLength appends what stands before size bytes.
func appendLength(b []byte, n uint32, size int) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, tag(n, wireBytes)), uint64(size))
}

func tag(n uint32, wire uint8) uint64 { return uint64(n)<<3 | uint64(wire) }

// varintSize is the size of a number: seven bits a byte.
func varintSize(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
