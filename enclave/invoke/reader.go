package invoke

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/status"
)

// maxElements is how many values a buffer is shown as, and maxValues all that
// are made of one call, a parameter for itself not counted. What goes beyond is
// bytes.
const (
	maxElements = 1 << 14
	maxValues   = 1 << 17
)

// memory is memory outside an enclave.
type memory interface {
	// at returns n bytes, or an error if they are not in memory that the
	// enclave was given.
	at(addr uint64, n uint64) ([]byte, error)
}

// frame is the memory of one ECALL, after it.
type frame struct {
	base  uint64
	bytes []byte
}

func (f frame) at(addr, n uint64) ([]byte, error) {
	if off := addr - f.base; addr >= f.base && off <= uint64(len(f.bytes)) && n <= uint64(len(f.bytes))-off {
		return f.bytes[off:][:n], nil
	}
	return nil, fmt.Errorf("%w: %d bytes at %#x are not in the buffers of the call", ErrLength, n, addr)
}

// reader makes values of memory.
type reader struct {
	*codec
	memory memory
	frame  frame
	read   uint64 // bytes behind pointers so far
	values uint64 // made so far
}

// take counts n bytes behind pointers. All together are bounded, since
// addresses may be the same ones again and again.
func (r *reader) take(n uint64) error {
	if n > MaxMemory || n > 2*MaxMemory-r.read {
		return fmt.Errorf("%w: more than %d bytes behind pointers", ErrLength, MaxMemory)
	}
	r.read += n
	return nil
}

// room counts n values, and reports whether as many may still be made.
func (r *reader) room(n uint64) bool {
	if n > maxElements || n > maxValues-r.values {
		return false
	}
	r.values += n
	return true
}

// result unpacks what an ECALL has left.
func (r *reader) result(f *plan.Call, slots []slot, ms int) *Result {
	r.memory = r.frame
	out := &Result{Func: f}
	if f.Result != nil {
		out.Return = r.get(r.frame.bytes[ms+int(f.Result.Offset):], f.Result.Type)
	}
	for i := range slots {
		s := &slots[i]
		content := s.at > 0
		var v value.Value
		switch {
		case s.pass == plan.Address && content:
			v = r.behindAddress(s, r.frame.bytes[s.at:][:s.size])
		case s.buffer == nil || s.direction&edl.Out == 0 || s.value.Kind == value.Address:
			continue
		case s.value.Kind == value.Null:
			v = value.Value{Kind: value.Null}
		case s.pass == plan.String, s.pass == plan.WString:
			v = r.zeroEnded(r.frame.bytes[s.at:][:s.size], s.buffer.Elem)
		default:
			v = r.buffer(r.frame.bytes[s.at:][:s.size], s.buffer, s.dims)
		}
		out.Out = append(out.Out, value.Field{Name: s.name, Value: v})
	}
	return out
}

// behindAddress unpacks what a user_check pointer was given as content, in
// the form in which it was given.
func (r *reader) behindAddress(s *slot, b []byte) value.Value {
	elem := r.behind(s)
	look := r.look(elem)
	switch {
	case len(s.dims) > 0 && s.value.Kind == value.List:
		return r.array(b, elem, s.dims)
	case s.value.Kind == value.List && !look.oneOf(&s.value):
		return r.list(b, elem)
	case s.value.Kind == value.Text, s.value.Kind == value.Wide, s.value.Kind == value.Bytes, !elem.Known():
		return value.OfBytes(bytes.Clone(b))
	}
	return r.get(b, elem)
}

// get unpacks a value.
func (r *reader) get(b []byte, t plan.Type) value.Value {
	s := r.look(t)
	switch {
	case len(s.dims) > 0:
		return r.array(b, s.Type, s.dims)
	case s.Pointers > 0:
		return value.OfAddress(le.Uint64(b))
	}
	b = b[:s.Size]
	switch s.Kind {
	case edl.StructKind, edl.UnionKind:
		return r.composite(b, s.Composite)
	case edl.Float:
		// The shortest decimal that is this float, not that double.
		f := math.Float32frombits(le.Uint32(b))
		short, _ := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
		return value.OfFloat(short)
	case edl.Double:
		return value.OfFloat(math.Float64frombits(le.Uint64(b)))
	case edl.LongDouble:
		return value.OfFloat(edge.LongDouble(b).Float64())
	case edl.Foreign:
		return value.OfBytes(bytes.Clone(b))
	}
	n := number(b, s.Type)
	switch {
	case s.Kind == edl.Bool && n <= 1:
		return value.OfBool(n == 1)
	case s.status:
		if name := status.Code(n).String(); value.IsName(name) {
			return value.OfName(name)
		}
	case s.Kind == edl.EnumKind:
		for i, v := range s.Composite.Values {
			if uint64(v) == n {
				return value.OfName(s.Composite.Elements[i].Name)
			}
		}
	}
	if isSigned(s.Kind) {
		return value.OfInt(int64(n))
	}
	return value.OfUint(n)
}

// composite unpacks a struct with what it points to, or all members of a
// union.
func (r *reader) composite(b []byte, c *plan.Composite) value.Value {
	if !r.room(uint64(len(c.Members))) {
		return value.OfBytes(bytes.Clone(b))
	}
	v := value.Value{Kind: value.Struct}
	for _, m := range c.Members {
		p := b[m.Offset:]
		f := value.Field{Name: m.Name}
		switch {
		case m.Buffer != nil:
			f.Value = r.member(b, c, m)
		case len(m.Dims) > 0:
			f.Value = r.array(p, m.Type, m.Dims)
		default:
			f.Value = r.get(p, m.Type)
		}
		v.Fields = append(v.Fields, f)
	}
	return v
}

// member unpacks a buffer that is copied with its struct b. Where it cannot
// be followed, it is its address.
func (r *reader) member(b []byte, c *plan.Composite, m *plan.Member) value.Value {
	a := le.Uint64(b[m.Offset:])
	n, err := m.Buffer.Bytes(func(i int) uint64 {
		o := c.Members[i]
		return number(b[o.Offset:], r.look(o.Type).Type)
	})
	if a == 0 || err != nil {
		return value.OfAddress(a)
	}
	p, err := r.follow(a, n)
	if err != nil {
		return value.OfAddress(a)
	}
	return r.buffer(p, m.Buffer, m.Dims)
}

// follow returns what an address of the enclave points to.
func (r *reader) follow(addr, n uint64) ([]byte, error) {
	if err := r.take(n); err != nil {
		return nil, err
	}
	return r.memory.at(addr, n)
}

// buffer unpacks what a pointer points to: bytes, one element, or a list.
func (r *reader) buffer(b []byte, buf *plan.Buffer, dims []uint64) value.Value {
	s := r.look(buf.Elem)
	switch {
	case !buf.Elem.Known():
		return value.OfBytes(bytes.Clone(b))
	case buf.Fixed > 0:
		return r.array(b, buf.Elem, dims)
	case buf.Size == nil && buf.Count == nil:
		return r.get(b, buf.Elem)
	case s.isByte():
		return value.OfBytes(bytes.Clone(b))
	}
	return r.list(b, buf.Elem)
}

// list unpacks elements one after the other.
func (r *reader) list(b []byte, elem plan.Type) value.Value {
	if elem.Size == 0 || uint64(len(b))%elem.Size != 0 || !r.room(uint64(len(b))/elem.Size) {
		return value.OfBytes(bytes.Clone(b))
	}
	v := value.Value{Kind: value.List, List: []value.Value{}}
	for ; len(b) > 0; b = b[elem.Size:] {
		v.List = append(v.List, r.get(b, elem))
	}
	return v
}

// array unpacks a C array.
func (r *reader) array(b []byte, elem plan.Type, dims []uint64) value.Value {
	n := elem.Size
	for _, d := range dims {
		n *= d
	}
	b = b[:min(n, uint64(len(b)))]
	s := r.look(elem)
	switch {
	case len(dims) > 1:
		v := value.Value{Kind: value.List}
		if !r.room(dims[0]) {
			return value.OfBytes(bytes.Clone(b))
		}
		for i := range dims[0] {
			v.List = append(v.List, r.array(b[i*(n/dims[0]):], elem, dims[1:]))
		}
		return v
	case s.isByte():
		return value.OfBytes(bytes.Clone(b))
	}
	return r.list(b, elem)
}

// zeroEnded unpacks a string up to its end, or all of it. A wide one that is no
// text is its numbers.
func (r *reader) zeroEnded(b []byte, elem plan.Type) value.Value {
	if i := indexZero(b, elem.Size); i >= 0 {
		b = b[:i]
	}
	if elem.Size == 1 {
		return value.Value{Kind: value.Text, Bytes: bytes.Clone(b)}
	}
	v := value.Value{Kind: value.Wide, Wide: make([]rune, len(b)/4)}
	for i := range v.Wide {
		c := le.Uint32(b[4*i:])
		if c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
			number, _ := scalar(edl.UInt32)
			return r.list(b, number)
		}
		v.Wide[i] = rune(c)
	}
	return v
}

// indexZero finds the zero that ends a string of characters of one byte or
// four, -1 if there is none.
func indexZero(b []byte, unit uint64) int {
	if unit == 1 {
		return bytes.IndexByte(b, 0)
	}
	for i := 0; i+4 <= len(b); i += 4 {
		if le.Uint32(b[i:]) == 0 {
			return i
		}
	}
	return -1
}
