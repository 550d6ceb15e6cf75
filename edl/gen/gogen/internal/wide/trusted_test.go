package wide

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

// trusted is an enclave: what it does shows that its arguments have arrived.
type trusted struct {
	host   WideHost
	called atomic.Int32 // functions that were reached
	want   func(got ...any) error
}

func (e *trusted) EcallNothing(context.Context) error { e.called.Add(1); return nil }

func (e *trusted) EcallSum(_ context.Context, a, b int32) (int32, error) {
	e.called.Add(1)
	return a + b, nil
}

func (e *trusted) EcallScalars(_ context.Context, c, uc byte, i8 int8, u8 uint8, s int16, us uint16, i16 int16, u16 uint16, ui uint32, i32 int32, u32 uint32, l int64, ul uint64, ll int64, ull uint64, i64 int64, u64, sz uint64, wc int32, b bool) (uint64, error) {
	if err := e.want(c, uc, i8, u8, s, us, i16, u16, ui, i32, u32, l, ul, ll, ull, i64, u64, sz, wc, b); err != nil {
		return 0, err
	}
	return sz, nil
}

func (e *trusted) EcallFloats(_ context.Context, f float32, d float64, ld edge.LongDouble) (float64, error) {
	return float64(f) + d + ld.Float64(), nil
}

func (e *trusted) EcallStructs(_ context.Context, p Point, w Word, c Color, n Nest) (Nest, error) {
	n.Points[1], n.Word, n.Color = p, w, c
	return n, nil
}

func (e *trusted) EcallPointers(_ context.Context, p, l edge.Pointer) (edge.Pointer, error) {
	return p ^ l, nil
}

func (e *trusted) EcallForeign(_ context.Context, st status.Code, n int64, target *isa.TargetInfo, blob BlobT, change *BlobT, handle HandleT) (status.Code, isa.Report, error) {
	var r isa.Report
	if target != nil {
		r.MREnclave = target.Measurement
	}
	if change != nil {
		for i := range change {
			change[i] += blob[i]
		}
	}
	return st + status.Code(n) + status.Code(handle), r, nil
}

func (e *trusted) EcallBytes(_ context.Context, p []byte) (sum uint64, err error) {
	e.called.Add(1)
	for _, b := range p {
		sum += uint64(b)
	}
	return sum, nil
}

func (e *trusted) EcallReverse(_ context.Context, src []byte) ([]byte, error) {
	dst := bytes.Clone(src)
	slices.Reverse(dst)
	return dst, nil
}

func (e *trusted) EcallDouble(_ context.Context, v []int32) error {
	for i := range v {
		v[i] *= 2
	}
	return nil
}

func (e *trusted) EcallAgree(_ context.Context, a []int32, b []byte) error { return e.want(a, b) }

func (e *trusted) EcallFill(_ context.Context, n uint64, with uint8) (int32, []byte, error) {
	e.called.Add(1)
	if with == 0xFF { // too much
		return 0, make([]byte, n+1), nil
	}
	return int32(with), bytes.Repeat([]byte{with}, int(n)/2), nil // the rest is zero
}

func (e *trusted) EcallSquares(_ context.Context, n int32) ([]uint64, error) {
	e.called.Add(1)
	v := make([]uint64, n)
	for i := range v {
		v[i] = uint64(i * i)
	}
	return v, nil
}

func (e *trusted) EcallBoth(_ context.Context, p []int32, s, c uint64) (uint64, error) {
	e.called.Add(1)
	if uint64(len(p))*4 != s*c && p != nil {
		return 0, errors.New("lengths differ")
	}
	return uint64(len(p)), nil
}

func (e *trusted) EcallPad(_ context.Context, p []uint64) error {
	slices.Reverse(p)
	return nil
}

func (e *trusted) EcallConstant(_ context.Context, a *[3]int32, c *[8]byte) (b [3]int32, err error) {
	if a != nil {
		b = *a
	}
	if c != nil {
		slices.Reverse(c[:])
	}
	return b, nil
}

func (e *trusted) EcallBig(_ context.Context, big []byte) (int32, error) {
	slices.Reverse(big)
	return int32(len(big)), nil
}

func (e *trusted) EcallOne(_ context.Context, a *int32, c *float64, d *bool) (b uint16, err error) {
	if a != nil {
		b = uint16(*a)
	}
	if c != nil {
		*c /= 2
	}
	if d != nil {
		*d = !*d
	}
	return b, nil
}

func (e *trusted) EcallArrays(_ context.Context, a *[4][2]int32, c *[3]uint16) (b [16]byte, d [2]Point, err error) {
	if a != nil {
		for i := range a {
			b[2*i], b[2*i+1] = byte(a[i][0]), byte(a[i][1])
		}
	}
	if c != nil {
		slices.Reverse(c[:])
	}
	d[1].W[1][2] = 1.5
	return b, d, nil
}

func (e *trusted) EcallKinds(_ context.Context, f []float64, b []bool, c []Color, p []Point, w []Word, a []edge.Pointer) error {
	slices.Reverse(f)
	slices.Reverse(b)
	slices.Reverse(c)
	slices.Reverse(p)
	slices.Reverse(w)
	slices.Reverse(a)
	return nil
}

func (e *trusted) EcallReports(_ context.Context, in []isa.Report) ([]isa.Report, error) {
	out := slices.Clone(in)
	slices.Reverse(out)
	return out, nil
}

func (e *trusted) EcallIsptr(_ context.Context, p []byte, c *CptrT, u edge.Pointer) error {
	return e.want(p, c, u)
}

func (e *trusted) EcallIsary(_ context.Context, a, b *AryT) error {
	if a != nil && b != nil {
		*a = *b
	}
	return nil
}

func (e *trusted) EcallString(_ context.Context, s string) (uint64, error) {
	e.called.Add(1)
	return uint64(len(s)), nil
}

func (e *trusted) EcallUpper(_ context.Context, s string) (string, error) {
	if s == "longer" {
		return "as long as this", nil
	}
	return strings.TrimSpace(strings.ToUpper(s)), nil
}

func (e *trusted) EcallWide(_ context.Context, s string) (uint64, error) {
	e.called.Add(1)
	return uint64(len([]rune(s))), nil
}

func (e *trusted) EcallWideUpper(_ context.Context, s string) (string, error) {
	return strings.ToUpper(s), nil
}

func (e *trusted) EcallDeep(_ context.Context, l *List) (int64, error) {
	e.called.Add(1)
	if l == nil {
		return -1, nil
	}
	return sumList(l), nil
}

// sumList depends on everything in a list.
func sumList(l *List) int64 {
	sum := int64(l.Kind)
	for _, v := range l.Values {
		sum += int64(v)
	}
	for _, b := range l.Blob {
		sum += int64(b)
	}
	if l.Fixed != nil {
		for _, b := range l.Fixed {
			sum += int64(b)
		}
	}
	if l.Origin != nil {
		sum += int64(l.Origin.X) + int64(l.Origin.Y)
	}
	for _, b := range l.Both {
		sum += int64(b)
	}
	return sum
}

// changeList makes everything in a list another, and what it can shorter.
func changeList(l *List) {
	for i := range l.Values {
		l.Values[i]++
	}
	slices.Reverse(l.Blob)
	l.Blob = l.Blob[:len(l.Blob)/2]
	if l.Fixed != nil {
		l.Fixed[31] = 31
	}
	if l.Origin != nil {
		l.Origin.X, l.Origin.Y = int32(l.Origin.Y), int16(l.Origin.X)
	}
	l.Kind++
	for i := range l.Both {
		l.Both[i] = -l.Both[i]
	}
}

const kindGrow = 0xBAD

func (e *trusted) EcallDeepChange(_ context.Context, l *List, many []List) error {
	if l != nil {
		if l.Kind == kindGrow {
			l.Values = append(l.Values, 1)
		}
		changeList(l)
	}
	for i := range many {
		changeList(&many[i])
	}
	return nil
}

func (e *trusted) EcallDeepRaw(_ context.Context, pair *[2]ListRaw) error {
	if pair != nil {
		pair[0], pair[1] = pair[1], pair[0]
	}
	return nil
}

func (e *trusted) EcallPrivate(context.Context) error { e.called.Add(1); return nil }

func (e *trusted) EcallNested(ctx context.Context, depth int32) (int32, error) {
	e.called.Add(1)
	return e.EcallStart(ctx, depth)
}

func (e *trusted) EcallStart(ctx context.Context, depth int32) (int32, error) {
	if depth == 0 {
		return 1, nil
	}
	n, err := e.host.OcallNest(ctx, depth-1)
	return n + 1, err
}

func (e *trusted) EcallSwitchless(context.Context) error { return nil }

func (e *trusted) Type(_ context.Context, fn, err, ctx, f, n int32) (int32, int32, error) {
	return fn + err + ctx + f + n, fn, nil
}

func (e *trusted) Close2(context.Context) error { return status.ErrInvalidState }
func (e *trusted) Type2(context.Context) error  { return errors.New("a reason that stays inside") }

// EcallRunOcalls makes every OCALL and checks what comes back.
func (e *trusted) EcallRunOcalls(ctx context.Context) error {
	h := e.host
	check := func(what string, got, want any) error {
		if !reflect.DeepEqual(got, want) {
			e.want(fmt.Sprintf("%s: %+v, want %+v", what, got, want))
			return fmt.Errorf("%s: %v", what, got)
		}
		return nil
	}
	if err := h.OcallNothing(ctx); err != nil {
		return err
	}
	sum, errno, err := h.OcallSum(ctx, 40, -2)
	if err := errors.Join(err, check("sum", []int32{sum, errno}, []int32{38, 11})); err != nil {
		return err
	}
	n := testNest()
	p := testPoint(7)
	var w Word
	w.SetP(p)
	back, err := h.OcallStructs(ctx, p, w, ColorGreen, n)
	n.Points[1], n.Word, n.Color = p, w, ColorGreen
	if err := errors.Join(err, check("structs", back, n)); err != nil {
		return err
	}
	z := [2]int32{1, 2}
	pts := []Point{testPoint(1), testPoint(2), testPoint(3)}
	size, q, one, err := h.OcallBuffers(ctx, []byte("hello"), 8, &z, pts)
	if err := errors.Join(err,
		check("buffers", size, uint64(5)), check("q", q, []byte("olleh\x00\x00\x00")), check("one", one, int64(-1)),
		check("z", z, [2]int32{2, 1}), check("pts", pts, []Point{testPoint(3), testPoint(2), testPoint(1)})); err != nil {
		return err
	}
	size, q, _, err = h.OcallBuffers(ctx, nil, 0, nil, nil)
	if err := errors.Join(err, check("no buffers", size, uint64(0)), check("q", len(q), 0)); err != nil {
		return err
	}
	c := [2]Point{testPoint(1), testPoint(2)}
	b, err := h.OcallArrays(ctx, &[4]int32{1, 2, 3, 4}, &c)
	if err := errors.Join(err, check("b", b, [4]int32{4, 3, 2, 1}), check("c", c, [2]Point{testPoint(2), testPoint(1)})); err != nil {
		return err
	}
	if err := h.OcallPrint(ctx, "grüße"); err != nil {
		return err
	}
	s, x, err := h.OcallUpper(ctx, "lower", "wide ✓", "wörld")
	if err := errors.Join(err, check("upper", []string{s, x}, []string{"LOWER", "WÖRLD"})); err != nil {
		return err
	}
	list, want := testList(1), testList(1)
	many, wantMany := []List{testList(2), {}, testList(3)}, []List{testList(2), {}, testList(3)}
	for i := range wantMany {
		changeList(&wantMany[i])
	}
	err = h.OcallDeep(ctx, &list, many)
	if err := errors.Join(err, check("deep in", list, want), check("deep in, out", many, wantMany)); err != nil {
		return err
	}
	m, errno, err := h.Write(ctx, 1, []byte("text"))
	if err := errors.Join(err, check("write", []int64{m, int64(errno)}, []int64{4, 0})); err != nil {
		return err
	}
	ptr, err := h.OcallPointer(ctx, 0x1234)
	return errors.Join(err, check("pointer", ptr, uint64(0x4321)))
}

func testPoint(n int) Point {
	p := Point{X: int32(n), Y: int16(-n), Tag: [4]byte{byte(n), 2, 3, 4}, Next: edge.Pointer(n) << 40}
	p.W[0][0], p.W[1][2] = float64(n)/4, -1e300
	return p
}

func testNest() Nest {
	return Nest{
		Points: [2]Point{testPoint(11), testPoint(12)}, Word: Word{1, 2, 3}, Color: ColorDarkBlue, On: true,
		Ld: edge.LongDoubleOf(-1.25), Shorts: [2][2]uint16{{1, 2}, {3, 65535}},
	}
}

func testList(n int) List {
	o := testPoint(n)
	return List{
		Values: []int32{int32(n), -7, 1 << 30}[:n], Blob: bytes.Repeat([]byte{byte(n)}, 3*n), Fixed: &[32]byte{0: byte(n), 31: 1},
		Origin: &o, Kind: uint16(n), Both: []int16{1, -2, 3, -4}, S: 4, C: 2,
	}
}
