// Code generated from toy.edl by feidi. DO NOT EDIT.

package toy

import (
	"bytes"
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
	"github.com/feidi-dev/feidi/edl/uedge"
)

// Toy calls an enclave. It may be used concurrently, if the enclave may.
type Toy struct{ client *uedge.Client }

var _ ToyECalls = (*Toy)(nil)

// NewToy returns a client of e, which may be an enclave or one of its threads.
// OCALLs of its calls are served by ocalls; if that is nil, as the loader of the
// enclave said.
func NewToy(e uedge.Enclave, ocalls ToyOCalls) *Toy {
	if ocalls == nil {
		return &Toy{uedge.NewClient(e)}
	}
	s := toyOCallServer{ocalls}
	return &Toy{uedge.NewClient(e,
		uedge.Server{Name: "ocall_print", Size: 8, Serve: s.ocallPrint},
		uedge.Server{Name: "ocall_ask", Size: 16, Serve: s.ocallAsk},
	)}
}

// Close gives the untrusted memory of the client back.
func (x *Toy) Close() { x.client.Close() }

// Empty makes ECALL 0:
//
//	public void empty();
func (x *Toy) Empty(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 0)
}

// RawAdd makes ECALL 1:
//
//	public void raw_add(uint64_t a, uint64_t b, uint64_t sum);
func (x *Toy) RawAdd(ctx context.Context, a, b, sum uint64) error {
	f := x.client.Frame(24)
	defer f.Free()
	f.PutU64(0, a)
	f.PutU64(8, b)
	f.PutU64(16, sum)
	return f.Call(ctx, 1)
}

// RawSum makes ECALL 2:
//
//	public void raw_sum([in, size=n] const uint8_t* p, size_t n, uint64_t sum);
func (x *Toy) RawSum(ctx context.Context, p []byte, sum uint64) error {
	f := x.client.Frame(24)
	defer f.Free()
	n := uint64(len(p))
	copy(f.In(0, len(p)).Block, p)
	f.PutU64(8, n)
	f.PutU64(16, sum)
	return f.Call(ctx, 2)
}

// Report makes ECALL 3:
//
//	public void report([in, size=512] const void* target_info, [in, size=64] const void* report_data, [out, size=432] void* report);
func (x *Toy) Report(ctx context.Context, targetInfo *[512]byte, reportData *[64]byte) (report [432]byte, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	if targetInfo != nil {
		copy(f.In(0, 512).Block, targetInfo[:])
	}
	if reportData != nil {
		copy(f.In(8, 64).Block, reportData[:])
	}
	reportBuf := f.Out(16, 432)
	if err = f.Call(ctx, 3); err != nil {
		return
	}
	copy(report[:], f.Back(reportBuf))
	return
}

// RawVerifyReport makes ECALL 4:
//
//	public void raw_verify_report([in, size=432] const void* report, uint64_t valid, uint64_t key_error);
func (x *Toy) RawVerifyReport(ctx context.Context, report *[432]byte, valid, keyError uint64) error {
	f := x.client.Frame(24)
	defer f.Free()
	if report != nil {
		copy(f.In(0, 432).Block, report[:])
	}
	f.PutU64(8, valid)
	f.PutU64(16, keyError)
	return f.Call(ctx, 4)
}

// GetKey makes ECALL 5:
//
//	public void get_key([in, size=512] const void* request, [out, size=16] void* key, uint64_t error);
func (x *Toy) GetKey(ctx context.Context, request *[512]byte, error_ uint64) (key [16]byte, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	if request != nil {
		copy(f.In(0, 512).Block, request[:])
	}
	keyBuf := f.Out(8, 16)
	f.PutU64(16, error_)
	if err = f.Call(ctx, 5); err != nil {
		return
	}
	copy(key[:], f.Back(keyBuf))
	return
}

// RawOcall makes ECALL 6:
//
//	public void raw_ocall(uint64_t index, [user_check] void* block, uint64_t value, uint64_t status, uint64_t result);
func (x *Toy) RawOcall(ctx context.Context, index uint64, block edge.Pointer, value, status_, result uint64) error {
	f := x.client.Frame(40)
	defer f.Free()
	f.PutU64(0, index)
	f.PutU64(8, block)
	f.PutU64(16, value)
	f.PutU64(24, status_)
	f.PutU64(32, result)
	return f.Call(ctx, 6)
}

// RawOcallLoop makes ECALL 7:
//
//	public void raw_ocall_loop(uint64_t index, [user_check] void* block, uint64_t n, uint64_t done, uint64_t status);
func (x *Toy) RawOcallLoop(ctx context.Context, index uint64, block edge.Pointer, n, done, status_ uint64) error {
	f := x.client.Frame(40)
	defer f.Free()
	f.PutU64(0, index)
	f.PutU64(8, block)
	f.PutU64(16, n)
	f.PutU64(24, done)
	f.PutU64(32, status_)
	return f.Call(ctx, 7)
}

// Spin makes ECALL 8:
//
//	public void spin();
func (x *Toy) Spin(ctx context.Context) error {
	f := x.client.Frame(0)
	defer f.Free()
	return f.Call(ctx, 8)
}

// Wait makes ECALL 9:
//
//	public void wait([user_check] uint64_t* until);
func (x *Toy) Wait(ctx context.Context, until edge.Pointer) error {
	f := x.client.Frame(8)
	defer f.Free()
	f.PutU64(0, until)
	return f.Call(ctx, 9)
}

// RawCompute makes ECALL 10:
//
//	public void raw_compute(uint64_t n, uint64_t result);
func (x *Toy) RawCompute(ctx context.Context, n, result uint64) error {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(0, n)
	f.PutU64(8, result)
	return f.Call(ctx, 10)
}

// Fault makes ECALL 11:
//
//	public void fault(uint64_t armed, uint64_t faulted, uint64_t info, uint64_t rip, uint64_t maddr, uint64_t errcd, uint64_t kind, [user_check] void* arg, uint64_t value);
func (x *Toy) Fault(ctx context.Context, armed, faulted, info, rip, maddr, errcd, kind uint64, arg edge.Pointer, value uint64) error {
	f := x.client.Frame(72)
	defer f.Free()
	f.PutU64(0, armed)
	f.PutU64(8, faulted)
	f.PutU64(16, info)
	f.PutU64(24, rip)
	f.PutU64(32, maddr)
	f.PutU64(40, errcd)
	f.PutU64(48, kind)
	f.PutU64(56, arg)
	f.PutU64(64, value)
	return f.Call(ctx, 11)
}

// RawPeek makes ECALL 12:
//
//	public void raw_peek([user_check] void* addr, uint64_t value);
func (x *Toy) RawPeek(ctx context.Context, addr edge.Pointer, value uint64) error {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(0, addr)
	f.PutU64(8, value)
	return f.Call(ctx, 12)
}

// Poke makes ECALL 13:
//
//	public void poke([user_check] void* addr, uint64_t value);
func (x *Toy) Poke(ctx context.Context, addr edge.Pointer, value uint64) error {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(0, addr)
	f.PutU64(8, value)
	return f.Call(ctx, 13)
}

// Copy makes ECALL 14:
//
//	public void copy([out, size=n] void* dst, [in, size=n] const void* src, size_t n);
func (x *Toy) Copy(ctx context.Context, src []byte) (dst []byte, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	n := uint64(len(src))
	dstBuf := f.Out(0, n)
	copy(f.In(8, len(src)).Block, src)
	f.PutU64(16, n)
	if err = f.Call(ctx, 14); err != nil {
		return
	}
	dst = bytes.Clone(f.Back(dstBuf))
	return
}

// RawEnclu makes ECALL 15:
//
//	public void raw_enclu(uint64_t armed, uint64_t faulted, uint64_t info, uint64_t rip, uint64_t maddr, uint64_t errcd, uint64_t rax, uint64_t rbx, uint64_t rcx, uint64_t rdx, uint64_t rflags);
func (x *Toy) RawEnclu(ctx context.Context, armed, faulted, info, rip, maddr, errcd, rax, rbx, rcx, rdx, rflags uint64) error {
	f := x.client.Frame(88)
	defer f.Free()
	f.PutU64(0, armed)
	f.PutU64(8, faulted)
	f.PutU64(16, info)
	f.PutU64(24, rip)
	f.PutU64(32, maddr)
	f.PutU64(40, errcd)
	f.PutU64(48, rax)
	f.PutU64(56, rbx)
	f.PutU64(64, rcx)
	f.PutU64(72, rdx)
	f.PutU64(80, rflags)
	return f.Call(ctx, 15)
}

// RawInfo makes ECALL 16:
//
//	public void raw_info(uint64_t base, uint64_t scratch, uint64_t scratch_size, uint64_t heap, uint64_t heap_size, uint64_t tcs, uint64_t ssa, uint64_t stack_top, uint64_t init_arg);
func (x *Toy) RawInfo(ctx context.Context, base, scratch, scratchSize, heap, heapSize, tcs, ssa, stackTop, initArg uint64) error {
	f := x.client.Frame(72)
	defer f.Free()
	f.PutU64(0, base)
	f.PutU64(8, scratch)
	f.PutU64(16, scratchSize)
	f.PutU64(24, heap)
	f.PutU64(32, heapSize)
	f.PutU64(40, tcs)
	f.PutU64(48, ssa)
	f.PutU64(56, stackTop)
	f.PutU64(64, initArg)
	return f.Call(ctx, 16)
}

// RawTls makes ECALL 17:
//
//	public void raw_tls(uint64_t fs_base, uint64_t gs_base, uint64_t self);
func (x *Toy) RawTls(ctx context.Context, fsBase, gsBase, self uint64) error {
	f := x.client.Frame(24)
	defer f.Free()
	f.PutU64(0, fsBase)
	f.PutU64(8, gsBase)
	f.PutU64(16, self)
	return f.Call(ctx, 17)
}

// RawXmmHold makes ECALL 18:
//
//	public void raw_xmm_hold(uint64_t n, uint64_t lost);
func (x *Toy) RawXmmHold(ctx context.Context, n, lost uint64) error {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(0, n)
	f.PutU64(8, lost)
	return f.Call(ctx, 18)
}

// RawYmmHold makes ECALL 19:
//
//	public void raw_ymm_hold(uint64_t n, uint64_t lost);
func (x *Toy) RawYmmHold(ctx context.Context, n, lost uint64) error {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(0, n)
	f.PutU64(8, lost)
	return f.Call(ctx, 19)
}

// RawGprHold makes ECALL 20:
//
//	public void raw_gpr_hold(uint64_t n, uint64_t lost);
func (x *Toy) RawGprHold(ctx context.Context, n, lost uint64) error {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(0, n)
	f.PutU64(8, lost)
	return f.Call(ctx, 20)
}

// Add makes ECALL 21:
//
//	public uint64_t add(uint64_t a, uint64_t b);
func (x *Toy) Add(ctx context.Context, a, b uint64) (ret uint64, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	f.PutU64(8, a)
	f.PutU64(16, b)
	if err = f.Call(ctx, 21); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// Sum makes ECALL 22:
//
//	public uint64_t sum([in, size=n] const uint8_t* p, size_t n);
func (x *Toy) Sum(ctx context.Context, p []byte) (ret uint64, err error) {
	f := x.client.Frame(24)
	defer f.Free()
	n := uint64(len(p))
	copy(f.In(8, len(p)).Block, p)
	f.PutU64(16, n)
	if err = f.Call(ctx, 22); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// Print makes ECALL 23:
//
//	public void print([in, string] const char* s);
func (x *Toy) Print(ctx context.Context, s string) error {
	f := x.client.Frame(16)
	defer f.Free()
	f.Text("s", 0, s)
	f.PutU64(8, uint64(edge.TextSize(s)))
	return f.Call(ctx, 23)
}

// Ask makes ECALL 24:
//
//	public uint64_t ask(uint64_t v);
func (x *Toy) Ask(ctx context.Context, v uint64) (ret uint64, err error) {
	f := x.client.Frame(16)
	defer f.Free()
	f.PutU64(8, v)
	if err = f.Call(ctx, 24); err != nil {
		return
	}
	ret = f.U64(0)
	return
}

// toyOCallServer unpacks OCALLs.
type toyOCallServer struct{ impl ToyOCalls }

func (srv toyOCallServer) ocallPrint(ctx context.Context, f *edge.Callee) error {
	sBuf := f.Terminated(0, 1)
	s := sBuf.Text()
	if err := f.Err(); err != nil {
		return err
	}
	return srv.impl.OcallPrint(ctx, s)
}

func (srv toyOCallServer) ocallAsk(ctx context.Context, f *edge.Callee) error {
	v := f.U64(8)
	ret, err := srv.impl.OcallAsk(ctx, v)
	if err != nil {
		return err
	}
	f.PutU64(0, ret)
	f.Return(8)
	return f.Err()
}
