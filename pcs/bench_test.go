package pcs

import "testing"

// BenchmarkCollateral is a collateral of small documents, from a service on
// this machine and from copies.
func BenchmarkCollateral(b *testing.B) {
	f := newFake(b)
	for name, cfg := range map[string]Config{"service": {}, "copies": {CacheDir: b.TempDir()}} {
		b.Run(name, func(b *testing.B) {
			c := f.client(b, cfg)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.Collateral(b.Context(), sgxRequest); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
