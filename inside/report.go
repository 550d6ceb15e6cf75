package inside

import (
	"crypto/subtle"

	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// macSize is the number of leading bytes of a REPORT that its MAC covers.
const macSize = 384

// Report makes a REPORT with 64 bytes of data that target can verify
// (EREPORT). With a nil target nobody can.
func Report(target *isa.TargetInfo, data [64]byte) (*isa.Report, error) {
	if !enclosed {
		return nil, ErrNotEnclosed
	}
	if target == nil {
		target = new(isa.TargetInfo)
	}
	t, err := target.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	r := new(isa.Report)
	return r, r.UnmarshalBinary(ereport(t, data))
}

// VerifyReport checks that a REPORT was made on this machine, for this enclave.
// By whom, and whether that is good enough, its fields say.
func VerifyReport(r *isa.Report) error {
	key, err := GetKey(&isa.KeyRequest{KeyName: isa.KeyReport, KeyID: r.KeyID})
	if err != nil {
		return err
	}
	b, err := r.AppendBinary(nil)
	if err != nil {
		return err
	}
	mac := cmac.New(key).Sum(b[:macSize])
	if subtle.ConstantTimeCompare(mac[:], r.MAC[:]) != 1 {
		return ErrReport
	}
	return nil
}
