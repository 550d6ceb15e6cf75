package plan_test

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

func number(n uint64) *edl.Operand   { return &edl.Operand{Number: n} }
func named(name string) *edl.Operand { return &edl.Operand{Name: name} }
func kind(k edl.Kind) edl.Type       { return edl.Type{Kind: k} }
func foreign(name string) edl.Type   { return edl.Type{Kind: edl.Foreign, Name: name} }
func structOf(name string) edl.Type  { return edl.Type{Kind: edl.StructKind, Name: name} }
func ptr(t edl.Type) edl.Type        { t.Pointers++; return t }
func in() edl.Attributes             { return edl.Attributes{Direction: edl.In} }
func param(name string, t edl.Type, a edl.Attributes, dims ...uint64) *edl.Param {
	return &edl.Param{Name: name, Type: t, Dims: dims, Attributes: a}
}
func member(name string, t edl.Type, dims ...uint64) *edl.Param {
	return param(name, t, edl.Attributes{}, dims...)
}

// one plans a single ECALL.
func one(t *testing.T, f *edl.Func, types ...*edl.Composite) *plan.Call {
	t.Helper()
	p, err := plan.New(&edl.Interface{ECalls: []*edl.Func{f}, Types: types}, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p.ECalls[0]
}

// The marshalling structure that the SDK's reference shows for such a
// function: result, errno, parameters, and the length behind each string.
func TestCall(t *testing.T) {
	f := &edl.Func{
		Name: "f", Result: kind(edl.Char), PropagateErrno: true,
		Params: []*edl.Param{
			param("c", kind(edl.Char), edl.Attributes{}),
			param("s", ptr(kind(edl.Char)), edl.Attributes{Direction: edl.In, String: true}),
			param("w", ptr(kind(edl.WChar)), edl.Attributes{Direction: edl.InOut, WString: true}),
			param("h", kind(edl.Short), edl.Attributes{}),
			param("buf", ptr(kind(edl.Void)), edl.Attributes{Direction: edl.Out, Size: named("n")}),
			param("n", kind(edl.UInt16), edl.Attributes{}),
			param("a", kind(edl.Int), in(), 2, 3),
			param("k", foreign("key_array"), edl.Attributes{Direction: edl.In, IsAry: true}),
			param("x", kind(edl.LongDouble), edl.Attributes{}),
			param("u", ptr(kind(edl.Void)), edl.Attributes{UserCheck: true}),
		},
	}
	p, err := plan.New(&edl.Interface{ECalls: []*edl.Func{f}, OCalls: []*edl.Func{f}}, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		call    *plan.Call
		offsets []uint64
		lengths []uint64
		size    uint64
	}{
		{"ECALL", p.ECalls[0], []uint64{8, 16, 32, 48, 56, 64, 72, 80, 96, 112}, []uint64{0, 24, 40, 0, 0, 0, 0, 0, 0, 0}, 128},
		{"OCALL", p.OCalls[0], []uint64{8, 16, 24, 32, 40, 48, 56, 64, 80, 96}, make([]uint64, 10), 112},
	} {
		var offsets, lengths []uint64
		for _, q := range c.call.Params {
			offsets, lengths = append(offsets, q.Offset), append(lengths, q.LenOffset)
		}
		if !reflect.DeepEqual(offsets, c.offsets) || !reflect.DeepEqual(lengths, c.lengths) {
			t.Errorf("%s: offsets %v, lengths at %v", c.name, offsets, lengths)
		}
		if c.call.Layout != (plan.Layout{Size: c.size, Align: 16}) {
			t.Errorf("%s: %+v", c.name, c.call.Layout)
		}
		if c.call.Result.Offset != 0 || c.call.Errno.Offset != 4 {
			t.Errorf("%s: result at %d, errno at %d", c.name, c.call.Result.Offset, c.call.Errno.Offset)
		}
	}
	for n, want := range []plan.Pass{plan.Value, plan.String, plan.WString, plan.Value, plan.Copied, plan.Value, plan.Copied, plan.Copied, plan.Value, plan.Address} {
		if q := p.ECalls[0].Params[n]; q.Pass != want || (q.Buffer != nil) != (want >= plan.Copied) {
			t.Errorf("%s passes as %d, buffer %v", q.Name, q.Pass, q.Buffer)
		}
	}
	if b := p.ECalls[0].Params[6].Buffer; b.Fixed != 6 || b.Elem.Size != 4 {
		t.Errorf("the array: %+v", b)
	}
}

func TestNoMarshallingStructure(t *testing.T) {
	if c := one(t, &edl.Func{Name: "f"}); c.HasMS() || c.Size != 0 || !c.Known() {
		t.Errorf("%+v", c)
	}
	if c := one(t, &edl.Func{Name: "f", PropagateErrno: true}); !c.HasMS() || c.Size != 4 {
		t.Errorf("%+v", c)
	}
}

func TestComposites(t *testing.T) {
	types := []*edl.Composite{
		{Kind: edl.StructKind, Name: "in", Members: []*edl.Param{
			member("c", kind(edl.Char)), member("ld", kind(edl.LongDouble)), member("w", kind(edl.WChar), 3),
		}},
		{Kind: edl.UnionKind, Name: "u", Members: []*edl.Param{
			member("bytes", kind(edl.UInt8), 9), member("s", kind(edl.Short)),
		}},
		{Kind: edl.EnumKind, Name: "e", Elements: []edl.Element{
			{Name: "a"}, {Name: "b", Value: number(7)}, {Name: "c"}, {Name: "d", Value: named("b")},
		}},
		{Kind: edl.EnumKind, Name: "wide", Elements: []edl.Element{{Name: "big", Value: number(1 << 32)}}},
		{Kind: edl.EnumKind, Name: "unsigned", Elements: []edl.Element{{Name: "max", Value: number(math.MaxUint32)}}},
		{Kind: edl.StructKind, Name: "outer", Members: []*edl.Param{
			member("b", kind(edl.Bool)), member("nested", structOf("in"), 2),
			member("u", edl.Type{Kind: edl.UnionKind, Name: "u"}),
			member("e", edl.Type{Kind: edl.EnumKind, Name: "e"}),
			member("next", ptr(structOf("outer"))), member("again", foreign("in")),
		}},
	}
	p, err := plan.New(&edl.Interface{Types: types}, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []plan.Layout{{48, 16}, {10, 2}, {4, 4}, {8, 8}, {4, 4}, {192, 16}} {
		if got := p.Types[n]; got.Layout != want {
			t.Errorf("%s: %+v, want %+v", got.Name, got.Layout, want)
		}
	}
	if got := p.Types[2].Values; !reflect.DeepEqual(got, []int64{0, 7, 8, 7}) {
		t.Errorf("enum: %v", got)
	}
	var offsets []uint64
	for _, m := range p.Types[5].Members {
		offsets = append(offsets, m.Offset)
	}
	if !reflect.DeepEqual(offsets, []uint64{0, 16, 112, 124, 128, 144}) {
		t.Errorf("outer: %v", offsets)
	}
}

func TestForeign(t *testing.T) {
	i := &edl.Interface{ECalls: []*edl.Func{{Name: "f", Params: []*edl.Param{
		param("s", foreign("sgx_status_t"), edl.Attributes{}),
		param("m", foreign("mine"), edl.Attributes{}),
		param("p", foreign("handle"), edl.Attributes{Direction: edl.In, IsPtr: true, Count: number(3)}),
	}}}}
	p, err := plan.New(i, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := p.ECalls[0]
	if c.Known() || !c.Params[0].Type.Known() || c.Params[1].Type.Known() || !c.Params[2].Type.Known() {
		t.Errorf("%+v", c)
	}
	if _, err := c.Params[2].Buffer.Bytes(nil); !errors.Is(err, plan.ErrUnknownType) {
		t.Error(err)
	}
	p, err = plan.New(i, plan.Options{Foreign: map[string]plan.Layout{
		"mine": {24, 8}, "sgx_status_t": {2, 2}, "*handle": {12, 4},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c = p.ECalls[0]
	if c.Layout != (plan.Layout{Size: 40, Align: 8}) || c.Params[0].Type.Size != 2 || c.Params[2].Offset != 32 {
		t.Errorf("%+v", c)
	}
	if n, err := c.Params[2].Buffer.Bytes(nil); n != 36 || err != nil {
		t.Error(n, err)
	}
}

func TestErrors(t *testing.T) {
	pos := edl.Pos{File: "x.edl", Line: 3, Col: 9}
	str := func(name string, members ...*edl.Param) *edl.Composite {
		for _, m := range members {
			m.Pos = pos
		}
		return &edl.Composite{Pos: pos, Kind: edl.StructKind, Name: name, Members: members}
	}
	enum := func(elements ...edl.Element) *edl.Composite {
		for n := range elements {
			elements[n].Pos = pos
			if v := elements[n].Value; v != nil {
				v.Pos = pos
			}
		}
		return &edl.Composite{Pos: pos, Kind: edl.EnumKind, Name: "e", Elements: elements}
	}
	f := func(params ...*edl.Param) []*edl.Func {
		for _, p := range params {
			p.Pos = pos
			for _, o := range []*edl.Operand{p.Size, p.Count} {
				if o != nil {
					o.Pos = pos
				}
			}
		}
		return []*edl.Func{{Pos: pos, Name: "f", Params: params}}
	}
	deep := str("d", param("p", ptr(kind(edl.Char)), edl.Attributes{Size: number(4)}))
	for _, c := range []struct {
		name string
		i    edl.Interface
		want error
	}{
		{"itself", edl.Interface{Types: []*edl.Composite{str("s", member("s", structOf("s")))}}, plan.ErrUndefined},
		{"each other", edl.Interface{Types: []*edl.Composite{str("s", member("t", structOf("t"))), str("t", member("s", structOf("s")))}}, plan.ErrUndefined},
		{"product", edl.Interface{Types: []*edl.Composite{str("s", member("a", kind(edl.Char), 1<<32, 1<<31))}}, plan.ErrTooBig},
		{"product to zero", edl.Interface{Types: []*edl.Composite{str("s", member("a", kind(edl.Char), 1<<32, 1<<32))}}, plan.ErrTooBig},
		{"elements", edl.Interface{Types: []*edl.Composite{str("s", member("a", kind(edl.Double), 1<<40))}}, plan.ErrTooBig},
		{"sum", edl.Interface{Types: []*edl.Composite{str("s", member("a", kind(edl.Char), 1<<40), member("b", kind(edl.Char)))}}, plan.ErrTooBig},
		{"rounding", edl.Interface{Types: []*edl.Composite{str("s", member("b", kind(edl.Int64)), member("a", kind(edl.Char), 1<<40-8), member("c", kind(edl.Char)))}}, plan.ErrTooBig},
		{"doubling", edl.Interface{Types: doubling(pos)}, plan.ErrTooBig},
		{"no elements", edl.Interface{Types: []*edl.Composite{str("s", member("a", kind(edl.Char), 0))}}, plan.ErrMisused},
		{"twice", edl.Interface{Types: []*edl.Composite{str("s", member("a", kind(edl.Char))), str("s", member("a", kind(edl.Char)))}}, plan.ErrMisused},
		{"other kind", edl.Interface{Types: []*edl.Composite{str("s", member("a", kind(edl.Char)))}, ECalls: f(param("u", edl.Type{Kind: edl.UnionKind, Name: "s"}, edl.Attributes{}))}, plan.ErrMisused},
		{"void", edl.Interface{Types: []*edl.Composite{str("s", member("a", kind(edl.Void)))}}, plan.ErrMisused},
		{"enum value", edl.Interface{Types: []*edl.Composite{enum(edl.Element{Name: "a", Value: number(1 << 63)})}}, plan.ErrTooBig},
		{"enum next", edl.Interface{Types: []*edl.Composite{enum(edl.Element{Name: "a", Value: number(math.MaxInt64)}, edl.Element{Name: "b"})}}, plan.ErrTooBig},
		{"enum name", edl.Interface{Types: []*edl.Composite{enum(edl.Element{Name: "a", Value: named("b")})}}, plan.ErrUndefined},
		{"enum twice", edl.Interface{Types: []*edl.Composite{enum(edl.Element{Name: "a"}, edl.Element{Name: "a"})}}, plan.ErrMisused},
		{"operand", edl.Interface{ECalls: f(param("p", ptr(kind(edl.Char)), edl.Attributes{Direction: edl.In, Size: named("n")}))}, plan.ErrUndefined},
		{"float length", edl.Interface{ECalls: f(param("p", ptr(kind(edl.Char)), edl.Attributes{Direction: edl.In, Size: named("n")}), param("n", kind(edl.Double), edl.Attributes{}))}, plan.ErrMisused},
		{"deep by value", edl.Interface{Types: []*edl.Composite{deep}, ECalls: f(param("d", structOf("d"), edl.Attributes{}))}, plan.ErrMisused},
		{"allow", edl.Interface{OCalls: []*edl.Func{{Pos: pos, Name: "o", Allow: []string{"e"}}}}, plan.ErrUndefined},
		{"kind", edl.Interface{ECalls: f(param("p", kind(200), edl.Attributes{}))}, plan.ErrMisused},
		{"pairs", edl.Interface{ECalls: slices.Repeat(f(), 1<<13), OCalls: slices.Repeat(f(), 1<<12)}, plan.ErrTooBig},
		{"pointer for a length", edl.Interface{Types: []*edl.Composite{str("s", member("q", ptr(kind(edl.Int))),
			param("p", ptr(kind(edl.Char)), edl.Attributes{Size: &edl.Operand{Pos: pos, Name: "q"}}))}}, plan.ErrMisused},
		{"array", edl.Interface{ECalls: f(param("p", kind(edl.Int), in(), 1<<39))}, plan.ErrTooBig},
	} {
		_, err := plan.New(&c.i, plan.Options{})
		var at *plan.Error
		if !errors.Is(err, c.want) || !errors.As(err, &at) || at.Pos != pos || !strings.HasPrefix(err.Error(), "x.edl:3:9: ") {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	_, err := plan.New(&edl.Interface{}, plan.Options{Foreign: map[string]plan.Layout{"t": {8, 3}}})
	if !errors.Is(err, plan.ErrMisused) {
		t.Error(err)
	}
}

// doubling are structs each twice the size of the one before.
func doubling(pos edl.Pos) []*edl.Composite {
	types := []*edl.Composite{{Kind: edl.StructKind, Name: "s", Members: []*edl.Param{member("a", kind(edl.Char))}}}
	for range 64 {
		last := types[len(types)-1].Name
		m := member("a", structOf(last), 2)
		m.Pos = pos
		types = append(types, &edl.Composite{Pos: pos, Kind: edl.StructKind, Name: last + "s", Members: []*edl.Param{m}})
	}
	return types
}
