package invoke

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/edl/value"
)

var le = binary.LittleEndian

// writer packs values into memory that has no address yet.
type writer struct {
	*codec
	mem []byte
	// addresses are the offsets in mem that hold an offset in place of an
	// address.
	addresses []int
	// inPlace says that mem is somebody's, and cannot grow.
	inPlace bool
}

// alloc makes room and returns its offset.
func (w *writer) alloc(v *value.Value, n uint64) (int, error) {
	const align = 64
	if w.inPlace {
		return 0, wrong(v, ErrArgument, "nothing can be placed here: a pointer is null or a number")
	}
	if n > MaxMemory || uint64(len(w.mem))+n+align > MaxMemory {
		return 0, wrong(v, ErrLength, "the buffers of the call would take more than %d bytes", MaxMemory)
	}
	off := (len(w.mem) + align - 1) / align * align
	w.mem = append(w.mem, make([]byte, off+int(n)-len(w.mem))...)
	return off, nil
}

// point stores at offset at the address of offset to.
func (w *writer) point(at, to int) {
	le.PutUint64(w.mem[at:], uint64(to))
	w.addresses = append(w.addresses, at)
}

// place copies what was packed into memory outside the enclave.
func (w *writer) place(e uedge.Enclave) (uedge.Memory, error) {
	if len(w.mem) == 0 {
		return nil, nil
	}
	// A buffer without bytes at the end has an address, too.
	mem, err := e.Outside(len(w.mem) + 64)
	if err != nil {
		return nil, err
	}
	for _, at := range w.addresses {
		le.PutUint64(w.mem[at:], le.Uint64(w.mem[at:])+mem.Addr())
	}
	copy(mem.Bytes(), w.mem)
	return mem, nil
}

// put packs a value of type t at an offset.
func (w *writer) put(at int, t plan.Type, v *value.Value) error {
	if v.Kind == value.Omitted {
		return nil
	}
	s := w.look(t)
	if len(s.dims) > 0 {
		return w.array(at, s.Type, s.dims, v)
	}
	if s.Pointers > 0 {
		return w.pointer(at, w.pointsTo(s.Type), v)
	}
	switch s.Kind {
	case edl.StructKind, edl.UnionKind:
		return w.composite(at, s.Composite, v)
	case edl.Float, edl.Double, edl.LongDouble:
		return w.float(at, s.Type, v)
	case edl.Foreign:
		return w.opaque(at, s.Type, v)
	}
	return w.integer(at, &s, v)
}

// opaque packs a type of which only the size is known.
func (w *writer) opaque(at int, t plan.Type, v *value.Value) error {
	switch {
	case !t.Known():
		return unknown(v, t)
	case v.Kind == value.Bytes && uint64(len(v.Bytes)) == t.Size:
		copy(w.mem[at:], v.Bytes)
		return nil
	case v.Kind == value.Bytes:
		return wrong(v, ErrLength, "%s has %d bytes, not %d", t, t.Size, len(v.Bytes))
	case v.Kind == value.Struct && len(v.Fields) == 0: // {}: zeros
		return nil
	}
	return wrong(v, ErrArgument, "%s is %d bytes of which no more is known: give them as hex:… or @file, or describe the type", t, t.Size)
}

// unknown is the error for a type without a layout.
func unknown(v *value.Value, t plan.Type) error {
	name := strings.TrimPrefix(t.Type.String(), "*")
	if strings.HasPrefix(t.Name, "*") {
		return wrong(v, ErrType, "what %s points to; say --type %s=TYPE*", name, name)
	}
	return wrong(v, ErrType, "%s; say --type %s=SIZE or %s=TYPE", name, name, name)
}

// pointer packs an address: null, a number, or that of content that is placed
// with the call.
func (w *writer) pointer(at int, elem plan.Type, v *value.Value) error {
	switch v.Kind {
	case value.Omitted, value.Null:
		le.PutUint64(w.mem[at:], 0)
		return nil
	case value.Int, value.Address:
		if v.Negative {
			return wrong(v, ErrRange, "%s is no address", v)
		}
		le.PutUint64(w.mem[at:], v.Int)
		return nil
	}
	n, err := w.natural(elem, v)
	if err != nil {
		return err
	}
	zero := uint64(0)
	if v.Kind == value.Text || v.Kind == value.Wide { // as C has them
		zero = max(elem.Size, 1)
	}
	to, err := w.alloc(v, n+zero)
	if err != nil {
		return err
	}
	w.point(at, to)
	return w.fill(to, n, elem, v)
}

// array packs a C array, which is exactly as long as its type says. A text in
// an array of characters may be shorter.
func (w *writer) array(at int, elem plan.Type, dims []uint64, v *value.Value) error {
	n, total := uint64(1), elem.Size
	for _, d := range dims {
		n *= d
	}
	if total *= n; !elem.Known() {
		return unknown(v, elem)
	}
	switch v.Kind {
	case value.Omitted:
		return nil
	case value.Struct:
		if len(v.Fields) == 0 {
			return nil
		}
	case value.Bytes:
		if uint64(len(v.Bytes)) != total {
			return wrong(v, ErrLength, "the array has %d bytes, not %d", total, len(v.Bytes))
		}
		copy(w.mem[at:], v.Bytes)
		return nil
	case value.Text, value.Wide:
		size, err := w.natural(elem, v)
		if err != nil {
			return err
		}
		if size > total || len(dims) > 1 {
			return wrong(v, ErrLength, "the text has %d bytes, the array %d", size, total)
		}
		return w.text(at, total, elem, v)
	case value.List:
		inner, step := dims[1:], int(elem.Size*(n/dims[0]))
		if uint64(len(v.List)) == n && len(inner) > 0 && (n != dims[0] || !nested(v)) { // all elements in a row
			inner, step = nil, int(elem.Size)
		} else if uint64(len(v.List)) != dims[0] {
			return wrong(v, ErrLength, "the array has %d elements, not %d", dims[0], len(v.List))
		}
		for i := range v.List {
			put := func() error { return w.put(at+i*step, elem, &v.List[i]) }
			if len(inner) > 0 {
				put = func() error { return w.array(at+i*step, elem, inner, &v.List[i]) }
			}
			if err := put(); err != nil {
				return err
			}
		}
		return nil
	}
	return wrong(v, ErrArgument, "%s in place of an array of %s", v.Kind, elem)
}

// composite packs a struct or a union.
func (w *writer) composite(at int, c *plan.Composite, v *value.Value) error {
	name := c.Kind.String() + " " + c.Name
	if !c.Known() {
		for _, m := range c.Members {
			if !m.Type.Known() {
				return unknown(v, m.Type)
			}
		}
		return wrong(v, ErrType, "%s", name)
	}
	slots := make([]slot, len(c.Members))
	for i, m := range c.Members {
		slots[i] = slot{name: m.Name, typ: m.Type, dims: m.Dims, buffer: m.Buffer, offset: int(m.Offset)}
	}
	switch v.Kind {
	case value.Bytes:
		return w.opaque(at, plan.Type{Type: edl.Type{Kind: c.Kind, Name: c.Name}, Layout: c.Layout}, v)
	case value.List:
		if len(v.List) > len(slots) || c.Kind == edl.UnionKind && len(v.List) > 1 {
			return wrong(v, ErrLength, "%s has %d members, not %d", name, len(slots), len(v.List))
		}
		for i := range v.List {
			slots[i].value = v.List[i]
		}
	case value.Struct:
		if c.Kind == edl.UnionKind && len(v.Fields) > 1 {
			return wrong(v, ErrArgument, "%s holds one member at a time", name)
		}
		for i := range v.Fields {
			f := &v.Fields[i]
			n := slices.IndexFunc(slots, func(s slot) bool { return s.name == f.Name })
			if n < 0 {
				return &ArgumentError{f.Pos, f.Pos + len(f.Name), wrongMember(name, f.Name, slots)}
			}
			slots[n].value = f.Value
		}
	default:
		return wrong(v, ErrArgument, "%s in place of %s", v.Kind, name)
	}
	return w.slots(at, slots, v)
}
