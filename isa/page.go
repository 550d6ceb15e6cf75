package isa

// PageType is the PT field of an EPCM entry and of SECINFO.FLAGS.
type PageType uint8

// Page types (SDM Vol. 3D, "PAGE_TYPE Field").
const (
	PTSECS    PageType = 0
	PTTCS     PageType = 1
	PTREG     PageType = 2
	PTVA      PageType = 3
	PTTRIM    PageType = 4
	PTSSFirst PageType = 5
	PTSSRest  PageType = 6
)

// String returns the manual's name of the type.
func (p PageType) String() string {
	names := [...]string{"PT_SECS", "PT_TCS", "PT_REG", "PT_VA", "PT_TRIM", "PT_SS_FIRST", "PT_SS_REST"}
	if int(p) < len(names) {
		return names[p]
	}
	return "PT_RESERVED"
}

// SecInfoFlags is SECINFO.FLAGS.
type SecInfoFlags uint64

// Bits of SECINFO.FLAGS (SDM Vol. 3D, "SECINFO.FLAGS"). Bits 15:8 hold the
// page type.
const (
	SecInfoR        SecInfoFlags = 1 << 0
	SecInfoW        SecInfoFlags = 1 << 1
	SecInfoX        SecInfoFlags = 1 << 2
	SecInfoPending  SecInfoFlags = 1 << 3
	SecInfoModified SecInfoFlags = 1 << 4
	SecInfoPR       SecInfoFlags = 1 << 5

	SecInfoRWX = SecInfoR | SecInfoW | SecInfoX
	// SecInfoReserved are the bits that must be zero.
	SecInfoReserved = ^(SecInfoRWX | SecInfoPending | SecInfoModified | SecInfoPR | 0xFF<<8)
)

// MakeSecInfoFlags combines permissions and state bits with a page type.
func MakeSecInfoFlags(bits SecInfoFlags, pt PageType) SecInfoFlags {
	return bits | SecInfoFlags(pt)<<8
}

// PageType returns bits 15:8.
func (f SecInfoFlags) PageType() PageType { return PageType(f >> 8) }

// SecInfoSize is the size of a SECINFO; it must be aligned as much.
const SecInfoSize = 64

// SecInfo is the SECINFO structure, 64 bytes (SDM Vol. 3D, "Security
// Information (SECINFO)").
type SecInfo struct {
	Flags    SecInfoFlags
	Reserved [56]byte
}

func (s *SecInfo) code(c *coder) {
	c.u64((*uint64)(&s.Flags))
	c.bytes(s.Reserved[:])
}

// AppendBinary appends the 64-byte encoding.
func (s *SecInfo) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, s), nil }

// UnmarshalBinary reads exactly SecInfoSize bytes.
func (s *SecInfo) UnmarshalBinary(b []byte) error { return decode(b, s, "SECINFO", SecInfoSize) }

// PageInfoSize is the size of a PAGEINFO; it must be aligned as much.
const PageInfoSize = 32

// PageInfo is the PAGEINFO structure, 32 bytes (SDM Vol. 3D, "Page
// Information (PAGEINFO)"): four effective addresses.
type PageInfo struct {
	LinAddr uint64
	SrcPge  uint64
	SecInfo uint64 // SECINFO, or PCMD for EWB and ELDU/ELDB
	SECS    uint64
}

func (p *PageInfo) code(c *coder) {
	c.u64(&p.LinAddr)
	c.u64(&p.SrcPge)
	c.u64(&p.SecInfo)
	c.u64(&p.SECS)
}

// AppendBinary appends the 32-byte encoding.
func (p *PageInfo) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, p), nil }

// UnmarshalBinary reads exactly PageInfoSize bytes.
func (p *PageInfo) UnmarshalBinary(b []byte) error { return decode(b, p, "PAGEINFO", PageInfoSize) }

// PCMDSize is the size of a PCMD; it must be aligned as much.
const PCMDSize = 128

// PCMD is the paging crypto metadata of an evicted page, 128 bytes
// (SDM Vol. 3D, "Paging Crypto MetaData (PCMD)").
type PCMD struct {
	SecInfo   SecInfo
	EnclaveID uint64
	Reserved  [40]byte
	MAC       [16]byte
}

func (p *PCMD) code(c *coder) {
	p.SecInfo.code(c)
	c.u64(&p.EnclaveID)
	c.bytes(p.Reserved[:])
	c.bytes(p.MAC[:])
}

// AppendBinary appends the 128-byte encoding.
func (p *PCMD) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, p), nil }

// UnmarshalBinary reads exactly PCMDSize bytes.
func (p *PCMD) UnmarshalBinary(b []byte) error { return decode(b, p, "PCMD", PCMDSize) }

// VASlots is the number of 8-byte version slots in a VA page.
const VASlots = 512
