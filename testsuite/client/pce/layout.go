package pce

import "github.com/feidi-dev/feidi/edl/edge"

// PSVNSize and InfoSize are the sizes of psvn_t and pce_info_t in bytes, which
// the enclave's headers have packed.
const (
	PSVNSize = 18
	InfoSize = 4
)

// PSVN is the security version of a platform: of its microcode, and of its PCE.
type PSVN struct {
	CPUSVN [16]byte
	ISVSVN uint16
}

// EncodeC writes v as C has it.
func (v *PSVN) EncodeC(b edge.Block) {
	copy(b, v.CPUSVN[:])
	b.PutU16(16, v.ISVSVN)
}

// DecodeC reads v as C has it.
func (v *PSVN) DecodeC(b edge.Block) {
	copy(v.CPUSVN[:], b)
	v.ISVSVN = b.U16(16)
}

// Info says which PCE it is.
type Info struct{ ISVSVN, ID uint16 }

// EncodeC writes v as C has it.
func (v *Info) EncodeC(b edge.Block) {
	b.PutU16(0, v.ISVSVN)
	b.PutU16(2, v.ID)
}

// DecodeC reads v as C has it.
func (v *Info) DecodeC(b edge.Block) {
	v.ISVSVN = b.U16(0)
	v.ID = b.U16(2)
}
