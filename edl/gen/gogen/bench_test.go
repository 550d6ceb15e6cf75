package gogen

import "testing"

// BenchmarkGo writes all three files of the wide interface.
func BenchmarkGo(b *testing.B) {
	p := loadPlan(b, "testdata/wide.edl", wideLayouts)
	n := 0
	for b.Loop() {
		n = 0
		for _, f := range goFiles(b, p, Options{}) {
			n += len(f.Content)
		}
	}
	b.SetBytes(int64(n))
}
