package inside

import (
	"slices"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/cpu"
)

// median makes calls and reports the median time of one, in nanoseconds, beside
// the mean that a benchmark has.
func median(b *testing.B, call func() error) {
	for range 200 { // until everything is warm
		if err := call(); err != nil {
			b.Fatal(err)
		}
	}
	times := make([]time.Duration, 0, 1<<20)
	for b.Loop() {
		begin := time.Now()
		if err := call(); err != nil {
			b.Fatal(err)
		}
		if len(times) < cap(times) {
			times = append(times, time.Since(begin))
		}
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "median-ns")
}

// BenchmarkGoECall calls a Go enclave, and for comparison one in assembly.
func BenchmarkGoECall(b *testing.B) {
	ctx := b.Context()
	g, h := server(b, 16)
	x := loadToy(b, powerOn(b, cpu.Config{}))
	src := make([]byte, 4096)
	b.Run("toy raw", func(b *testing.B) { median(b, func() error { return x.CallAt(ctx, 0, 0, nil) }) })
	b.Run("toy empty", func(b *testing.B) { median(b, func() error { return x.client.Empty(ctx) }) })
	b.Run("raw", func(b *testing.B) { median(b, func() error { return g.CallAt(ctx, 0, 0, nil) }) })
	b.Run("empty", func(b *testing.B) { median(b, func() error { return h.client.Empty(ctx) }) })
	b.Run("add", func(b *testing.B) { median(b, func() error { _, err := h.client.Add(ctx, 1, 2); return err }) })
	b.Run("4 KiB in and out", func(b *testing.B) { median(b, func() error { _, err := h.client.Flip(ctx, src); return err }) })
	b.Run("with an OCALL", func(b *testing.B) { median(b, func() error { _, err := h.client.Forward(ctx, 1); return err }) })
	b.Run("nested", func(b *testing.B) { median(b, func() error { _, err := h.client.Nest(ctx, 1); return err }) })
}
