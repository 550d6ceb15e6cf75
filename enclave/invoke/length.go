package invoke

import (
	"errors"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
)

// derive finds the lengths of buffer i that were not given.
func (w *writer) derive(slots []slot, i int) error {
	s := &slots[i]
	b := s.buffer
	if b == nil || s.pass == plan.String || s.pass == plan.WString || b.Fixed > 0 {
		return nil
	}
	open := func(param int) bool {
		return param >= 0 && slots[param].value.Kind == value.Omitted && slots[param].pass == plan.Value && slots[param].buffer == nil
	}
	size, count := open(b.SizeParam), open(b.CountParam)
	if !size && !count {
		return nil
	}
	if s.value.Kind == value.Address || s.value.Kind == value.Omitted && s.direction == edl.Out {
		return nil // another buffer may have the same length
	}
	var n uint64
	if s.value.Kind != value.Null && s.value.Kind != value.Omitted {
		var err error
		if n, err = w.natural(b.Elem, &s.value); err != nil {
			return s.named(err)
		}
	}
	unit := max(b.Elem.Size, 1)
	switch {
	case size && count:
		slots[b.SizeParam].give(unit, s)
	case size:
		unit = w.operand(slots, b.Count, b.CountParam, 1)
	default:
		unit = w.operand(slots, b.Size, b.SizeParam, unit)
	}
	if unit == 0 || n%unit != 0 {
		return s.named(wrong(&s.value, ErrLength, "%d bytes cannot be divided by %d", n, unit))
	}
	to := b.CountParam
	if !count {
		to = b.SizeParam
	}
	slots[to].give(n/unit, s)
	return nil
}

// give sets a length that was derived from the buffer of s.
func (l *slot) give(n uint64, s *slot) {
	l.value = value.Value{Kind: value.Int, Int: n, Pos: s.value.Pos, End: s.value.End}
	l.derived = true
}

// operand is the value of a size or count as it was given.
func (w *writer) operand(slots []slot, o *edl.Operand, param int, otherwise uint64) uint64 {
	switch {
	case o == nil:
		return otherwise
	case param < 0:
		return o.Number
	}
	v := slots[param].value
	if c, ok := w.constant(v.Name); ok && v.Kind == value.Name && c > 0 {
		return uint64(c)
	}
	return v.Int
}

// length is how long a buffer is by its attributes. The other members of the
// structure are packed already.
func (w *writer) length(base int, slots []slot, b *plan.Buffer, v *value.Value) (uint64, error) {
	n, err := b.Bytes(func(i int) uint64 {
		s := &slots[i]
		return number(w.mem[base+s.offset:], w.look(s.typ).Type)
	})
	switch {
	case errors.Is(err, plan.ErrUnknownType):
		return 0, unknown(v, b.Elem)
	case err != nil:
		return 0, wrong(v, ErrLength, "%v", err)
	case n > MaxMemory:
		return 0, wrong(v, ErrLength, "a buffer of %d bytes, more than %d", n, MaxMemory)
	}
	return n, nil
}

// number reads an integer as C converts it to size_t.
func number(b []byte, t plan.Type) uint64 {
	size := min(t.Size, 8)
	var p [8]byte
	copy(p[:], b[:size])
	n := le.Uint64(p[:])
	if shift := 64 - 8*size; t.Pointers == 0 && isSigned(t.Kind) && size > 0 {
		return uint64(int64(n<<shift) >> shift)
	}
	return n
}
