package scan

import (
	"testing"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// BenchmarkProgram scans the text of a program, repeated up to 10 MB.
func BenchmarkProgram(b *testing.B) {
	file := read(b, build(b, "hello", nil))
	f, err := elf64.Parse(file)
	if err != nil {
		b.Fatal(err)
	}
	fns, err := functions(f)
	if err != nil {
		b.Fatal(err)
	}
	text := f.Section(".text")
	var im image
	for size := uint64(0); size < 10<<20; {
		// Each copy keeps the distances of its calls.
		for i, fn := range fns {
			next := text.Address + text.Size
			if i+1 < len(fns) {
				next = fns[i+1].start
			}
			code := f.Data(text)[fn.start-text.Address : next-text.Address]
			im.functions = append(im.functions, made{fn.name, code[:fn.end-fn.start], code[fn.end-fn.start:], false})
			size += uint64(len(code))
		}
	}
	long := im.build()
	r, err := Program(long, Default())
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Class != Illegal && f.Class != Timestamp {
			b.Fatal(f)
		}
	}
	b.SetBytes(int64(r.Code + r.Padding))
	for b.Loop() {
		if _, err := Program(long, Default()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(r.Instructions), "instructions")
}
