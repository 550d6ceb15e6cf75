package le

import (
	"crypto/rand"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// The masks of the EINITTOKEN key. The token has the launch enclave's ATTRIBUTES
// under the mask, and EINIT derives the key from these.
var (
	attributeMask = isa.Attributes{Flags: ^isa.AttrMode64Bit}
	miscMask      = ^isa.MiscSelect(0)
)

// newToken completes a token for an enclave with what is known of this one, and
// signs it. Each token has a key of its own, by a KEYID drawn at random. A key that
// cannot be had is an EinitTokenKeyError.
func newToken(p leaf.Processor, self *isa.ReportBody, t isa.EinitToken) (*isa.EinitToken, int32) {
	t.Valid = isa.EinitTokenValid
	t.CPUSVNLE, t.ISVProdIDLE, t.ISVSVNLE = self.CPUSVN, self.ISVProdID, self.ISVSVN
	t.MaskedAttributesLE = self.Attributes.And(attributeMask)
	t.MaskedMiscSelectLE = self.MiscSelect & miscMask
	_, _ = rand.Read(t.KeyID[:]) // has no errors
	key, err := p.Key(&isa.KeyRequest{
		KeyName: isa.KeyEinitToken, ISVSVN: t.ISVSVNLE, CPUSVN: t.CPUSVNLE, KeyID: t.KeyID,
		AttributeMask: attributeMask, MiscMask: miscMask,
	})
	if err != nil {
		return nil, EinitTokenKeyError
	}
	b, _ := t.AppendBinary(make([]byte, 0, isa.EinitTokenSize)) // has no errors
	t.MAC = cmac.Sum(key, b[:isa.EinitTokenMACOffset])
	clear(key[:])
	return &t, Success
}
