package plan_test

import (
	"errors"
	"math"
	"testing"

	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

func TestBytes(t *testing.T) {
	values := []uint64{0, 3, 5, math.MaxUint64, 1 << 62}
	var integers []*edl.Param
	for _, name := range []string{"zero", "three", "five", "minus", "huge"} {
		integers = append(integers, param(name, kind(edl.Int64), edl.Attributes{}))
	}
	types := []*edl.Composite{
		{Kind: edl.StructKind, Name: "flat", Members: []*edl.Param{member("a", kind(edl.Int), 3)}},
		{Kind: edl.StructKind, Name: "deep", Members: []*edl.Param{
			param("p", ptr(kind(edl.Int)), edl.Attributes{Count: named("n")}), member("n", kind(edl.Int)),
		}},
	}
	for _, c := range []struct {
		name        string
		elem        edl.Type
		size, count *edl.Operand
		dims        []uint64
		want        uint64
		err         error
	}{
		{"one", kind(edl.Int), nil, nil, nil, 4, nil},
		{"void", kind(edl.Void), named("five"), nil, nil, 5, nil},
		{"count", kind(edl.Int), nil, named("three"), nil, 12, nil},
		{"both", kind(edl.Int), number(4), named("five"), nil, 20, nil},
		{"zero", kind(edl.Int), nil, named("zero"), nil, 0, nil},
		{"zero times huge", kind(edl.Char), named("zero"), named("huge"), nil, 0, nil},
		{"part", kind(edl.Int), named("five"), nil, nil, 0, plan.ErrPartial},
		{"part of a flat struct", structOf("flat"), named("five"), nil, nil, 5, nil},
		{"part of a deep struct", structOf("deep"), named("five"), nil, nil, 0, plan.ErrPartial},
		{"part of a foreign type", foreign("pid_t"), named("five"), nil, nil, 5, nil},
		{"overflow", kind(edl.Int), nil, named("huge"), nil, 0, plan.ErrOverflow},
		{"negative", kind(edl.Short), nil, named("minus"), nil, 0, plan.ErrOverflow},
		{"negative bytes", kind(edl.Char), nil, named("minus"), nil, math.MaxUint64, nil},
		{"array", kind(edl.Int), nil, nil, []uint64{2, 5}, 40, nil},
		{"array of deep structs", structOf("deep"), nil, nil, []uint64{2}, 32, nil},
		{"pointers", ptr(kind(edl.Char)), nil, named("three"), nil, 24, nil},
		{"unknown", foreign("mystery"), nil, nil, nil, 0, plan.ErrUnknownType},
		{"unknown with a size", foreign("mystery"), named("five"), nil, nil, 5, nil},
	} {
		p := param("p", c.elem, edl.Attributes{Direction: edl.In, Size: c.size, Count: c.count}, c.dims...)
		if c.dims == nil {
			p.Type.Pointers++
		}
		params := append(append([]*edl.Param{}, integers...), p)
		b := one(t, &edl.Func{Name: "f", Params: params}, types...).Params[5].Buffer
		got, err := b.Bytes(func(n int) uint64 { return values[n] })
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, got, err, c.want, c.err)
		}
		if deep := c.name == "part of a deep struct"; b.Deep != deep {
			t.Errorf("%s: deep %v", c.name, b.Deep)
		}
	}
}
