package local

import "github.com/feidi-dev/feidi/isa"

// Enclave is what an exchange needs of the enclave that it runs in. The
// functions of package inside with these names do it.
type Enclave interface {
	// Target returns what another enclave needs to make a REPORT for this one.
	Target() (*isa.TargetInfo, error)

	// Report makes a REPORT of this enclave that the target can verify
	// (EREPORT).
	Report(target *isa.TargetInfo, data [64]byte) (*isa.Report, error)

	// VerifyReport checks that a REPORT was made on this machine for this
	// enclave: its MAC, with the report key.
	VerifyReport(*isa.Report) error
}

// Session is what an exchange gives to each side.
type Session struct {
	// Key is the key that both sides have: the SDK's AEK.
	Key [isa.KeySize]byte

	// Peer is what the processor says of the peer. Its report data are those
	// of the exchange.
	Peer isa.ReportBody

	Version Version

	// Additional are the additional properties of message 3, at the initiator.
	Additional []byte
}

// Version is a version of the exchange.
type Version int

// The versions. The SDK's initiators are LAv1 unless SGX_USE_LAv2_INITIATOR is
// defined; its responders take both, as the one here does.
const (
	LAv1 Version = 1
	LAv2 Version = 2
)

// String returns the SDK's name of the version.
func (v Version) String() string {
	if v == LAv2 {
		return "LAv2"
	}
	return "LAv1"
}
