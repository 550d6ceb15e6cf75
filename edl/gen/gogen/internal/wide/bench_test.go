package wide

import (
	"context"
	"testing"

	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/status"
)

// still is an enclave that does nothing.
type still struct{ mem []byte }

func (still) CallAt(context.Context, int, uint64, uedge.Table) error { return nil }
func (s still) Outside(size int) (uedge.Memory, error)               { return still{make([]byte, size)}, nil }
func (still) Addr() uint64                                           { return outsideBase }
func (s still) Bytes() []byte                                        { return s.mem }
func (still) Free()                                                  {}

// BenchmarkClient is what a generated client adds to a call.
func BenchmarkClient(b *testing.B) {
	ctx := context.Background()
	x := NewWide(still{}, &host{})
	p := make([]byte, 4096)
	b.Run("raw", func(b *testing.B) {
		var e uedge.Enclave = still{}
		for b.Loop() {
			if err := e.CallAt(ctx, 0, outsideBase, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("small", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := x.EcallSum(ctx, 1, 2); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("4KiB in", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := x.EcallBytes(ctx, p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("4KiB in and out", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := x.EcallReverse(ctx, p); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// flat is a gate to memory that needs no watch.
type flat struct{ mem []byte }

func (f flat) Outside(addr, n uint64) bool {
	return addr+n > addr && addr+n <= outsideBase+uint64(len(f.mem))
}
func (f flat) Load(dst []byte, addr uint64)  { copy(dst, f.mem[addr-outsideBase:]) }
func (f flat) Store(addr uint64, src []byte) { copy(f.mem[addr-outsideBase:], src) }
func (f flat) Alloc(uint64) (uint64, error)  { return outsideBase + 8192, nil }
func (f flat) Free()                         {}
func (f flat) OCall(int, uint64) status.Code { return status.Success }

// quick is an enclave whose functions take no time.
type quick struct{ trusted }

func (*quick) EcallBytes(context.Context, []byte) (uint64, error)       { return 0, nil }
func (*quick) EcallReverse(_ context.Context, p []byte) ([]byte, error) { return p, nil }

// BenchmarkTable is what the generated table adds to a function.
func BenchmarkTable(b *testing.B) {
	ctx := context.Background()
	table := WideTable(&quick{})
	var g tedge.Gate = flat{append(words(outsideBase+64, outsideBase+64, 4096), make([]byte, 16<<10)...)}
	var g2 tedge.Gate = flat{append(words(0, outsideBase+64, 4096), make([]byte, 16<<10)...)}
	for _, c := range []struct {
		name  string
		index int
		gate  tedge.Gate
	}{{"small", 1, g2}, {"4KiB in", 7, g2}, {"4KiB in and out", 8, g}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if code := table.Dispatch(ctx, c.gate, c.index, outsideBase, tedge.Root); code != status.Success {
					b.Fatal(code)
				}
			}
		})
	}
}
