package store

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func testPolicies(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	const f, g = "00906ED50000", "FFFFFFFFFFFF"
	want := func(fmspc string, want ...Policy) {
		t.Helper()
		got, err := s.Policies(ctx, fmspc)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	want(f)
	a := Policy{ID: "A", FMSPC: f, Kind: 2, Body: "a", Default: true}
	sgx := Policy{ID: "B", FMSPC: f, Kind: 0, Body: "b", Default: true}
	other := Policy{ID: "A", FMSPC: g, Kind: 2, Body: "a", Default: true}
	none := Policy{ID: "C", FMSPC: f, Kind: 2, Body: "c"}
	for _, p := range []Policy{a, sgx, other, none} {
		must(t, s.PutPolicy(ctx, &p))
	}
	want(f, sgx, a)
	want(g, other)
	none.Default = true
	must(t, s.PutPolicy(ctx, &none))
	want(f, sgx, none)
	want(g, other)
	none.Default = false
	must(t, s.PutPolicy(ctx, &none))
	want(f, sgx)
	must(t, s.PutPolicy(ctx, &none))
	want(f, sgx)
}

// There is never more than one default.
func testPolicyRace(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	errs := make([]error, 8)
	together(len(errs), func(i int) {
		errs[i] = s.PutPolicy(ctx, &Policy{ID: fmt.Sprint(i), FMSPC: "F", Body: "x", Default: true})
	})
	must(t, errors.Join(errs...))
	if got, err := s.Policies(ctx, "F"); err != nil || len(got) != 1 {
		t.Errorf("%d defaults, %v", len(got), err)
	}
}
