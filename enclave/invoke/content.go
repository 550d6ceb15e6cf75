package invoke

import (
	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
)

// natural is the number of bytes that a value takes as a buffer of elements.
func (w *writer) natural(elem plan.Type, v *value.Value) (uint64, error) {
	s := w.look(elem)
	one := func() (uint64, error) {
		if !elem.Known() {
			return 0, unknown(v, elem)
		}
		return elem.Size, nil
	}
	switch v.Kind {
	case value.Bytes:
		return uint64(len(v.Bytes)), nil
	case value.Text:
		if s.Kind == edl.WChar && s.Pointers == 0 {
			return 4 * uint64(len([]rune(string(v.Bytes)))), nil
		}
		return uint64(len(v.Bytes)), nil
	case value.Wide:
		return 4 * uint64(len(v.Wide)), nil
	case value.List:
		if len(v.List) == 0 {
			return 0, nil
		}
		if s.oneOf(v) {
			return one()
		}
		n, err := one()
		if err == nil && n > MaxMemory {
			err = wrong(v, ErrLength, "more than %d bytes", MaxMemory)
		}
		return n * uint64(len(v.List)), err
	}
	return one()
}

// oneOf reports whether a list is the members or elements of one value of the
// type: {1, 2} is one struct, and [{1, 2}] a list of one.
func (s *seen) oneOf(v *value.Value) bool {
	whole := len(s.dims) > 0 || s.Pointers == 0 && s.Composite != nil && s.Kind != edl.EnumKind
	return whole && !nested(v)
}

// nested reports whether the elements of a list are structs themselves.
func nested(v *value.Value) bool {
	for _, e := range v.List {
		if e.Kind != value.Struct && e.Kind != value.List && e.Kind != value.Omitted && e.Kind != value.Bytes {
			return false
		}
	}
	return true
}

// fill packs a value into a buffer of n bytes, of which it takes no more than
// natural says.
func (w *writer) fill(at int, n uint64, elem plan.Type, v *value.Value) error {
	switch v.Kind {
	case value.Bytes:
		copy(w.mem[at:][:n], v.Bytes)
		return nil
	case value.Text, value.Wide:
		return w.text(at, n, elem, v)
	case value.List:
		s := w.look(elem)
		if !s.oneOf(v) {
			for i := range v.List {
				if err := w.put(at+i*int(elem.Size), elem, &v.List[i]); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return w.put(at, elem, v)
}

// text packs a text into n bytes.
func (w *writer) text(at int, n uint64, elem plan.Type, v *value.Value) error {
	s := w.look(elem)
	wide := s.Pointers == 0 && s.Size == 4 && (s.Kind == edl.WChar || v.Kind == value.Wide && s.Kind != edl.Float)
	switch {
	case wide:
		runes := v.Wide
		if v.Kind == value.Text {
			runes = []rune(string(v.Bytes))
		}
		for i, r := range runes {
			if uint64(4*i+4) <= n {
				le.PutUint32(w.mem[at+4*i:], uint32(r))
			}
		}
		return nil
	case v.Kind == value.Text && (s.isByte() || !elem.Known()):
		copy(w.mem[at:][:n], v.Bytes)
		return nil
	}
	return wrong(v, ErrArgument, "%s is passed as %s", v.Kind, elem)
}
