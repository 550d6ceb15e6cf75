package wide

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/status"
)

// words is a marshalling structure of words.
func words(w ...uint64) []byte {
	var b []byte
	for _, v := range w {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// index finds an ECALL by its name.
func (b *border) index(name string) int {
	for i, e := range b.table.ECalls {
		if e.Name == name {
			return i
		}
	}
	b.t.Fatalf("no ECALL %s", name)
	return -1
}

// place puts bytes outside.
func (b *border) place(data []byte) uint64 {
	p, err := b.Outside(len(data) + 8)
	if err != nil {
		b.t.Fatal(err)
	}
	copy(p.Bytes(), data)
	return p.Addr()
}

// What a host must not pass. No function sees any of it.
func TestHostileHost(t *testing.T) {
	const inside = enclaveBase + 64
	e := &trusted{}
	b := newBorder(t, e)
	b.lax = true
	buf := b.place(make([]byte, 64<<10))
	text := b.place([]byte("some\x00text\x00"))
	wide := b.place([]byte("w\x00\x00\x00\x00\x00\x00\x00"))
	list := func(at ...uint64) uint64 { // n, values, blob, len, fixed, origin, kind, both, s, c
		return b.place(words(append(at, make([]uint64, 10-len(at))...)...))
	}
	const (
		invalid = status.ErrInvalidParameter
		memory  = status.ErrOutOfMemory
	)
	for _, c := range []struct {
		why  string
		call string
		ms   []byte
		want status.Code
	}{
		{"a structure for a function without one", "ecall_nothing", words(1), invalid},
		{"a buffer inside", "ecall_bytes", words(0, inside, 8), invalid},
		{"a buffer that ends inside", "ecall_bytes", words(0, enclaveBase-4, 8), invalid},
		{"a buffer that begins inside", "ecall_bytes", words(0, enclaveBase+enclaveSize-4, 8), invalid},
		{"a buffer around the enclave", "ecall_bytes", words(0, enclaveBase-4, enclaveSize+8), invalid},
		{"a buffer that wraps around", "ecall_bytes", words(0, buf, -buf+8), invalid},
		{"a buffer to the end of memory", "ecall_bytes", words(0, buf, -buf), invalid},
		{"no bytes inside", "ecall_bytes", words(0, inside, 0), invalid},
		{"more than the limit", "ecall_bytes", words(0, buf, tedge.DefaultLimit+1), memory},
		{"more than there can be", "ecall_bytes", words(0, enclaveBase+enclaveSize, 1<<62), memory},
		{"a result inside", "ecall_fill", words(0, inside, 8, 1), invalid},
		{"a result beyond the limit", "ecall_fill", words(0, buf, tedge.DefaultLimit+1, 1), memory},
		{"a null result beyond the limit", "ecall_fill", words(0, 0, 1<<40, 1), memory},
		{"a negative count", "ecall_squares", words(buf, 0xFFFF_FFFF), invalid},
		{"an overflow", "ecall_both", words(0, buf, 1<<33, 1<<31), invalid},
		{"an overflow to nothing", "ecall_both", words(0, buf, 1<<32, 1<<32), invalid},
		{"half an element", "ecall_both", words(0, buf, 3, 2), invalid},
		{"a string inside", "ecall_string", words(0, inside, 4), invalid},
		{"a string that ends early", "ecall_string", words(0, text, 10), status.ErrUnexpected},
		{"a string beyond the limit", "ecall_string", words(0, text, 1<<50), invalid},
		{"a large string", "ecall_string", words(0, text, 1<<30), memory},
		{"half a wide character", "ecall_wide", words(0, wide, 7), status.ErrUnexpected},
		{"a wide string that ends early", "ecall_wide", words(0, wide, 12), status.ErrUnexpected},
		{"a struct inside", "ecall_deep", words(0, inside), invalid},
		{"a member inside", "ecall_deep", words(0, list(4, inside)), invalid},
		{"a member that wraps around", "ecall_deep", words(0, list(0, 0, buf, -buf+1)), invalid},
		{"a constant member inside", "ecall_deep", words(0, list(0, 0, 0, 0, inside)), invalid},
		{"a struct member inside", "ecall_deep", words(0, list(0, 0, 0, 0, 0, inside)), invalid},
		{"a member of half an element", "ecall_deep", words(0, list(0, 0, 0, 0, 0, 0, 0, buf, 3, 1)), invalid},
		{"a member that overflows", "ecall_deep", words(0, list(0, 0, 0, 0, 0, 0, 0, buf, 1<<33, 1<<31)), invalid},
		{"a member beyond the limit", "ecall_deep", words(0, list(0, 0, buf, tedge.DefaultLimit)), memory},
		{"structs beyond the limit", "ecall_deep_change", words(0, enclaveBase+enclaveSize, 1<<30), memory},
		{"structs that overflow", "ecall_deep_change", words(0, buf, 1<<60), invalid},
	} {
		g := &gate{border: b}
		if got := b.table.Dispatch(context.Background(), g, b.index(c.call), b.place(c.ms), tedge.Root); got != c.want {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}

	at := b.place(make([]byte, 64))
	for _, c := range []struct {
		why   string
		index int
		ms    uint64
		ocall int
		want  status.Code
	}{
		{"an index beyond the table", len(b.table.ECalls), 0, tedge.Root, status.ErrInvalidFunction},
		{"a negative index", -1, 0, tedge.Root, status.ErrInvalidFunction},
		{"no structure", b.index("ecall_sum"), 0, tedge.Root, invalid},
		{"a structure inside", b.index("ecall_sum"), inside, tedge.Root, invalid},
		{"a structure that ends inside", b.index("ecall_sum"), enclaveBase - 4, tedge.Root, invalid},
		{"a structure that wraps around", b.index("ecall_sum"), ^uint64(3), tedge.Root, invalid},
		{"a private ECALL", b.index("ecall_private"), 0, tedge.Root, status.ErrECallNotAllowed},
		{"an OCALL that does not allow it", b.index("ecall_sum"), at, 0, status.ErrECallNotAllowed},
		{"an OCALL that allows others", b.index("ecall_private"), 0, 8, status.ErrECallNotAllowed},
		{"an OCALL that there is not", b.index("ecall_sum"), at, 1 << 20, status.ErrECallNotAllowed},
		{"an OCALL of the runtime", b.index("ecall_sum"), at, -6, status.ErrECallNotAllowed},
	} {
		g := &gate{border: b}
		if got := b.table.Dispatch(context.Background(), g, c.index, c.ms, c.ocall); got != c.want {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}
	if n := e.called.Load(); n != 0 {
		t.Errorf("%d functions were reached", n)
	}
	// No bytes of a struct's buffer lie nowhere, as for sgx_edger8r.
	if got := b.table.Dispatch(context.Background(), &gate{border: b}, b.index("ecall_deep"), b.place(words(0, list(0, inside))), tedge.Root); got != status.Success {
		t.Errorf("no bytes of a member: %v", got)
	}
}

// scribbler is an enclave whose caller changes the marshalling structure while
// the function runs.
type scribbler struct {
	trusted
	scribble func()
}

func (s *scribbler) EcallReverse(ctx context.Context, src []byte) ([]byte, error) {
	s.scribble()
	return s.trusted.EcallReverse(ctx, src)
}

// Results go where the one copy of the marshalling structure says.
func TestResultsGoToTheFirstAddress(t *testing.T) {
	s := &scribbler{}
	b := newBorder(t, s)
	src, dst, trap := b.place([]byte("abcd")), b.place(make([]byte, 4)), b.place(make([]byte, 4))
	ms := b.place(words(src, dst, 4))
	s.scribble = func() {
		copy(b.outside[ms-outsideBase:], words(enclaveBase, trap, 1<<40))
	}
	if code := b.table.Dispatch(context.Background(), &gate{border: b}, b.index("ecall_reverse"), ms, tedge.Root); code != status.Success {
		t.Fatal(code)
	}
	if got := string(b.outside[dst-outsideBase:][:4]); got != "dcba" {
		t.Errorf("the result is %q", got)
	}
	if got := b.outside[trap-outsideBase]; got != 0 {
		t.Error("the result went to where the host said later")
	}
}

// The watch over reads finds what it is for.
func TestWatch(t *testing.T) {
	b := newBorder(t, &trusted{})
	var seen []string
	b.report = func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	at := b.place(make([]byte, 16))
	g := &gate{border: b}
	g.Load(make([]byte, 8), at)
	g.Load(make([]byte, 8), at+8)
	if len(seen) != 0 {
		t.Error(seen)
	}
	g.Load(make([]byte, 2), at+7)
	g.Load(make([]byte, 8), enclaveBase)
	g.Store(enclaveBase-1, make([]byte, 2))
	if len(seen) != 3 || !strings.Contains(seen[0], "has read") {
		t.Error(seen)
	}
}

// hostileEnclave makes OCALLs of its own during any ECALL.
type hostileEnclave struct {
	*border
	ecall func(ctx context.Context, table uedge.Table) error
}

func (h *hostileEnclave) CallAt(ctx context.Context, _ int, _ uint64, table uedge.Table) error {
	return h.ecall(ctx, table)
}

// watched is a host that counts how often its functions are reached.
type watched struct {
	host
	reached int
	during  func()
}

func (w *watched) OcallBuffers(ctx context.Context, p []byte, m uint64, z *[2]int32, pts []Point) (uint64, []byte, int64, error) {
	w.reached++
	if w.during != nil {
		w.during()
	}
	return w.host.OcallBuffers(ctx, p, m, z, pts)
}
func (w *watched) OcallPrint(context.Context, string) error { w.reached++; return nil }
func (w *watched) OcallUpper(context.Context, string, string, string) (string, string, error) {
	w.reached++
	return "much longer than what came in", "", nil
}
func (w *watched) OcallDeep(context.Context, *List, []List) error { w.reached++; return nil }

const (
	ocallBuffers = 3
	ocallPrint   = 5
	ocallUpper   = 6
	ocallDeep    = 7
)

// What an enclave must not pass. No function of the host sees any of it.
func TestHostileEnclave(t *testing.T) {
	b := newBorder(t, nil)
	h := &watched{}
	buf := b.place(make([]byte, 100-8))
	full := b.place([]byte("without an end, up to here.....!"))
	copy(b.outside[full-outsideBase+32:], "????????") // all that place has allocated
	list := func(at ...uint64) uint64 {
		return b.place(words(append(at, make([]uint64, 10-len(at))...)...))
	}
	const invalid = status.ErrInvalidParameter
	for _, c := range []struct {
		why   string
		ocall int
		ms    []byte
		want  status.Code
	}{
		{"a buffer in the enclave", ocallBuffers, words(0, enclaveBase, 8), invalid},
		{"a buffer of the host's own memory", ocallBuffers, words(0, 0x400000, 8), invalid},
		{"a buffer that is too long", ocallBuffers, words(0, buf, 101), invalid},
		{"a buffer that wraps around", ocallBuffers, words(0, buf, ^uint64(0)), invalid},
		{"a result that is too long", ocallBuffers, words(0, 0, 0, buf, 101), invalid},
		{"a null result that is too long", ocallBuffers, words(0, 0, 0, 0, 1<<31), status.ErrOutOfMemory},
		{"a null result of any length", ocallBuffers, words(0, 0, 0, 0, 1<<63), status.ErrOutOfMemory},
		{"an array that is too long", ocallBuffers, words(0, 0, 0, 0, 0, buf+96), invalid},
		{"a count that is too large", ocallBuffers, words(0, 0, 0, 0, 0, 0, 0, buf, 2), invalid},
		{"a string without an end", ocallPrint, words(full), invalid},
		{"a string in the enclave", ocallPrint, words(enclaveBase), invalid},
		{"a string at the end of memory", ocallPrint, words(^uint64(0)), invalid},
		{"a wide string without an end", ocallUpper, words(buf, full), invalid},
		{"a struct in the enclave", ocallDeep, words(enclaveBase), invalid},
		{"a member in the enclave", ocallDeep, words(list(1, enclaveBase)), invalid},
		{"a member that is too long", ocallDeep, words(list(0, 0, buf, 101)), invalid},
		{"a member that overflows", ocallDeep, words(list(0, 0, 0, 0, 0, 0, 0, buf, 1<<33, 1<<31)), invalid},
		{"structs that overflow", ocallDeep, words(0, buf, 1<<60), invalid},
	} {
		x := NewWide(&hostileEnclave{b, func(ctx context.Context, table uedge.Table) error {
			code := table[c.ocall](ctx, &call{b, c.ocall, b.place(append(c.ms, make([]byte, 72)...))})
			return errors.Join(status.ErrInvalidState, code.Err())
		}}, h)
		err := x.EcallNothing(context.Background())
		var oe *uedge.OCallError
		if !errors.As(err, &oe) || oe.Index != c.ocall || !errors.Is(oe, c.want) {
			t.Errorf("%s: %v, want %v", c.why, err, c.want)
		}
	}
	for _, ms := range []uint64{0, enclaveBase, outsideBase - 1, ^uint64(0), buf + 90} {
		x := NewWide(&hostileEnclave{b, func(ctx context.Context, table uedge.Table) error {
			return table[ocallBuffers](ctx, &call{b, ocallBuffers, ms}).Err()
		}}, h)
		if err := x.EcallNothing(context.Background()); !errors.Is(err, invalid) {
			t.Errorf("a marshalling structure at %#x: %v", ms, err)
		}
	}
	if h.reached != 0 {
		t.Errorf("%d functions were reached", h.reached)
	}

	// A string that its buffer cannot hold.
	text := b.place([]byte("ab\x00"))
	x := NewWide(&hostileEnclave{b, func(ctx context.Context, table uedge.Table) error {
		return table[ocallUpper](ctx, &call{b, ocallUpper, b.place(words(text, 0, 0))}).Err()
	}}, h)
	if err := x.EcallNothing(context.Background()); !errors.Is(err, edge.ErrResult) {
		t.Errorf("a string beyond its buffer: %v", err)
	}
	if got := string(b.outside[text-outsideBase:][:8]); got != "ab\x00\x00\x00\x00\x00\x00" {
		t.Errorf("the buffer holds %q", got)
	}

	// An enclave that changes the marshalling structure in the meantime.
	src, dst, trap := b.place([]byte("abcd")), b.place(make([]byte, 4)), b.place(make([]byte, 4))
	ms := b.place(words(0, src, 4, dst, 4, 0, 0, 0, 0))
	h.during = func() { copy(b.outside[ms-outsideBase:], words(9, trap, 1<<40, trap, 1<<40)) }
	x = NewWide(&hostileEnclave{b, func(ctx context.Context, table uedge.Table) error {
		return table[ocallBuffers](ctx, &call{b, ocallBuffers, ms}).Err()
	}}, h)
	if err := x.EcallNothing(context.Background()); err != nil {
		t.Error(err)
	}
	if got := string(b.outside[dst-outsideBase:][:4]); got != "dcba" || b.outside[trap-outsideBase] != 0 {
		t.Errorf("the result is %q, and went astray", got)
	}
}
