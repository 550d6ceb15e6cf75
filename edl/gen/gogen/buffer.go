package gogen

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// shape is what a buffer is in Go.
type shape uint8

const (
	shapeOne   shape = iota // *T going in, T coming out
	shapeArray              // *[N]T, [N]T
	shapeSlice              // []T
)

// goBuffer is a buffer of a parameter or a struct.
type goBuffer struct {
	*plan.Buffer
	elem  *goType
	shape shape
	dims  []uint64 // of an array
	// fixed says that the buffer has total bytes, whatever the parameters.
	fixed bool
	total uint64
	// factor times the length that derives from a slice is its size in bytes;
	// 0 if none does.
	factor uint64
	in     bool // the caller has the slice
}

// buffer plans a buffer of Go.
func (g *generator) buffer(p *edl.Param, b *plan.Buffer) (*goBuffer, error) {
	out := &goBuffer{Buffer: b, in: p.Direction&edl.In != 0 || p.Direction == edl.None}
	var err error
	switch {
	case b.Size != nil && !b.Whole():
		// Nobody says that the size is one of whole elements.
		out.elem = byteType
	default:
		if out.elem, err = g.typeOf(p.Pos, b.Elem, b.Deep); err != nil {
			return nil, err
		}
	}
	if out.elem.codec == codecDeep && p.Direction == edl.Out {
		return nil, errorf(p.Pos, ErrType, "%s: a struct with buffers cannot only come out", p.Name)
	}
	if out.fixed = b.Fixed > 0 || b.SizeParam < 0 && b.CountParam < 0; out.fixed {
		if out.total, err = b.Bytes(func(int) uint64 { return 0 }); err != nil {
			return nil, fmt.Errorf("%v: %s: %w: %w", p.Pos, p.Name, ErrType, err)
		}
	}
	n := out.total / out.elem.size
	switch {
	case !out.fixed || out.total > maxGoArray || n == 0:
		out.shape = shapeSlice
	case b.Fixed > 0:
		out.shape, out.dims = shapeArray, p.Dims
		if len(p.Dims) == 0 {
			out.dims = []uint64{n}
		}
	case n > 1 && out.elem.codec == codecDeep:
		out.shape = shapeSlice
	case n > 1:
		out.shape, out.dims = shapeArray, []uint64{n}
	}
	number := func(o *edl.Operand, otherwise uint64) uint64 {
		if o == nil {
			return otherwise
		}
		return o.Number
	}
	switch {
	case out.fixed || out.shape != shapeSlice || b.SizeParam >= 0 && b.CountParam >= 0:
	case b.SizeParam >= 0:
		out.factor = number(b.Count, 1)
	default:
		out.factor = number(b.Size, b.Elem.Size)
	}
	return out, nil
}

// tells reports whether the length of the slice tells parameter n.
func (b *goBuffer) tells(n int) bool {
	return b.in && b.factor > 0 && max(b.SizeParam, b.CountParam) == n
}

// isDerived reports whether parameter n follows from the lengths of slices.
func isDerived(n int, bufs []*goBuffer) bool {
	return slices.ContainsFunc(bufs, func(b *goBuffer) bool { return b.tells(n) })
}

// isOperand reports whether parameter n is an operand of a buffer.
func isOperand(n int, bufs []*goBuffer) bool {
	return slices.ContainsFunc(bufs, func(b *goBuffer) bool { return b.SizeParam == n || b.CountParam == n })
}

// checkLength refuses what Go cannot take for a length.
func checkLength(pos edl.Pos, name string, t *goType, value bool, n int, bufs []*goBuffer) error {
	if isOperand(n, bufs) && (!value || t.codec != codecInt) {
		return errorf(pos, ErrType, "%s is no integer, and a length", name)
	}
	return nil
}

// lengthCounts are the arguments of Len for the slices that tell length n.
// value spells a slice.
func lengthCounts(n int, bufs []*goBuffer, value func(b *goBuffer) string) []string {
	var args []string
	for _, b := range bufs {
		if !b.tells(n) {
			continue
		}
		switch v := value(b); {
		case b.factor == b.elem.size:
			args = append(args, fmt.Sprintf("edge.Items(%s)", v))
		case b.factor == 1:
			args = append(args, fmt.Sprintf("edge.Bytes(%s, %d)", v, b.elem.size))
		default:
			args = append(args, fmt.Sprintf("edge.Units(%s, %d, %d)", v, b.elem.size, b.factor))
		}
	}
	return args
}

// limit is the greatest length that fits into an integer type.
func (t *goType) limit(g *generator) string {
	if t.signed() {
		return fmt.Sprintf("%sMaxInt%d", g.use("math"), 8*t.size)
	}
	return fmt.Sprintf("%sMaxUint%d", g.use("math"), 8*t.size)
}

// size is an expression for the length of the buffer in bytes, a uint64.
// value spells a parameter as one.
func (b *goBuffer) size(value func(n int) string) string {
	if b.fixed {
		return fmt.Sprint(b.total)
	}
	operand := func(o *edl.Operand, n int, otherwise uint64) (string, uint64) {
		switch {
		case o == nil:
			return "", otherwise
		case n >= 0:
			return value(n), 0
		}
		return "", o.Number
	}
	count, countNumber := operand(b.Count, b.CountParam, 1)
	size, sizeNumber := operand(b.Buffer.Size, b.SizeParam, b.Elem.Size)
	switch {
	case count == "" && countNumber == 1:
		return size
	case size == "" && sizeNumber == 1:
		return count
	case count == "":
		count = fmt.Sprint(countNumber)
	case size == "":
		size = fmt.Sprint(sizeNumber)
	}
	return fmt.Sprintf("f.Mul(%s, %s)", count, size)
}

// partial reports whether a check is needed that the length is one of whole
// elements.
func (b *goBuffer) partial() bool {
	if b.fixed || b.elem.size == 1 || b.Buffer.Size == nil || !b.Whole() {
		return false
	}
	return b.SizeParam >= 0 || b.Buffer.Size.Number%b.elem.size != 0
}

// arrayType spells an array.
func arrayType(dims []uint64, elem string) string {
	var s strings.Builder
	for _, d := range dims {
		fmt.Fprintf(&s, "[%d]", d)
	}
	return arrayOf(s.String(), elem)
}

// sliceType spells a slice.
func sliceType(elem string) string { return arrayOf("[]", elem) }

// arrayOf spells what has elements: bytes are written byte.
func arrayOf(prefix, elem string) string {
	if elem == "uint8" && prefix != "" {
		elem = "byte"
	}
	return prefix + elem
}

// inType is the type of a buffer that the caller passes.
func (g *generator) inType(b *goBuffer) string {
	switch b.shape {
	case shapeOne:
		return "*" + g.spell(b.elem)
	case shapeArray:
		return "*" + arrayType(b.dims, g.spell(b.elem))
	case shapeSlice:
		return sliceType(g.spell(b.elem))
	}
	panic("edl/gen/gogen: no shape")
}

// outType is the type of a buffer that comes back as a result.
func (g *generator) outType(b *goBuffer) string { return strings.TrimPrefix(g.inType(b), "*") }

// product of dimensions; the plan has checked that it does not overflow.
func product(dims []uint64) uint64 {
	n := uint64(1)
	for _, d := range dims {
		_, n = bits.Mul64(n, d)
	}
	return n
}
