package plan

import (
	"errors"
	"fmt"
	"maps"

	"github.com/feidi-dev/feidi/edl"
)

// MaxSize is the greatest size of a type or a marshalling structure in bytes.
// It is far above the memory of any enclave, and low enough for a sum of a
// few sizes not to overflow.
const MaxSize uint64 = 1 << 40

// maxAllowed is the greatest number of pairs of an ECALL and an OCALL: the
// table of which is allowed in which is that large.
const maxAllowed = 1 << 24

// maxAlign is the greatest alignment that a foreign type may have: a page.
const maxAlign = 4096

// Why there is no plan. New returns them in an *Error.
var (
	ErrTooBig    = errors.New("too big")
	ErrUndefined = errors.New("not defined")
	ErrMisused   = errors.New("cannot be used here")
)

// Error is why there is no plan for an interface. It wraps one of the
// sentinels of this package.
type Error struct {
	Pos edl.Pos
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%v: %v", e.Pos, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// errorf makes an Error that wraps one of the sentinels.
func errorf(pos edl.Pos, sentinel error, format string, args ...any) error {
	return &Error{pos, fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), sentinel)}
}

// Options is what an EDL does not say.
type Options struct {
	// Foreign are layouts of types that C headers define, by name. They come
	// before the table of [ForeignLayout]. A struct or union of a header is
	// "struct x" or "union x"; what an [isptr] type points to is "*x".
	Foreign map[string]Layout
}

// planner is the state of New.
type planner struct {
	foreign map[string]Layout
	// types are the composites by their name, laid out or not yet. Structs,
	// unions and enums share it, as in C.
	types map[string]*Composite
	// constants are the elements of all enums so far.
	constants map[string]int64
}

// New lays out an interface. What it says against the interface is an *Error.
// It does not repeat the checks of package edl, only those that a layout needs:
// an interface that passes here may still be none that edl accepts.
func New(i *edl.Interface, o Options) (*Plan, error) {
	for name, l := range o.Foreign {
		if l.Size > MaxSize || l.Align&(l.Align-1) != 0 || l.Align > maxAlign {
			return nil, fmt.Errorf("edl/plan: the type %s: size %d, alignment %d: %w", name, l.Size, l.Align, ErrMisused)
		}
	}
	if pairs, ok := multiply(uint64(len(i.ECalls)), uint64(len(i.OCalls))); !ok || pairs > maxAllowed {
		return nil, errorf(i.OCalls[0].Pos, ErrTooBig, "%d ECALLs and %d OCALLs", len(i.ECalls), len(i.OCalls))
	}
	p := &planner{
		foreign:   maps.Clone(o.Foreign),
		types:     map[string]*Composite{},
		constants: map[string]int64{},
	}
	out := &Plan{Interface: i}
	for _, c := range i.Types {
		t := &Composite{Composite: c, Deep: c.HasBuffers()}
		if c.Name != "" {
			if p.types[c.Name] != nil {
				return nil, errorf(c.Pos, ErrMisused, "%s is defined twice", c.Name)
			}
			p.types[c.Name] = t
		}
		out.Types = append(out.Types, t)
	}
	for _, t := range out.Types {
		lay := p.layStruct
		if t.Kind == edl.EnumKind {
			lay = p.layEnum
		}
		if err := lay(t); err != nil {
			return nil, err
		}
	}
	index := map[string]int{}
	for n, f := range i.ECalls {
		c, err := p.call(f, n, true)
		if err != nil {
			return nil, err
		}
		out.ECalls = append(out.ECalls, c)
		index[f.Name] = n
	}
	for n, f := range i.OCalls {
		c, err := p.call(f, n, false)
		if err != nil {
			return nil, err
		}
		out.OCalls = append(out.OCalls, c)
		allowed := make([]bool, len(i.ECalls))
		for _, name := range f.Allow {
			e, ok := index[name]
			if !ok {
				return nil, errorf(f.Pos, ErrUndefined, "%s allows the ECALL %s", f.Name, name)
			}
			allowed[e] = true
		}
		out.Allowed = append(out.Allowed, allowed)
	}
	return out, nil
}

// put places a field at the end of a structure and returns its offset. Behind
// a type that is not known nothing is known.
func (l *Layout) put(pos edl.Pos, name string, size Layout, count uint64) (uint64, error) {
	if !l.Known() || !size.Known() {
		*l = Layout{}
		return 0, nil
	}
	offset := alignUp(l.Size, size.Align)
	bytes, ok := multiply(size.Size, count)
	if !ok || bytes > MaxSize || offset+bytes > MaxSize {
		return 0, errorf(pos, ErrTooBig, "%s: more than %d bytes", name, MaxSize)
	}
	l.Size, l.Align = offset+bytes, max(l.Align, size.Align)
	return offset, nil
}

func alignUp(n, align uint64) uint64 { return (n + align - 1) / align * align }
