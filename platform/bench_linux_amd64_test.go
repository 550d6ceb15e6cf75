package platform_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/isa"
)

// BenchmarkSign is what a quote cannot be faster than: its signature.
func BenchmarkSign(b *testing.B) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	digest := make([]byte, 32)
	parallel(b, 1, func() error {
		_, err := ecdsa.SignASN1(rand.Reader, key, digest)
		return err
	})
}

// ready returns a platform that quotes, and a report.
func ready(b *testing.B) (*host, *isa.Report) {
	b.Helper()
	h := newWorld(b).start()
	h.register()
	target, _ := h.init()
	return h, h.report(target)
}

// BenchmarkQuote is a quote in the process, one after the other and from several
// callers at once.
func BenchmarkQuote(b *testing.B) {
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			h, report := ready(b)
			key := h.KeyID()
			b.ReportAllocs()
			parallel(b, callers, func() error {
				_, err := h.Quote(b.Context(), &key, report, nil)
				return err
			})
		})
	}
}

// BenchmarkSocket is the same through AESM's socket; the clients are in the same
// process.
func BenchmarkSocket(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			h, report := ready(b)
			c, key := serve(b, h.Platform), aesm.DefaultECDSAKeyID()
			size := must(h.QuoteSize(b.Context(), &key))
			b.ReportAllocs()
			parallel(b, clients, func() error {
				_, err := c.GetQuoteEx(b.Context(), &key, report, size, nil)
				return err
			})
		})
	}
}

// parallel does something b.N times, so many at once. Beside the clock's time for
// each it reports the processor's, which tells more where others are at work, and
// how long the callers waited.
func parallel(b *testing.B, n int, do func() error) {
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	before := busy(b)
	for range n {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				begun := time.Now()
				if err := do(); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(begun)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(busy(b)-before)/float64(b.N)/1e3, "cpu-µs/op")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// busy is the processor time of the program in nanoseconds.
func busy(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
