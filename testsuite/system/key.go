package system

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// Key is what EGETKEY gives a system enclave as KeyProvision, or KeyProvisionSeal:
// what the factory computes from the fuses. It follows the manual's table of what
// keys depend on, in the layout that package cpu documents, but with none of its
// code.
func Key(name isa.KeyName, f *cpu.Fuses, s *isa.SECS, cpuSVN [16]byte, isvSVN uint16) [16]byte {
	le := binary.LittleEndian
	b := make([]byte, 642)
	le.PutUint16(b, uint16(name))
	le.PutUint16(b[36:], s.ISVProdID)
	le.PutUint16(b[38:], isvSVN)
	le.PutUint64(b[56:], uint64(s.Attributes.Flags&^isa.AttrMode64Bit))
	le.PutUint64(b[72:], uint64(^isa.AttrMode64Bit)) // the mask
	copy(b[120:], s.MRSigner[:])
	if name == isa.KeyProvisionSeal {
		copy(b[184:], f.RootSealKey[:])
	}
	copy(b[200:], cpuSVN[:])
	padding := b[216 : 216+352] // 00 01 FF... 00 DigestInfo
	for i := range padding {
		padding[i] = 0xFF
	}
	padding[0], padding[1] = 0, 1
	copy(padding[352-20:], "\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")
	le.PutUint32(b[568:], uint32(s.MiscSelect))
	return cmac.Sum(f.RootProvisioningKey, b)
}
