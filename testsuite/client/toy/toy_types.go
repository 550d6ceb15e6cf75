// Code generated from toy.edl by feidi. DO NOT EDIT.

// Package toy is the border of an enclave, as toy.edl describes it.
package toy

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
)

// ToyECalls are the functions of the enclave: what it implements,
// and what its client calls.
type ToyECalls interface {
	// Empty is ECALL 0:
	//
	//	public void empty();
	Empty(ctx context.Context) error

	// RawAdd is ECALL 1:
	//
	//	public void raw_add(uint64_t a, uint64_t b, uint64_t sum);
	RawAdd(ctx context.Context, a, b, sum uint64) error

	// RawSum is ECALL 2:
	//
	//	public void raw_sum([in, size=n] const uint8_t* p, size_t n, uint64_t sum);
	RawSum(ctx context.Context, p []byte, sum uint64) error

	// Report is ECALL 3:
	//
	//	public void report([in, size=512] const void* target_info, [in, size=64] const void* report_data, [out, size=432] void* report);
	Report(ctx context.Context, targetInfo *[512]byte, reportData *[64]byte) (report [432]byte, err error)

	// RawVerifyReport is ECALL 4:
	//
	//	public void raw_verify_report([in, size=432] const void* report, uint64_t valid, uint64_t key_error);
	RawVerifyReport(ctx context.Context, report *[432]byte, valid, keyError uint64) error

	// GetKey is ECALL 5:
	//
	//	public void get_key([in, size=512] const void* request, [out, size=16] void* key, uint64_t error);
	GetKey(ctx context.Context, request *[512]byte, error_ uint64) (key [16]byte, err error)

	// RawOcall is ECALL 6:
	//
	//	public void raw_ocall(uint64_t index, [user_check] void* block, uint64_t value, uint64_t status, uint64_t result);
	RawOcall(ctx context.Context, index uint64, block edge.Pointer, value, status_, result uint64) error

	// RawOcallLoop is ECALL 7:
	//
	//	public void raw_ocall_loop(uint64_t index, [user_check] void* block, uint64_t n, uint64_t done, uint64_t status);
	RawOcallLoop(ctx context.Context, index uint64, block edge.Pointer, n, done, status_ uint64) error

	// Spin is ECALL 8:
	//
	//	public void spin();
	Spin(ctx context.Context) error

	// Wait is ECALL 9:
	//
	//	public void wait([user_check] uint64_t* until);
	Wait(ctx context.Context, until edge.Pointer) error

	// RawCompute is ECALL 10:
	//
	//	public void raw_compute(uint64_t n, uint64_t result);
	RawCompute(ctx context.Context, n, result uint64) error

	// Fault is ECALL 11:
	//
	//	public void fault(uint64_t armed, uint64_t faulted, uint64_t info, uint64_t rip, uint64_t maddr, uint64_t errcd, uint64_t kind, [user_check] void* arg, uint64_t value);
	Fault(ctx context.Context, armed, faulted, info, rip, maddr, errcd, kind uint64, arg edge.Pointer, value uint64) error

	// RawPeek is ECALL 12:
	//
	//	public void raw_peek([user_check] void* addr, uint64_t value);
	RawPeek(ctx context.Context, addr edge.Pointer, value uint64) error

	// Poke is ECALL 13:
	//
	//	public void poke([user_check] void* addr, uint64_t value);
	Poke(ctx context.Context, addr edge.Pointer, value uint64) error

	// Copy is ECALL 14:
	//
	//	public void copy([out, size=n] void* dst, [in, size=n] const void* src, size_t n);
	Copy(ctx context.Context, src []byte) (dst []byte, err error)

	// RawEnclu is ECALL 15:
	//
	//	public void raw_enclu(uint64_t armed, uint64_t faulted, uint64_t info, uint64_t rip, uint64_t maddr, uint64_t errcd, uint64_t rax, uint64_t rbx, uint64_t rcx, uint64_t rdx, uint64_t rflags);
	RawEnclu(ctx context.Context, armed, faulted, info, rip, maddr, errcd, rax, rbx, rcx, rdx, rflags uint64) error

	// RawInfo is ECALL 16:
	//
	//	public void raw_info(uint64_t base, uint64_t scratch, uint64_t scratch_size, uint64_t heap, uint64_t heap_size, uint64_t tcs, uint64_t ssa, uint64_t stack_top, uint64_t init_arg);
	RawInfo(ctx context.Context, base, scratch, scratchSize, heap, heapSize, tcs, ssa, stackTop, initArg uint64) error

	// RawTls is ECALL 17:
	//
	//	public void raw_tls(uint64_t fs_base, uint64_t gs_base, uint64_t self);
	RawTls(ctx context.Context, fsBase, gsBase, self uint64) error

	// RawXmmHold is ECALL 18:
	//
	//	public void raw_xmm_hold(uint64_t n, uint64_t lost);
	RawXmmHold(ctx context.Context, n, lost uint64) error

	// RawYmmHold is ECALL 19:
	//
	//	public void raw_ymm_hold(uint64_t n, uint64_t lost);
	RawYmmHold(ctx context.Context, n, lost uint64) error

	// RawGprHold is ECALL 20:
	//
	//	public void raw_gpr_hold(uint64_t n, uint64_t lost);
	RawGprHold(ctx context.Context, n, lost uint64) error

	// Add is ECALL 21:
	//
	//	public uint64_t add(uint64_t a, uint64_t b);
	Add(ctx context.Context, a, b uint64) (ret uint64, err error)

	// Sum is ECALL 22:
	//
	//	public uint64_t sum([in, size=n] const uint8_t* p, size_t n);
	Sum(ctx context.Context, p []byte) (ret uint64, err error)

	// Print is ECALL 23:
	//
	//	public void print([in, string] const char* s);
	Print(ctx context.Context, s string) error

	// Ask is ECALL 24:
	//
	//	public uint64_t ask(uint64_t v);
	Ask(ctx context.Context, v uint64) (ret uint64, err error)
}

// ToyOCalls are the functions that the enclave calls outside: what
// the host implements. The context is that of the OCALL: an ECALL made with it
// is nested. The status of an error is what the enclave sees.
type ToyOCalls interface {
	// OcallPrint is OCALL 0:
	//
	//	void ocall_print([in, string] const char* s);
	OcallPrint(ctx context.Context, s string) error

	// OcallAsk is OCALL 1:
	//
	//	uint64_t ocall_ask(uint64_t v);
	OcallAsk(ctx context.Context, v uint64) (ret uint64, err error)
}

// UnimplementedToyOCalls serves no OCALL. Embedded in what serves some, it
// answers the others with SGX_ERROR_INVALID_FUNCTION.
type UnimplementedToyOCalls struct{}

var _ ToyOCalls = UnimplementedToyOCalls{}

// OcallPrint fails.
func (UnimplementedToyOCalls) OcallPrint(ctx context.Context, s string) error {
	return edge.Unserved("ocall_print")
}

// OcallAsk fails.
func (UnimplementedToyOCalls) OcallAsk(ctx context.Context, v uint64) (ret uint64, err error) {
	err = edge.Unserved("ocall_ask")
	return
}
