package gogen

import "testing"

// BenchmarkGenerate writes all three files of the wide interface.
func BenchmarkGenerate(b *testing.B) {
	p := widePlan(b)
	n := 0
	for b.Loop() {
		n = 0
		files, err := allFiles(p, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range files {
			n += len(f.Content)
		}
	}
	b.SetBytes(int64(n))
}
