package aesm

import "encoding/binary"

// Wire types of protocol buffers.
const (
	wireVarint = 0
	wireI64    = 1
	wireBytes  = 2
	wireGroup  = 3
	wireEnd    = 4 // of a group
	wireI32    = 5
)

// maxGroups bounds how deep unknown groups may be nested. AESM has no groups.
const maxGroups = 16

// field is one field on the wire.
type field struct {
	number uint32
	wire   uint8
	value  uint64 // of a varint
	data   []byte // of bytes; part of the input
}

// nextField reads the field that b, which is not empty, begins with. It
// returns its size, or what is wrong with it.
func nextField(b []byte, depth int) (f field, size int, wrong string) {
	t, n := binary.Uvarint(b)
	// A tag has 32 bits, in at most five bytes.
	if n <= 0 || n > 5 || t > 1<<32-1 || t>>3 == 0 {
		return f, 0, "no tag of a field"
	}
	f.number, f.wire = uint32(t>>3), uint8(t&7)
	rest := b[n:]
	switch f.wire {
	case wireVarint:
		v, m := binary.Uvarint(rest)
		if m <= 0 {
			return f, 0, "number is cut off or too long"
		}
		f.value = v
		return f, n + m, ""
	case wireBytes:
		v, m := binary.Uvarint(rest)
		if m <= 0 || v > uint64(len(rest)-m) {
			return f, 0, "field is longer than what is left"
		}
		f.data = rest[m : m+int(v)]
		return f, n + m + int(v), ""
	case wireI64, wireI32:
		m := 8
		if f.wire == wireI32 {
			m = 4
		}
		if len(rest) < m {
			return f, 0, "number is cut off"
		}
		return f, n + m, ""
	case wireGroup:
		m, wrong := skipGroup(rest, f.number, depth+1)
		return f, n + m, wrong
	}
	return f, 0, "no such wire type"
}

// skipGroup returns the size of what is in a group, with its end.
func skipGroup(b []byte, number uint32, depth int) (size int, wrong string) {
	if depth > maxGroups {
		return 0, "groups are nested too deep"
	}
	for size < len(b) {
		if end, n := binary.Uvarint(b[size:]); n > 0 && n <= 5 && end == tag(number, wireEnd) {
			return size + n, ""
		}
		_, n, wrong := nextField(b[size:], depth)
		if wrong != "" {
			return 0, wrong
		}
		size += n
	}
	return 0, "group has no end"
}
