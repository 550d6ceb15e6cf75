// Code generated from wide.edl by feidi. DO NOT EDIT.

// Package wide is the border of an enclave, as wide.edl describes it.
package wide

import (
	"context"
	"math"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/status"
)

// Color is enum color.
type Color uint32

// Elements of enum color.
const (
	ColorRed      Color = 0
	ColorGreen    Color = 5
	ColorDarkBlue Color = 6
)

// Elements of an enum without a name.
const (
	Limit uint32 = 64
)

// Point is struct point, 72 bytes in C.
type Point struct {
	X    int32
	Y    int16
	W    [2][3]float64
	Tag  [4]byte
	Next edge.Pointer // void*
}

// EncodeC writes v as C has it, 72 bytes.
func (v *Point) EncodeC(b edge.Block) {
	b.PutU32(0, uint32(v.X))
	b.PutU16(4, uint16(v.Y))
	for i := range v.W {
		edge.PutFloats(b[8+24*i:], v.W[i][:], 8)
	}
	copy(b[56:], v.Tag[:])
	b.PutU64(64, v.Next)
}

// DecodeC reads v as C has it.
func (v *Point) DecodeC(b edge.Block) {
	v.X = int32(b.U32(0))
	v.Y = int16(b.U16(4))
	for i := range v.W {
		edge.GetFloats(v.W[i][:], b[8+24*i:], 8)
	}
	copy(v.Tag[:], b[56:])
	v.Next = b.U64(64)
}

// Word is union word, as its bytes. The methods read and write it as its members.
type Word [72]byte

// I is the member uint32_t i.
func (v *Word) I() (m uint32) {
	b := edge.Block(v[:])
	m = b.U32(0)
	return m
}

// SetI sets the member i.
func (v *Word) SetI(m uint32) {
	b := edge.Block(v[:])
	b.PutU32(0, m)
}

// B is the member uint8_t b[8].
func (v *Word) B() (m [8]byte) {
	b := edge.Block(v[:])
	copy(m[:], b)
	return m
}

// SetB sets the member b.
func (v *Word) SetB(m [8]byte) {
	b := edge.Block(v[:])
	copy(b, m[:])
}

// F is the member float f.
func (v *Word) F() (m float32) {
	b := edge.Block(v[:])
	m = b.F32(0)
	return m
}

// SetF sets the member f.
func (v *Word) SetF(m float32) {
	b := edge.Block(v[:])
	b.PutF32(0, m)
}

// P is the member struct point p.
func (v *Word) P() (m Point) {
	b := edge.Block(v[:])
	m.DecodeC(b)
	return m
}

// SetP sets the member p.
func (v *Word) SetP(m Point) {
	b := edge.Block(v[:])
	m.EncodeC(b)
}

// EncodeC writes v as C has it, 72 bytes.
func (v *Word) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *Word) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// Nest is struct nest, 256 bytes in C.
type Nest struct {
	Points [2]Point
	Word   Word
	Color  Color
	On     bool
	Ld     edge.LongDouble
	Shorts [2][2]uint16
}

// EncodeC writes v as C has it, 256 bytes.
func (v *Nest) EncodeC(b edge.Block) {
	edge.PutEach(b, v.Points[:], 72, (*Point).EncodeC)
	v.Word.EncodeC(b[144:])
	b.PutU32(216, uint32(v.Color))
	b.PutBool(220, v.On)
	v.Ld.EncodeC(b[224:])
	for i := range v.Shorts {
		edge.PutInts(b[240+4*i:], v.Shorts[i][:])
	}
}

// DecodeC reads v as C has it.
func (v *Nest) DecodeC(b edge.Block) {
	edge.GetEach(v.Points[:], b, 72, (*Point).DecodeC)
	v.Word.DecodeC(b[144:])
	v.Color = Color(b.U32(216))
	v.On = b.Bool(220)
	v.Ld.DecodeC(b[224:])
	for i := range v.Shorts {
		edge.GetInts(v.Shorts[i][:], b[240+4*i:])
	}
}

// List is struct list, 80 bytes in C, and buffers.
type List struct {
	Values []int32   // [count=n] int32_t* values
	Blob   []byte    // [size=len] uint8_t* blob
	Fixed  *[32]byte // [size=16, count=2] char* fixed
	Origin *Point    // [count=1] struct point* origin
	Kind   uint16
	Both   []int16 // [size=s, count=c] int16_t* both
	S      uint64
	C      uint64
}

// PackC writes v as C has it, and its buffers to regions of their own.
func (v *List) PackC(f *edge.Caller, b edge.Block) (r [5]edge.Region) {
	lenN := f.Len("n", math.MaxUint32, edge.Items(v.Values))
	lenLen := f.Len("len", math.MaxUint64, edge.Items(v.Blob))
	b.PutU32(0, uint32(lenN))
	b.PutU64(24, lenLen)
	b.PutU16(48, v.Kind)
	b.PutU64(64, v.S)
	b.PutU64(72, v.C)
	r[0] = f.InAt(b, 8, 4*len(v.Values))
	edge.PutInts(r[0].Block, v.Values)
	r[1] = f.InAt(b, 16, len(v.Blob))
	copy(r[1].Block, v.Blob)
	if v.Fixed != nil {
		r[2] = f.InAt(b, 32, 32)
		copy(r[2].Block, v.Fixed[:])
	}
	if v.Origin != nil {
		r[3] = f.InAt(b, 40, 72)
		v.Origin.EncodeC(r[3].Block)
	}
	f.Match("both", f.Mul(v.C, v.S), edge.Bytes(v.Both, 2))
	r[4] = f.InAt(b, 56, 2*len(v.Both))
	edge.PutInts(r[4].Block, v.Both)
	return r
}

// RepackC reads v as it came back. Its buffers may have become shorter.
func (v *List) RepackC(f *edge.Caller, b edge.Block, r [5]edge.Region) {
	lenN := uint64(b.U32(0))
	lenLen := b.U64(24)
	v.Kind = b.U16(48)
	v.S = b.U64(64)
	v.C = b.U64(72)
	if m := f.Part("values", r[0], f.Mul(lenN, 4)); m != nil {
		v.Values = v.Values[:len(m)/4]
		edge.GetInts(v.Values, m)
	}
	if m := f.Part("blob", r[1], lenLen); m != nil {
		v.Blob = v.Blob[:len(m)]
		copy(v.Blob, m)
	}
	if m := f.Back(r[2]); m != nil {
		copy(v.Fixed[:], m)
	}
	if m := f.Back(r[3]); m != nil {
		v.Origin.DecodeC(m)
	}
	if m := f.Part("both", r[4], f.Mul(v.C, v.S)); m != nil {
		v.Both = v.Both[:len(m)/2]
		edge.GetInts(v.Both, m)
	}
}

// UnpackC reads v, and finds its buffers.
func (v *List) UnpackC(f *edge.Callee, b edge.Block) (r [5]edge.Buffer) {
	lenN := uint64(b.U32(0))
	lenLen := b.U64(24)
	v.Kind = b.U16(48)
	v.S = b.U64(64)
	v.C = b.U64(72)
	r[0] = f.BufferAt(b, 8, f.Mul(lenN, 4))
	r[1] = f.BufferAt(b, 16, lenLen)
	r[2] = f.BufferAt(b, 32, 32)
	r[3] = f.BufferAt(b, 40, 72)
	r[4] = f.BufferAt(b, 56, f.Mul(v.C, v.S))
	f.Whole(r[4], 2)
	return r
}

// LoadC copies the buffers of v.
func (v *List) LoadC(f *edge.Callee, r [5]edge.Buffer) {
	v.Values = edge.Ints[int32](f.Load(r[0]))
	v.Blob = f.Load(r[1])
	if m := f.Load(r[2]); m != nil {
		v.Fixed = new([32]byte)
		copy(v.Fixed[:], m)
	}
	if m := f.Load(r[3]); m != nil {
		v.Origin = new(Point)
		v.Origin.DecodeC(m)
	}
	v.Both = edge.Ints[int16](f.Load(r[4]))
}

// StoreC writes v and its buffers back to where they came from. The buffers
// may be shorter than they were.
func (v *List) StoreC(f *edge.Callee, b edge.Block, r [5]edge.Buffer) {
	lenN := f.Len("n", math.MaxUint32, edge.Items(v.Values))
	lenLen := f.Len("len", math.MaxUint64, edge.Items(v.Blob))
	b.PutU32(0, uint32(lenN))
	b.PutU64(24, lenLen)
	b.PutU16(48, v.Kind)
	b.PutU64(64, v.S)
	b.PutU64(72, v.C)
	if n := 4 * len(v.Values); f.Room("values", uint64(n), r[0].Size) {
		m := make(edge.Block, n)
		edge.PutInts(m, v.Values)
		f.Store(r[0], m)
	}
	if n := len(v.Blob); f.Room("blob", uint64(n), r[1].Size) {
		m := make(edge.Block, n)
		copy(m, v.Blob)
		f.Store(r[1], m)
	}
	if v.Fixed != nil && f.Room("fixed", 32, r[2].Size) {
		m := make(edge.Block, 32)
		copy(m, v.Fixed[:])
		f.Store(r[2], m)
	}
	if v.Origin != nil && f.Room("origin", 72, r[3].Size) {
		m := make(edge.Block, 72)
		v.Origin.EncodeC(m)
		f.Store(r[3], m)
	}
	f.Match("both", f.Mul(v.C, v.S), edge.Bytes(v.Both, 2))
	if n := 2 * len(v.Both); f.Room("both", uint64(n), r[4].Size) {
		m := make(edge.Block, n)
		edge.PutInts(m, v.Both)
		f.Store(r[4], m)
	}
}

// BlobT is blob_t, whose members the EDL does not know.
type BlobT [12]byte

// EncodeC writes v as C has it, 12 bytes.
func (v *BlobT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *BlobT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// HandleT is handle_t, as an integer of its size.
type HandleT uint32

// CptrT is what a cptr_t points to, whose members the EDL does not know.
type CptrT [6]byte

// EncodeC writes v as C has it, 6 bytes.
func (v *CptrT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *CptrT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// AryT is ary_t, whose members the EDL does not know.
type AryT [20]byte

// EncodeC writes v as C has it, 20 bytes.
func (v *AryT) EncodeC(b edge.Block) {
	copy(b, v[:])
}

// DecodeC reads v as C has it.
func (v *AryT) DecodeC(b edge.Block) {
	copy(v[:], b)
}

// ListRaw is struct list, 80 bytes in C.
type ListRaw struct {
	N      uint32
	Values edge.Pointer // int32_t*
	Blob   edge.Pointer // uint8_t*
	Len    uint64
	Fixed  edge.Pointer // char*
	Origin edge.Pointer // struct point*
	Kind   uint16
	Both   edge.Pointer // int16_t*
	S      uint64
	C      uint64
}

// EncodeC writes v as C has it, 80 bytes.
func (v *ListRaw) EncodeC(b edge.Block) {
	b.PutU32(0, v.N)
	b.PutU64(8, v.Values)
	b.PutU64(16, v.Blob)
	b.PutU64(24, v.Len)
	b.PutU64(32, v.Fixed)
	b.PutU64(40, v.Origin)
	b.PutU16(48, v.Kind)
	b.PutU64(56, v.Both)
	b.PutU64(64, v.S)
	b.PutU64(72, v.C)
}

// DecodeC reads v as C has it.
func (v *ListRaw) DecodeC(b edge.Block) {
	v.N = b.U32(0)
	v.Values = b.U64(8)
	v.Blob = b.U64(16)
	v.Len = b.U64(24)
	v.Fixed = b.U64(32)
	v.Origin = b.U64(40)
	v.Kind = b.U16(48)
	v.Both = b.U64(56)
	v.S = b.U64(64)
	v.C = b.U64(72)
}

// WideECalls are the functions of the enclave: what it implements,
// and what its client calls.
type WideECalls interface {
	// EcallNothing is ECALL 0:
	//
	//	public void ecall_nothing();
	EcallNothing(ctx context.Context) error

	// EcallSum is ECALL 1:
	//
	//	public int ecall_sum(int a, int b);
	EcallSum(ctx context.Context, a, b int32) (ret int32, err error)

	// EcallScalars is ECALL 2:
	//
	//	public uint64_t ecall_scalars(char c, unsigned char uc, int8_t i8, uint8_t u8, short s, unsigned short us, int16_t i16, uint16_t u16, unsigned int ui, int32_t i32, uint32_t u32, long l, unsigned long ul, long long ll, unsigned long long ull, int64_t i64, uint64_t u64, size_t sz, wchar_t wc, bool b);
	EcallScalars(ctx context.Context, c, uc byte, i8 int8, u8 uint8, s int16, us uint16, i16 int16, u16 uint16, ui uint32, i32 int32, u32 uint32, l int64, ul uint64, ll int64, ull uint64, i64 int64, u64, sz uint64, wc int32, b bool) (ret uint64, err error)

	// EcallFloats is ECALL 3:
	//
	//	public double ecall_floats(float f, double d, long double ld);
	EcallFloats(ctx context.Context, f_ float32, d float64, ld edge.LongDouble) (ret float64, err error)

	// EcallStructs is ECALL 4:
	//
	//	public struct nest ecall_structs(struct point p, union word w, enum color c, struct nest n);
	EcallStructs(ctx context.Context, p Point, w Word, c Color, n Nest) (ret Nest, err error)

	// EcallPointers is ECALL 5:
	//
	//	public void* ecall_pointers([user_check] void* p, [user_check] struct list* l);
	EcallPointers(ctx context.Context, p, l edge.Pointer) (ret edge.Pointer, err error)

	// EcallForeign is ECALL 6:
	//
	//	public sgx_status_t ecall_foreign(sgx_status_t st, ssize_t n, [in] const sgx_target_info_t* target, [out] sgx_report_t* report, blob_t blob, [in, out] blob_t* change, handle_t handle);
	EcallForeign(ctx context.Context, st status.Code, n int64, target *isa.TargetInfo, blob BlobT, change *BlobT, handle HandleT) (ret status.Code, report isa.Report, err error)

	// EcallBytes is ECALL 7:
	//
	//	public uint64_t ecall_bytes([in, size=n] const void* p, size_t n);
	EcallBytes(ctx context.Context, p []byte) (ret uint64, err error)

	// EcallReverse is ECALL 8:
	//
	//	public void ecall_reverse([in, size=n] const uint8_t* src, [out, size=n] uint8_t* dst, size_t n);
	EcallReverse(ctx context.Context, src []byte) (dst []byte, err error)

	// EcallDouble is ECALL 9:
	//
	//	public void ecall_double([in, out, count=n] int32_t* v, uint32_t n);
	EcallDouble(ctx context.Context, v []int32) error

	// EcallAgree is ECALL 10:
	//
	//	public void ecall_agree([in, count=n] const int32_t* a, [in, size=n] const char* b, uint8_t n);
	EcallAgree(ctx context.Context, a []int32, b []byte) error

	// EcallFill is ECALL 11:
	//
	//	public int ecall_fill([out, size=n] void* p, size_t n, uint8_t with);
	EcallFill(ctx context.Context, n uint64, with uint8) (ret int32, p []byte, err error)

	// EcallSquares is ECALL 12:
	//
	//	public void ecall_squares([out, count=n] uint64_t* v, int n);
	EcallSquares(ctx context.Context, n int32) (v []uint64, err error)

	// EcallBoth is ECALL 13:
	//
	//	public size_t ecall_both([in, size=s, count=c] int32_t* p, size_t s, size_t c);
	EcallBoth(ctx context.Context, p []int32, s, c uint64) (ret uint64, err error)

	// EcallPad is ECALL 14:
	//
	//	public void ecall_pad([in, out, size=16, count=c] uint64_t* p, uint32_t c);
	EcallPad(ctx context.Context, p []uint64) error

	// EcallConstant is ECALL 15:
	//
	//	public void ecall_constant([in, count=3] const int32_t* a, [out, count=3] int32_t* b, [in, out, size=8] uint8_t* c);
	EcallConstant(ctx context.Context, a *[3]int32, c *[8]byte) (b [3]int32, err error)

	// EcallBig is ECALL 16:
	//
	//	public int ecall_big([in, out] uint8_t big[100000]);
	EcallBig(ctx context.Context, big []byte) (ret int32, err error)

	// EcallOne is ECALL 17:
	//
	//	public void ecall_one([in] const int32_t* a, [out] uint16_t* b, [in, out] double* c, [in, out] bool* d);
	EcallOne(ctx context.Context, a *int32, c *float64, d *bool) (b uint16, err error)

	// EcallArrays is ECALL 18:
	//
	//	public void ecall_arrays([in] int32_t a[4][2], [out] uint8_t b[16], [in, out] uint16_t c[3], [out] struct point d[2]);
	EcallArrays(ctx context.Context, a *[4][2]int32, c *[3]uint16) (b [16]byte, d [2]Point, err error)

	// EcallKinds is ECALL 19:
	//
	//	public void ecall_kinds([in, out, count=n] double* f, [in, out, count=n] bool* b, [in, out, count=n] enum color* e, [in, out, count=n] struct point* p, [in, out, count=n] union word* w, [in, out, count=n] void** a, size_t n);
	EcallKinds(ctx context.Context, f_ []float64, b []bool, e []Color, p []Point, w []Word, a []edge.Pointer) error

	// EcallReports is ECALL 20:
	//
	//	public void ecall_reports([in, count=n] const sgx_report_t* in_reports, [out, count=n] sgx_report_t* out_reports, size_t n);
	EcallReports(ctx context.Context, inReports []isa.Report) (outReports []isa.Report, err error)

	// EcallIsptr is ECALL 21:
	//
	//	public void ecall_isptr([in, isptr, size=n] buffer_t p, size_t n, [in, isptr, readonly] cptr_t c, [user_check, isptr] buffer_t u);
	EcallIsptr(ctx context.Context, p []byte, c *CptrT, u edge.Pointer) error

	// EcallIsary is ECALL 22:
	//
	//	public void ecall_isary([in, out, isary] ary_t a, [in, isary] ary_t b);
	EcallIsary(ctx context.Context, a, b *AryT) error

	// EcallString is ECALL 23:
	//
	//	public size_t ecall_string([in, string] const char* s);
	EcallString(ctx context.Context, s string) (ret uint64, err error)

	// EcallUpper is ECALL 24:
	//
	//	public void ecall_upper([in, out, string] char* s);
	EcallUpper(ctx context.Context, s string) (sOut string, err error)

	// EcallWide is ECALL 25:
	//
	//	public size_t ecall_wide([in, wstring] const wchar_t* s);
	EcallWide(ctx context.Context, s string) (ret uint64, err error)

	// EcallWideUpper is ECALL 26:
	//
	//	public void ecall_wide_upper([in, out, wstring] wchar_t* s);
	EcallWideUpper(ctx context.Context, s string) (sOut string, err error)

	// EcallDeep is ECALL 27:
	//
	//	public int64_t ecall_deep([in] const struct list* l);
	EcallDeep(ctx context.Context, l *List) (ret int64, err error)

	// EcallDeepChange is ECALL 28:
	//
	//	public void ecall_deep_change([in, out] struct list* l, [in, out, count=n] struct list* many, size_t n);
	EcallDeepChange(ctx context.Context, l *List, many []List) error

	// EcallDeepRaw is ECALL 29:
	//
	//	public void ecall_deep_raw([in, out] struct list pair[2]);
	EcallDeepRaw(ctx context.Context, pair *[2]ListRaw) error

	// EcallPrivate is ECALL 30:
	//
	//	void ecall_private();
	EcallPrivate(ctx context.Context) error

	// EcallNested is ECALL 31:
	//
	//	int ecall_nested(int depth);
	EcallNested(ctx context.Context, depth int32) (ret int32, err error)

	// EcallStart is ECALL 32:
	//
	//	public int ecall_start(int depth);
	EcallStart(ctx context.Context, depth int32) (ret int32, err error)

	// EcallSwitchless is ECALL 33:
	//
	//	public void ecall_switchless() transition_using_threads;
	EcallSwitchless(ctx context.Context) error

	// EcallRunOcalls is ECALL 34:
	//
	//	public void ecall_run_ocalls();
	EcallRunOcalls(ctx context.Context) error

	// Type is ECALL 35:
	//
	//	public int type(int func, int err, int ctx, int f, int len, [out] int* range);
	Type(ctx context.Context, func_, err_, ctx_, f_, len_ int32) (ret, range_ int32, err error)

	// Close2 is ECALL 36:
	//
	//	public void close();
	Close2(ctx context.Context) error

	// Type2 is ECALL 37:
	//
	//	public void Type();
	Type2(ctx context.Context) error
}

// WideOCalls are the functions that the enclave calls outside: what
// the host implements. The context is that of the OCALL: an ECALL made with it
// is nested. The status of an error is what the enclave sees.
type WideOCalls interface {
	// OcallNothing is OCALL 0:
	//
	//	void ocall_nothing();
	OcallNothing(ctx context.Context) error

	// OcallSum is OCALL 1:
	//
	//	int ocall_sum(int a, int b) propagate_errno;
	OcallSum(ctx context.Context, a, b int32) (ret, errno int32, err error)

	// OcallStructs is OCALL 2:
	//
	//	struct nest ocall_structs(struct point p, union word w, enum color c, struct nest n);
	OcallStructs(ctx context.Context, p Point, w Word, c Color, n Nest) (ret Nest, err error)

	// OcallBuffers is OCALL 3:
	//
	//	size_t ocall_buffers([in, size=n] const void* p, size_t n, [out, size=m] void* q, size_t m, [in, out, count=2] int32_t* z, [out] int64_t* one, [in, out, count=k] struct point* pts, uint32_t k);
	OcallBuffers(ctx context.Context, p []byte, m uint64, z *[2]int32, pts []Point) (ret uint64, q []byte, one int64, err error)

	// OcallArrays is OCALL 4:
	//
	//	void ocall_arrays([in] int32_t a[4], [out] int32_t b[4], [in, out] struct point c[2]);
	OcallArrays(ctx context.Context, a *[4]int32, c *[2]Point) (b [4]int32, err error)

	// OcallPrint is OCALL 5:
	//
	//	void ocall_print([in, string] const char* s);
	OcallPrint(ctx context.Context, s string) error

	// OcallUpper is OCALL 6:
	//
	//	void ocall_upper([in, out, string] char* s, [in, wstring] const wchar_t* w, [in, out, wstring] wchar_t* x);
	OcallUpper(ctx context.Context, s, w, x string) (sOut, xOut string, err error)

	// OcallDeep is OCALL 7:
	//
	//	void ocall_deep([in] const struct list* l, [in, out, count=n] struct list* many, size_t n);
	OcallDeep(ctx context.Context, l *List, many []List) error

	// OcallNest is OCALL 8:
	//
	//	int ocall_nest(int depth) allow(ecall_nested, ecall_sum);
	OcallNest(ctx context.Context, depth int32) (ret int32, err error)

	// Write is OCALL 9:
	//
	//	[cdecl, dllimport] long write(int fd, [in, size=n] const void* p, size_t n) propagate_errno transition_using_threads;
	Write(ctx context.Context, fd int32, p []byte) (ret int64, errno int32, err error)

	// OcallPointer is OCALL 10:
	//
	//	void* ocall_pointer([user_check] void* p);
	OcallPointer(ctx context.Context, p edge.Pointer) (ret edge.Pointer, err error)

	// OcallFail is OCALL 11:
	//
	//	int ocall_fail(int how);
	OcallFail(ctx context.Context, how int32) (ret int32, err error)
}

// UnimplementedWideOCalls serves no OCALL. Embedded in what serves some, it
// answers the others with SGX_ERROR_INVALID_FUNCTION.
type UnimplementedWideOCalls struct{}

var _ WideOCalls = UnimplementedWideOCalls{}

// OcallNothing fails.
func (UnimplementedWideOCalls) OcallNothing(ctx context.Context) error {
	return edge.Unserved("ocall_nothing")
}

// OcallSum fails.
func (UnimplementedWideOCalls) OcallSum(ctx context.Context, a, b int32) (ret, errno int32, err error) {
	err = edge.Unserved("ocall_sum")
	return
}

// OcallStructs fails.
func (UnimplementedWideOCalls) OcallStructs(ctx context.Context, p Point, w Word, c Color, n Nest) (ret Nest, err error) {
	err = edge.Unserved("ocall_structs")
	return
}

// OcallBuffers fails.
func (UnimplementedWideOCalls) OcallBuffers(ctx context.Context, p []byte, m uint64, z *[2]int32, pts []Point) (ret uint64, q []byte, one int64, err error) {
	err = edge.Unserved("ocall_buffers")
	return
}

// OcallArrays fails.
func (UnimplementedWideOCalls) OcallArrays(ctx context.Context, a *[4]int32, c *[2]Point) (b [4]int32, err error) {
	err = edge.Unserved("ocall_arrays")
	return
}

// OcallPrint fails.
func (UnimplementedWideOCalls) OcallPrint(ctx context.Context, s string) error {
	return edge.Unserved("ocall_print")
}

// OcallUpper fails.
func (UnimplementedWideOCalls) OcallUpper(ctx context.Context, s, w, x string) (sOut, xOut string, err error) {
	err = edge.Unserved("ocall_upper")
	return
}

// OcallDeep fails.
func (UnimplementedWideOCalls) OcallDeep(ctx context.Context, l *List, many []List) error {
	return edge.Unserved("ocall_deep")
}

// OcallNest fails.
func (UnimplementedWideOCalls) OcallNest(ctx context.Context, depth int32) (ret int32, err error) {
	err = edge.Unserved("ocall_nest")
	return
}

// Write fails.
func (UnimplementedWideOCalls) Write(ctx context.Context, fd int32, p []byte) (ret int64, errno int32, err error) {
	err = edge.Unserved("write")
	return
}

// OcallPointer fails.
func (UnimplementedWideOCalls) OcallPointer(ctx context.Context, p edge.Pointer) (ret edge.Pointer, err error) {
	err = edge.Unserved("ocall_pointer")
	return
}

// OcallFail fails.
func (UnimplementedWideOCalls) OcallFail(ctx context.Context, how int32) (ret int32, err error) {
	err = edge.Unserved("ocall_fail")
	return
}
