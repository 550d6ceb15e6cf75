package measure_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
)

const (
	rw  = isa.SecInfoR | isa.SecInfoW | isa.SecInfoFlags(isa.PTREG)<<8
	rx  = isa.SecInfoR | isa.SecInfoX | isa.SecInfoFlags(isa.PTREG)<<8
	tcs = isa.SecInfoFlags(isa.PTTCS) << 8
)

// The records below are written out as the SDM describes them, without the
// code under test.

func record(fields ...any) []byte {
	var b bytes.Buffer
	for _, f := range fields {
		if s, ok := f.(string); ok {
			b.WriteString(s)
			continue
		}
		binary.Write(&b, binary.LittleEndian, f)
	}
	return append(b.Bytes(), make([]byte, 64-b.Len())...)
}

func ecreate(size uint64, ssa uint32) []byte { return record("ECREATE\x00", ssa, size) }

func eadd(offset uint64, flags isa.SecInfoFlags) []byte {
	return record("EADD\x00\x00\x00\x00", offset, uint64(flags))
}

func eextend(offset uint64, chunk []byte) []byte {
	return append(record("EEXTEND\x00", offset), chunk...)
}

func TestHash(t *testing.T) {
	page := make([]byte, isa.PageSize)
	for i := range page {
		page[i] = byte(i * 7)
	}
	h := measure.New(1<<21, 2)
	want := ecreate(1<<21, 2)
	if got := h.Sum(); got != sha256.Sum256(want) {
		t.Fatalf("after ECREATE: %x", got)
	}
	si := isa.SecInfo{Flags: rx}
	si.Reserved[0], si.Reserved[39], si.Reserved[40] = 1, 2, 3 // the last byte is not measured
	rec := eadd(0x3000, rx)
	rec[24], rec[63] = 1, 2
	h.EADD(0x3000, si)
	want = append(want, rec...)
	for i := uint64(0); i < 16; i++ {
		h.EEXTEND(0x3000+i*256, page[i*256:])
		want = append(want, eextend(0x3000+i*256, page[i*256:][:256])...)
		if i%5 == 0 { // Sum must not disturb what follows
			if got := h.Sum(); got != sha256.Sum256(want) {
				t.Fatalf("after chunk %d: %x", i, got)
			}
		}
	}
	h.EADD(0x4000, isa.SecInfo{Flags: tcs})
	want = append(want, eadd(0x4000, tcs)...)
	if got := h.Sum(); got != sha256.Sum256(want) {
		t.Fatalf("final: %x", got)
	}
	if got := h.Sum(); got != sha256.Sum256(want) {
		t.Fatalf("second Sum differs: %x", got)
	}
}

func TestHashDoesNotAllocate(t *testing.T) {
	h := measure.New(1<<21, 1)
	chunk := make([]byte, 256)
	var sink byte
	if n := testing.AllocsPerRun(100, func() {
		h.EADD(0, isa.SecInfo{Flags: rw})
		h.EEXTEND(0, chunk)
		s := h.Sum()
		sink ^= s[0]
	}); n != 0 {
		t.Errorf("%v allocations per EADD, EEXTEND and Sum", n)
	}
}

// testImage has every kind of run.
func testImage() *image.Image {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	return &image.Image{
		Size: 1 << 24, SSAFrameSize: 1,
		Runs: []image.Run{
			{Offset: 0, Pages: 3, Flags: rx, Data: random(3 * 4096), Measured: true},
			{Offset: 0x3000, Pages: 4, Flags: rw, Data: random(4096 + 300), Measured: true},
			{Offset: 0x7000, Pages: 2, Flags: rw, Data: random(17), Measured: true},
			{Offset: 0x9000, Pages: 5, Flags: rw, Measured: true},
			{Offset: 0xE000, Pages: 7, Flags: rw, Fill: 0xCCCCCCCC, Measured: true},
			{Offset: 0x20000, Pages: 300, Flags: rw},
			{Offset: 0x200000, Pages: 1, Flags: tcs, Data: random(72), Measured: true},
			{Offset: 0x201000, Pages: 1, Flags: rw, Data: random(4096), Chunks: []uint8{9, 0, 15, 9}},
			{Offset: 0x202000, Pages: 1, Flags: rw, Data: random(300), Chunks: []uint8{1, 2}},
			{Offset: 0x203000, Pages: 2, Flags: rx, Data: random(2 * 4096), Measured: false},
		},
	}
}

// stream is the measured byte stream of an image, page by page.
func stream(m *image.Image) []byte {
	b := ecreate(m.Size, m.SSAFrameSize)
	page := make([]byte, isa.PageSize)
	for i := range m.Runs {
		r := &m.Runs[i]
		for n := range r.Pages {
			offset := r.Offset + n*isa.PageSize
			b = append(b, eadd(offset, r.Flags)...)
			chunks := r.Chunks
			if r.Measured {
				chunks = []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
			}
			r.Page(n, page)
			for _, c := range chunks {
				b = append(b, eextend(offset+uint64(c)*256, page[int(c)*256:][:256])...)
			}
		}
	}
	return b
}

func TestImage(t *testing.T) {
	m := testImage()
	if got, want := measure.Image(m), sha256.Sum256(stream(m)); got != want {
		t.Errorf("MRENCLAVE %x, want %x", got, want)
	}
	if got, want := viaSGXS(m), measure.Image(m); got != want {
		t.Errorf("through SGXS %x, want %x", got, want)
	}
	for i := range m.Runs { // each run by itself, so that no buffer state hides
		one := &image.Image{Size: m.Size, SSAFrameSize: 3, Runs: m.Runs[i : i+1]}
		if got, want := measure.Image(one), sha256.Sum256(stream(one)); got != want {
			t.Errorf("run %d: MRENCLAVE %x, want %x", i, got, want)
		}
		if got, want := measure.Length(one), len(stream(one)); got != uint64(want) {
			t.Errorf("run %d: %d bytes are measured, want %d", i, got, want)
		}
	}
}

// benchImage is 16 MiB of code and data, as a large SDK enclave has.
func benchImage() *image.Image {
	m := testImage()
	code := make([]byte, 16<<20)
	r := rand.New(rand.NewPCG(3, 4))
	for i := 0; i < len(code); i += 8 {
		binary.LittleEndian.PutUint64(code[i:], r.Uint64())
	}
	m.Size = 1 << 30
	m.Runs = []image.Run{{Pages: uint64(len(code)) / isa.PageSize, Flags: rx, Data: code, Measured: true}}
	return m
}

// BenchmarkMeasure times measure.Image against one SHA-256 over the measured
// stream, prepared beforehand. Both alternate; sha256-ratio is the rate of the
// former divided by that of the latter, the median over the iterations, so
// that what else the machine does weighs little.
func BenchmarkMeasure(b *testing.B) {
	zeros := benchImage()
	zeros.Runs = []image.Run{{Pages: zeros.Runs[0].Pages, Flags: rw, Measured: true}}
	steps := benchImage()
	for _, c := range []struct {
		name string
		m    *image.Image
		f    func(*image.Image) [32]byte
	}{
		{"data", benchImage(), measure.Image},
		{"zeros", zeros, measure.Image},
		{"steps", steps, bySteps},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := stream(c.m)
			b.SetBytes(int64(len(s)))
			var ours []time.Duration
			var ratios []float64
			for b.Loop() {
				t0 := time.Now()
				got := c.f(c.m)
				t1 := time.Now()
				want := sha256.Sum256(s)
				t2 := time.Now()
				if got != want {
					b.Fatal("wrong measurement")
				}
				ours = append(ours, t1.Sub(t0))
				ratios = append(ratios, float64(t2.Sub(t1))/float64(t1.Sub(t0)))
			}
			slices.Sort(ours)
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "sha256-ratio")
			b.ReportMetric(float64(len(s))/ours[len(ours)/2].Seconds()/1e6, "measured-MB/s")
		})
	}
}

// bySteps measures as the processor does, one EEXTEND after the other.
func bySteps(m *image.Image) [32]byte {
	h := measure.New(m.Size, m.SSAFrameSize)
	for _, r := range m.Runs {
		for n := range r.Pages {
			at := n * isa.PageSize
			h.EADD(r.Offset+at, isa.SecInfo{Flags: r.Flags})
			for c := uint64(0); c < isa.PageSize; c += 256 {
				h.EEXTEND(r.Offset+at+c, r.Data[at+c:])
			}
		}
	}
	return h.Sum()
}
