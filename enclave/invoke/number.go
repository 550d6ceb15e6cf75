package invoke

import (
	"math"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
)

// float packs a floating-point number.
func (w *writer) float(at int, t plan.Type, v *value.Value) error {
	f := v.Float
	switch v.Kind {
	case value.Int:
		f = float64(v.Int)
		if v.Negative {
			f = -f
		}
	case value.Float:
	default:
		return wrong(v, ErrArgument, "%s in place of %s", v.Kind, t)
	}
	switch t.Kind {
	case edl.Float:
		if math.Abs(f) > math.MaxFloat32 && !math.IsInf(f, 0) {
			return wrong(v, ErrRange, "%s does not fit float", v)
		}
		le.PutUint32(w.mem[at:], math.Float32bits(float32(f)))
	case edl.Double:
		le.PutUint64(w.mem[at:], math.Float64bits(f))
	default:
		l := edge.LongDoubleOf(f)
		copy(w.mem[at:], l[:])
	}
	return nil
}

// integer packs an integer, a truth value or an element of an enum.
func (w *writer) integer(at int, s *seen, v *value.Value) error {
	n, negative := v.Int, v.Negative
	switch v.Kind {
	case value.Int, value.Bool:
	case value.Name, value.Text:
		name := v.Name
		if v.Kind == value.Text { // JSON has no names
			name = string(v.Bytes)
		}
		c, ok := w.constant(name)
		if !ok {
			return w.noConstant(s, name, v)
		}
		if n = uint64(c); c < 0 {
			n, negative = -n, true
		}
	case value.Bytes:
		if uint64(len(v.Bytes)) != s.Size {
			return wrong(v, ErrLength, "%s has %d bytes, not %d", s.Type, s.Size, len(v.Bytes))
		}
		copy(w.mem[at:], v.Bytes)
		return nil
	default:
		return wrong(v, ErrArgument, "%s in place of %s", v.Kind, s.Type)
	}
	bits := 8 * s.Size
	signed := isSigned(s.Kind)
	// char may be either, an enum too; wchar_t holds what an escape says.
	either := s.Kind == edl.Char || s.Kind == edl.EnumKind || s.Kind == edl.WChar
	most := uint64(math.MaxUint64) >> (64 - bits)
	if signed && !either {
		most >>= 1
	}
	least := uint64(0) // as an absolute value
	if signed || either {
		least = 1 << (bits - 1)
	}
	switch {
	case s.Kind == edl.Bool && n > 1:
		return wrong(v, ErrRange, "%s is neither true nor false", v)
	case negative && n > least || !negative && n > most:
		return wrong(v, ErrRange, "%s does not fit %s", v, s.Type)
	}
	if negative {
		n = -n
	}
	var b [8]byte
	le.PutUint64(b[:], n)
	copy(w.mem[at:][:s.Size], b[:])
	return nil
}

// noConstant is the error for a name that stands for nothing.
func (w *writer) noConstant(s *seen, name string, v *value.Value) error {
	if v.Kind == value.Text {
		return wrong(v, ErrArgument, "a text in place of %s", s.Type)
	}
	if s.Kind == edl.EnumKind {
		var names []string
		for _, e := range s.Composite.Elements {
			names = append(names, e.Name)
		}
		if len(names) > 8 {
			names = append(names[:8], "…")
		}
		return wrong(v, ErrArgument, "%s is none of %s", name, strings.Join(names, ", "))
	}
	return wrong(v, ErrArgument, "%s is the name of nothing: a text has quotes", name)
}
