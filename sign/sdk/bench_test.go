package sdk_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign/config"
	"github.com/feidi-dev/feidi/sign/sdk"
)

// large returns an unsigned enclave whose file has n more bytes to load: a
// segment of its own behind the others.
func large(t testing.TB, n uint64) []byte {
	t.Helper()
	o := edit(t, unsigned(t))
	last := &o.Segments[2] // the highest
	end := (last.Address + last.Size + 4095) &^ 4095
	at := (uint64(len(o.Bytes)) + 4095) &^ 4095
	file := append(o.Bytes, make([]byte, at-uint64(len(o.Bytes))+n)...)
	random := rand.New(rand.NewPCG(1, 2))
	for i := at; i+8 <= at+n; i += 8 {
		le.PutUint64(file[i:], random.Uint64())
	}
	// The headers move behind everything, to have room for one more.
	headers := bytes.Clone(file[elf64.HeaderSize:][:4*elf64.SegmentHeaderSize])
	h := make([]byte, elf64.SegmentHeaderSize)
	le.PutUint32(h, elf64.SegmentLoad)
	le.PutUint32(h[4:], elf64.PermR)
	for i, v := range []uint64{at, end, end, n, n, 4096} {
		le.PutUint64(h[8+8*i:], v)
	}
	le.PutUint64(file[elf64.OffSegments:], uint64(len(file)))
	le.PutUint16(file[56:], 5)
	return append(append(file, headers...), h...)
}

// measured returns the bytes whose SHA-256 is the measurement of m, made
// without package measure.
func measured(m *image.Image) []byte {
	var b []byte
	record := func(tag string, words ...uint64) {
		r := append(append(make([]byte, 0, 64), tag...), make([]byte, 8-len(tag))...)
		for _, w := range words {
			r = binary.LittleEndian.AppendUint64(r, w)
		}
		b = append(b, append(r, make([]byte, 64-len(r))...)...)
	}
	record("ECREATE", uint64(m.SSAFrameSize)|m.Size<<32, m.Size>>32)
	page := make([]byte, isa.PageSize)
	for i := range m.Runs {
		r := &m.Runs[i]
		for n := range r.Pages {
			offset := r.Offset + n*isa.PageSize
			record("EADD", offset, uint64(r.Flags))
			r.Page(n, page)
			for at := 0; r.Measured && at < len(page); at += 256 {
				record("EEXTEND", offset+uint64(at))
				b = append(b, page[at:at+256]...)
			}
		}
	}
	return b
}

// BenchmarkSign100MB signs an enclave of 100 MB, written to nowhere, beside a
// SHA-256 of the bytes that its measurement is one of.
func BenchmarkSign100MB(b *testing.B) {
	file := large(b, 100e6/4096*4096)
	c := config.Default()
	u := lay(b, file, c, sdk.Options{})
	m, err := image.Lay(file, u.Metadata()[0])
	if err != nil {
		b.Fatal(err)
	}
	stream := measured(m)
	if sha256.Sum256(stream) != u.SigStruct().EnclaveHash {
		b.Fatal("the measured bytes are others")
	}
	key := testKey()
	b.SetBytes(int64(len(stream)))
	var ours, ratios []float64
	for b.Loop() {
		t0 := time.Now()
		u, err := sdk.Lay(file, &c, sdk.Options{Date: day})
		if err == nil {
			err = u.Sign(key)
		}
		if err == nil {
			_, err = u.WriteTo(io.Discard)
		}
		t1 := time.Now()
		sum := sha256.Sum256(stream)
		t2 := time.Now()
		if err != nil || sum != u.SigStruct().EnclaveHash {
			b.Fatal(err)
		}
		ours = append(ours, t1.Sub(t0).Seconds())
		ratios = append(ratios, t1.Sub(t0).Seconds()/t2.Sub(t1).Seconds())
	}
	slices.Sort(ours)
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "of-sha256")
	b.ReportMetric(ours[len(ours)/2]*1e3, "sign-ms")
}

// TestMemory holds the signer to the memory of tables: nothing grows with the
// file or with what the configuration asks for.
func TestMemory(t *testing.T) {
	const limit = 1 << 20
	file := large(t, 32<<20)
	testKey()
	for name, c := range map[string]config.Config{
		"large file":  with(nil),
		"large heap":  with(func(c *config.Config) { c.HeapInitSize, c.HeapMaxSize = 1<<32, 1<<42; c.MiscSelect = 1 }),
		"many to be":  with(func(c *config.Config) { dynamic(c); c.TCSMaxNum = 20000 }),
		"refused":     with(func(c *config.Config) { c.HeapInitSize, c.HeapMaxSize = 1<<46, 1<<46 }),
		"user region": with(func(c *config.Config) { c.UserRegionSize, c.MiscSelect = 1<<42, 1 }),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		u, err := sdk.Lay(file, &c, sdk.Options{Date: day})
		if err == nil {
			if err = u.Sign(testKey()); err == nil {
				_, err = u.WriteTo(io.Discard)
			}
		}
		runtime.ReadMemStats(&after)
		if (err != nil) != (name == "refused") {
			t.Errorf("%s: %v", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > limit {
			t.Errorf("%s: %d KiB allocated", name, n>>10)
		}
	}
}
