// Code generated from tstdc.edl by feidi. DO NOT EDIT.

// Package tstdc is the border of an enclave, as tstdc.edl describes it.
package tstdc

import (
	"context"

	"github.com/feidi-dev/feidi/edl/edge"
)

// TstdcECalls are the functions of the enclave: what it implements,
// and what its client calls.
type TstdcECalls interface {
	// EcallUnused is ECALL 0:
	//
	//	public void ecall_unused();
	EcallUnused(ctx context.Context) error
}

// TstdcOCalls are the functions that the enclave calls outside: what
// the host implements. The context is that of the OCALL: an ECALL made with it
// is nested. The status of an error is what the enclave sees.
type TstdcOCalls interface {
	// SgxOcCpuidex is OCALL 0:
	//
	//	void sgx_oc_cpuidex([out] int cpuinfo[4], int leaf, int subleaf);
	SgxOcCpuidex(ctx context.Context, leaf, subleaf int32) (cpuinfo [4]int32, err error)

	// SgxThreadWaitUntrustedEventOcall is OCALL 1:
	//
	//	int sgx_thread_wait_untrusted_event_ocall([user_check] const void* self);
	SgxThreadWaitUntrustedEventOcall(ctx context.Context, self edge.Pointer) (ret int32, err error)

	// SgxThreadSetUntrustedEventOcall is OCALL 2:
	//
	//	int sgx_thread_set_untrusted_event_ocall([user_check] const void* waiter);
	SgxThreadSetUntrustedEventOcall(ctx context.Context, waiter edge.Pointer) (ret int32, err error)

	// SgxThreadSetwaitUntrustedEventsOcall is OCALL 3:
	//
	//	int sgx_thread_setwait_untrusted_events_ocall([user_check] const void* waiter, [user_check] const void* self);
	SgxThreadSetwaitUntrustedEventsOcall(ctx context.Context, waiter, self edge.Pointer) (ret int32, err error)

	// SgxThreadSetMultipleUntrustedEventsOcall is OCALL 4:
	//
	//	int sgx_thread_set_multiple_untrusted_events_ocall([in, count=total] const void** waiters, size_t total);
	SgxThreadSetMultipleUntrustedEventsOcall(ctx context.Context, waiters []edge.Pointer) (ret int32, err error)
}

// UnimplementedTstdcOCalls serves no OCALL. Embedded in what serves some, it
// answers the others with SGX_ERROR_INVALID_FUNCTION.
type UnimplementedTstdcOCalls struct{}

var _ TstdcOCalls = UnimplementedTstdcOCalls{}

// SgxOcCpuidex fails.
func (UnimplementedTstdcOCalls) SgxOcCpuidex(ctx context.Context, leaf, subleaf int32) (cpuinfo [4]int32, err error) {
	err = edge.Unserved("sgx_oc_cpuidex")
	return
}

// SgxThreadWaitUntrustedEventOcall fails.
func (UnimplementedTstdcOCalls) SgxThreadWaitUntrustedEventOcall(ctx context.Context, self edge.Pointer) (ret int32, err error) {
	err = edge.Unserved("sgx_thread_wait_untrusted_event_ocall")
	return
}

// SgxThreadSetUntrustedEventOcall fails.
func (UnimplementedTstdcOCalls) SgxThreadSetUntrustedEventOcall(ctx context.Context, waiter edge.Pointer) (ret int32, err error) {
	err = edge.Unserved("sgx_thread_set_untrusted_event_ocall")
	return
}

// SgxThreadSetwaitUntrustedEventsOcall fails.
func (UnimplementedTstdcOCalls) SgxThreadSetwaitUntrustedEventsOcall(ctx context.Context, waiter, self edge.Pointer) (ret int32, err error) {
	err = edge.Unserved("sgx_thread_setwait_untrusted_events_ocall")
	return
}

// SgxThreadSetMultipleUntrustedEventsOcall fails.
func (UnimplementedTstdcOCalls) SgxThreadSetMultipleUntrustedEventsOcall(ctx context.Context, waiters []edge.Pointer) (ret int32, err error) {
	err = edge.Unserved("sgx_thread_set_multiple_untrusted_events_ocall")
	return
}
