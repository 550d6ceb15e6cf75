package store

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"
)

func testFetches(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	one := Fetch{Name: "b", Tried: noon, Due: noon.Add(time.Minute), Failures: 2, Reason: "UpstreamBusy", Message: "it says 429", RequestID: "abc"}
	two := Fetch{Name: "a", Tried: noon, Due: noon}
	must(t, s.PutFetch(ctx, &Fetch{Name: "b", Failures: 1}))
	must(t, s.PutFetch(ctx, &one))
	must(t, s.PutFetch(ctx, &two))
	list, err := s.Fetches(ctx)
	must(t, err)
	if want := []Fetch{two, one}; !reflect.DeepEqual(list, want) {
		t.Errorf("got %+v, want %+v", list, want)
	}
	must(t, s.DeleteDocument(ctx, "a"))

	// What others say is kept as far as there is room, and in one line.
	must(t, s.PutFetch(ctx, &Fetch{Name: "b", Message: "a\nb\x00\xff" + strings.Repeat("ü", 2000), RequestID: strings.Repeat("x", 500)}))
	list, err = s.Fetches(ctx)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("there are %d", len(list))
	}
	m := list[0].Message
	if !strings.HasPrefix(m, "a b \uFFFDüü") || len(m) > 1024 || len(m) < 1020 || !utf8.ValidString(m) || len(list[0].RequestID) != 128 {
		t.Errorf("kept %d bytes %.20q and %d", len(m), m, len(list[0].RequestID))
	}
}

func testClaims(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	for i, c := range []struct {
		name, holder string
		at, d        time.Duration
		want         bool
	}{
		{"x", "one", 0, time.Minute, true},
		{"x", "two", 0, time.Minute, false},
		{"y", "two", 0, time.Minute, true},
		{"x", "two", time.Minute - time.Microsecond, time.Minute, false},
		{"x", "one", 30 * time.Second, time.Minute, true}, // again: until 90 s
		{"x", "two", time.Minute, time.Minute, false},
		{"x", "two", 90 * time.Second, time.Minute, true},
		{"x", "one", 90 * time.Second, time.Minute, false},
		{"x", "two", 91 * time.Second, 0, true}, // given back
		{"x", "one", 91 * time.Second, time.Minute, true},
		{"z", "one", 48 * time.Hour, time.Minute, true}, // sweeps the others
		{"y", "one", 0, time.Minute, true},
	} {
		got, err := s.Claim(ctx, c.name, c.holder, noon.Add(c.at), c.d)
		must(t, err)
		if got != c.want {
			t.Errorf("%d: %s claims %s: %v", i, c.holder, c.name, got)
		}
	}
	var n int
	must(t, s.reads.QueryRowContext(ctx, "SELECT COUNT(*) FROM pccs_claims").Scan(&n))
	if n != 2 {
		t.Errorf("%d claims are kept, want those of y and z", n)
	}
}

func testClaimsRace(t *testing.T, b backend) {
	address := b.address(t)
	stores := []*Store{reopen(t, address), reopen(t, address)} // two instances
	const holders, names = 16, 6
	var won [names]atomic.Int32
	errs := make([]error, holders)
	together(holders, func(i int) {
		for n := range names {
			ok, err := stores[i%2].Claim(t.Context(), fmt.Sprint("name", n), fmt.Sprint("holder", i), noon, time.Minute)
			if ok {
				won[n].Add(1)
			}
			errs[i] = errors.Join(errs[i], err)
		}
	})
	must(t, errors.Join(errs...))
	for n := range names {
		if got := won[n].Load(); got != 1 {
			t.Errorf("name%d was claimed by %d", n, got)
		}
	}
}
