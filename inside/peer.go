package inside

import "github.com/feidi-dev/feidi/isa"

// Enclave is the enclave that the program runs in, as a value: for functions that
// take an interface of what this package does. It is a local.Enclave of package
// attest/local, so that two enclaves of a machine may agree on a key:
//
//	i := local.NewInitiator(inside.Enclave{}, local.LAv2)
//
// For package attest/sigma, and so for a service elsewhere, Quote is enough.
type Enclave struct{}

// Target is the function of that name.
func (Enclave) Target() (*isa.TargetInfo, error) { return Target() }

// Report is the function of that name.
func (Enclave) Report(target *isa.TargetInfo, data [64]byte) (*isa.Report, error) {
	return Report(target, data)
}

// VerifyReport is the function of that name.
func (Enclave) VerifyReport(r *isa.Report) error { return VerifyReport(r) }

// Key is the function of that name.
func (Enclave) Key(policy isa.KeyPolicy) ([isa.KeySize]byte, error) { return Key(policy) }
