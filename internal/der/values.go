package der

import "fmt"

// Integer returns a non-negative INTEGER, big endian and without leading
// zeros, but for the one byte of zero itself.
func (r *Reader) Integer() []byte { return r.integer(TagInteger) }

func (r *Reader) integer(tag byte) []byte {
	start := r.pos
	b := r.Bytes(tag)
	switch {
	case len(b) == 0:
		r.fail(Malformed, start, "an integer of no bytes")
		return nil
	case b[0] >= 0x80:
		r.fail(Malformed, start, "a negative integer")
		return nil
	case b[0] != 0 || len(b) == 1:
		return b
	case b[1] < 0x80:
		r.fail(Malformed, start, "an integer that is not in its shortest form")
		return nil
	}
	return b[1:]
}

// Uint returns an INTEGER from 0 to bound.
func (r *Reader) Uint(bound uint32) uint32 { return r.uint(TagInteger, bound) }

// Enumerated returns an ENUMERATED from 0 to bound.
func (r *Reader) Enumerated(bound uint32) uint32 { return r.uint(TagEnumerated, bound) }

func (r *Reader) uint(tag byte, bound uint32) uint32 {
	start := r.pos
	b := r.integer(tag)
	var n uint64
	for i := 0; i < len(b) && i < 5; i++ {
		n = n<<8 | uint64(b[i])
	}
	if len(b) > 4 || n > uint64(bound) {
		if r.failure == None {
			r.fail(Malformed, start, fmt.Sprintf("an integer of more than %d", bound))
		}
		return 0
	}
	return uint32(n)
}

// Boolean returns a BOOLEAN.
func (r *Reader) Boolean() bool {
	start := r.pos
	b := r.Bytes(TagBoolean)
	if len(b) != 1 || b[0] != 0 && b[0] != 0xFF {
		r.fail(Malformed, start, "a boolean that is neither 00 nor FF")
		return false
	}
	return b[0] != 0
}

// BitString returns a BIT STRING of whole bytes.
func (r *Reader) BitString() []byte {
	start := r.pos
	b := r.Bytes(TagBitString)
	if len(b) == 0 || b[0] != 0 {
		r.fail(Malformed, start, "a bit string that is not of whole bytes")
		return nil
	}
	return b[1:]
}

// NamedBits returns a BIT STRING of up to 16 named bits, of which number 0 is
// the least significant of the result. Such a string ends in a bit that is set.
func (r *Reader) NamedBits() uint16 {
	start := r.pos
	b := r.Bytes(TagBitString)
	if len(b) == 0 || len(b) > 3 || b[0] > 7 {
		r.fail(Malformed, start, "a bit string of a wrong length")
		return 0
	}
	// The last bit that is said to be used is set, and none after it.
	unused := b[0]
	if len(b) == 1 && unused != 0 || len(b) > 1 && b[len(b)-1]<<(7-unused) != 0x80 {
		r.fail(Malformed, start, "a bit string that is not in its shortest form")
		return 0
	}
	var bits uint16
	for i, octet := range b[1:] {
		for bit := range 8 {
			bits |= uint16(octet>>(7-bit)&1) << (8*i + bit)
		}
	}
	return bits
}

// wrongTag is why an element was not what was asked for.
func wrongTag(want byte) string {
	switch want {
	case TagBoolean:
		return "BOOLEAN expected"
	case TagInteger:
		return "INTEGER expected"
	case TagBitString:
		return "BIT STRING expected"
	case TagOctetString:
		return "OCTET STRING expected"
	case TagOID:
		return "OBJECT IDENTIFIER expected"
	case TagEnumerated:
		return "ENUMERATED expected"
	case TagUTCTime:
		return "time expected"
	case TagSequence:
		return "SEQUENCE expected"
	case TagSet:
		return "SET expected"
	}
	return fmt.Sprintf("element of tag %02X expected", want)
}
