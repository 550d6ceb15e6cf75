package world_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/isa"
)

// BenchmarkQuote has clients ask the real daemon for quotes at the same time, each
// of which connects anew as Intel's clients do. The latencies are in microseconds.
func BenchmarkQuote(b *testing.B) {
	h := newWorld(b, "laptop")
	c, d := h.powerOn("laptop"), h.aesmd("laptop")
	var r *isa.Report
	if _, err := client(d).Quote(b.Context(), func(target *isa.TargetInfo) (_ *isa.Report, err error) {
		r, err = report(c.app, target)
		return r, err
	}); err != nil {
		b.Fatal(err)
	}
	key, err := client(d).SelectAttKeyID(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	size, err := client(d).GetQuoteSizeEx(b.Context(), key)
	if err != nil {
		b.Fatal(err)
	}
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			took := make([]time.Duration, b.N)
			var next atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range clients {
				all.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						start := time.Now()
						if _, err := client(d).GetQuoteEx(b.Context(), key, r, size, nil); err != nil {
							b.Error(err)
							return
						}
						took[i] = time.Since(start)
					}
				})
			}
			all.Wait()
			b.StopTimer()
			slices.Sort(took)
			at := func(percent int) float64 { return float64(took[(b.N-1)*percent/100].Microseconds()) }
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "quotes/s")
			b.ReportMetric(at(50), "p50-µs")
			b.ReportMetric(at(99), "p99-µs")
		})
	}
}
