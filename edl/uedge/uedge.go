// Package uedge is what untrusted edge routines are made of: the code that
// packs the arguments of an ECALL into memory outside the enclave and unpacks
// what comes back, and that does the opposite for OCALLs. Clients generated
// from an EDL use it, and so do calls by name.
//
// It speaks to an enclave through the interface Enclave, which
// *enclave.Enclave and *enclave.Thread implement. A Client keeps Frames for
// calls: an ECALL is made with one, and its OCALLs are served with it. How
// values are packed is the business of package edge.
//
// Lock: Client.mu guards the list of frames, and is not held during a call.
package uedge

import (
	"context"

	"github.com/feidi-dev/feidi/status"
)

// Enclave is an enclave that can be called.
type Enclave interface {
	// CallAt makes ECALL index with the marshalling structure at address ms,
	// in memory from Outside (0 for none). OCALLs that it makes are served by
	// table; one that table lacks is served as the enclave's loader said. A
	// status other than SGX_SUCCESS is returned as a status.Code.
	//
	// If ctx is that of an OCALL of this enclave, the ECALL is nested: it
	// runs on the thread that made the OCALL.
	CallAt(ctx context.Context, index int, ms uint64, table Table) error
	// Outside returns size bytes of zeroed memory outside the enclave, which
	// does not move.
	Outside(size int) (Memory, error)
}

// Memory is memory outside an enclave, which the enclave may be told of and
// may change at any time.
type Memory interface {
	// Addr is the address that the enclave knows the memory by.
	Addr() uint64
	// Bytes is the memory itself.
	Bytes() []byte
	// Free gives it back. Neither side may use it any more.
	Free()
}

// Table is an OCALL table. An OCALL is made by its index; entries may be nil.
type Table []OCall

// OCall serves one OCALL. Its result becomes the status that the enclave sees.
type OCall func(ctx context.Context, c Call) status.Code

// Call is an OCALL that is being served, valid until OCall returns.
type Call interface {
	// Index is the number of the OCALL.
	Index() int
	// Block is the address of the marshalling structure, 0 for none. It comes
	// from the enclave and is not to be trusted: Bytes checks it.
	Block() uint64
	// Bytes returns the n bytes of untrusted memory at addr, aliased. It fails
	// if they do not lie wholly in memory that the enclave was given.
	Bytes(addr uint64, n int) ([]byte, error)
}
