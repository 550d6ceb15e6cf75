package invoke

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
)

// slot is a parameter of a function, or a member of a struct.
type slot struct {
	name      string
	typ       plan.Type
	dims      []uint64
	pass      plan.Pass
	buffer    *plan.Buffer
	direction edl.Direction
	offset    int // in the structure
	lenOffset int // of a string's length, 0 for none
	param     bool

	value   value.Value
	derived bool // from the buffers that it is the length of

	// at and size are where the content is in the writer's memory.
	at   int
	size uint64
}

// params are the slots of a function.
func params(f *plan.Call) []slot {
	slots := make([]slot, len(f.Params))
	for i, p := range f.Params {
		slots[i] = slot{
			name: p.Name, typ: p.Type, dims: p.Dims, pass: p.Pass, buffer: p.Buffer, direction: p.Direction,
			offset: int(p.Offset), lenOffset: int(p.LenOffset), param: true,
		}
	}
	return slots
}

// slots packs parameters or members into the structure at an offset. whole is
// what they were written as.
func (w *writer) slots(base int, slots []slot, whole *value.Value) error {
	for i := range slots {
		if w.inPlace { // what is not given stays
			break
		}
		if err := w.derive(slots, i); err != nil {
			return err
		}
	}
	for i := range slots {
		s := &slots[i]
		if s.param && s.value.Kind == value.Omitted && !(s.direction == edl.Out && s.buffer != nil) {
			return w.missing(slots, i)
		}
		if s.buffer != nil || s.pass != plan.Value {
			continue
		}
		var err error
		if len(s.dims) > 0 {
			err = w.array(base+s.offset, s.typ, s.dims, &s.value)
		} else {
			err = w.put(base+s.offset, s.typ, &s.value)
		}
		if err != nil {
			return s.named(err)
		}
	}
	for i := range slots {
		s := &slots[i]
		var err error
		switch {
		case s.pass == plan.Address:
			err = w.address(base, s)
		case s.pass == plan.String || s.pass == plan.WString:
			err = w.zeroEnded(base, s)
		case s.buffer != nil:
			err = w.buffer(base, slots, i)
		}
		if err != nil {
			return s.named(err)
		}
	}
	return nil
}

// named says which parameter an error is about.
func (s *slot) named(err error) error {
	var e *ArgumentError
	if !s.param || !errors.As(err, &e) {
		return err
	}
	return &ArgumentError{e.Pos, e.End, fmt.Errorf("%s: %w", s.name, e.Err)}
}

// buffer packs what a pointer points to.
func (w *writer) buffer(base int, slots []slot, i int) error {
	s := &slots[i]
	v := &s.value
	if v.Kind == value.Null || v.Kind == value.Omitted && !s.param {
		return nil // the address is zero
	}
	if v.Kind == value.Address { // for those who test what the enclave refuses
		le.PutUint64(w.mem[base+s.offset:], v.Int)
		return nil
	}
	n, err := w.length(base, slots, s.buffer, v)
	if err != nil {
		return err
	}
	if s.at, err = w.alloc(v, n); err != nil {
		return err
	}
	s.size = n
	w.point(base+s.offset, s.at)
	return w.content(s, n, v)
}

// content packs a value into the n bytes at s.at.
func (w *writer) content(s *slot, n uint64, v *value.Value) error {
	if v.Kind == value.Omitted {
		return nil
	}
	if s.buffer.Fixed > 0 {
		return w.array(s.at, s.buffer.Elem, s.dims, v)
	}
	natural, err := w.natural(s.buffer.Elem, v)
	if err != nil {
		return err
	}
	// A text may be shorter than the buffer that an answer is to come in.
	loose := s.direction&edl.Out != 0 && (v.Kind == value.Text || v.Kind == value.Bytes || v.Kind == value.Wide)
	if natural > n || natural < n && !loose {
		return s.misfit(natural, n, v)
	}
	return w.fill(s.at, n, s.buffer.Elem, v)
}

func (s *slot) misfit(natural, n uint64, v *value.Value) error {
	b := s.buffer
	var names []string
	for _, o := range []*edl.Operand{b.Size, b.Count} {
		if o != nil && o.Name != "" {
			names = append(names, o.Name)
		}
	}
	by := ""
	if names != nil {
		by = " by " + strings.Join(names, " and ")
	}
	if b.Size == nil && b.Count == nil {
		return wrong(v, ErrLength, "%d bytes in place of one %s, which has %d", natural, b.Elem, n)
	}
	return wrong(v, ErrLength, "%d bytes, and the buffer has %d%s", natural, n, by)
}

// zeroEnded packs a string.
func (w *writer) zeroEnded(base int, s *slot) error {
	v := &s.value
	if v.Kind == value.Null {
		return nil
	}
	unit := s.buffer.Elem.Size
	switch v.Kind {
	case value.Text, value.Bytes, value.Wide:
	default:
		return wrong(v, ErrArgument, "%s in place of a text: a text has quotes", v.Kind)
	}
	n, err := w.natural(s.buffer.Elem, v)
	if err != nil {
		return err
	}
	if n%unit != 0 {
		return wrong(v, ErrLength, "%d bytes are no whole number of %s", n, s.buffer.Elem)
	}
	if slices.Contains(v.Bytes, 0) && unit == 1 || slices.Contains(v.Wide, 0) {
		return wrong(v, ErrArgument, "a zero ends a string and cannot be in it")
	}
	if s.at, err = w.alloc(v, n+unit); err != nil {
		return err
	}
	s.size = n + unit
	w.point(base+s.offset, s.at)
	if s.lenOffset > 0 {
		le.PutUint64(w.mem[base+s.lenOffset:], s.size)
	}
	return w.fill(s.at, n, s.buffer.Elem, v)
}

// address packs a user_check pointer.
func (w *writer) address(base int, s *slot) error {
	v := &s.value
	before := len(w.addresses)
	elem := w.behind(s)
	if len(s.dims) > 0 && v.Kind == value.List {
		n := elem.Size
		for _, d := range s.dims {
			n *= d // the plan has checked it
		}
		var err error
		if s.at, err = w.alloc(v, n); err != nil {
			return err
		}
		s.size = n
		w.point(base+s.offset, s.at)
		return w.array(s.at, elem, s.dims, v)
	}
	if err := w.pointer(base+s.offset, elem, v); err != nil {
		return err
	}
	if len(w.addresses) > before {
		s.at = int(le.Uint64(w.mem[base+s.offset:]))
		s.size, _ = w.natural(elem, v)
	}
	return nil
}

// behind is what a user_check pointer points to.
func (c *codec) behind(s *slot) plan.Type {
	if s.typ.Pointers > 0 {
		return c.pointsTo(s.typ)
	}
	// The foreign type is the pointer.
	name := "*" + s.typ.Name
	t := plan.Type{Type: edl.Type{Kind: edl.Foreign, Name: name}, Layout: c.types.Layouts()[name]}
	if !t.Known() {
		t, _ = scalar(edl.UChar)
	}
	return t
}
