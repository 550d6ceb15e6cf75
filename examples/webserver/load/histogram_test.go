package main

import (
	"math"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var h histogram
	if h.String() != "none" {
		t.Errorf("empty: %v", &h)
	}
	for i := range 10000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.999} {
		want := q * 10000 * float64(time.Microsecond)
		if got := float64(h.quantile(q)); got < want || got > want*(1+1.0/16)+2000 {
			t.Errorf("quantile %v is %v, and not about %v", q, time.Duration(got), time.Duration(want))
		}
	}
	if h.quantile(1) != 10*time.Millisecond || h.count != 10000 {
		t.Errorf("most %v of %d", h.quantile(1), h.count)
	}
	h.add(math.MaxInt64)
	h.add(-1)
	if h.quantile(1) != math.MaxInt64 || h.count != 10002 {
		t.Errorf("most %v of %d", h.quantile(1), h.count)
	}
}
