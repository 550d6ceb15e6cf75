package wide

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

// expect makes the enclave compare the arguments that it gets.
func (w *world) expect(t *testing.T, want ...any) {
	w.enclave.want = func(got ...any) error {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the enclave gets %+v, want %+v", got, want)
		}
		return nil
	}
}

func equal(t *testing.T, what string, err error, got, want any) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	} else if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

func TestValues(t *testing.T) { worlds(t, testValues) }

func testValues(t *testing.T, w *world) {
	ctx := context.Background()
	equal(t, "nothing", w.EcallNothing(ctx), w.enclave.called.Load(), int32(1))
	sum, err := w.EcallSum(ctx, math.MinInt32, -1)
	equal(t, "sum", err, sum, int32(math.MaxInt32))

	w.expect(t, byte(0xFE), byte(0xFD), int8(-3), uint8(4), int16(-5), uint16(65000), int16(-7), uint16(8), uint32(1<<31),
		int32(-10), uint32(11), int64(-12), uint64(1<<63), int64(-14), uint64(15), int64(-16), uint64(17), uint64(18), int32('✓'), true)
	u, err := w.EcallScalars(ctx, 0xFE, 0xFD, -3, 4, -5, 65000, -7, 8, 1<<31, -10, 11, -12, 1<<63, -14, 15, -16, 17, 18, '✓', true)
	equal(t, "scalars", err, u, uint64(18))

	f, err := w.EcallFloats(ctx, 0.5, 1e10, edge.LongDoubleOf(-3))
	equal(t, "floats", err, f, 1e10-2.5)

	n, want := testNest(), testNest()
	var word Word
	word.SetF(1.5)
	want.Points[1], want.Word, want.Color = testPoint(9), word, 77
	back, err := w.EcallStructs(ctx, testPoint(9), word, 77, n)
	equal(t, "structs", err, back, want)
	if back.Word.F() != 1.5 || back.Word.I() != math.Float32bits(1.5) {
		t.Errorf("the union is %v, %#x", back.Word.F(), back.Word.I())
	}

	p, err := w.EcallPointers(ctx, 0xFFFF_0000_0000_FFFF, enclaveBase)
	equal(t, "pointers", err, p, uint64(0xFFFF_0000_0000_FFFF^enclaveBase))

	target := &isa.TargetInfo{Measurement: [32]byte{1, 2, 31: 3}}
	change := BlobT{1, 2, 11: 3}
	st, report, err := w.EcallForeign(ctx, 0x4000, -0x10, target, BlobT{10, 20, 11: 30}, &change, 3)
	equal(t, "foreign", err, []any{st, report.MREnclave, change}, []any{status.Code(0x3FF3), target.Measurement, BlobT{11, 22, 11: 33}})
	st, report, err = w.EcallForeign(ctx, 1, 0, nil, BlobT{}, nil, 0)
	equal(t, "foreign, null", err, []any{st, report}, []any{status.Code(1), isa.Report{}})
}

func TestBuffers(t *testing.T) { worlds(t, testBuffers) }

func testBuffers(t *testing.T, w *world) {
	ctx := context.Background()
	for _, n := range []int{0, 1, 4096, 16 << 10, 300_000} { // the frame has 16 KiB
		p := bytes.Repeat([]byte{3}, n)
		sum, err := w.EcallBytes(ctx, p)
		equal(t, "bytes", err, sum, uint64(3*n))
		for i := range p {
			p[i] = byte(i)
		}
		q, err := w.EcallReverse(ctx, p)
		for i, j := 0, len(p)-1; i < j; i, j = i+1, j-1 {
			p[i], p[j] = p[j], p[i]
		}
		if err != nil || !bytes.Equal(q, p) {
			t.Errorf("%d bytes reversed: %v", n, err)
		}
		v, err := w.EcallSquares(ctx, int32(n/8))
		if err != nil || len(v) != n/8 || len(v) > 1 && v[len(v)-1] != uint64((n/8-1)*(n/8-1)) {
			t.Errorf("%d squares: %v, %d", n/8, err, len(v))
		}
	}
	v := []int32{1, -2, math.MinInt32}
	equal(t, "double", w.EcallDouble(ctx, v), v, []int32{2, -4, 0})

	w.expect(t, []int32{1, 2}, []byte("ab"))
	equal(t, "agree", w.EcallAgree(ctx, []int32{1, 2}, []byte("ab")), 0, 0)
	w.expect(t, []int32(nil), []byte("ab"))
	equal(t, "agree with null", w.EcallAgree(ctx, nil, []byte("ab")), 0, 0)

	ret, filled, err := w.EcallFill(ctx, 5, 9)
	equal(t, "fill", err, []any{ret, filled}, []any{int32(9), []byte{9, 9, 0, 0, 0}})
	n, err := w.EcallBoth(ctx, []int32{1, 2, 3, 4}, 8, 2)
	equal(t, "both", err, n, uint64(4))
	pad := []uint64{1, 2, 3, 4}
	equal(t, "pad", w.EcallPad(ctx, pad), pad, []uint64{4, 3, 2, 1})

	eight := [8]byte{1, 2, 3}
	three, err := w.EcallConstant(ctx, &[3]int32{7, 8, -9}, &eight)
	equal(t, "constant", err, []any{three, eight}, []any{[3]int32{7, 8, -9}, [8]byte{5: 3, 6: 2, 7: 1}})
	three, err = w.EcallConstant(ctx, nil, nil)
	equal(t, "constant, null", err, three, [3]int32{})

	big := make([]byte, 100_000)
	big[0] = 1
	ret, err = w.EcallBig(ctx, big)
	equal(t, "big", err, []any{ret, big[0], big[99_999]}, []any{int32(100_000), byte(0), byte(1)})

	a, c, d := int32(65537), 3.0, true
	b, err := w.EcallOne(ctx, &a, &c, &d)
	equal(t, "one", err, []any{b, c, d}, []any{uint16(1), 1.5, false})
	b, err = w.EcallOne(ctx, nil, nil, nil)
	equal(t, "one, null", err, b, uint16(0))

	shorts := [3]uint16{1, 2, 3}
	b16, d2, err := w.EcallArrays(ctx, &[4][2]int32{{1, 2}, {3, 4}, {5, 6}, {7, 8}}, &shorts)
	var wantD [2]Point
	wantD[1].W[1][2] = 1.5
	equal(t, "arrays", err, []any{b16, d2, shorts}, []any{[16]byte{1, 2, 3, 4, 5, 6, 7, 8}, wantD, [3]uint16{3, 2, 1}})

	fs, bs, cs, ps := []float64{1, 2}, []bool{true, false}, []Color{ColorRed, ColorGreen}, []Point{testPoint(1), testPoint(2)}
	ws, as := []Word{{1}, {2}}, []edge.Pointer{3, 4}
	equal(t, "kinds", w.EcallKinds(ctx, fs, bs, cs, ps, ws, as), []any{fs, bs, cs, ps, ws, as}, []any{
		[]float64{2, 1}, []bool{false, true}, []Color{ColorGreen, ColorRed}, []Point{testPoint(2), testPoint(1)},
		[]Word{{2}, {1}}, []edge.Pointer{4, 3},
	})
	reports, err := w.EcallReports(ctx, []isa.Report{{ReportBody: isa.ReportBody{ISVProdID: 1}}, {ReportBody: isa.ReportBody{ISVProdID: 2}, MAC: [16]byte{15: 1}}})
	equal(t, "reports", err, reports, []isa.Report{{ReportBody: isa.ReportBody{ISVProdID: 2}, MAC: [16]byte{15: 1}}, {ReportBody: isa.ReportBody{ISVProdID: 1}}})

	w.expect(t, []byte("abc"), &CptrT{1, 2, 3, 4, 5, 6}, edge.Pointer(99))
	equal(t, "isptr", w.EcallIsptr(ctx, []byte("abc"), &CptrT{1, 2, 3, 4, 5, 6}, 99), 0, 0)
	var ary AryT
	equal(t, "isary", w.EcallIsary(ctx, &ary, &AryT{1, 19: 2}), ary, AryT{1, 19: 2})
}

func TestStrings(t *testing.T) { worlds(t, testStrings) }

func testStrings(t *testing.T, w *world) {
	ctx := context.Background()
	long := strings.Repeat("long ", 10_000)
	for _, s := range []string{"", "a", "grüße ✓ 🙂", long} {
		n, err := w.EcallString(ctx, s)
		equal(t, "string", err, n, uint64(len(s)))
		n, err = w.EcallWide(ctx, s)
		equal(t, "wide", err, n, uint64(len([]rune(s))))
		up, err := w.EcallWideUpper(ctx, s)
		equal(t, "wide upper", err, up, strings.ToUpper(s))
	}
	up, err := w.EcallUpper(ctx, " shorter ")
	equal(t, "upper", err, up, "SHORTER")
}

func TestDeep(t *testing.T) { worlds(t, testDeep) }

func testDeep(t *testing.T, w *world) {
	ctx := context.Background()
	list := testList(3)
	sum, err := w.EcallDeep(ctx, &list)
	want := testList(3)
	equal(t, "deep", err, sum, sumList(&want))
	sum, err = w.EcallDeep(ctx, &List{})
	equal(t, "deep, empty", err, sum, int64(0))
	sum, err = w.EcallDeep(ctx, nil)
	equal(t, "deep, null", err, sum, int64(-1))

	many := []List{testList(1), {}, testList(2)}
	wantMany := []List{testList(1), {}, testList(2)}
	err = w.EcallDeepChange(ctx, &list, many)
	changeList(&want)
	for i := range wantMany {
		changeList(&wantMany[i])
	}
	equal(t, "change", err, []any{list, many}, []any{want, wantMany})

	pair := [2]ListRaw{{N: 1, Values: 0x1234}, {Kind: 2, Both: enclaveBase}}
	equal(t, "raw", w.EcallDeepRaw(ctx, &pair), pair, [2]ListRaw{{Kind: 2, Both: enclaveBase}, {N: 1, Values: 0x1234}})

	list = testList(1)
	list.Kind = kindGrow
	if err := w.EcallDeepChange(ctx, &list, nil); !errors.Is(err, status.ErrInvalidParameter) {
		t.Errorf("a buffer that has grown: %v", err)
	}
}

// Lengths that C cannot be told, or that contradict each other, never reach
// the enclave.
func TestArgumentsThatDoNotFit(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	for name, c := range map[string]struct {
		err, want error
	}{
		"two lengths":     {w.EcallAgree(ctx, []int32{1, 2}, []byte("abc")), edge.ErrLength},
		"uint8_t":         {w.EcallAgree(ctx, nil, make([]byte, 256)), edge.ErrLength},
		"half a unit":     {w.EcallPad(ctx, make([]uint64, 3)), edge.ErrLength},
		"product":         {second(w.EcallBoth(ctx, make([]int32, 3), 4, 4)), edge.ErrLength},
		"overflow":        {second(w.EcallBoth(ctx, nil, 1<<63, 2)), edge.ErrLength},
		"array":           {second(w.EcallBig(ctx, make([]byte, 5))), edge.ErrLength},
		"zero in string":  {second(w.EcallString(ctx, "a\x00b")), edge.ErrZero},
		"zero in wide":    {second(w.EcallWide(ctx, "\x00")), edge.ErrZero},
		"struct":          {second(w.EcallDeep(ctx, &List{Both: []int16{1}})), edge.ErrLength},
		"result":          {third(w.EcallFill(ctx, 1<<30, 0)), errFull},
		"negative":        {second(w.EcallSquares(ctx, -1)), edge.ErrLength},
		"more than asked": {third(w.EcallFill(ctx, 3, 0xFF)), status.ErrInvalidParameter},
		"longer string":   {second(w.EcallUpper(ctx, "longer")), status.ErrInvalidParameter},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	if n := w.enclave.called.Load(); n != 1 {
		t.Errorf("%d calls have reached the enclave", n)
	}
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

func TestOCalls(t *testing.T) { worlds(t, testOCalls) }

func testOCalls(t *testing.T, w *world) {
	ctx := context.Background()
	w.enclave.want = func(got ...any) error {
		t.Error(got...)
		return nil
	}
	equal(t, "OCALLs", w.EcallRunOcalls(ctx), w.host.printed, []string{"grüße", "wide ✓", "text"})
}

func TestNested(t *testing.T) { worlds(t, testNested) }

func testNested(t *testing.T, w *world) {
	ctx := context.Background()
	n, err := w.EcallStart(ctx, 5)
	equal(t, "nested", err, n, int32(11))
	if err := w.EcallPrivate(ctx); !errors.Is(err, status.ErrECallNotAllowed) {
		t.Errorf("a private ECALL from outside: %v", err)
	}
	// A public ECALL is not allowed in an OCALL by itself.
	if _, err := w.EcallStart(ctx, 101); !errors.Is(err, status.ErrECallNotAllowed) {
		t.Errorf("a public ECALL that is nested: %v", err)
	}
	if n := w.enclave.called.Load(); n != 5 {
		t.Errorf("%d functions were reached", n)
	}
}

// Names that Go has other ideas of.
func TestNames(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	ret, out, err := w.Type(ctx, 1, 2, 3, 4, 5)
	equal(t, "type", err, []int32{ret, out}, []int32{15, 1})
	if err := w.Close2(ctx); !errors.Is(err, status.ErrInvalidState) {
		t.Error(err)
	}
	if err := w.Type2(ctx); !errors.Is(err, status.ErrUnexpected) {
		t.Error(err)
	}
}

// A client without OCALLs leaves them to the loader, and a proxy without an
// ECALL has no host.
func TestWithoutOther(t *testing.T) {
	ctx := context.Background()
	e := &trusted{}
	x := NewWide(newBorder(t, e), nil)
	defer x.Close()
	if err := x.EcallRunOcalls(ctx); !errors.Is(err, status.ErrInvalidFunction) {
		t.Error(err)
	}
	if _, _, err := (WideHost{}).OcallSum(ctx, 1, 2); err == nil {
		t.Error("an OCALL from nowhere")
	}
}

func TestConcurrent(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				s := fmt.Sprintf("goroutine %d call %d", g, i)
				up, err := w.EcallWideUpper(ctx, s)
				if err != nil || up != strings.ToUpper(s) {
					t.Errorf("%q, %v", up, err)
				}
				n, err := w.EcallStart(ctx, 3)
				if err != nil || n != 7 {
					t.Errorf("%d, %v", n, err)
				}
			}
		})
	}
	wg.Wait()
}
