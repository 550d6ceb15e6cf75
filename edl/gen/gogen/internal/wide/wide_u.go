// Code generated from wide.edl by feidi. DO NOT EDIT.

package wide

import (
	"bytes"
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

// Wide calls an enclave. It may be used concurrently, if the enclave may.
type Wide struct{ client *uedge.Client }

var _ WideECalls = (*Wide)(nil)

// NewWide returns a client of e, which may be an enclave or one of its threads.
// OCALLs of its calls are served by ocalls; if that is nil, as the loader of the
// enclave said.
func NewWide(e uedge.Enclave, ocalls WideOCalls) *Wide {
	if ocalls == nil {
		return &Wide{uedge.NewClient(e)}
	}
	s := wideOCallServer{ocalls}
	return &Wide{uedge.NewClient(e,
		uedge.Server{Name: "ocall_nothing", Size: 0, Serve: s.ocallNothing},
		uedge.Server{Name: "ocall_sum", Size: 16, Serve: s.ocallSum},
		uedge.Server{Name: "ocall_structs", Size: 672, Serve: s.ocallStructs},
		uedge.Server{Name: "ocall_buffers", Size: 72, Serve: s.ocallBuffers},
		uedge.Server{Name: "ocall_arrays", Size: 24, Serve: s.ocallArrays},
		uedge.Server{Name: "ocall_print", Size: 8, Serve: s.ocallPrint},
		uedge.Server{Name: "ocall_upper", Size: 24, Serve: s.ocallUpper},
		uedge.Server{Name: "ocall_deep", Size: 24, Serve: s.ocallDeep},
		uedge.Server{Name: "ocall_nest", Size: 8, Serve: s.ocallNest},
		uedge.Server{Name: "write", Size: 32, Serve: s.write},
		uedge.Server{Name: "ocall_pointer", Size: 16, Serve: s.ocallPointer},
		uedge.Server{Name: "ocall_fail", Size: 8, Serve: s.ocallFail},
	)}
}

// Close gives the untrusted memory of the client back.
func (x *Wide) Close() { x.client.Close() }

// EcallNothing makes ECALL 0:
//
//	public void ecall_nothing();
func (x *Wide) EcallNothing(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 0)
}

// EcallSum makes ECALL 1:
//
//	public int ecall_sum(int a, int b);
func (x *Wide) EcallSum(ctx context.Context, a, b int32) (ret int32, err error) {
	f := x.client.Frame(12)
	defer f.Free()
	f.PutU32(4, uint32(a))
	f.PutU32(8, uint32(b))
	if err = f.Call(ctx, 1); err != nil {
		return
	}
	ret = int32(f.U32(0))
	return
}

// EcallScalars makes ECALL 2:
//
//	public uint64_t ecall_scalars(char c, unsigned char uc, int8_t i8, uint8_t u8, short s, unsigned short us, int16_t i16, uint16_t u16, unsigned int ui, int32_t i32, uint32_t u32, long l, unsigned long ul, long long ll, unsigned long long ull, int64_t i64, uint64_t u64, size_t sz, wchar_t wc, bool b);
func (x *Wide) EcallScalars(ctx context.Context, c, uc byte, i8 int8, u8 uint8, s int16, us uint16, i16 int16, u16 uint16, ui uint32, i32 int32, u32 uint32, l int64, ul uint64, ll int64, ull uint64, i64 int64, u64, sz uint64, wc int32, b bool) (ret uint64, err error) {
	f := x.client.Frame(96)
	defer f.Free()
	f.PutU8(8, c)
	f.PutU8(9, uc)
	f.PutU8(10, uint8(i8))
	f.PutU8(11, u8)
	f.PutU16(12, uint16(s))
	f.PutU16(14, us)
	f.PutU16(16, uint16(i16))
	f.PutU16(18, u16)
	f.PutU32(20, ui)
	f.PutU32(24, uint32(i32))
	f.PutU32(28, u32)
	f.PutU64(32, uint64(l))
	f.PutU64(40, ul)
	f.PutU64(48, uint64(ll))
	f.PutU64(56, ull)
	f.PutU64(64, uint64(i64))
	f.PutU64(72, u64)
	f.PutU64(80, sz)
	f.PutU32(88, uint32(wc))
	f.PutBool(92, b)
	if err = f.Call(ctx, 2); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// EcallFloats makes ECALL 3:
//
//	public double ecall_floats(float f, double d, long double ld);
func (x *Wide) EcallFloats(ctx context.Context, f_ float32, d float64, ld edge.LongDouble) (ret float64, err error) {
	f := x.client.Frame(48)
	defer f.Free()
	f.PutF32(8, f_)
	f.PutF64(16, d)
	ld.EncodeC(f.Block[32:])
	if err = f.Call(ctx, 3); err != nil {
		return
	}
	ret = f.F64(0)
	return
}

// EcallStructs makes ECALL 4:
//
//	public struct nest ecall_structs(struct point p, union word w, enum color c, struct nest n);
func (x *Wide) EcallStructs(ctx context.Context, p Point, w Word, c Color, n Nest) (ret Nest, err error) {
	f := x.client.Frame(672)
	defer f.Free()
	p.EncodeC(f.Block[256:])
	w.EncodeC(f.Block[328:])
	f.PutU32(400, uint32(c))
	n.EncodeC(f.Block[416:])
	if err = f.Call(ctx, 4); err != nil {
		return
	}
	ret.DecodeC(f.Block)
	return
}

// EcallPointers makes ECALL 5:
//
//	public void* ecall_pointers([user_check] void* p, [user_check] struct list* l);
func (x *Wide) EcallPointers(ctx context.Context, p, l edge.Pointer) (ret edge.Pointer, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	f.PutU64(8, p)
	f.PutU64(16, l)
	if err = f.Call(ctx, 5); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// EcallForeign makes ECALL 6:
//
//	public sgx_status_t ecall_foreign(sgx_status_t st, ssize_t n, [in] const sgx_target_info_t* target, [out] sgx_report_t* report, blob_t blob, [in, out] blob_t* change, handle_t handle);
func (x *Wide) EcallForeign(ctx context.Context, st status.Code, n int64, target *isa.TargetInfo, blob BlobT, change *BlobT, handle HandleT) (ret status.Code, report isa.Report, err error) {
	f := x.client.Frame(64)
	defer f.Free()
	f.PutU32(4, uint32(st))
	f.PutU64(8, uint64(n))
	if target != nil {
		edge.PutBinary(target, f.In(16, 512).Block)
	}
	reportBuf := f.Out(24, 432)
	blob.EncodeC(f.Block[32:])
	var changeBuf edge.Region
	if change != nil {
		changeBuf = f.In(48, 12)
		change.EncodeC(changeBuf.Block)
	}
	f.PutU32(56, uint32(handle))
	if err = f.Call(ctx, 6); err != nil {
		return
	}
	ret = status.Code(f.U32(0))
	edge.GetBinary(&report, f.Back(reportBuf)[:432])
	if change != nil {
		change.DecodeC(f.Back(changeBuf))
	}
	return
}

// EcallBytes makes ECALL 7:
//
//	public uint64_t ecall_bytes([in, size=n] const void* p, size_t n);
func (x *Wide) EcallBytes(ctx context.Context, p []byte) (ret uint64, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	n := uint64(len(p))
	copy(f.In(8, len(p)).Block, p)
	f.PutU64(16, n)
	if err = f.Call(ctx, 7); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// EcallReverse makes ECALL 8:
//
//	public void ecall_reverse([in, size=n] const uint8_t* src, [out, size=n] uint8_t* dst, size_t n);
func (x *Wide) EcallReverse(ctx context.Context, src []byte) (dst []byte, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	n := uint64(len(src))
	copy(f.In(0, len(src)).Block, src)
	dstBuf := f.Out(8, n)
	f.PutU64(16, n)
	if err = f.Call(ctx, 8); err != nil {
		return
	}
	dst = bytes.Clone(f.Back(dstBuf))
	return
}

// EcallDouble makes ECALL 9:
//
//	public void ecall_double([in, out, count=n] int32_t* v, uint32_t n);
func (x *Wide) EcallDouble(ctx context.Context, v []int32) error {
	f := x.client.Frame(16)
	defer f.Free()
	n := f.Len("n", math.MaxUint32, edge.Items(v))
	vBuf := f.In(0, 4*len(v))
	edge.PutInts(vBuf.Block, v)
	f.PutU32(8, uint32(n))
	if err := f.Call(ctx, 9); err != nil {
		return err
	}
	edge.GetInts(v, f.Back(vBuf))
	return nil
}

// EcallAgree makes ECALL 10:
//
//	public void ecall_agree([in, count=n] const int32_t* a, [in, size=n] const char* b, uint8_t n);
func (x *Wide) EcallAgree(ctx context.Context, a []int32, b []byte) error {
	f := x.client.Frame(24)
	defer f.Free()
	n := f.Len("n", math.MaxUint8, edge.Items(a), edge.Items(b))
	edge.PutInts(f.In(0, 4*len(a)).Block, a)
	copy(f.In(8, len(b)).Block, b)
	f.PutU8(16, uint8(n))
	return f.Call(ctx, 10)
}

// EcallFill makes ECALL 11:
//
//	public int ecall_fill([out, size=n] void* p, size_t n, uint8_t with);
func (x *Wide) EcallFill(ctx context.Context, n uint64, with uint8) (ret int32, p []byte, err error) {
	f := x.client.Frame(32)
	defer f.Free()
	pBuf := f.Out(8, n)
	f.PutU64(16, n)
	f.PutU8(24, with)
	if err = f.Call(ctx, 11); err != nil {
		return
	}
	ret = int32(f.U32(0))
	p = bytes.Clone(f.Back(pBuf))
	return
}

// EcallSquares makes ECALL 12:
//
//	public void ecall_squares([out, count=n] uint64_t* v, int n);
func (x *Wide) EcallSquares(ctx context.Context, n int32) (v []uint64, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	vBuf := f.Out(0, f.Mul(uint64(n), 8))
	f.PutU32(8, uint32(n))
	if err = f.Call(ctx, 12); err != nil {
		return
	}
	v = edge.Ints[uint64](f.Back(vBuf))
	return
}

// EcallBoth makes ECALL 13:
//
//	public size_t ecall_both([in, size=s, count=c] int32_t* p, size_t s, size_t c);
func (x *Wide) EcallBoth(ctx context.Context, p []int32, s, c uint64) (ret uint64, err error) {
	f := x.client.Frame(32)
	defer f.Free()
	f.Match("p", f.Mul(c, s), edge.Bytes(p, 4))
	edge.PutInts(f.In(8, 4*len(p)).Block, p)
	f.PutU64(16, s)
	f.PutU64(24, c)
	if err = f.Call(ctx, 13); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// EcallPad makes ECALL 14:
//
//	public void ecall_pad([in, out, size=16, count=c] uint64_t* p, uint32_t c);
func (x *Wide) EcallPad(ctx context.Context, p []uint64) error {
	f := x.client.Frame(16)
	defer f.Free()
	c := f.Len("c", math.MaxUint32, edge.Units(p, 8, 16))
	pBuf := f.In(0, 8*len(p))
	edge.PutInts(pBuf.Block, p)
	f.PutU32(8, uint32(c))
	if err := f.Call(ctx, 14); err != nil {
		return err
	}
	edge.GetInts(p, f.Back(pBuf))
	return nil
}

// EcallConstant makes ECALL 15:
//
//	public void ecall_constant([in, count=3] const int32_t* a, [out, count=3] int32_t* b, [in, out, size=8] uint8_t* c);
func (x *Wide) EcallConstant(ctx context.Context, a *[3]int32, c *[8]byte) (b [3]int32, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	if a != nil {
		edge.PutInts(f.In(0, 12).Block, a[:])
	}
	bBuf := f.Out(8, 12)
	var cBuf edge.Region
	if c != nil {
		cBuf = f.In(16, 8)
		copy(cBuf.Block, c[:])
	}
	if err = f.Call(ctx, 15); err != nil {
		return
	}
	edge.GetInts(b[:], f.Back(bBuf))
	if c != nil {
		copy(c[:], f.Back(cBuf))
	}
	return
}

// EcallBig makes ECALL 16:
//
//	public int ecall_big([in, out] uint8_t big[100000]);
func (x *Wide) EcallBig(ctx context.Context, big []byte) (ret int32, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	f.Match("big", 100000, edge.Bytes(big, 1))
	bigBuf := f.In(8, len(big))
	copy(bigBuf.Block, big)
	if err = f.Call(ctx, 16); err != nil {
		return
	}
	ret = int32(f.U32(0))
	copy(big, f.Back(bigBuf))
	return
}

// EcallOne makes ECALL 17:
//
//	public void ecall_one([in] const int32_t* a, [out] uint16_t* b, [in, out] double* c, [in, out] bool* d);
func (x *Wide) EcallOne(ctx context.Context, a *int32, c *float64, d *bool) (b uint16, err error) {
	f := x.client.Frame(32)
	defer f.Free()
	if a != nil {
		f.In(0, 4).Block.PutU32(0, uint32(*a))
	}
	bBuf := f.Out(8, 2)
	var cBuf edge.Region
	if c != nil {
		cBuf = f.In(16, 8)
		cBuf.Block.PutF64(0, *c)
	}
	var dBuf edge.Region
	if d != nil {
		dBuf = f.In(24, 1)
		dBuf.Block.PutBool(0, *d)
	}
	if err = f.Call(ctx, 17); err != nil {
		return
	}
	b = f.Back(bBuf).U16(0)
	if c != nil {
		*c = f.Back(cBuf).F64(0)
	}
	if d != nil {
		*d = f.Back(dBuf).Bool(0)
	}
	return
}

// EcallArrays makes ECALL 18:
//
//	public void ecall_arrays([in] int32_t a[4][2], [out] uint8_t b[16], [in, out] uint16_t c[3], [out] struct point d[2]);
func (x *Wide) EcallArrays(ctx context.Context, a *[4][2]int32, c *[3]uint16) (b [16]byte, d [2]Point, err error) {
	f := x.client.Frame(32)
	defer f.Free()
	if a != nil {
		m := f.In(0, 32).Block
		for i := range a {
			edge.PutInts(m[8*i:], a[i][:])
		}
	}
	bBuf := f.Out(8, 16)
	var cBuf edge.Region
	if c != nil {
		cBuf = f.In(16, 6)
		edge.PutInts(cBuf.Block, c[:])
	}
	dBuf := f.Out(24, 144)
	if err = f.Call(ctx, 18); err != nil {
		return
	}
	copy(b[:], f.Back(bBuf))
	if c != nil {
		edge.GetInts(c[:], f.Back(cBuf))
	}
	edge.GetEach(d[:], f.Back(dBuf), 72, (*Point).DecodeC)
	return
}

// EcallKinds makes ECALL 19:
//
//	public void ecall_kinds([in, out, count=n] double* f, [in, out, count=n] bool* b, [in, out, count=n] enum color* e, [in, out, count=n] struct point* p, [in, out, count=n] union word* w, [in, out, count=n] void** a, size_t n);
func (x *Wide) EcallKinds(ctx context.Context, f_ []float64, b []bool, e []Color, p []Point, w []Word, a []edge.Pointer) error {
	f := x.client.Frame(56)
	defer f.Free()
	n := f.Len("n", math.MaxUint64, edge.Items(f_), edge.Items(b), edge.Items(e), edge.Items(p), edge.Items(w), edge.Items(a))
	fBuf := f.In(0, 8*len(f_))
	edge.PutFloats(fBuf.Block, f_, 8)
	bBuf := f.In(8, len(b))
	edge.PutBools(bBuf.Block, b)
	eBuf := f.In(16, 4*len(e))
	edge.PutInts(eBuf.Block, e)
	pBuf := f.In(24, 72*len(p))
	edge.PutEach(pBuf.Block, p, 72, (*Point).EncodeC)
	wBuf := f.In(32, 72*len(w))
	edge.PutEach(wBuf.Block, w, 72, (*Word).EncodeC)
	aBuf := f.In(40, 8*len(a))
	edge.PutInts(aBuf.Block, a)
	f.PutU64(48, n)
	if err := f.Call(ctx, 19); err != nil {
		return err
	}
	edge.GetFloats(f_, f.Back(fBuf), 8)
	edge.GetBools(b, f.Back(bBuf))
	edge.GetInts(e, f.Back(eBuf))
	edge.GetEach(p, f.Back(pBuf), 72, (*Point).DecodeC)
	edge.GetEach(w, f.Back(wBuf), 72, (*Word).DecodeC)
	edge.GetInts(a, f.Back(aBuf))
	return nil
}

// EcallReports makes ECALL 20:
//
//	public void ecall_reports([in, count=n] const sgx_report_t* in_reports, [out, count=n] sgx_report_t* out_reports, size_t n);
func (x *Wide) EcallReports(ctx context.Context, inReports []isa.Report) (outReports []isa.Report, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	n := uint64(len(inReports))
	edge.PutEach(f.In(0, 432*len(inReports)).Block, inReports, 432, edge.PutBinary[isa.Report])
	outReportsBuf := f.Out(8, f.Mul(n, 432))
	f.PutU64(16, n)
	if err = f.Call(ctx, 20); err != nil {
		return
	}
	outReports = edge.Each(f.Back(outReportsBuf), 432, edge.GetBinary[isa.Report])
	return
}

// EcallIsptr makes ECALL 21:
//
//	public void ecall_isptr([in, isptr, size=n] buffer_t p, size_t n, [in, isptr, readonly] cptr_t c, [user_check, isptr] buffer_t u);
func (x *Wide) EcallIsptr(ctx context.Context, p []byte, c *CptrT, u edge.Pointer) error {
	f := x.client.Frame(32)
	defer f.Free()
	n := uint64(len(p))
	copy(f.In(0, len(p)).Block, p)
	f.PutU64(8, n)
	if c != nil {
		c.EncodeC(f.In(16, 6).Block)
	}
	f.PutU64(24, u)
	return f.Call(ctx, 21)
}

// EcallIsary makes ECALL 22:
//
//	public void ecall_isary([in, out, isary] ary_t a, [in, isary] ary_t b);
func (x *Wide) EcallIsary(ctx context.Context, a, b *AryT) error {
	f := x.client.Frame(16)
	defer f.Free()
	var aBuf edge.Region
	if a != nil {
		aBuf = f.In(0, 20)
		a.EncodeC(aBuf.Block)
	}
	if b != nil {
		b.EncodeC(f.In(8, 20).Block)
	}
	if err := f.Call(ctx, 22); err != nil {
		return err
	}
	if a != nil {
		a.DecodeC(f.Back(aBuf))
	}
	return nil
}

// EcallString makes ECALL 23:
//
//	public size_t ecall_string([in, string] const char* s);
func (x *Wide) EcallString(ctx context.Context, s string) (ret uint64, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	f.Text("s", 8, s)
	f.PutU64(16, uint64(edge.TextSize(s)))
	if err = f.Call(ctx, 23); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// EcallUpper makes ECALL 24:
//
//	public void ecall_upper([in, out, string] char* s);
func (x *Wide) EcallUpper(ctx context.Context, s string) (sOut string, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	sBuf := f.Text("s", 0, s)
	f.PutU64(8, uint64(edge.TextSize(s)))
	if err = f.Call(ctx, 24); err != nil {
		return
	}
	sOut = edge.Text(f.Back(sBuf))
	return
}

// EcallWide makes ECALL 25:
//
//	public size_t ecall_wide([in, wstring] const wchar_t* s);
func (x *Wide) EcallWide(ctx context.Context, s string) (ret uint64, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	f.Wide("s", 8, s)
	f.PutU64(16, uint64(edge.WideSize(s)))
	if err = f.Call(ctx, 25); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// EcallWideUpper makes ECALL 26:
//
//	public void ecall_wide_upper([in, out, wstring] wchar_t* s);
func (x *Wide) EcallWideUpper(ctx context.Context, s string) (sOut string, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	sBuf := f.Wide("s", 0, s)
	f.PutU64(8, uint64(edge.WideSize(s)))
	if err = f.Call(ctx, 26); err != nil {
		return
	}
	sOut = edge.Wide(f.Back(sBuf))
	return
}

// EcallDeep makes ECALL 27:
//
//	public int64_t ecall_deep([in] const struct list* l);
func (x *Wide) EcallDeep(ctx context.Context, l *List) (ret int64, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	if l != nil {
		l.PackC(&f.Caller, f.In(8, 80).Block)
	}
	if err = f.Call(ctx, 27); err != nil {
		return
	}
	ret = int64(f.U64(0))
	return
}

// EcallDeepChange makes ECALL 28:
//
//	public void ecall_deep_change([in, out] struct list* l, [in, out, count=n] struct list* many, size_t n);
func (x *Wide) EcallDeepChange(ctx context.Context, l *List, many []List) error {
	f := x.client.Frame(24)
	defer f.Free()
	n := uint64(len(many))
	var lBuf edge.Region
	var lParts [5]edge.Region
	if l != nil {
		lBuf = f.In(0, 80)
		lParts = l.PackC(&f.Caller, lBuf.Block)
	}
	manyBuf := f.In(8, 80*len(many))
	manyParts := edge.Pack(&f.Caller, manyBuf.Block, many, 80, (*List).PackC)
	f.PutU64(16, n)
	if err := f.Call(ctx, 28); err != nil {
		return err
	}
	if l != nil {
		l.RepackC(&f.Caller, f.Back(lBuf), lParts)
	}
	edge.Repack(&f.Caller, f.Back(manyBuf), many, 80, manyParts, (*List).RepackC)
	return f.Err()
}

// EcallDeepRaw makes ECALL 29:
//
//	public void ecall_deep_raw([in, out] struct list pair[2]);
func (x *Wide) EcallDeepRaw(ctx context.Context, pair *[2]ListRaw) error {
	f := x.client.Frame(8)
	defer f.Free()
	var pairBuf edge.Region
	if pair != nil {
		pairBuf = f.In(0, 160)
		edge.PutEach(pairBuf.Block, pair[:], 80, (*ListRaw).EncodeC)
	}
	if err := f.Call(ctx, 29); err != nil {
		return err
	}
	if pair != nil {
		edge.GetEach(pair[:], f.Back(pairBuf), 80, (*ListRaw).DecodeC)
	}
	return nil
}

// EcallPrivate makes ECALL 30:
//
//	void ecall_private();
func (x *Wide) EcallPrivate(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 30)
}

// EcallNested makes ECALL 31:
//
//	int ecall_nested(int depth);
func (x *Wide) EcallNested(ctx context.Context, depth int32) (ret int32, err error) {
	f := x.client.Frame(8)
	defer f.Free()
	f.PutU32(4, uint32(depth))
	if err = f.Call(ctx, 31); err != nil {
		return
	}
	ret = int32(f.U32(0))
	return
}

// EcallStart makes ECALL 32:
//
//	public int ecall_start(int depth);
func (x *Wide) EcallStart(ctx context.Context, depth int32) (ret int32, err error) {
	f := x.client.Frame(8)
	defer f.Free()
	f.PutU32(4, uint32(depth))
	if err = f.Call(ctx, 32); err != nil {
		return
	}
	ret = int32(f.U32(0))
	return
}

// EcallSwitchless makes ECALL 33:
//
//	public void ecall_switchless() transition_using_threads;
func (x *Wide) EcallSwitchless(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 33)
}

// EcallRunOcalls makes ECALL 34:
//
//	public void ecall_run_ocalls();
func (x *Wide) EcallRunOcalls(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 34)
}

// Type makes ECALL 35:
//
//	public int type(int func, int err, int ctx, int f, int len, [out] int* range);
func (x *Wide) Type(ctx context.Context, func_, err_, ctx_, f_, len_ int32) (ret, range_ int32, err error) {
	f := x.client.Frame(32)
	defer f.Free()
	f.PutU32(4, uint32(func_))
	f.PutU32(8, uint32(err_))
	f.PutU32(12, uint32(ctx_))
	f.PutU32(16, uint32(f_))
	f.PutU32(20, uint32(len_))
	rangeBuf := f.Out(24, 4)
	if err = f.Call(ctx, 35); err != nil {
		return
	}
	ret = int32(f.U32(0))
	range_ = int32(f.Back(rangeBuf).U32(0))
	return
}

// Close2 makes ECALL 36:
//
//	public void close();
func (x *Wide) Close2(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 36)
}

// Type2 makes ECALL 37:
//
//	public void Type();
func (x *Wide) Type2(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 37)
}

// wideOCallServer unpacks OCALLs.
type wideOCallServer struct{ impl WideOCalls }

func (srv wideOCallServer) ocallNothing(ctx context.Context, f *edge.Callee) error {
	return srv.impl.OcallNothing(ctx)
}

func (srv wideOCallServer) ocallSum(ctx context.Context, f *edge.Callee) error {
	a := int32(f.U32(8))
	b := int32(f.U32(12))
	ret, errno, err := srv.impl.OcallSum(ctx, a, b)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.PutU32(4, uint32(errno))
	f.Return(8)
	return f.Err()
}

func (srv wideOCallServer) ocallStructs(ctx context.Context, f *edge.Callee) error {
	var p Point
	p.DecodeC(f.Block[256:])
	var w Word
	w.DecodeC(f.Block[328:])
	c := Color(f.U32(400))
	var n Nest
	n.DecodeC(f.Block[416:])
	ret, err := srv.impl.OcallStructs(ctx, p, w, c, n)
	if err != nil {
		return err
	}
	ret.EncodeC(f.Block)
	f.Return(256)
	return f.Err()
}

func (srv wideOCallServer) ocallBuffers(ctx context.Context, f *edge.Callee) error {
	n := f.U64(16)
	m := f.U64(32)
	k := f.U32(64)
	pBuf := f.Buffer(8, n)
	qSize := m
	qBuf := f.Buffer(24, qSize)
	zBuf := f.Buffer(40, 8)
	oneBuf := f.Buffer(48, 8)
	ptsBuf := f.Buffer(56, f.Mul(uint64(k), 72))
	p := f.Load(pBuf)
	qMem := f.Result(qBuf, qSize)
	zMem := f.Load(zBuf)
	var z *[2]int32
	if zMem != nil {
		z = new([2]int32)
		edge.GetInts(z[:], zMem)
	}
	oneMem := f.Result(oneBuf, 8)
	ptsMem := f.Load(ptsBuf)
	pts := edge.Each(ptsMem, 72, (*Point).DecodeC)
	if err := f.Err(); err != nil {
		return err
	}
	ret, q, one, err := srv.impl.OcallBuffers(ctx, p, m, z, pts)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	f.Room("q", uint64(len(q)), qSize)
	copy(qMem, q)
	f.Store(qBuf, qMem)
	if zMem != nil {
		edge.PutInts(zMem, z[:])
		f.Store(zBuf, zMem)
	}
	if oneMem != nil {
		oneMem.PutU64(0, uint64(one))
		f.Store(oneBuf, oneMem)
	}
	edge.PutEach(ptsMem, pts, 72, (*Point).EncodeC)
	f.Store(ptsBuf, ptsMem)
	return f.Err()
}

func (srv wideOCallServer) ocallArrays(ctx context.Context, f *edge.Callee) error {
	aBuf := f.Buffer(0, 16)
	bBuf := f.Buffer(8, 16)
	cBuf := f.Buffer(16, 144)
	aMem := f.Load(aBuf)
	var a *[4]int32
	if aMem != nil {
		a = new([4]int32)
		edge.GetInts(a[:], aMem)
	}
	bMem := f.Result(bBuf, 16)
	cMem := f.Load(cBuf)
	var c *[2]Point
	if cMem != nil {
		c = new([2]Point)
		edge.GetEach(c[:], cMem, 72, (*Point).DecodeC)
	}
	if err := f.Err(); err != nil {
		return err
	}
	b, err := srv.impl.OcallArrays(ctx, a, c)
	if err != nil {
		return err
	}
	if bMem != nil {
		edge.PutInts(bMem, b[:])
		f.Store(bBuf, bMem)
	}
	if cMem != nil {
		edge.PutEach(cMem, c[:], 72, (*Point).EncodeC)
		f.Store(cBuf, cMem)
	}
	return f.Err()
}

func (srv wideOCallServer) ocallPrint(ctx context.Context, f *edge.Callee) error {
	sBuf := f.Terminated(0, 1)
	s := sBuf.Text()
	if err := f.Err(); err != nil {
		return err
	}
	return srv.impl.OcallPrint(ctx, s)
}

func (srv wideOCallServer) ocallUpper(ctx context.Context, f *edge.Callee) error {
	sBuf := f.Terminated(0, 1)
	wBuf := f.Terminated(8, 4)
	xBuf := f.Terminated(16, 4)
	s := sBuf.Text()
	w := wBuf.Wide()
	x := xBuf.Wide()
	if err := f.Err(); err != nil {
		return err
	}
	sOut, xOut, err := srv.impl.OcallUpper(ctx, s, w, x)
	if err != nil {
		return err
	}
	f.StoreText("s", sBuf, sOut)
	f.StoreWide("x", xBuf, xOut)
	return f.Err()
}

func (srv wideOCallServer) ocallDeep(ctx context.Context, f *edge.Callee) error {
	n := f.U64(16)
	lBuf := f.Buffer(0, 80)
	manyBuf := f.Buffer(8, f.Mul(n, 80))
	lMem := f.Load(lBuf)
	var l *List
	if lMem != nil {
		l = new(List)
		l.LoadC(f, l.UnpackC(f, lMem))
	}
	manyMem := f.Load(manyBuf)
	many, manyParts := edge.Unpack(f, manyMem, 80, (*List).UnpackC, (*List).LoadC)
	if err := f.Err(); err != nil {
		return err
	}
	err := srv.impl.OcallDeep(ctx, l, many)
	if err != nil {
		return err
	}
	edge.Store(f, manyMem, many, 80, manyParts, (*List).StoreC)
	f.Store(manyBuf, manyMem)
	return f.Err()
}

func (srv wideOCallServer) ocallNest(ctx context.Context, f *edge.Callee) error {
	depth := int32(f.U32(4))
	ret, err := srv.impl.OcallNest(ctx, depth)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}

func (srv wideOCallServer) write(ctx context.Context, f *edge.Callee) error {
	fd := int32(f.U32(12))
	n := f.U64(24)
	pBuf := f.Buffer(16, n)
	p := f.Load(pBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, errno, err := srv.impl.Write(ctx, fd, p)
	if err != nil {
		return err
	}
	f.PutU64(0, uint64(ret))
	f.PutU32(8, uint32(errno))
	f.Return(12)
	return f.Err()
}

func (srv wideOCallServer) ocallPointer(ctx context.Context, f *edge.Callee) error {
	p := f.U64(8)
	ret, err := srv.impl.OcallPointer(ctx, p)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (srv wideOCallServer) ocallFail(ctx context.Context, f *edge.Callee) error {
	how := int32(f.U32(4))
	ret, err := srv.impl.OcallFail(ctx, how)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}
