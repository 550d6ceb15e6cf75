package invoke

import (
	"slices"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/internal/text"
	"github.com/feidi-dev/feidi/status"
)

// codec knows the types of an interface.
type codec struct {
	types      *Types
	composites map[string]*plan.Composite // by name
	constants  map[string]int64           // elements of enums
}

func newCodec(p *plan.Plan, types *Types) *codec {
	c := &codec{types: types, composites: map[string]*plan.Composite{}, constants: map[string]int64{}}
	for _, t := range p.Types {
		if t.Name != "" {
			c.composites[t.Name] = t
		}
		for i, e := range t.Elements {
			c.constants[e.Name] = t.Values[i]
		}
	}
	return c
}

// seen is a type with typedefs looked through.
type seen struct {
	plan.Type
	dims []uint64 // of an array
	// status says that it is sgx_status_t.
	status bool
}

// look looks through a typedef. What is Foreign after it is bytes of which
// nothing but the number is known, or not even that.
func (c *codec) look(t plan.Type) seen {
	if t.Pointers > 0 || t.Kind != edl.Foreign && (t.Composite != nil || t.Kind != edl.StructKind && t.Kind != edl.UnionKind && t.Kind != edl.EnumKind) {
		return seen{Type: t}
	}
	name := t.Name
	if t.Kind != edl.Foreign {
		name = t.Kind.String() + " " + t.Name
	}
	if c.types != nil {
		if k, ok := c.types.known[name]; ok {
			return seen{Type: k.Type, dims: k.dims}
		}
	}
	as := func(k edl.Kind) seen {
		t.Kind = k
		return seen{Type: t, status: name == "sgx_status_t"}
	}
	if d := c.composites[t.Name]; d != nil && t.Kind == edl.Foreign {
		t.Composite = d
		return as(d.Kind)
	}
	switch {
	case name == "bool" || name == "_Bool":
		return as(edl.Bool)
	case t.Kind == edl.EnumKind:
		return as(edl.UInt)
	case t.Kind != edl.Foreign || t.Size != t.Align: // no integer
		return as(edl.Foreign)
	}
	signed := signedTypes[name]
	for _, k := range []struct{ signed, unsigned edl.Kind }{
		{edl.Int8, edl.UInt8}, {edl.Int16, edl.UInt16}, {edl.Int32, edl.UInt32}, {edl.Int64, edl.UInt64},
	} {
		if s, _ := scalar(k.signed); s.Size == t.Size {
			if signed {
				return as(k.signed)
			}
			return as(k.unsigned)
		}
	}
	return as(edl.Foreign)
}

// isSigned reports whether an integer type has negative numbers.
func isSigned(k edl.Kind) bool {
	return slices.Contains([]edl.Kind{
		edl.Char, edl.Short, edl.Int, edl.Long, edl.LongLong, edl.Int8, edl.Int16, edl.Int32, edl.Int64, edl.WChar,
	}, k)
}

// isByte reports whether a buffer of the type is bytes rather than numbers.
func (s *seen) isByte() bool {
	return s.Pointers == 0 && len(s.dims) == 0 && s.Size == 1 && s.Kind != edl.Bool
}

// pointee is what a pointer of this type points to: char for void.
func pointee(t plan.Type) plan.Type {
	t.Const = false
	t.Pointers--
	switch {
	case t.Pointers > 0:
		return t
	case t.Composite != nil:
		t.Layout = t.Composite.Layout
		return t
	case t.Kind == edl.Void:
		t.Kind = edl.Char
	}
	if s, ok := scalar(t.Kind); ok {
		return s
	}
	t.Layout = plan.Layout{}
	if t.Kind == edl.Foreign {
		t.Layout, _ = plan.ForeignLayout(t.Name)
	}
	return t
}

// pointsTo is pointee, with the layouts that the caller gave.
func (c *codec) pointsTo(t plan.Type) plan.Type {
	t = pointee(t)
	if t.Pointers == 0 && t.Kind == edl.Foreign {
		if l, ok := c.types.Layouts()[t.Name]; ok {
			t.Layout = l
		} else if d := c.composites[t.Name]; d != nil {
			t.Layout = d.Layout
		}
	}
	return t
}

// constant is the value of an element of an enum, or of a status.
func (c *codec) constant(name string) (int64, bool) {
	if v, ok := c.constants[name]; ok {
		return v, true
	}
	s, ok := status.Lookup(name)
	return int64(s), ok
}

// nearest returns the name of a function that might have been meant.
func nearest(name string, funcs []*plan.Call) string {
	best, bound := "", 2+len(name)/3
	if len(name) > maxName || len(funcs) > maxFuncs {
		return ""
	}
	for _, f := range funcs {
		if d := text.Distance(name, f.Name, bound); d < bound {
			best, bound = f.Name, d
		}
	}
	return best
}

// Beyond these no name is looked for that might have been meant.
const (
	maxName  = 100
	maxFuncs = 1 << 14
)
