package sealedfs

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var benchSizes = []int{100, 64 << 10, 4 << 20}

func BenchmarkReadFile(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("sealed/%d", size), func(b *testing.B) {
			f := benchFS(b, &Options{NoSync: true})
			if err := f.WriteFile("f", make([]byte, size)); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := f.ReadFile("f"); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("os/%d", size), func(b *testing.B) {
			name := filepath.Join(b.TempDir(), "f")
			if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := os.ReadFile(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWriteFile compares with os.WriteFile, which promises nothing, and
// with what a plain program does to replace a file for good.
func BenchmarkWriteFile(b *testing.B) {
	for _, size := range benchSizes {
		data := make([]byte, size)
		bench := func(name string, write func() error) {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					if err := write(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		for name, noSync := range map[string]bool{"sealed": false, "sealed-nosync": true} {
			f := benchFS(b, &Options{NoSync: noSync})
			bench(name, func() error { return f.WriteFile("f", data) })
		}
		d := osDisk{b.TempDir()}
		bench("os", func() error { return os.WriteFile(d.path("f"), data, 0o600) })
		bench("os-durable", func() error {
			if err := prepare(d, "f", data, true); err != nil {
				return err
			}
			if err := d.rename("f.tmp", "f"); err != nil {
				return err
			}
			return d.sync()
		})
	}
}

// BenchmarkMany writes a small file among many: each change writes the index.
func BenchmarkMany(b *testing.B) {
	for _, files := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(files), func(b *testing.B) {
			f := mustOpen(b, newMemDisk())
			for i := range files {
				f.index.entries = append(f.index.entries, entry{name: fmt.Sprintf("file-%08d", i), dir: true})
			}
			for b.Loop() {
				if err := f.WriteFile("f", nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchFS(b *testing.B, opts *Options) *FS {
	f, err := Open(b.TempDir(), sealer, opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	return f
}
