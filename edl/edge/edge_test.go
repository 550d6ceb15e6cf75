package edge

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/status"
)

func TestBlock(t *testing.T) {
	b := make(Block, 32)
	b.PutU8(0, 0xFE)
	b.PutU16(2, 0xFEDC)
	b.PutU32(4, 0xFEDCBA98)
	b.PutU64(8, 0xFEDCBA9876543210)
	b.PutF32(16, -1.5)
	b.PutF64(24, math.Inf(-1))
	b.PutBool(1, true)
	if want := "fe01dcfe98badcfe1032547698badcfe0000c0bf00000000000000000000f0ff"; fmt.Sprintf("%x", []byte(b)) != want {
		t.Errorf("%x", []byte(b))
	}
	if b.U8(0) != 0xFE || !b.Bool(1) || b.U16(2) != 0xFEDC || b.U32(4) != 0xFEDCBA98 || b.U64(8) != 0xFEDCBA9876543210 ||
		b.F32(16) != -1.5 || !math.IsInf(b.F64(24), -1) {
		t.Errorf("%x reads otherwise", []byte(b))
	}
	b.PutBool(1, false)
	if b.Bool(1) {
		t.Error("false is true")
	}
}

type named int16

func ints[T Integer](t *testing.T, size int, v ...T) {
	t.Helper()
	b := make(Block, size*len(v))
	PutInts(b, v)
	if back := Ints[T](b); !slices.Equal(back, v) {
		t.Errorf("%v became %v", v, back)
	}
	if w := width[T](); w != size {
		t.Errorf("%T has %d bytes", v, w)
	}
	// Too short, either side.
	PutInts(b[:size], v)
	back := make([]T, len(v)+1)
	GetInts(back, b[:2*size-1])
	if back[0] != v[0] || back[1] != 0 {
		t.Errorf("%v", back)
	}
}

func TestArrays(t *testing.T) {
	ints[int8](t, 1, -128, 127)
	ints[uint8](t, 1, 255, 1)
	ints[int16](t, 2, -1, 1<<14)
	ints[uint16](t, 2, 0xFFFF, 2)
	ints[int32](t, 4, math.MinInt32, 3)
	ints[uint32](t, 4, math.MaxUint32, 3)
	ints[int64](t, 8, math.MinInt64, 3)
	ints[uint64](t, 8, math.MaxUint64, 3)
	ints[named](t, 2, -7, 3)
	if Ints[int32](nil) != nil || Ints[int32](make(Block, 3)) != nil {
		t.Error("something of nothing")
	}
	b := make(Block, 16)
	PutFloats(b, []float64{1.5, -2, 3}, 8)
	if got := Floats[float64](b, 8); !slices.Equal(got, []float64{1.5, -2}) {
		t.Error(got)
	}
	PutFloats(b, []float32{1.5, -2}, 4)
	if got := Floats[float32](b[:8], 4); !slices.Equal(got, []float32{1.5, -2}) {
		t.Error(got)
	}
	PutBools(b[:3], []bool{true, false, true, true})
	b[1] = 2
	if got := Bools[bool](b[:3]); !slices.Equal(got, []bool{true, true, true}) {
		t.Error(got)
	}
}

func TestText(t *testing.T) {
	for _, s := range []string{"", "a", "grüße ✓ 🙂"} {
		b := make(Block, TextSize(s))
		putText(b, s)
		if Text(b) != s || b[len(b)-1] != 0 {
			t.Errorf("%q: %x", s, []byte(b))
		}
		b = make(Block, WideSize(s))
		putWide(b, s)
		if Wide(b) != s || b.U32(len(b)-4) != 0 {
			t.Errorf("%q: %x", s, []byte(b))
		}
	}
	b := Block("xxxx")
	putText(b, "long text")
	if Text(b) != "lon" || Text(Block("abc")) != "abc" {
		t.Errorf("%q", b)
	}
	b = make(Block, 8)
	putWide(b, "abc")
	if Wide(b) != "a" {
		t.Errorf("%x", []byte(b))
	}
	b.PutU32(0, 0xD800)
	b.PutU32(4, 1<<31)
	if Wide(b) != "\uFFFD\uFFFD" {
		t.Errorf("%q", Wide(b))
	}
}

func TestLongDouble(t *testing.T) {
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1.25, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64, -0x1p-1060, math.Inf(1), math.Inf(-1)} {
		l := LongDoubleOf(f)
		if got := l.Float64(); math.Float64bits(got) != math.Float64bits(f) {
			t.Errorf("%g became %g", f, got)
		}
	}
	if !math.IsNaN(LongDoubleOf(math.NaN()).Float64()) {
		t.Error("NaN became a number")
	}
	// 1 is 3FFF 8000000000000000 (SDM Vol. 1, table 4-3).
	if l := LongDoubleOf(1); l != (LongDouble{7: 0x80, 8: 0xFF, 9: 0x3F}) {
		t.Errorf("1 is %x", l)
	}
	for _, c := range []struct {
		exp      uint16
		mantissa uint64
		want     float64
	}{
		{0x3FFF, 1<<63 + 1<<10, 1},                              // half of the last place, to even
		{0x3FFF, 1<<63 + 3<<10, math.Nextafter(1, 2) + 0x1p-52}, // the same, up
		{0x7FFE, math.MaxUint64, math.Inf(1)},                   // beyond a double
		{0, 1, 0},                                               // far below one
		{0x7FFF, 1 << 62, math.NaN()},
		{0x3FFF, 1, math.NaN()}, // not normal
		{0xBFFF, 3 << 62, -1.5},
	} {
		var l LongDouble
		le.PutUint64(l[:], c.mantissa)
		le.PutUint16(l[8:], c.exp)
		if got := l.Float64(); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%04x %016x is %g, want %g", c.exp, c.mantissa, got, c.want)
		}
	}
	f, _ := new(big.Float).SetPrec(64).SetString("3.14159265358979323846264338327950288")
	var l LongDouble
	le.PutUint64(l[:], 0xC90FDAA22168C235)
	le.PutUint16(l[8:], 0x4000)
	if want, _ := f.Float64(); l.Float64() != want {
		t.Errorf("pi is %v", l.Float64())
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		want status.Code
	}{
		{nil, status.Success},
		{errors.New("x"), status.ErrUnexpected},
		{fmt.Errorf("x: %w", status.ErrOutOfTCS), status.ErrOutOfTCS},
		{fmt.Errorf("x: %w", status.Success), status.ErrUnexpected},
		{&BufferError{Status: status.ErrOutOfMemory}, status.ErrOutOfMemory},
	} {
		if got := Status(c.err); got != c.want {
			t.Errorf("%v is %v, want %v", c.err, got, c.want)
		}
	}
}

// space hands out memory up to a limit.
type space struct{ left int }

func (s *space) Alloc(n int) (Region, error) {
	if n > s.left {
		return Region{}, status.ErrOutOfMemory
	}
	s.left -= n
	return Region{0x1000, make(Block, n)}, nil
}
func (s *space) Fetch(r Region) Block { return r.Block }

func TestCaller(t *testing.T) {
	c := &Caller{Block: make(Block, 64), Space: &space{left: 10}}
	if r := c.In(0, 0); r.Addr != 0 || c.U64(0) != 0 || c.Back(r) != nil {
		t.Error("no bytes are not null")
	}
	if r := c.In(8, 4); r.Addr == 0 || c.U64(8) != r.Addr || len(r.Block) != 4 {
		t.Errorf("%+v", r)
	}
	// Without memory the block is there still, and the call fails.
	if r := c.In(16, 8); len(r.Block) != 8 || c.U64(16) != 0 || !errors.Is(c.Err(), status.ErrOutOfMemory) {
		t.Errorf("%+v, %v", r, c.Err())
	}
	if r := c.Out(24, math.MaxUint64); r.Block != nil {
		t.Errorf("%+v", r)
	}
	c.Fail(errors.New("another"))
	if !errors.Is(c.Err(), status.ErrOutOfMemory) {
		t.Error("the first error is gone")
	}
	c.Reset()
	if c.Err() != nil {
		t.Error("an error survives")
	}
	c.Block = make(Block, 8)
	c.Out(0, math.MaxUint64)
	if !errors.Is(c.Err(), status.ErrOutOfMemory) {
		t.Error(c.Err())
	}
}

func TestLen(t *testing.T) {
	some, null := make([]int32, 6), []int32(nil)
	for _, c := range []struct {
		limit  uint64
		counts []Count
		want   uint64
		err    error
	}{
		{100, []Count{Items(some)}, 6, nil},
		{100, []Count{Items(null)}, 0, nil},
		{100, []Count{Items(null), Items(some), Items(null)}, 6, nil},
		{100, []Count{Items(some), Items(some[:0])}, 0, ErrLength},
		{100, []Count{Bytes(some, 4)}, 24, nil},
		{100, []Count{Units(some, 4, 8)}, 3, nil},
		{100, []Count{Units(some[:5], 4, 8)}, 0, ErrLength},
		{5, []Count{Items(some)}, 0, ErrLength},
	} {
		var tr sticky
		got := tr.Len("n", c.limit, c.counts...)
		if !errors.Is(tr.Err(), c.err) || c.err == nil && got != c.want {
			t.Errorf("%+v: %d, %v; want %d, %v", c.counts, got, tr.Err(), c.want, c.err)
		}
	}
}

// flat is memory at 0x1000.
type flat struct {
	mem  []byte
	gone bool
}

func (f *flat) Check(addr, n uint64) bool {
	return addr >= 0x1000 && addr+n > addr && addr+n <= 0x1000+uint64(len(f.mem))
}

func (f *flat) Load(dst []byte, addr uint64) error {
	if f.gone {
		return status.ErrInvalidState
	}
	copy(dst, f.mem[addr-0x1000:])
	return nil
}

func (f *flat) Store(addr uint64, src []byte) error {
	if f.gone {
		return status.ErrInvalidState
	}
	copy(f.mem[addr-0x1000:], src)
	return nil
}

func TestTerminated(t *testing.T) {
	for _, n := range []int{0, 1, 62, 63, 64, 65, 127, 1000, 70_000} {
		for _, slack := range []int{0, 1, 100} {
			s := strings.Repeat("x", n)
			mem := &flat{mem: append(slices.Grow(words(0x1008), n), s+"\x00"+strings.Repeat("y", slack)...)}
			var c Callee
			if err := c.Begin(mem, 0x1000, 8, 1<<20); err != nil {
				t.Fatal(err)
			}
			b := c.Terminated(0, 1)
			if c.Err() != nil || b.Text() != s || b.Size != uint64(n+1) {
				t.Errorf("%d characters, %d behind: %d bytes, %v", n, slack, b.Size, c.Err())
			}
			// Without its end it is none, and none of it is over the limit.
			mem.mem = mem.mem[:8+n]
			if c.Begin(mem, 0x1000, 8, 1<<20) == nil {
				c.Terminated(0, 1)
			}
			if !errors.Is(c.Err(), status.ErrInvalidParameter) {
				t.Errorf("%d characters without an end: %v", n, c.Err())
			}
		}
	}
	mem := &flat{mem: append(words(0x1008), make([]byte, 200)...)}
	for i := range 199 {
		mem.mem[8+i] = 1
	}
	var c Callee
	if err := c.Begin(mem, 0x1000, 8, 100); err != nil {
		t.Fatal(err)
	}
	if c.Terminated(0, 1); !errors.Is(c.Err(), status.ErrOutOfMemory) {
		t.Error(c.Err())
	}
}

func words(w ...uint64) []byte {
	var b []byte
	for _, v := range w {
		b = le.AppendUint64(b, v)
	}
	return b
}

// Memory that is gone when it is needed is an error, once.
func TestMemoryThatIsGone(t *testing.T) {
	mem := &flat{mem: make([]byte, 64)}
	var c Callee
	if err := c.Begin(mem, 0x1000, 16, 100); err != nil {
		t.Fatal(err)
	}
	c.PutU64(0, 0x1020)
	b := c.Buffer(0, 8)
	mem.gone = true
	if c.Load(b) != nil || c.Err() != status.ErrInvalidState {
		t.Error(c.Err())
	}
	c.Store(b, make(Block, 8))
	c.Return(8)
	if c.Err() != status.ErrInvalidState {
		t.Error(c.Err())
	}
	if err := c.Begin(mem, 0x1000, 16, 100); err != status.ErrInvalidState {
		t.Error(err)
	}
	if err := new(Callee).Begin(mem, 0x1000, 0, 100); !errors.Is(err, status.ErrInvalidParameter) {
		t.Error(err)
	}
	var large Callee
	mem.gone = false
	if err := large.Begin(&flat{mem: make([]byte, 1000)}, 0x1000, 1000, 0); err != nil || len(large.Block) != 1000 {
		t.Error(err)
	}
}
