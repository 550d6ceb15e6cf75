package aesm_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
)

// BenchmarkSocket asks for quotes of which the making costs nothing: a
// connection, a request of 704 bytes and a quote of 4.6 KiB each.
func BenchmarkSocket(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			path := start(b, &aesm.Server{Services: aesm.Services{Quote: []aesm.QuoteService{newFakeQuotes()}}})
			c, key, r := aesm.New(aesm.Options{Path: path}), aesm.DefaultECDSAKeyID(), report("full")
			took := make([]time.Duration, b.N)
			var next atomic.Int64
			var all sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for range clients {
				all.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						begun := time.Now()
						if _, err := c.GetQuoteEx(b.Context(), &key, r, 5000, nil); err != nil {
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
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

func BenchmarkParseRequest(b *testing.B) {
	wire := unhex(b, captured[len(captured)-1].hex)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := aesm.ParseRequest(wire); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseWorst reads the request that costs most for its size.
func BenchmarkParseWorst(b *testing.B) {
	wire := make([]byte, 0, aesm.MaxFrame)
	for len(wire)+2 < aesm.MaxFrame-8 {
		wire = append(wire, 4*8, 1)
	}
	wire = protoBytes(2, string(wire))
	b.SetBytes(int64(len(wire)))
	for b.Loop() {
		if _, err := aesm.ParseRequest(wire); err == nil {
			b.Fatal("there is no report")
		}
	}
}
