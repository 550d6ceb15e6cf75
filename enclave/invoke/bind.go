package invoke

import (
	"fmt"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
)

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
			return nil, wrong(&a.Value, ErrArgument, "one argument too many: %s", Signature(f))
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
	var names []string
	for _, s := range slots {
		names = append(names, s.name)
	}
	if len(names) > 8 {
		names = append(names[:8], "…")
	}
	return fmt.Errorf("%w: %s has no member %s, but %s", ErrArgument, of, name, strings.Join(names, ", "))
}
