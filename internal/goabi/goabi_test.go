package goabi

import "testing"

// The table has each call once, and what belongs together stands together.
func TestCalls(t *testing.T) {
	seen := map[int]bool{}
	for _, c := range Calls {
		if seen[c.Nr] {
			t.Errorf("%s: number %d is there twice", c.Name, c.Nr)
		}
		seen[c.Nr] = true
		if len(c.Args) > 6 {
			t.Errorf("%s has %d arguments", c.Name, len(c.Args))
		}
		fixed, counted := 0, false
		for i, a := range c.Args {
			next := None
			if i+1 < len(c.Args) {
				next = c.Args[i+1].Kind
			}
			if (a.Kind == In || a.Kind == Out) != (next == Len) {
				t.Errorf("%s: a buffer without its length, or the other way round", c.Name)
			}
			if (a.Kind == Addr) != (next == AddrLen) {
				t.Errorf("%s: an address without its length, or the other way round", c.Name)
			}
			if a.Kind == OutFixed && a.Size == 8 {
				fixed++
			}
			counted = counted || a.Kind == Len
		}
		if c.Result == PairFD && fixed != 1 {
			t.Errorf("%s returns descriptors, but not in 8 bytes", c.Name)
		}
		if c.Result == Count && !counted {
			t.Errorf("%s returns a count of nothing", c.Name)
		}
	}
	if len(Calls) < 80 {
		t.Errorf("%d calls", len(Calls))
	}
}
