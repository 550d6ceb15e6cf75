// Package inside is what a Go program imports to use the enclave that it runs
// in: its identity, REPORTs for other enclaves, keys that only it can have,
// data sealed with them, and the functions that its host may call.
//
// A program that imports it runs outside enclaves, too: there [Enclosed] is
// false, and what needs an enclave returns [ErrNotEnclosed]. `feidi build`
// makes an enclave of a program.
//
// Software SGX keeps nothing secret from the machine that runs it. On hardware
// the same calls give what SGX promises.
package inside

import (
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// Errors of this package. They are wrapped with detail.
var (
	// ErrNotEnclosed is returned by all that needs an enclave.
	ErrNotEnclosed = errors.New("inside: the program does not run in an enclave: build it with `feidi build` and start it with `feidi run`")
	// ErrReport is returned for a REPORT that was not made on this machine, or
	// not for this enclave.
	ErrReport = errors.New("inside: the REPORT was not made for this enclave on this machine")
	// ErrKey is returned for a key that the processor refuses to derive. It
	// wraps the processor's isa.ErrorCode.
	ErrKey = errors.New("inside: the processor refuses the key")
)

// Enclosed reports whether the program runs in an enclave.
func Enclosed() bool { return enclosed }

// Identity is what the processor says of the enclave.
type Identity struct {
	MREnclave  [32]byte
	MRSigner   [32]byte
	ISVProdID  uint16
	ISVSVN     uint16
	Attributes isa.Attributes
	MiscSelect isa.MiscSelect
	CPUSVN     [16]byte
	// ConfigID, ConfigSVN and the two below are of enclaves with KSS.
	ConfigID     [64]byte
	ConfigSVN    uint16
	ISVExtProdID [16]byte
	ISVFamilyID  [16]byte
}

// Debug reports whether the host may read and change the enclave by right.
func (i *Identity) Debug() bool { return i.Attributes.Flags&isa.AttrDebug != 0 }

// Self returns the enclave's identity. It fails outside enclaves only.
func Self() (*Identity, error) {
	r, err := selfReport()
	if err != nil {
		return nil, err
	}
	return &Identity{
		MREnclave: r.MREnclave, MRSigner: r.MRSigner, ISVProdID: r.ISVProdID, ISVSVN: r.ISVSVN,
		Attributes: r.Attributes, MiscSelect: r.MiscSelect, CPUSVN: r.CPUSVN,
		ConfigID: r.ConfigID, ConfigSVN: r.ConfigSVN, ISVExtProdID: r.ISVExtProdID, ISVFamilyID: r.ISVFamilyID,
	}, nil
}

// selfReport is a REPORT for nobody.
func selfReport() (*isa.Report, error) { return Report(nil, [64]byte{}) }

// Target returns what another enclave needs to make a REPORT for this one.
func Target() (*isa.TargetInfo, error) {
	r, err := selfReport()
	if err != nil {
		return nil, err
	}
	return &isa.TargetInfo{
		Measurement: r.MREnclave, Attributes: r.Attributes, CETAttributes: r.CETAttributes,
		MiscSelect: r.MiscSelect, ConfigID: r.ConfigID, ConfigSVN: r.ConfigSVN,
	}, nil
}

// keyError words what EGETKEY returned in RAX.
func keyError(rax uint64) error {
	if rax == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrKey, isa.ErrorCode(rax))
}
