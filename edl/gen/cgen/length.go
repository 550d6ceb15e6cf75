package cgen

import (
	"fmt"
	"math"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// sizeLiteral is a constant of type size_t.
func sizeLiteral(n uint64) string {
	if n > math.MaxInt32 {
		return fmt.Sprintf("%dUL", n)
	}
	return fmt.Sprint(n)
}

// elemSize is the size of an element of a buffer. self is the pointer to it.
func elemSize(b *plan.Buffer, self string) string {
	if strings.HasPrefix(b.Elem.Name, "*") { // an isptr type
		return "sizeof(*" + self + ")"
	}
	return "sizeof(" + spellType(b.Elem.Type) + ")"
}

// length computes the length of a buffer into the variable to, and does
// otherwise if it overflows. value is how a parameter or member is read.
func (w *writer) length(indent, to string, b *plan.Buffer, name, otherwise string, value func(name string) string) {
	read := func(o *edl.Operand) string {
		if o.Name == "" {
			return sizeLiteral(o.Number)
		}
		return "(size_t)" + value(o.Name)
	}
	size := elemSize(b, value(name))
	if b.Size != nil {
		size = read(b.Size)
	}
	switch {
	case b.Fixed > 0:
		w.f("%s%s = %s * %s;\n", indent, to, sizeLiteral(b.Fixed), size)
	case b.Count == nil:
		w.f("%s%s = %s;\n", indent, to, size)
	default:
		w.f("%sif (!edge_product(%s, %s, &%s))\n%s\t%s\n", indent, size, read(b.Count), to, indent, otherwise)
	}
}

// partial reports whether a length can come out as no whole number of
// elements where it must.
func partial(b *plan.Buffer) bool { return b.Size != nil && b.Whole() && b.Elem.Size != 1 }
