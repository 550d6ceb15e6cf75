package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

func testRegistrations(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	one := Registration{PlatformID: PlatformID{"AA", "0000"}, CPUSVN: "01", PCESVN: "0D00", EncryptedPPID: []byte{1, 0}, At: noon.Add(time.Second)}
	two := Registration{PlatformID: PlatformID{"BB", "0000"}, Manifest: []byte{2, 0}, At: noon}
	na := Registration{PlatformID: PlatformID{"AA", "0000"}, CPUSVN: "02", PCESVN: "0D00", State: NotAvailable, At: noon}
	first := one
	first.EncryptedPPID = nil
	for _, r := range []Registration{first, two, na, one} { // one in place of first
		must(t, s.Register(ctx, &r))
	}
	drain := func(state State, keep bool, want ...Registration) {
		t.Helper()
		n, err := s.Waiting(ctx, state)
		must(t, err)
		got, err := s.Drain(ctx, state, keep)
		must(t, err)
		if !reflect.DeepEqual(got, want) || n != len(want) {
			t.Errorf("state %d: got %+v of %d, want %+v", state, got, n, want)
		}
	}
	drain(New, true, two, one)
	drain(New, false, two, one)
	drain(New, false)
	drain(NotAvailable, true, na)
	must(t, s.Register(ctx, &two)) // again
	drain(New, false, two)
	drain(NotAvailable, false, na)
	all, err := s.Drain(ctx, Drained, true)
	must(t, err)
	if len(all) != 3 || all[0].State != Drained {
		t.Errorf("drained: %+v", all)
	}
}

// Who drains gets each registration once, also those that come meanwhile.
func testDrainRace(t *testing.T, b backend) {
	s, ctx := b.store(t), t.Context()
	const writers, each, drains = 4, 15, 3
	got := make([][]Registration, drains)
	errs := make([]error, writers+drains)
	together(writers+drains, func(i int) {
		if i < writers {
			for n := range each {
				r := &Registration{PlatformID: PlatformID{fmt.Sprintf("%02d-%02d", i, n), "0000"}, At: noon}
				errs[i] = errors.Join(errs[i], s.Register(ctx, r))
			}
			return
		}
		for range 6 {
			list, err := s.Drain(ctx, New, false)
			errs[i] = errors.Join(errs[i], err)
			got[i-writers] = append(got[i-writers], list...)
		}
	})
	must(t, errors.Join(errs...))
	rest, err := s.Drain(ctx, New, false)
	must(t, err)
	var ids []string
	for _, r := range append(slices.Concat(got...), rest...) {
		ids = append(ids, r.QEID)
	}
	slices.Sort(ids)
	if n := len(ids); n != writers*each || len(slices.Compact(ids)) != n {
		t.Errorf("of %d registrations %d were drained, %d different", writers*each, n, len(slices.Compact(ids)))
	}
}
