package invoke

import (
	"errors"
	"fmt"
	"slices"

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

// bind gives each parameter its argument, by position or by name.
func bind(f *plan.Call, call *value.Call) ([]slot, error) {
	slots := params(f)
	given := make([]bool, len(slots))
	for i := range call.Args {
		a := &call.Args[i]
		n := i
		if a.Name != "" {
			if n = slices.IndexFunc(slots, func(s slot) bool { return s.name == a.Name }); n < 0 {
				return nil, &ArgumentError{a.Pos, a.Pos + len(a.Name), fmt.Errorf("%w: %s has no parameter %s: %s", ErrArgument, f.Name, a.Name, Signature(f))}
			}
		}
		switch {
		case n >= len(slots):
			return nil, wrong(&a.Value, ErrArgument, "%s has %d parameters: %s", f.Name, len(slots), Signature(f))
		case given[n]:
			return nil, wrong(&a.Value, ErrArgument, "%s is given twice", slots[n].name)
		}
		given[n], slots[n].value = true, a.Value
	}
	if call.End > call.Pos { // point at the parenthesis for what is missing
		for i := range slots {
			if !given[i] {
				slots[i].value.Pos, slots[i].value.End = call.End-1, call.End
			}
		}
	}
	return slots, nil
}

// ecall packs the arguments of an ECALL: the marshalling structure, then what
// it points to. The slots say where that is.
func (w *writer) ecall(f *plan.Call, slots []slot) (ms int, err error) {
	if !f.HasMS() {
		return 0, nil
	}
	if !f.Known() {
		return 0, w.unknownParam(f, slots)
	}
	none := &value.Value{}
	if ms, err = w.alloc(none, f.Size); err != nil {
		return 0, err
	}
	return ms, w.slots(ms, slots, none)
}

// unknownParam finds the type that keeps the layout of a function unknown.
func (w *writer) unknownParam(f *plan.Call, slots []slot) error {
	for i, s := range slots {
		if !s.typ.Known() {
			return unknown(&slots[i].value, s.typ)
		}
	}
	if f.Result != nil {
		return unknown(&value.Value{}, f.Result.Type)
	}
	return fmt.Errorf("%w: %s", ErrType, f.Name)
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

// missing is the error for a parameter that nothing was given for.
func (w *writer) missing(slots []slot, i int) error {
	s := &slots[i]
	for _, o := range slots {
		if o.buffer == nil || o.buffer.SizeParam != i && o.buffer.CountParam != i {
			continue
		}
		switch o.value.Kind {
		case value.Omitted:
			return wrong(&s.value, ErrArgument, "%s is missing: it is the length of %s; give it, or %s: zero:N", s.name, o.name, o.name)
		case value.Address:
			return wrong(&s.value, ErrArgument, "%s is missing: it is the length of %s, of which only the address is known", s.name, o.name)
		}
	}
	for _, o := range slots[:i] {
		if o.direction == edl.Out && o.value.Kind != value.Omitted {
			return wrong(&s.value, ErrArgument, "%s is missing; %s comes back from the enclave: write _ for it", s.name, o.name)
		}
	}
	return wrong(&s.value, ErrArgument, "%s is missing", s.name)
}

// wrongMember is the error for a member that a struct does not have.
func wrongMember(of, name string, slots []slot) error {
	list := ""
	for i, s := range slots {
		if i == 8 {
			list += ", …"
			break
		}
		list += map[bool]string{true: "", false: ", "}[i == 0] + s.name
	}
	return fmt.Errorf("%w: %s has no member %s, but %s", ErrArgument, of, name, list)
}

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
	return slots[param].value.Int
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
	by := ""
	for _, o := range []*edl.Operand{b.Size, b.Count} {
		if o != nil && o.Name != "" {
			by += map[bool]string{true: " by ", false: " and "}[by == ""] + o.Name
		}
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
