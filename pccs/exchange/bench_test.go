package exchange_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/feidi-dev/feidi/pccs/exchange"
)

// BenchmarkImportIntel imports a database with platforms of four certificates.
// Most of it is verifying signatures. Memory does not depend on their number:
// peak-MB is of the heap.
func BenchmarkImportIntel(b *testing.B) {
	const platforms, certs = 2000, 4
	w := newWorld()
	d := newIntelDB(b, 5, tablesOf5)
	d.authorities(w)
	if _, err := d.db.Exec("BEGIN"); err != nil {
		b.Fatal(err)
	}
	for i := range platforms {
		m := w.Platform()
		p := row(m, "platform")
		for n := range certs - 1 {
			m.SGX.PCESVN = uint16(n)
			m.Reissue()
			p.Certs = append(p.Certs, row(m, "platform").Certs...)
		}
		p.TCBs = p.TCBs[:0]
		p.QEID = fmt.Sprintf("%032X", i)
		d.platform(p)
	}
	if _, err := d.db.Exec("COMMIT"); err != nil {
		b.Fatal(err)
	}
	check := w.checker(b)
	var peak uint64
	for b.Loop() {
		s := newStore(b)
		r, err := exchange.ImportIntel(b.Context(), d.path, s, check, exchange.ImportOptions{At: w.Now, Progress: func(int) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}})
		if err != nil || r.Platforms != platforms || r.Certificates != platforms*certs {
			b.Fatalf("%+v, %v", counts(r), err)
		}
	}
	b.ReportMetric(float64(b.N*platforms)/b.Elapsed().Seconds(), "platforms/s")
	b.ReportMetric(float64(b.N*platforms*certs)/b.Elapsed().Seconds(), "certs/s")
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
}
