package plan

import (
	"math"

	"github.com/feidi-dev/feidi/edl"
)

// scalars are the layouts of the types of the language (System V ABI, AMD64
// supplement, figure 3.1).
var scalars = map[edl.Kind]Layout{
	edl.Char: {1, 1}, edl.UChar: {1, 1}, edl.Bool: {1, 1},
	edl.Short: {2, 2}, edl.UShort: {2, 2},
	edl.Int: {4, 4}, edl.UInt: {4, 4},
	edl.Long: {8, 8}, edl.ULong: {8, 8}, edl.LongLong: {8, 8}, edl.ULongLong: {8, 8},
	edl.Float: {4, 4}, edl.Double: {8, 8}, edl.LongDouble: {16, 16},
	edl.Int8: {1, 1}, edl.UInt8: {1, 1}, edl.Int16: {2, 2}, edl.UInt16: {2, 2},
	edl.Int32: {4, 4}, edl.UInt32: {4, 4}, edl.Int64: {8, 8}, edl.UInt64: {8, 8},
	edl.SizeT: {8, 8}, edl.WChar: {4, 4},
}

var pointer = Layout{8, 8}

// resolve finds the layout of a type. One that only a C header defines may
// have none; it is for the caller to refuse that.
func (p *planner) resolve(pos edl.Pos, t edl.Type) (Type, error) {
	out := Type{Type: t}
	switch t.Kind {
	case edl.StructKind, edl.UnionKind, edl.EnumKind:
		// A name without a definition is that of a header.
		if c := p.types[t.Name]; c != nil {
			if c.Kind != t.Kind {
				return out, errorf(pos, ErrMisused, "%s is defined as another kind of type", t.Name)
			}
			out.Composite = c
		}
	}
	switch {
	case t.Pointers < 0:
		return out, errorf(pos, ErrMisused, "a type with %d stars", t.Pointers)
	case t.Pointers > 0:
		out.Layout = pointer
	case out.Composite != nil:
		out.Layout = out.Composite.Layout
		if !out.Composite.laid {
			return out, errorf(pos, ErrUndefined, "%s %s is used before the end of its definition", t.Kind, t.Name)
		}
	case t.Kind == edl.StructKind || t.Kind == edl.UnionKind || t.Kind == edl.EnumKind:
		out.Layout = p.lookup(t.Kind.String() + " " + t.Name)
	case t.Kind == edl.Foreign:
		out.Layout = p.lookup(t.Name)
	case t.Kind == edl.Void:
		return out, errorf(pos, ErrMisused, "void is no value")
	default:
		var ok bool
		if out.Layout, ok = scalars[t.Kind]; !ok {
			return out, errorf(pos, ErrMisused, "a type of the unknown kind %d", t.Kind)
		}
	}
	return out, nil
}

// lookup finds a type of a header: as the caller describes it, as the EDL
// does, as everybody knows it, or not at all.
func (p *planner) lookup(name string) Layout {
	if l, ok := p.foreign[name]; ok {
		return l
	}
	if c := p.types[name]; c != nil && c.laid {
		return c.Layout // the typedef that C gets along with the definition
	}
	l, _ := ForeignLayout(name)
	return l
}

// layStruct lays out a struct or a union.
func (p *planner) layStruct(c *Composite) error {
	whole := Layout{0, 1}
	union := Layout{0, 1}
	names := siblings{params: c.Composite.Members, members: true}
	for _, m := range c.Composite.Members {
		t, err := p.resolve(m.Pos, m.Type)
		if err != nil {
			return err
		}
		n, err := elements(m)
		if err != nil {
			return err
		}
		member := &Member{Param: m, Type: t, Count: n}
		if c.Kind == edl.UnionKind {
			one := Layout{0, 1}
			if _, err = one.put(m.Pos, m.Name, t.Layout, n); err == nil {
				union = widest(union, one)
			}
		} else {
			member.Offset, err = whole.put(m.Pos, m.Name, t.Layout, n)
		}
		if err != nil {
			return err
		}
		if m.Size != nil || m.Count != nil {
			if member.Buffer, err = p.buffer(m, &names); err != nil {
				return err
			}
		}
		c.Members = append(c.Members, member)
	}
	if c.Kind == edl.UnionKind {
		whole = union
	}
	return c.close(whole)
}

// widest is the layout of a union of both.
func widest(a, b Layout) Layout {
	if !a.Known() || !b.Known() {
		return Layout{}
	}
	return Layout{max(a.Size, b.Size), max(a.Align, b.Align)}
}

// close ends a definition: its size is a multiple of its alignment.
func (c *Composite) close(l Layout) error {
	c.laid = true
	if !l.Known() {
		return nil
	}
	if l.Size = alignUp(l.Size, l.Align); l.Size > MaxSize {
		return errorf(c.Pos, ErrTooBig, "%s: more than %d bytes", c.Name, MaxSize)
	}
	c.Layout = l
	return nil
}

// layEnum computes the values of an enum, and its size as gcc does: that of
// an int, unless a value needs more than 32 bits.
func (p *planner) layEnum(c *Composite) error {
	next, widest := int64(0), int64(0)
	for n, e := range c.Elements {
		switch {
		case e.Value == nil:
			if n > 0 && c.Values[n-1] == math.MaxInt64 {
				return errorf(e.Pos, ErrTooBig, "%s does not fit into 64 bits", e.Name)
			}
		case e.Value.Name != "":
			v, ok := p.constants[e.Value.Name]
			if !ok {
				return errorf(e.Value.Pos, ErrUndefined, "%s is no element of an enum so far", e.Value.Name)
			}
			next = v
		case e.Value.Number > math.MaxInt64:
			return errorf(e.Value.Pos, ErrTooBig, "%s does not fit into 64 bits", e.Name)
		default:
			next = int64(e.Value.Number)
		}
		if _, ok := p.constants[e.Name]; ok {
			return errorf(e.Pos, ErrMisused, "%s is an element of an enum already", e.Name)
		}
		p.constants[e.Name] = next
		c.Values = append(c.Values, next)
		widest = max(widest, next)
		next++
	}
	if widest > math.MaxUint32 {
		return c.close(Layout{8, 8})
	}
	return c.close(Layout{4, 4})
}

// elements is the number of elements of an array, 1 of everything else.
func elements(m *edl.Param) (uint64, error) {
	n, ok := uint64(1), true
	for _, d := range m.Dims {
		if n, ok = multiply(n, d); !ok || n > MaxSize {
			return 0, errorf(m.Pos, ErrTooBig, "%s: more than %d elements", m.Name, MaxSize)
		}
	}
	if n == 0 {
		return 0, errorf(m.Pos, ErrMisused, "%s: an array without elements", m.Name)
	}
	return n, nil
}
