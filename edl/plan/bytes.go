package plan

import (
	"errors"
	"math/bits"

	"github.com/feidi-dev/feidi/edl"
)

// Why a buffer has no length. The generated C returns
// SGX_ERROR_INVALID_PARAMETER for the first two.
var (
	ErrOverflow    = errors.New("the length of the buffer overflows")
	ErrPartial     = errors.New("the length of the buffer is no whole number of elements")
	ErrUnknownType = errors.New("the size of the type is not known")
)

// Bytes is the length of a buffer in bytes. value returns the value of the
// parameter (or member) of that index, as C converts it to size_t: a negative
// one is a very large one. It is called only for an index that SizeParam or
// CountParam has.
//
// The length of a string is not the plan's to tell: it is in the marshalling
// structure of an ECALL, and found by the caller of an OCALL.
func (b *Buffer) Bytes(value func(param int) uint64) (uint64, error) {
	if b.Size == nil && !b.Elem.Known() {
		return 0, ErrUnknownType
	}
	if b.Fixed > 0 {
		return b.Elem.Size * b.Fixed, nil // New has checked it
	}
	read := func(o *edl.Operand, param int, otherwise uint64) uint64 {
		switch {
		case o == nil:
			return otherwise
		case param >= 0:
			return value(param)
		}
		return o.Number
	}
	size := read(b.Size, b.SizeParam, b.Elem.Size)
	count := read(b.Count, b.CountParam, 1)
	n, ok := multiply(size, count)
	switch {
	case !ok:
		return 0, ErrOverflow
	case b.Whole() && b.Elem.Size > 0 && n%b.Elem.Size != 0:
		return 0, ErrPartial
	}
	return n, nil
}

// Whole reports whether the length must be a multiple of the size of an
// element. It need not be for foreign types, whose size the EDL does not
// know, and for structs, unless they are copied deeply.
func (b *Buffer) Whole() bool {
	if b.Elem.Pointers > 0 {
		return true
	}
	switch b.Elem.Kind {
	case edl.Foreign:
		return false
	case edl.StructKind:
		return b.Deep
	}
	return true
}

// multiply returns false for a product beyond 64 bits.
func multiply(a, b uint64) (uint64, bool) {
	hi, lo := bits.Mul64(a, b)
	return lo, hi == 0
}
