// Code generated from hello.edl by feidi. DO NOT EDIT.

// Package edge is the border of an enclave, as hello.edl describes it.
package edge

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
)

// HelloECalls are the functions of the enclave: what it implements,
// and what its client calls.
type HelloECalls interface {
	// EcallHello is ECALL 0:
	//
	//	public int ecall_hello([in, string] const char* name);
	EcallHello(ctx context.Context, name string) (ret int32, err error)
}

// HelloOCalls are the functions that the enclave calls outside: what
// the host implements. The context is that of the OCALL: an ECALL made with it
// is nested. The status of an error is what the enclave sees.
type HelloOCalls interface {
	// OcallPrintString is OCALL 0:
	//
	//	void ocall_print_string([in, string] const char* str);
	OcallPrintString(ctx context.Context, str string) error
}

// UnimplementedHelloOCalls serves no OCALL. Embedded in what serves some, it
// answers the others with SGX_ERROR_INVALID_FUNCTION.
type UnimplementedHelloOCalls struct{}

var _ HelloOCalls = UnimplementedHelloOCalls{}

// OcallPrintString fails.
func (UnimplementedHelloOCalls) OcallPrintString(ctx context.Context, str string) error {
	return edge.Unserved("ocall_print_string")
}
