// Code generated from wide.edl by feidi. DO NOT EDIT.

package wide

import (
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/tedge"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

// WideTable is the table of an enclave whose functions are those of impl. The
// context of each is that of the ECALL, and its OCALLs are made with it.
func WideTable(impl WideECalls) tedge.Table {
	s := wideECallServer{impl}
	return tedge.Table{
		ECalls: []tedge.ECall{
			{Name: "ecall_nothing", Size: 0, Serve: s.ecallNothing},
			{Name: "ecall_sum", Size: 12, Serve: s.ecallSum},
			{Name: "ecall_scalars", Size: 96, Serve: s.ecallScalars},
			{Name: "ecall_floats", Size: 48, Serve: s.ecallFloats},
			{Name: "ecall_structs", Size: 672, Serve: s.ecallStructs},
			{Name: "ecall_pointers", Size: 24, Serve: s.ecallPointers},
			{Name: "ecall_foreign", Size: 64, Serve: s.ecallForeign},
			{Name: "ecall_bytes", Size: 24, Serve: s.ecallBytes},
			{Name: "ecall_reverse", Size: 24, Serve: s.ecallReverse},
			{Name: "ecall_double", Size: 16, Serve: s.ecallDouble},
			{Name: "ecall_agree", Size: 24, Serve: s.ecallAgree},
			{Name: "ecall_fill", Size: 32, Serve: s.ecallFill},
			{Name: "ecall_squares", Size: 16, Serve: s.ecallSquares},
			{Name: "ecall_both", Size: 32, Serve: s.ecallBoth},
			{Name: "ecall_pad", Size: 16, Serve: s.ecallPad},
			{Name: "ecall_constant", Size: 24, Serve: s.ecallConstant},
			{Name: "ecall_big", Size: 16, Serve: s.ecallBig},
			{Name: "ecall_one", Size: 32, Serve: s.ecallOne},
			{Name: "ecall_arrays", Size: 32, Serve: s.ecallArrays},
			{Name: "ecall_kinds", Size: 56, Serve: s.ecallKinds},
			{Name: "ecall_reports", Size: 24, Serve: s.ecallReports},
			{Name: "ecall_isptr", Size: 32, Serve: s.ecallIsptr},
			{Name: "ecall_isary", Size: 16, Serve: s.ecallIsary},
			{Name: "ecall_string", Size: 24, Serve: s.ecallString},
			{Name: "ecall_upper", Size: 16, Serve: s.ecallUpper},
			{Name: "ecall_wide", Size: 24, Serve: s.ecallWide},
			{Name: "ecall_wide_upper", Size: 16, Serve: s.ecallWideUpper},
			{Name: "ecall_deep", Size: 16, Serve: s.ecallDeep},
			{Name: "ecall_deep_change", Size: 24, Serve: s.ecallDeepChange},
			{Name: "ecall_deep_raw", Size: 8, Serve: s.ecallDeepRaw},
			{Name: "ecall_private", Size: 0, Serve: s.ecallPrivate, Private: true},
			{Name: "ecall_nested", Size: 8, Serve: s.ecallNested, Private: true},
			{Name: "ecall_start", Size: 8, Serve: s.ecallStart},
			{Name: "ecall_switchless", Size: 0, Serve: s.ecallSwitchless, Switchless: true},
			{Name: "ecall_run_ocalls", Size: 0, Serve: s.ecallRunOcalls},
			{Name: "type", Size: 32, Serve: s.type_},
			{Name: "close", Size: 0, Serve: s.close_},
			{Name: "Type", Size: 0, Serve: s.type__},
		},
		Allowed: [][]bool{
			8: {1: true, 31: true}, // ocall_nest
		},
	}
}

// wideECallServer unpacks ECALLs.
type wideECallServer struct{ impl WideECalls }

func (srv wideECallServer) ecallNothing(ctx context.Context, f *edge.Callee) error {
	return srv.impl.EcallNothing(ctx)
}

func (srv wideECallServer) ecallSum(ctx context.Context, f *edge.Callee) error {
	a := int32(f.U32(4))
	b := int32(f.U32(8))
	ret, err := srv.impl.EcallSum(ctx, a, b)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}

func (srv wideECallServer) ecallScalars(ctx context.Context, f *edge.Callee) error {
	c := f.U8(8)
	uc := f.U8(9)
	i8 := int8(f.U8(10))
	u8 := f.U8(11)
	s := int16(f.U16(12))
	us := f.U16(14)
	i16 := int16(f.U16(16))
	u16 := f.U16(18)
	ui := f.U32(20)
	i32 := int32(f.U32(24))
	u32 := f.U32(28)
	l := int64(f.U64(32))
	ul := f.U64(40)
	ll := int64(f.U64(48))
	ull := f.U64(56)
	i64 := int64(f.U64(64))
	u64 := f.U64(72)
	sz := f.U64(80)
	wc := int32(f.U32(88))
	b := f.Bool(92)
	ret, err := srv.impl.EcallScalars(ctx, c, uc, i8, u8, s, us, i16, u16, ui, i32, u32, l, ul, ll, ull, i64, u64, sz, wc, b)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (srv wideECallServer) ecallFloats(ctx context.Context, f *edge.Callee) error {
	f_ := f.F32(8)
	d := f.F64(16)
	var ld edge.LongDouble
	ld.DecodeC(f.Block[32:])
	ret, err := srv.impl.EcallFloats(ctx, f_, d, ld)
	if err != nil {
		return err
	}
	f.PutF64(0, ret)
	f.Return(8)
	return f.Err()
}

func (srv wideECallServer) ecallStructs(ctx context.Context, f *edge.Callee) error {
	var p Point
	p.DecodeC(f.Block[256:])
	var w Word
	w.DecodeC(f.Block[328:])
	c := Color(f.U32(400))
	var n Nest
	n.DecodeC(f.Block[416:])
	ret, err := srv.impl.EcallStructs(ctx, p, w, c, n)
	if err != nil {
		return err
	}
	ret.EncodeC(f.Block)
	f.Return(256)
	return f.Err()
}

func (srv wideECallServer) ecallPointers(ctx context.Context, f *edge.Callee) error {
	p := f.U64(8)
	l := f.U64(16)
	ret, err := srv.impl.EcallPointers(ctx, p, l)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (srv wideECallServer) ecallForeign(ctx context.Context, f *edge.Callee) error {
	st := status.Code(f.U32(4))
	n := int64(f.U64(8))
	var blob BlobT
	blob.DecodeC(f.Block[32:])
	handle := HandleT(f.U32(56))
	targetBuf := f.Buffer(16, 512)
	reportBuf := f.Buffer(24, 432)
	changeBuf := f.Buffer(48, 12)
	targetMem := f.Load(targetBuf)
	var target *isa.TargetInfo
	if targetMem != nil {
		target = new(isa.TargetInfo)
		edge.GetBinary(target, targetMem)
	}
	reportMem := f.Result(reportBuf, 432)
	changeMem := f.Load(changeBuf)
	var change *BlobT
	if changeMem != nil {
		change = new(BlobT)
		change.DecodeC(changeMem)
	}
	if err := f.Err(); err != nil {
		return err
	}
	ret, report, err := srv.impl.EcallForeign(ctx, st, n, target, blob, change, handle)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	if reportMem != nil {
		edge.PutBinary(&report, reportMem[:432:432])
		f.Store(reportBuf, reportMem)
	}
	if changeMem != nil {
		change.EncodeC(changeMem)
		f.Store(changeBuf, changeMem)
	}
	return f.Err()
}

func (srv wideECallServer) ecallBytes(ctx context.Context, f *edge.Callee) error {
	n := f.U64(16)
	pBuf := f.Buffer(8, n)
	p := f.Load(pBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := srv.impl.EcallBytes(ctx, p)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (srv wideECallServer) ecallReverse(ctx context.Context, f *edge.Callee) error {
	n := f.U64(16)
	srcBuf := f.Buffer(0, n)
	dstSize := n
	dstBuf := f.Buffer(8, dstSize)
	src := f.Load(srcBuf)
	dstMem := f.Result(dstBuf, dstSize)
	if err := f.Err(); err != nil {
		return err
	}
	dst, err := srv.impl.EcallReverse(ctx, src)
	if err != nil {
		return err
	}
	f.Room("dst", uint64(len(dst)), dstSize)
	copy(dstMem, dst)
	f.Store(dstBuf, dstMem)
	return f.Err()
}

func (srv wideECallServer) ecallDouble(ctx context.Context, f *edge.Callee) error {
	n := f.U32(8)
	vBuf := f.Buffer(0, f.Mul(uint64(n), 4))
	vMem := f.Load(vBuf)
	v := edge.Ints[int32](vMem)
	if err := f.Err(); err != nil {
		return err
	}
	err := srv.impl.EcallDouble(ctx, v)
	if err != nil {
		return err
	}
	edge.PutInts(vMem, v)
	f.Store(vBuf, vMem)
	return f.Err()
}

func (srv wideECallServer) ecallAgree(ctx context.Context, f *edge.Callee) error {
	n := f.U8(16)
	aBuf := f.Buffer(0, f.Mul(uint64(n), 4))
	bBuf := f.Buffer(8, uint64(n))
	a := edge.Ints[int32](f.Load(aBuf))
	b := f.Load(bBuf)
	if err := f.Err(); err != nil {
		return err
	}
	return srv.impl.EcallAgree(ctx, a, b)
}

func (srv wideECallServer) ecallFill(ctx context.Context, f *edge.Callee) error {
	n := f.U64(16)
	with := f.U8(24)
	pSize := n
	pBuf := f.Buffer(8, pSize)
	pMem := f.Result(pBuf, pSize)
	if err := f.Err(); err != nil {
		return err
	}
	ret, p, err := srv.impl.EcallFill(ctx, n, with)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	f.Room("p", uint64(len(p)), pSize)
	copy(pMem, p)
	f.Store(pBuf, pMem)
	return f.Err()
}

func (srv wideECallServer) ecallSquares(ctx context.Context, f *edge.Callee) error {
	n := int32(f.U32(8))
	vSize := f.Mul(uint64(n), 8)
	vBuf := f.Buffer(0, vSize)
	vMem := f.Result(vBuf, vSize)
	if err := f.Err(); err != nil {
		return err
	}
	v, err := srv.impl.EcallSquares(ctx, n)
	if err != nil {
		return err
	}
	f.Room("v", uint64(len(v))*8, vSize)
	edge.PutInts(vMem, v)
	f.Store(vBuf, vMem)
	return f.Err()
}

func (srv wideECallServer) ecallBoth(ctx context.Context, f *edge.Callee) error {
	s := f.U64(16)
	c := f.U64(24)
	pBuf := f.Buffer(8, f.Mul(c, s))
	f.Whole(pBuf, 4)
	p := edge.Ints[int32](f.Load(pBuf))
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := srv.impl.EcallBoth(ctx, p, s, c)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (srv wideECallServer) ecallPad(ctx context.Context, f *edge.Callee) error {
	c := f.U32(8)
	pBuf := f.Buffer(0, f.Mul(uint64(c), 16))
	pMem := f.Load(pBuf)
	p := edge.Ints[uint64](pMem)
	if err := f.Err(); err != nil {
		return err
	}
	err := srv.impl.EcallPad(ctx, p)
	if err != nil {
		return err
	}
	edge.PutInts(pMem, p)
	f.Store(pBuf, pMem)
	return f.Err()
}

func (srv wideECallServer) ecallConstant(ctx context.Context, f *edge.Callee) error {
	aBuf := f.Buffer(0, 12)
	bBuf := f.Buffer(8, 12)
	cBuf := f.Buffer(16, 8)
	aMem := f.Load(aBuf)
	var a *[3]int32
	if aMem != nil {
		a = new([3]int32)
		edge.GetInts(a[:], aMem)
	}
	bMem := f.Result(bBuf, 12)
	cMem := f.Load(cBuf)
	var c *[8]byte
	if cMem != nil {
		c = new([8]byte)
		copy(c[:], cMem)
	}
	if err := f.Err(); err != nil {
		return err
	}
	b, err := srv.impl.EcallConstant(ctx, a, c)
	if err != nil {
		return err
	}
	if bMem != nil {
		edge.PutInts(bMem, b[:])
		f.Store(bBuf, bMem)
	}
	if cMem != nil {
		copy(cMem, c[:])
		f.Store(cBuf, cMem)
	}
	return f.Err()
}

func (srv wideECallServer) ecallBig(ctx context.Context, f *edge.Callee) error {
	bigBuf := f.Buffer(8, 100000)
	big := f.Load(bigBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := srv.impl.EcallBig(ctx, big)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	f.Store(bigBuf, big)
	return f.Err()
}

func (srv wideECallServer) ecallOne(ctx context.Context, f *edge.Callee) error {
	aBuf := f.Buffer(0, 4)
	bBuf := f.Buffer(8, 2)
	cBuf := f.Buffer(16, 8)
	dBuf := f.Buffer(24, 1)
	aMem := f.Load(aBuf)
	var a *int32
	if aMem != nil {
		a = new(int32)
		*a = int32(aMem.U32(0))
	}
	bMem := f.Result(bBuf, 2)
	cMem := f.Load(cBuf)
	var c *float64
	if cMem != nil {
		c = new(float64)
		*c = cMem.F64(0)
	}
	dMem := f.Load(dBuf)
	var d *bool
	if dMem != nil {
		d = new(bool)
		*d = dMem.Bool(0)
	}
	if err := f.Err(); err != nil {
		return err
	}
	b, err := srv.impl.EcallOne(ctx, a, c, d)
	if err != nil {
		return err
	}
	if bMem != nil {
		bMem.PutU16(0, b)
		f.Store(bBuf, bMem)
	}
	if cMem != nil {
		cMem.PutF64(0, *c)
		f.Store(cBuf, cMem)
	}
	if dMem != nil {
		dMem.PutBool(0, *d)
		f.Store(dBuf, dMem)
	}
	return f.Err()
}

func (srv wideECallServer) ecallArrays(ctx context.Context, f *edge.Callee) error {
	aBuf := f.Buffer(0, 32)
	bBuf := f.Buffer(8, 16)
	cBuf := f.Buffer(16, 6)
	dBuf := f.Buffer(24, 144)
	aMem := f.Load(aBuf)
	var a *[4][2]int32
	if aMem != nil {
		a = new([4][2]int32)
		for i := range a {
			edge.GetInts(a[i][:], aMem[8*i:])
		}
	}
	bMem := f.Result(bBuf, 16)
	cMem := f.Load(cBuf)
	var c *[3]uint16
	if cMem != nil {
		c = new([3]uint16)
		edge.GetInts(c[:], cMem)
	}
	dMem := f.Result(dBuf, 144)
	if err := f.Err(); err != nil {
		return err
	}
	b, d, err := srv.impl.EcallArrays(ctx, a, c)
	if err != nil {
		return err
	}
	if bMem != nil {
		copy(bMem, b[:])
		f.Store(bBuf, bMem)
	}
	if cMem != nil {
		edge.PutInts(cMem, c[:])
		f.Store(cBuf, cMem)
	}
	if dMem != nil {
		edge.PutEach(dMem, d[:], 72, (*Point).EncodeC)
		f.Store(dBuf, dMem)
	}
	return f.Err()
}

func (srv wideECallServer) ecallKinds(ctx context.Context, f *edge.Callee) error {
	n := f.U64(48)
	fBuf := f.Buffer(0, f.Mul(n, 8))
	bBuf := f.Buffer(8, n)
	eBuf := f.Buffer(16, f.Mul(n, 4))
	pBuf := f.Buffer(24, f.Mul(n, 72))
	wBuf := f.Buffer(32, f.Mul(n, 72))
	aBuf := f.Buffer(40, f.Mul(n, 8))
	fMem := f.Load(fBuf)
	f_ := edge.Floats[float64](fMem, 8)
	bMem := f.Load(bBuf)
	b := edge.Bools[bool](bMem)
	eMem := f.Load(eBuf)
	e := edge.Ints[Color](eMem)
	pMem := f.Load(pBuf)
	p := edge.Each(pMem, 72, (*Point).DecodeC)
	wMem := f.Load(wBuf)
	w := edge.Each(wMem, 72, (*Word).DecodeC)
	aMem := f.Load(aBuf)
	a := edge.Ints[edge.Pointer](aMem)
	if err := f.Err(); err != nil {
		return err
	}
	err := srv.impl.EcallKinds(ctx, f_, b, e, p, w, a)
	if err != nil {
		return err
	}
	edge.PutFloats(fMem, f_, 8)
	f.Store(fBuf, fMem)
	edge.PutBools(bMem, b)
	f.Store(bBuf, bMem)
	edge.PutInts(eMem, e)
	f.Store(eBuf, eMem)
	edge.PutEach(pMem, p, 72, (*Point).EncodeC)
	f.Store(pBuf, pMem)
	edge.PutEach(wMem, w, 72, (*Word).EncodeC)
	f.Store(wBuf, wMem)
	edge.PutInts(aMem, a)
	f.Store(aBuf, aMem)
	return f.Err()
}

func (srv wideECallServer) ecallReports(ctx context.Context, f *edge.Callee) error {
	n := f.U64(16)
	inReportsBuf := f.Buffer(0, f.Mul(n, 432))
	outReportsSize := f.Mul(n, 432)
	outReportsBuf := f.Buffer(8, outReportsSize)
	inReports := edge.Each(f.Load(inReportsBuf), 432, edge.GetBinary[isa.Report])
	outReportsMem := f.Result(outReportsBuf, outReportsSize)
	if err := f.Err(); err != nil {
		return err
	}
	outReports, err := srv.impl.EcallReports(ctx, inReports)
	if err != nil {
		return err
	}
	f.Room("out_reports", uint64(len(outReports))*432, outReportsSize)
	edge.PutEach(outReportsMem, outReports, 432, edge.PutBinary[isa.Report])
	f.Store(outReportsBuf, outReportsMem)
	return f.Err()
}

func (srv wideECallServer) ecallIsptr(ctx context.Context, f *edge.Callee) error {
	n := f.U64(8)
	u := f.U64(24)
	pBuf := f.Buffer(0, n)
	cBuf := f.Buffer(16, 6)
	p := f.Load(pBuf)
	cMem := f.Load(cBuf)
	var c *CptrT
	if cMem != nil {
		c = new(CptrT)
		c.DecodeC(cMem)
	}
	if err := f.Err(); err != nil {
		return err
	}
	return srv.impl.EcallIsptr(ctx, p, c, u)
}

func (srv wideECallServer) ecallIsary(ctx context.Context, f *edge.Callee) error {
	aBuf := f.Buffer(0, 20)
	bBuf := f.Buffer(8, 20)
	aMem := f.Load(aBuf)
	var a *AryT
	if aMem != nil {
		a = new(AryT)
		a.DecodeC(aMem)
	}
	bMem := f.Load(bBuf)
	var b *AryT
	if bMem != nil {
		b = new(AryT)
		b.DecodeC(bMem)
	}
	if err := f.Err(); err != nil {
		return err
	}
	err := srv.impl.EcallIsary(ctx, a, b)
	if err != nil {
		return err
	}
	if aMem != nil {
		a.EncodeC(aMem)
		f.Store(aBuf, aMem)
	}
	return f.Err()
}

func (srv wideECallServer) ecallString(ctx context.Context, f *edge.Callee) error {
	sBuf := f.Buffer(8, f.U64(16))
	s := f.LoadText(sBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := srv.impl.EcallString(ctx, s)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (srv wideECallServer) ecallUpper(ctx context.Context, f *edge.Callee) error {
	sBuf := f.Buffer(0, f.U64(8))
	s := f.LoadText(sBuf)
	if err := f.Err(); err != nil {
		return err
	}
	sOut, err := srv.impl.EcallUpper(ctx, s)
	if err != nil {
		return err
	}
	f.StoreText("s", sBuf, sOut)
	return f.Err()
}

func (srv wideECallServer) ecallWide(ctx context.Context, f *edge.Callee) error {
	sBuf := f.Buffer(8, f.U64(16))
	s := f.LoadWide(sBuf)
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := srv.impl.EcallWide(ctx, s)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}

func (srv wideECallServer) ecallWideUpper(ctx context.Context, f *edge.Callee) error {
	sBuf := f.Buffer(0, f.U64(8))
	s := f.LoadWide(sBuf)
	if err := f.Err(); err != nil {
		return err
	}
	sOut, err := srv.impl.EcallWideUpper(ctx, s)
	if err != nil {
		return err
	}
	f.StoreWide("s", sBuf, sOut)
	return f.Err()
}

func (srv wideECallServer) ecallDeep(ctx context.Context, f *edge.Callee) error {
	lBuf := f.Buffer(8, 80)
	lMem := f.Load(lBuf)
	var l *List
	if lMem != nil {
		l = new(List)
		l.LoadC(f, l.UnpackC(f, lMem))
	}
	if err := f.Err(); err != nil {
		return err
	}
	ret, err := srv.impl.EcallDeep(ctx, l)
	if err != nil {
		return err
	}
	f.PutU64(0, uint64(ret))
	f.Return(8)
	return f.Err()
}

func (srv wideECallServer) ecallDeepChange(ctx context.Context, f *edge.Callee) error {
	n := f.U64(16)
	lBuf := f.Buffer(0, 80)
	manyBuf := f.Buffer(8, f.Mul(n, 80))
	lMem := f.Load(lBuf)
	var l *List
	var lParts [5]edge.Buffer
	if lMem != nil {
		l = new(List)
		lParts = l.UnpackC(f, lMem)
		l.LoadC(f, lParts)
	}
	manyMem := f.Load(manyBuf)
	many, manyParts := edge.Unpack(f, manyMem, 80, (*List).UnpackC, (*List).LoadC)
	if err := f.Err(); err != nil {
		return err
	}
	err := srv.impl.EcallDeepChange(ctx, l, many)
	if err != nil {
		return err
	}
	if lMem != nil {
		l.StoreC(f, lMem, lParts)
		f.Store(lBuf, lMem)
	}
	edge.Store(f, manyMem, many, 80, manyParts, (*List).StoreC)
	f.Store(manyBuf, manyMem)
	return f.Err()
}

func (srv wideECallServer) ecallDeepRaw(ctx context.Context, f *edge.Callee) error {
	pairBuf := f.Buffer(0, 160)
	pairMem := f.Load(pairBuf)
	var pair *[2]ListRaw
	if pairMem != nil {
		pair = new([2]ListRaw)
		edge.GetEach(pair[:], pairMem, 80, (*ListRaw).DecodeC)
	}
	if err := f.Err(); err != nil {
		return err
	}
	err := srv.impl.EcallDeepRaw(ctx, pair)
	if err != nil {
		return err
	}
	if pairMem != nil {
		edge.PutEach(pairMem, pair[:], 80, (*ListRaw).EncodeC)
		f.Store(pairBuf, pairMem)
	}
	return f.Err()
}

func (srv wideECallServer) ecallPrivate(ctx context.Context, f *edge.Callee) error {
	return srv.impl.EcallPrivate(ctx)
}

func (srv wideECallServer) ecallNested(ctx context.Context, f *edge.Callee) error {
	depth := int32(f.U32(4))
	ret, err := srv.impl.EcallNested(ctx, depth)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}

func (srv wideECallServer) ecallStart(ctx context.Context, f *edge.Callee) error {
	depth := int32(f.U32(4))
	ret, err := srv.impl.EcallStart(ctx, depth)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	return f.Err()
}

func (srv wideECallServer) ecallSwitchless(ctx context.Context, f *edge.Callee) error {
	return srv.impl.EcallSwitchless(ctx)
}

func (srv wideECallServer) ecallRunOcalls(ctx context.Context, f *edge.Callee) error {
	return srv.impl.EcallRunOcalls(ctx)
}

func (srv wideECallServer) type_(ctx context.Context, f *edge.Callee) error {
	func_ := int32(f.U32(4))
	err_ := int32(f.U32(8))
	ctx_ := int32(f.U32(12))
	f_ := int32(f.U32(16))
	len_ := int32(f.U32(20))
	rangeBuf := f.Buffer(24, 4)
	rangeMem := f.Result(rangeBuf, 4)
	if err := f.Err(); err != nil {
		return err
	}
	ret, range_, err := srv.impl.Type(ctx, func_, err_, ctx_, f_, len_)
	if err != nil {
		return err
	}
	f.PutU32(0, uint32(ret))
	f.Return(4)
	if rangeMem != nil {
		rangeMem.PutU32(0, uint32(range_))
		f.Store(rangeBuf, rangeMem)
	}
	return f.Err()
}

func (srv wideECallServer) close_(ctx context.Context, f *edge.Callee) error {
	return srv.impl.Close2(ctx)
}

func (srv wideECallServer) type__(ctx context.Context, f *edge.Callee) error {
	return srv.impl.Type2(ctx)
}

// WideHost calls the host, with the context of the ECALL under way.
type WideHost struct{}

var _ WideOCalls = WideHost{}

// OcallNothing makes OCALL 0:
//
//	void ocall_nothing();
func (WideHost) OcallNothing(ctx context.Context) error {
	f := tedge.NewFrame(ctx, 0)
	defer f.Free()
	return f.Call(0, 0)
}

// OcallSum makes OCALL 1:
//
//	int ocall_sum(int a, int b) propagate_errno;
func (WideHost) OcallSum(ctx context.Context, a, b int32) (ret, errno int32, err error) {
	f := tedge.NewFrame(ctx, 16)
	defer f.Free()
	f.PutU32(8, uint32(a))
	f.PutU32(12, uint32(b))
	if err = f.Call(1, 8); err != nil {
		return
	}
	ret = int32(f.U32(0))
	errno = int32(f.U32(4))
	return
}

// OcallStructs makes OCALL 2:
//
//	struct nest ocall_structs(struct point p, union word w, enum color c, struct nest n);
func (WideHost) OcallStructs(ctx context.Context, p Point, w Word, c Color, n Nest) (ret Nest, err error) {
	f := tedge.NewFrame(ctx, 672)
	defer f.Free()
	p.EncodeC(f.Block[256:])
	w.EncodeC(f.Block[328:])
	f.PutU32(400, uint32(c))
	n.EncodeC(f.Block[416:])
	if err = f.Call(2, 256); err != nil {
		return
	}
	ret.DecodeC(f.Block)
	return
}

// OcallBuffers makes OCALL 3:
//
//	size_t ocall_buffers([in, size=n] const void* p, size_t n, [out, size=m] void* q, size_t m, [in, out, count=2] int32_t* z, [out] int64_t* one, [in, out, count=k] struct point* pts, uint32_t k);
func (WideHost) OcallBuffers(ctx context.Context, p []byte, m uint64, z *[2]int32, pts []Point) (ret uint64, q []byte, one int64, err error) {
	f := tedge.NewFrame(ctx, 72)
	defer f.Free()
	n := uint64(len(p))
	k := f.Len("k", math.MaxUint32, edge.Items(pts))
	copy(f.In(8, len(p)).Block, p)
	f.PutU64(16, n)
	qBuf := f.Out(24, m)
	f.PutU64(32, m)
	var zBuf edge.Region
	if z != nil {
		zBuf = f.In(40, 8)
		edge.PutInts(zBuf.Block, z[:])
	}
	oneBuf := f.Out(48, 8)
	ptsBuf := f.In(56, 72*len(pts))
	edge.PutEach(ptsBuf.Block, pts, 72, (*Point).EncodeC)
	f.PutU32(64, uint32(k))
	if err = f.Call(3, 8); err != nil {
		return
	}
	ret = f.U64(0)
	q = f.Back(qBuf)
	if z != nil {
		edge.GetInts(z[:], f.Back(zBuf))
	}
	one = int64(f.Back(oneBuf).U64(0))
	edge.GetEach(pts, f.Back(ptsBuf), 72, (*Point).DecodeC)
	return
}

// OcallArrays makes OCALL 4:
//
//	void ocall_arrays([in] int32_t a[4], [out] int32_t b[4], [in, out] struct point c[2]);
func (WideHost) OcallArrays(ctx context.Context, a *[4]int32, c *[2]Point) (b [4]int32, err error) {
	f := tedge.NewFrame(ctx, 24)
	defer f.Free()
	if a != nil {
		edge.PutInts(f.In(0, 16).Block, a[:])
	}
	bBuf := f.Out(8, 16)
	var cBuf edge.Region
	if c != nil {
		cBuf = f.In(16, 144)
		edge.PutEach(cBuf.Block, c[:], 72, (*Point).EncodeC)
	}
	if err = f.Call(4, 0); err != nil {
		return
	}
	edge.GetInts(b[:], f.Back(bBuf))
	if c != nil {
		edge.GetEach(c[:], f.Back(cBuf), 72, (*Point).DecodeC)
	}
	return
}

// OcallPrint makes OCALL 5:
//
//	void ocall_print([in, string] const char* s);
func (WideHost) OcallPrint(ctx context.Context, s string) error {
	f := tedge.NewFrame(ctx, 8)
	defer f.Free()
	f.Text("s", 0, s)
	return f.Call(5, 0)
}

// OcallUpper makes OCALL 6:
//
//	void ocall_upper([in, out, string] char* s, [in, wstring] const wchar_t* w, [in, out, wstring] wchar_t* x);
func (WideHost) OcallUpper(ctx context.Context, s, w, x string) (sOut, xOut string, err error) {
	f := tedge.NewFrame(ctx, 24)
	defer f.Free()
	sBuf := f.Text("s", 0, s)
	f.Wide("w", 8, w)
	xBuf := f.Wide("x", 16, x)
	if err = f.Call(6, 0); err != nil {
		return
	}
	sOut = edge.Text(f.Back(sBuf))
	xOut = edge.Wide(f.Back(xBuf))
	return
}

// OcallDeep makes OCALL 7:
//
//	void ocall_deep([in] const struct list* l, [in, out, count=n] struct list* many, size_t n);
func (WideHost) OcallDeep(ctx context.Context, l *List, many []List) error {
	f := tedge.NewFrame(ctx, 24)
	defer f.Free()
	n := uint64(len(many))
	if l != nil {
		l.PackC(&f.Caller, f.In(0, 80).Block)
	}
	manyBuf := f.In(8, 80*len(many))
	manyParts := edge.Pack(&f.Caller, manyBuf.Block, many, 80, (*List).PackC)
	f.PutU64(16, n)
	if err := f.Call(7, 0); err != nil {
		return err
	}
	edge.Repack(&f.Caller, f.Back(manyBuf), many, 80, manyParts, (*List).RepackC)
	return f.Err()
}

// OcallNest makes OCALL 8:
//
//	int ocall_nest(int depth) allow(ecall_nested, ecall_sum);
func (WideHost) OcallNest(ctx context.Context, depth int32) (ret int32, err error) {
	f := tedge.NewFrame(ctx, 8)
	defer f.Free()
	f.PutU32(4, uint32(depth))
	if err = f.Call(8, 4); err != nil {
		return
	}
	ret = int32(f.U32(0))
	return
}

// Write makes OCALL 9:
//
//	[cdecl, dllimport] long write(int fd, [in, size=n] const void* p, size_t n) propagate_errno transition_using_threads;
func (WideHost) Write(ctx context.Context, fd int32, p []byte) (ret int64, errno int32, err error) {
	f := tedge.NewFrame(ctx, 32)
	defer f.Free()
	n := uint64(len(p))
	f.PutU32(12, uint32(fd))
	copy(f.In(16, len(p)).Block, p)
	f.PutU64(24, n)
	if err = f.Call(9, 12); err != nil {
		return
	}
	ret = int64(f.U64(0))
	errno = int32(f.U32(8))
	return
}

// OcallPointer makes OCALL 10:
//
//	void* ocall_pointer([user_check] void* p);
func (WideHost) OcallPointer(ctx context.Context, p edge.Pointer) (ret edge.Pointer, err error) {
	f := tedge.NewFrame(ctx, 16)
	defer f.Free()
	f.PutU64(8, p)
	if err = f.Call(10, 8); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// OcallFail makes OCALL 11:
//
//	int ocall_fail(int how);
func (WideHost) OcallFail(ctx context.Context, how int32) (ret int32, err error) {
	f := tedge.NewFrame(ctx, 8)
	defer f.Free()
	f.PutU32(4, uint32(how))
	if err = f.Call(11, 4); err != nil {
		return
	}
	ret = int32(f.U32(0))
	return
}
