package plan

import "github.com/feidi-dev/feidi/edl"

// call lays out the marshalling structure of a function.
func (p *planner) call(f *edl.Func, index int, ecall bool) (*Call, error) {
	c := &Call{Func: f, Index: index}
	ms := Layout{0, 1}
	var err error
	if f.Result.Kind != edl.Void || f.Result.Pointers > 0 {
		c.Result = &Field{}
		if c.Result.Type, err = p.resolve(f.Pos, f.Result); err != nil {
			return nil, err
		}
		if c.Result.Offset, err = ms.put(f.Pos, "the result of "+f.Name, c.Result.Type.Layout, 1); err != nil {
			return nil, err
		}
	}
	if f.PropagateErrno {
		c.Errno = &Field{Type: Type{Type: edl.Type{Kind: edl.Int}, Layout: scalars[edl.Int]}}
		if c.Errno.Offset, err = ms.put(f.Pos, "errno", c.Errno.Type.Layout, 1); err != nil {
			return nil, err
		}
	}
	names := siblings{params: f.Params}
	for _, param := range f.Params {
		q, err := p.param(param, &names)
		if err != nil {
			return nil, err
		}
		if q.Offset, err = ms.put(param.Pos, param.Name, q.Type.Layout, 1); err != nil {
			return nil, err
		}
		if q.HasLen = ecall && param.Direction&edl.In != 0 && (q.Pass == String || q.Pass == WString); q.HasLen {
			if q.LenOffset, err = ms.put(param.Pos, param.Name, scalars[edl.SizeT], 1); err != nil {
				return nil, err
			}
		}
		c.Params = append(c.Params, q)
	}
	if ms.Known() {
		ms.Size = alignUp(ms.Size, ms.Align)
	}
	c.Layout = ms
	return c, nil
}

// HasMS reports whether the function has a marshalling structure. One that
// has none is called with a null pointer in its place.
func (c *Call) HasMS() bool { return c.Result != nil || c.Errno != nil || len(c.Params) > 0 }

// param plans a parameter, all but its offset.
func (p *planner) param(param *edl.Param, all *siblings) (*Param, error) {
	q := &Param{Param: param}
	t := param.Type
	if param.IsAry || len(param.Dims) > 0 {
		t.Pointers++ // passed by address, as C does
	}
	if t.Kind == edl.Void && t.Pointers == 0 {
		return nil, errorf(param.Pos, ErrMisused, "%s: void is no value", param.Name)
	}
	var err error
	if q.Type, err = p.resolve(param.Pos, t); err != nil {
		return nil, err
	}
	if param.IsPtr && t.Pointers == 0 {
		q.Type.Layout = pointer
	}
	switch {
	case t.Pointers == 0 && !param.IsPtr:
		q.Pass = Value
		if q.Type.Composite != nil && q.Type.Composite.Deep {
			return nil, errorf(param.Pos, ErrMisused, "%s: struct %s has buffers and is passed by value", param.Name, t.Name)
		}
		return q, nil
	case param.Direction == edl.None:
		q.Pass = Address
		return q, nil
	case param.String:
		q.Pass = String
	case param.WString:
		q.Pass = WString
	default:
		q.Pass = Copied
	}
	if q.Buffer, err = p.buffer(param, all); err != nil {
		return nil, err
	}
	elem := q.Buffer.Elem
	q.Buffer.Deep = q.Buffer.Fixed == 0 && elem.Pointers == 0 && elem.Composite != nil && elem.Composite.Deep
	return q, nil
}

// buffer plans what a pointer points to. The operands of its attributes name
// one of all.
func (p *planner) buffer(param *edl.Param, all *siblings) (*Buffer, error) {
	b := &Buffer{Size: param.Size, Count: param.Count}
	elem := param.Type
	elem.Const = false
	var err error
	switch {
	case len(param.Dims) > 0:
		if b.Fixed, err = elements(param); err != nil {
			return nil, err
		}
	case param.IsAry:
	case param.IsPtr && elem.Pointers == 0:
		b.Elem = Type{Type: edl.Type{Kind: edl.Foreign, Name: "*" + elem.Name}}
		b.Elem.Layout = p.foreign[b.Elem.Name]
	case elem.Pointers == 0:
		return nil, errorf(param.Pos, ErrMisused, "%s: a buffer, and no pointer", param.Name)
	default:
		elem.Pointers--
	}
	if elem.Kind == edl.Void && elem.Pointers == 0 {
		elem.Kind = edl.Char
	}
	if b.Elem.Name == "" {
		if b.Elem, err = p.resolve(param.Pos, elem); err != nil {
			return nil, err
		}
	}
	if _, ok := multiply(b.Elem.Size, max(b.Fixed, 1)); !ok || b.Elem.Size*max(b.Fixed, 1) > MaxSize {
		return nil, errorf(param.Pos, ErrTooBig, "%s: more than %d bytes", param.Name, MaxSize)
	}
	if b.SizeParam, err = all.operand(b.Size); err != nil {
		return nil, err
	}
	b.CountParam, err = all.operand(b.Count)
	return b, err
}

// siblings are the parameters of a function, or the members of a struct: what
// the length of one of them can be.
type siblings struct {
	params  []*edl.Param
	members bool
	index   map[string]int // by name, made when it is first needed
}

// operand finds what an operand names, or -1 for a number. A member that is a
// pointer is no length: a deep copy changes it.
func (s *siblings) operand(o *edl.Operand) (int, error) {
	if o == nil || o.Name == "" {
		return -1, nil
	}
	if s.index == nil {
		s.index = map[string]int{}
		for n, param := range s.params {
			if _, ok := s.index[param.Name]; !ok {
				s.index[param.Name] = n
			}
		}
	}
	n, ok := s.index[o.Name]
	if !ok {
		return 0, errorf(o.Pos, ErrUndefined, "there is no %s beside what it is the length of", o.Name)
	}
	switch param := s.params[n]; {
	case len(param.Dims) > 0 || param.IsAry:
		return 0, errorf(o.Pos, ErrMisused, "%s is an array, and no length", o.Name)
	case param.Type.Pointers > 0 && s.members:
		return 0, errorf(o.Pos, ErrMisused, "%s is a pointer, and no length", o.Name)
	case param.Type.Pointers > 0:
		return n, nil // an address makes no sense as a length, but it is legal
	}
	switch s.params[n].Type.Kind {
	case edl.Void, edl.StructKind, edl.UnionKind, edl.Float, edl.Double, edl.LongDouble:
		return 0, errorf(o.Pos, ErrMisused, "%s is no integer, and no length", o.Name)
	}
	return n, nil
}
