package main

import (
	"fmt"
	"math/bits"
	"time"
)

// histogram counts durations in buckets that are 1/16 of their value wide, so
// that it takes the same memory however many there are.
type histogram struct {
	count   int
	buckets [64 * 16]int
	most    time.Duration
}

const digits = 4 // of a bucket's number below its power of two, in bits

func (h *histogram) add(d time.Duration) {
	v := uint64(max(d, 1<<digits))
	shift := bits.Len64(v) - 1 - digits
	h.buckets[shift<<digits+int(v>>shift)-1<<digits]++
	h.count++
	h.most = max(h.most, d)
}

// quantile returns the upper end of the bucket that has the q-th part.
func (h *histogram) quantile(q float64) time.Duration {
	rank := int(q * float64(h.count))
	for i, n := range h.buckets {
		if rank -= n; rank < 0 {
			shift, low := i>>digits, i&(1<<digits-1)
			return min(time.Duration((1<<digits+low+1)<<shift), h.most)
		}
	}
	return h.most
}

// String gives the quantiles in milliseconds.
func (h *histogram) String() string {
	if h.count == 0 {
		return "none"
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf("%9d: median %.2f ms, 90%% %.2f, 99%% %.2f, 99.9%% %.2f, most %.2f",
		h.count, ms(h.quantile(0.5)), ms(h.quantile(0.9)), ms(h.quantile(0.99)), ms(h.quantile(0.999)), ms(h.most))
}
