package invoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/edl/value"
	"github.com/feidi-dev/feidi/status"
)

// OCall is an OCALL that the enclave makes.
type OCall struct {
	Func *plan.Call
	// Args are the arguments, all by name. A buffer that only comes back is
	// as many bytes of zeros.
	Args []value.Field
}

// Answer is what an OCALL returns. The zero Answer is success with zeros, and
// buffers as they are.
type Answer struct {
	Status status.Code
	// Return is the function's result, and Errno what errno is after it,
	// where it is propagated. Omitted is zero.
	Return, Errno value.Value
	// Out are buffers by the names of their parameters. Members of structs
	// that are not there stay as they are.
	Out []value.Field
}

// Handler serves the OCALLs of a client.
type Handler func(ctx context.Context, o *OCall) Answer

// server serves the OCALLs of one ECALL.
type server struct {
	client   *Client
	failed   error // of the first OCALL that could not be served
	returned bool  // the ECALL did
}

func (s *server) table() uedge.Table {
	if s.client.handler == nil {
		return nil
	}
	t := make(uedge.Table, len(s.client.plan.OCalls))
	for i, f := range s.client.plan.OCalls {
		t[i] = func(ctx context.Context, c uedge.Call) status.Code {
			code, err := s.serve(ctx, f, c)
			if err != nil && s.failed == nil {
				s.failed = fmt.Errorf("OCALL %s: %w", f.Name, err)
			}
			return code
		}
	}
	return t
}

// serve serves one OCALL. The structure is copied before it is looked at.
func (s *server) serve(ctx context.Context, f *plan.Call, c uedge.Call) (status.Code, error) {
	memory := callMemory{c}
	var ms []byte
	if f.HasMS() {
		if !f.Known() {
			w := &writer{codec: s.client.codec}
			return status.ErrInvalidParameter, w.unknownParam(f, params(f))
		}
		var err error
		if ms, err = memory.at(c.Block(), f.Size); err != nil {
			return status.ErrInvalidParameter, err
		}
	}
	o := &ocall{
		Func: f, slots: params(f), live: ms, ms: bytes.Clone(ms),
		r: &reader{codec: s.client.codec, memory: memory},
	}
	args, err := o.args()
	if err != nil {
		return status.ErrInvalidParameter, err
	}
	a := s.client.handler(ctx, &OCall{f, args})
	if err := o.answer(&a); err != nil {
		return status.ErrInvalidParameter, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return a.Status, nil
}

// CheckAnswer reports whether an answer names only what the OCALL has. Whether
// its values fit shows when the OCALL is made.
func CheckAnswer(f *plan.Call, a *Answer) error {
	if a.Return.Kind != value.Omitted && f.Result == nil {
		return wrong(&a.Return, ErrAnswer, "%s returns nothing", f.Name)
	}
	if a.Errno.Kind != value.Omitted && f.Errno == nil {
		return wrong(&a.Errno, ErrAnswer, "%s does not propagate errno", f.Name)
	}
	for i := range a.Out {
		if _, err := outSlot(params(f), &a.Out[i]); err != nil {
			return err
		}
	}
	return nil
}

// outSlot finds the parameter that a buffer of an answer is for.
func outSlot(slots []slot, f *value.Field) (*slot, error) {
	n := slices.IndexFunc(slots, func(s slot) bool { return s.name == f.Name })
	at := func(format string, args ...any) error {
		return &ArgumentError{f.Pos, f.Pos + len(f.Name), fmt.Errorf("%w: %s", ErrAnswer, fmt.Sprintf(format, args...))}
	}
	switch {
	case n < 0:
		return nil, at("there is no parameter %s", f.Name)
	case slots[n].pass == plan.Value:
		return nil, at("%s is passed by value", f.Name)
	case slots[n].pass != plan.Address && slots[n].direction&edl.Out == 0:
		return nil, at("%s is not [out]", f.Name)
	}
	return &slots[n], nil
}

// callMemory is the memory that an OCALL may refer to.
type callMemory struct{ call uedge.Call }

func (m callMemory) at(addr, n uint64) ([]byte, error) {
	if n > MaxMemory {
		return nil, fmt.Errorf("%w: %d bytes at %#x, more than %d", ErrLength, n, addr, MaxMemory)
	}
	return m.call.Bytes(addr, int(n))
}

// ocall is an OCALL that is being served.
type ocall struct {
	Func  *plan.Call
	slots []slot
	live  []byte // the marshalling structure
	ms    []byte // a copy
	r     *reader
}

// args unpacks the arguments.
func (o *ocall) args() ([]value.Field, error) {
	var args []value.Field
	for i := range o.slots {
		s := &o.slots[i]
		f := value.Field{Name: s.name}
		var err error
		switch p := o.ms[s.offset:]; s.pass {
		case plan.Value:
			f.Value = o.r.get(p, s.typ)
		case plan.Address:
			f.Value = value.OfAddress(le.Uint64(p))
		default:
			f.Value, err = o.buffer(s)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		args = append(args, f)
	}
	return args, nil
}

// buffer unpacks what a pointer points to.
func (o *ocall) buffer(s *slot) (value.Value, error) {
	b, err := o.locate(s)
	switch {
	case err != nil:
		return value.Value{}, err
	case b == nil:
		return value.Value{Kind: value.Null}, nil
	case s.direction == edl.Out:
		return value.OfBytes(make([]byte, len(b))), nil
	case s.pass == plan.String || s.pass == plan.WString:
		return o.r.zeroEnded(bytes.Clone(b), s.buffer.Elem), nil
	}
	return o.r.buffer(bytes.Clone(b), s.buffer, s.dims), nil
}

// locate returns the memory of a buffer, nil for a null pointer.
func (o *ocall) locate(s *slot) ([]byte, error) {
	addr := le.Uint64(o.ms[s.offset:])
	if addr == 0 {
		return nil, nil
	}
	if s.pass == plan.String || s.pass == plan.WString {
		return o.findEnd(addr, s.buffer.Elem.Size)
	}
	n, err := s.buffer.Bytes(func(i int) uint64 {
		t := &o.slots[i]
		return number(o.ms[t.offset:], o.r.look(t.typ).Type)
	})
	if err != nil {
		return nil, err
	}
	return o.r.follow(addr, n)
}

// findEnd returns a string with its zero. Its memory is tried in steps that
// become smaller towards the end of what the enclave was given.
func (o *ocall) findEnd(addr, unit uint64) ([]byte, error) {
	const most = 4096
	n, step := uint64(0), uint64(most)
	for n < MaxMemory {
		b, err := o.r.memory.at(addr, n+step)
		if err != nil {
			if step /= 2; step < unit {
				return nil, fmt.Errorf("a string without an end: %w", err)
			}
			continue
		}
		if i := indexZero(b[n:], unit); i >= 0 {
			n += uint64(i) + unit
			return b[:n], o.r.take(n)
		}
		n += step
	}
	return nil, fmt.Errorf("%w: a string of more than %d bytes", ErrLength, MaxMemory)
}

// answer packs what the OCALL returns.
func (o *ocall) answer(a *Answer) error {
	if err := CheckAnswer(o.Func, a); err != nil {
		return err
	}
	w := &writer{codec: o.r.codec, mem: o.live, inPlace: true}
	if f := o.Func.Result; f != nil {
		clear(o.live[f.Offset:][:f.Type.Size])
		if err := w.put(int(f.Offset), f.Type, &a.Return); err != nil {
			return err
		}
	}
	if f := o.Func.Errno; f != nil {
		clear(o.live[f.Offset:][:f.Type.Size])
		if err := w.put(int(f.Offset), f.Type, &a.Errno); err != nil {
			return err
		}
	}
	for i := range a.Out {
		f := &a.Out[i]
		s, err := outSlot(o.slots, f)
		if err == nil {
			err = o.fill(s, &f.Value)
		}
		if err != nil {
			return s.named(err)
		}
	}
	return nil
}

// fill packs one buffer.
func (o *ocall) fill(s *slot, v *value.Value) error {
	if v.Kind == value.Omitted {
		return nil
	}
	w := &writer{codec: o.r.codec, inPlace: true}
	if s.pass == plan.Address {
		return o.fillAddress(w, s, v)
	}
	b, err := o.locate(s)
	switch {
	case err != nil:
		return err
	case b == nil:
		return wrong(v, ErrAnswer, "the enclave passed null")
	}
	w.mem = b
	if s.pass == plan.String || s.pass == plan.WString {
		return w.refill(s, v)
	}
	if d := s.buffer.Elem.Composite; s.buffer.Deep && d != nil {
		return o.fillDeep(w, d, v)
	}
	loose := *s
	loose.at, loose.direction = 0, edl.InOut
	return w.content(&loose, uint64(len(b)), v)
}

// refill packs a string in the place of another, which is at least as long.
func (w *writer) refill(s *slot, v *value.Value) error {
	unit := s.buffer.Elem.Size
	n, err := w.natural(s.buffer.Elem, v)
	switch {
	case err != nil:
		return err
	case n+unit > uint64(len(w.mem)):
		return wrong(v, ErrLength, "%d bytes, and the string of the enclave has room for %d", n, uint64(len(w.mem))-unit)
	}
	clear(w.mem)
	return w.fill(0, n, s.buffer.Elem, v)
}

// fillAddress packs what a user_check pointer points to.
func (o *ocall) fillAddress(w *writer, s *slot, v *value.Value) error {
	elem := o.r.behind(s)
	n, err := w.natural(elem, v)
	if err != nil {
		return err
	}
	if w.mem, err = o.r.follow(le.Uint64(o.ms[s.offset:]), n); err != nil {
		return err
	}
	return w.fill(0, n, elem, v)
}

// fillDeep packs members of a struct, and what its pointers point to.
func (o *ocall) fillDeep(w *writer, d *plan.Composite, v *value.Value) error {
	if v.Kind != value.Struct {
		return wrong(v, ErrAnswer, "%s in place of a struct with the names of its members", v.Kind)
	}
	before := bytes.Clone(w.mem)
	flat := *v
	flat.Fields = nil
	var errs []error
	for i := range v.Fields {
		f := &v.Fields[i]
		n := slices.IndexFunc(d.Members, func(m *plan.Member) bool { return m.Name == f.Name })
		if n < 0 || d.Members[n].Buffer == nil {
			flat.Fields = append(flat.Fields, *f)
			continue
		}
		m := d.Members[n]
		size, err := m.Buffer.Bytes(func(i int) uint64 {
			t := d.Members[i]
			return number(before[t.Offset:], o.r.look(t.Type).Type)
		})
		if err == nil {
			inner := &writer{codec: w.codec, inPlace: true}
			if inner.mem, err = o.r.follow(le.Uint64(before[m.Offset:]), size); err == nil {
				err = inner.content(&slot{name: m.Name, buffer: m.Buffer, dims: m.Dims, direction: edl.InOut}, size, &f.Value)
			}
		}
		errs = append(errs, err)
	}
	errs = append(errs, w.put(0, plan.Type{Type: edl.Type{Kind: edl.StructKind, Name: d.Name}, Layout: d.Layout, Composite: d}, &flat))
	return errors.Join(errs...)
}
