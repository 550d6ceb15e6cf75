// Package leaf has what the system enclaves ask of the processor that they run
// on, as an interface, so that what they do is tested without one.
package leaf

import (
	"github.com/feidi-dev/feidi/inside"
	"github.com/feidi-dev/feidi/isa"
)

// Processor has the user leaves of SGX. It may be used concurrently.
type Processor interface {
	// Report makes a REPORT with 64 bytes of data that target can verify, or
	// nobody if it is nil (EREPORT).
	Report(target *isa.TargetInfo, data [64]byte) (*isa.Report, error)
	// Key derives a key (EGETKEY).
	Key(request *isa.KeyRequest) ([isa.KeySize]byte, error)
	// VerifyReport checks that a REPORT was made on this processor for the
	// caller.
	VerifyReport(r *isa.Report) error
}

// Inside is the processor that the program runs on. Outside of an enclave its
// methods return [inside.ErrNotEnclosed].
type Inside struct{}

var _ Processor = Inside{}

// Report implements [Processor].
func (Inside) Report(target *isa.TargetInfo, data [64]byte) (*isa.Report, error) {
	return inside.Report(target, data)
}

// Key implements [Processor].
func (Inside) Key(request *isa.KeyRequest) ([isa.KeySize]byte, error) {
	return inside.GetKey(request)
}

// VerifyReport implements [Processor].
func (Inside) VerifyReport(r *isa.Report) error { return inside.VerifyReport(r) }
