package pccs_test

import (
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
)

// A clock that is set back or forward neither ends the refreshing of platforms'
// certificates nor makes it a rush.
func TestWalkClockJumps(t *testing.T) {
	in := newIntel(t)
	s := in.service(t, pccs.Lazy)
	if err := s.Register(t.Context(), in.registration()); err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	asked := func() (n int) { // in two days
		in.total()
		for range 2 * 24 {
			if err := s.Walk(t.Context()); err != nil {
				t.Fatal(err)
			}
			n += in.times("/pckcerts")
			in.total()
			in.wait(time.Hour)
		}
		return n
	}
	if n := asked(); n != 0 {
		t.Errorf("what is new was asked for %d times", n)
	}
	for _, jump := range []time.Duration{-5 * day, 9 * day, -3 * day, 40 * day, -time.Hour} {
		in.wait(jump)
		if n, want := asked(), map[bool]int{true: 1}[jump < -day || jump > 7*day]; n != want {
			t.Errorf("%v: %d requests in two days", jump, n)
		}
	}
	// With a failure in the books whose time is far ahead.
	in.fails(500, "/pckcerts")
	in.wait(10 * day)
	if n := asked(); n < 30 || n > 50 {
		t.Errorf("%d attempts in two days", n)
	}
	in.setFault(nil)
	in.wait(-20 * day)
	if n := asked(); n != 1 {
		t.Errorf("back with a failure: %d requests in two days", n)
	}
	if p, err := s.PCKCert(t.Context(), in.query()); err != nil || p.Stale != nil {
		t.Errorf("%v, %v", p, err)
	}
}
