// Code generated from calls.edl by feidi. DO NOT EDIT.

// Package calls is the border of an enclave, as calls.edl describes it.
package calls

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
)

// CallsECalls are the functions of the enclave: what it implements,
// and what its client calls.
type CallsECalls interface {
	// Empty is ECALL 0:
	//
	//	public void empty();
	Empty(ctx context.Context) error

	// Add is ECALL 1:
	//
	//	public uint64_t add(uint64_t a, uint64_t b);
	Add(ctx context.Context, a, b uint64) (ret uint64, err error)

	// Flip is ECALL 2:
	//
	//	public void flip([in, size=n] const uint8_t* src, [out, size=n] uint8_t* dst, size_t n);
	Flip(ctx context.Context, src []byte) (dst []byte, err error)

	// Forward is ECALL 3:
	//
	//	public uint64_t forward(uint64_t v);
	Forward(ctx context.Context, v uint64) (ret uint64, err error)

	// Nest is ECALL 4:
	//
	//	public uint64_t nest(uint64_t depth);
	Nest(ctx context.Context, depth uint64) (ret uint64, err error)

	// Fall is ECALL 5:
	//
	//	public void fall([in, string] const char* why);
	Fall(ctx context.Context, why string) error

	// Leave is ECALL 6:
	//
	//	public void leave(int code);
	Leave(ctx context.Context, code int32) error

	// Deeper is ECALL 7:
	//
	//	uint64_t deeper(uint64_t depth);
	Deeper(ctx context.Context, depth uint64) (ret uint64, err error)
}

// CallsOCalls are the functions that the enclave calls outside: what
// the host implements. The context is that of the OCALL: an ECALL made with it
// is nested. The status of an error is what the enclave sees.
type CallsOCalls interface {
	// Ask is OCALL 0:
	//
	//	uint64_t ask(uint64_t v);
	Ask(ctx context.Context, v uint64) (ret uint64, err error)

	// Descend is OCALL 1:
	//
	//	uint64_t descend(uint64_t depth) allow(deeper);
	Descend(ctx context.Context, depth uint64) (ret uint64, err error)
}

// UnimplementedCallsOCalls serves no OCALL. Embedded in what serves some, it
// answers the others with SGX_ERROR_INVALID_FUNCTION.
type UnimplementedCallsOCalls struct{}

var _ CallsOCalls = UnimplementedCallsOCalls{}

// Ask fails.
func (UnimplementedCallsOCalls) Ask(ctx context.Context, v uint64) (ret uint64, err error) {
	err = edge.Unserved("ask")
	return
}

// Descend fails.
func (UnimplementedCallsOCalls) Descend(ctx context.Context, depth uint64) (ret uint64, err error) {
	err = edge.Unserved("descend")
	return
}
