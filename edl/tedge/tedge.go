// Package tedge is what trusted edge routines are made of: the code inside an
// enclave that checks and copies the arguments of an ECALL before the function
// sees them, and that passes OCALLs out. Go code generated from an EDL for the
// trusted side uses it.
//
// Untrusted memory is reached through a Gate only, so that every byte of it
// is checked to be outside, and read once. The runtime of an enclave implements
// Gate and passes ECALLs to Table.Dispatch; the context that the functions get
// leads their OCALLs back to the gate. How values are packed is the business of
// package edge.
package tedge

import "github.com/feidi-dev/feidi/status"

// Gate is an enclave's way to the memory outside and to the host.
type Gate interface {
	// Outside reports whether the n bytes at addr lie wholly outside the
	// enclave. It is false if they wrap around. n is not 0.
	Outside(addr, n uint64) bool
	// Load copies untrusted memory into dst, and Store copies src to it. The
	// caller has checked the range with Outside; the gate sees to it that no
	// speculation runs ahead of that check.
	Load(dst []byte, addr uint64)
	Store(addr uint64, src []byte)
	// Alloc takes n bytes of untrusted memory, aligned to 16, from the stack
	// of the host thread (sgx_ocalloc); all that was taken since the ECALL
	// began, or since the Alloc of an outer OCALL, is given back by Free
	// (sgx_ocfree). The memory is outside, by the gate's own check.
	Alloc(n uint64) (addr uint64, err error)
	Free()
	// OCall leaves the enclave for OCALL index with the marshalling structure
	// at ms, and returns the status of the host.
	OCall(index int, ms uint64) status.Code
}
