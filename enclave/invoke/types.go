package invoke

import (
	"fmt"
	"io/fs"
	"math/bits"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
	"github.com/feidi-dev/feidi/edl/value"
)

// Types describe types that only C headers define.
type Types struct {
	layouts map[string]plan.Layout
	known   map[string]known
}

// known is a type whose inside is known.
type known struct {
	plan.Type
	dims []uint64
}

// Layouts are what plan.Options.Foreign wants.
func (t *Types) Layouts() map[string]plan.Layout {
	if t == nil {
		return nil
	}
	return t.layouts
}

// Add describes one type, in one of these ways:
//
//	NAME=SIZE              bytes, aligned to their size if that is 1, 2, 4 or 8, else to 8
//	NAME=SIZE:ALIGN
//	NAME=TYPE              a type of EDL, with stars and dimensions: uint32_t, int32_t[10], void*
//	NAME=struct { ... }    a definition as in EDL, also a union
//
// The types in a definition may be those that were added before. NAME may
// begin with "struct " or "union ".
func (t *Types) Add(spec string) error {
	name, def, ok := strings.Cut(spec, "=")
	name, def = strings.TrimSpace(name), strings.TrimSpace(def)
	short := strings.TrimPrefix(strings.TrimPrefix(name, "struct "), "union ")
	if !ok || !value.IsName(short) || def == "" {
		return fmt.Errorf("%w: %q is not NAME=SIZE, NAME=SIZE:ALIGN or NAME=TYPE", ErrType, clip(spec))
	}
	if def[0] >= '0' && def[0] <= '9' {
		l, err := parseLayout(def)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrType, clip(spec), err)
		}
		t.set(name, known{Type: plan.Type{Type: edl.Type{Kind: edl.Foreign, Name: name}, Layout: l}})
		return nil
	}
	k, err := t.parse(short, def)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrType, clip(spec), err)
	}
	if k.Pointers == 1 && len(k.dims) == 0 { // what [isptr] points to
		if e, ok := scalar(k.Kind); ok && k.Type.Type.Kind != edl.Void {
			t.set("*"+name, known{Type: e})
		}
	}
	t.set(name, k)
	return nil
}

func (t *Types) set(name string, k known) {
	if t.layouts == nil {
		t.layouts, t.known = map[string]plan.Layout{}, map[string]known{}
	}
	n := uint64(1)
	for _, d := range k.dims {
		n *= d // parse has checked it
	}
	t.layouts[name] = plan.Layout{Size: k.Size * n, Align: k.Align}
	if k.Kind != edl.Foreign || k.Pointers > 0 {
		t.known[name] = k
	}
}

func parseLayout(def string) (plan.Layout, error) {
	size, align, given := strings.Cut(def, ":")
	s, err := strconv.ParseUint(strings.TrimSpace(size), 0, 64)
	if err != nil || s > MaxMemory {
		return plan.Layout{}, fmt.Errorf("%q is not a size up to %d", size, MaxMemory)
	}
	a := uint64(8)
	if s < 8 && bits.OnesCount64(s) == 1 {
		a = s
	}
	if given {
		if a, err = strconv.ParseUint(strings.TrimSpace(align), 0, 64); err != nil || bits.OnesCount64(a) != 1 || a > 4096 {
			return plan.Layout{}, fmt.Errorf("%q is not a power of two up to 4096", align)
		}
	}
	return plan.Layout{Size: s, Align: a}, nil
}

// parse reads a type by having a small EDL read that uses it.
func (t *Types) parse(name, def string) (known, error) {
	base, dims, _ := strings.Cut(def, "[")
	member := base + " member" + "[" + dims
	if dims == "" {
		member = def + " member"
	}
	composite := ""
	for _, kind := range []string{"struct", "union"} {
		if body, ok := strings.CutPrefix(def, kind); ok && strings.HasPrefix(strings.TrimSpace(body), "{") {
			composite, member = kind+" "+name+" "+body+"; ", kind+" "+name+" member"
		}
	}
	text := "enclave { " + composite + "struct feidi_holder { " + member + "; }; trusted { public void f(); }; };"
	iface, _, err := edl.Load("type.edl", edl.Options{Open: func(path string) ([]byte, error) {
		if path != "type.edl" {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}})
	if err != nil {
		if ds, ok := err.(edl.Diagnostics); ok && len(ds) > 0 {
			return known{}, fmt.Errorf("%s", ds[0].Msg)
		}
		return known{}, err
	}
	p, err := plan.New(iface, plan.Options{Foreign: t.layouts})
	if err != nil {
		if e, ok := err.(*plan.Error); ok {
			err = e.Err
		}
		return known{}, err
	}
	holder := p.Types[len(p.Types)-1]
	switch {
	case holder.Name != "feidi_holder" || len(holder.Members) != 1 || len(iface.ECalls) != 1:
		return known{}, fmt.Errorf("it is more than one type")
	case !holder.Known():
		return known{}, fmt.Errorf("it contains a type that is not known: describe that one first")
	case holder.Size > MaxMemory:
		return known{}, fmt.Errorf("larger than %d bytes", MaxMemory)
	}
	m := holder.Members[0]
	if k, ok := t.known[m.Type.Name]; ok && m.Type.Kind == edl.Foreign && m.Type.Pointers == 0 {
		return known{k.Type, append(append([]uint64(nil), m.Dims...), k.dims...)}, nil
	}
	return known{m.Type, m.Dims}, nil
}

// scalar is the type of a kind that needs no name.
func scalar(k edl.Kind) (plan.Type, bool) {
	sizes := map[edl.Kind]uint64{
		edl.Char: 1, edl.UChar: 1, edl.Bool: 1, edl.Int8: 1, edl.UInt8: 1,
		edl.Short: 2, edl.UShort: 2, edl.Int16: 2, edl.UInt16: 2,
		edl.Int: 4, edl.UInt: 4, edl.Int32: 4, edl.UInt32: 4, edl.Float: 4, edl.WChar: 4,
		edl.Long: 8, edl.ULong: 8, edl.LongLong: 8, edl.ULongLong: 8, edl.Int64: 8, edl.UInt64: 8, edl.SizeT: 8, edl.Double: 8,
		edl.LongDouble: 16,
	}
	n, ok := sizes[k]
	return plan.Type{Type: edl.Type{Kind: k}, Layout: plan.Layout{Size: n, Align: n}}, ok
}

// signedTypes are the well-known typedefs of signed integers. Others whose
// size is their alignment are shown as unsigned ones.
var signedTypes = map[string]bool{
	"ssize_t": true, "off_t": true, "off64_t": true, "loff_t": true, "time_t": true, "suseconds_t": true,
	"ptrdiff_t": true, "intptr_t": true, "intmax_t": true, "pid_t": true, "clock_t": true, "clockid_t": true,
	"blkcnt_t": true, "blksize_t": true, "key_t": true, "quad_t": true, "sig_atomic_t": true,
	"int_least8_t": true, "int_least16_t": true, "int_least32_t": true, "int_least64_t": true,
	"int_fast8_t": true, "int_fast16_t": true, "int_fast32_t": true, "int_fast64_t": true,
}

// clip shortens a text for an error of one line.
func clip(s string) string {
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
}
