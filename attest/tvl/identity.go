package tvl

import (
	"encoding/hex"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// ProdID is the ISVPRODID of QvEs.
const ProdID = 2

// Identity is which QvE is believed.
type Identity struct {
	MRSigner  [32]byte
	ISVProdID uint16
	MinISVSVN uint16 // the threshold: set it to that of the last TCB recovery

	Attributes, AttributesMask isa.Attributes
	MiscSelect, MiscSelectMask isa.MiscSelect
}

// SignedBy returns the QvE of a signer, of an SVN or above, as package arch/build
// builds it: not under debug, and with no key that tells platforms apart. What else
// the machine gives it is not looked at.
func SignedBy(mrSigner [32]byte, minSVN uint16) *Identity {
	return &Identity{
		MRSigner: mrSigner, ISVProdID: ProdID, MinISVSVN: minSVN,
		Attributes:     isa.Attributes{Flags: isa.AttrInit},
		AttributesMask: isa.Attributes{Flags: ^isa.AttrMode64Bit},
	}
}

// intelSigner is the MRSIGNER of Intel's QvE.
const intelSigner = "8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff"

// intelMinSVN is the least that Intel's own check takes, whatever the threshold.
const intelMinSVN = 7

// Intel returns Intel's QvE, of an SVN or above.
func Intel(minSVN uint16) *Identity {
	id := SignedBy([32]byte{}, max(minSVN, intelMinSVN))
	_, _ = hex.Decode(id.MRSigner[:], []byte(intelSigner))
	id.MiscSelectMask = ^isa.MiscSelect(0)
	return id
}

// check compares in the order of Intel's.
func (id *Identity) check(r *isa.ReportBody) error {
	mismatch := func(format string, args ...any) error {
		return fmt.Errorf("tvl: %w: "+format, append([]any{QvEIdentityMismatch}, args...)...)
	}
	switch {
	case r.MiscSelect&id.MiscSelectMask != id.MiscSelect:
		return mismatch("MISCSELECT is %#x, with the mask %#x this is not %#x", uint32(r.MiscSelect), uint32(id.MiscSelectMask), uint32(id.MiscSelect))
	case r.Attributes.And(id.AttributesMask) != id.Attributes:
		return mismatch("ATTRIBUTES.FLAGS are %#x, with the mask %#x this is not %#x", uint64(r.Attributes.Flags), uint64(id.AttributesMask.Flags), uint64(id.Attributes.Flags))
	case r.MRSigner != id.MRSigner:
		return mismatch("MRSIGNER is %x and not %x", r.MRSigner, id.MRSigner)
	case r.ISVProdID != id.ISVProdID:
		return mismatch("ISVPRODID is %d and not %d", r.ISVProdID, id.ISVProdID)
	case r.ISVSVN < id.MinISVSVN:
		return fmt.Errorf("tvl: %w: ISVSVN is %d, and %d is needed", QvEOutOfDate, r.ISVSVN, id.MinISVSVN)
	}
	return nil
}
