package isa

// SECSSize is the size of a SECS: one page.
const SECSSize = 4096

// SECS is the SGX Enclave Control Structure, 4096 bytes
// (SDM Vol. 3D, "SGX Enclave Control Structure (SECS)").
type SECS struct {
	Size               uint64 // bytes of ELRANGE, a power of two
	BaseAddr           uint64 // linear, naturally aligned to Size
	SSAFrameSize       uint32 // pages
	MiscSelect         MiscSelect
	CETLegBitmapOffset uint64
	CETAttributes      uint8
	Reserved1          [15]byte
	Attributes         Attributes
	MREnclave          [32]byte
	Reserved2          [32]byte
	MRSigner           [32]byte
	Reserved3          [32]byte
	ConfigID           [64]byte
	ISVProdID          uint16
	ISVSVN             uint16
	ConfigSVN          uint16
	Reserved4          [3834]byte
}

func (s *SECS) code(c *coder) {
	c.u64(&s.Size)
	c.u64(&s.BaseAddr)
	c.u32(&s.SSAFrameSize)
	c.u32((*uint32)(&s.MiscSelect))
	c.u64(&s.CETLegBitmapOffset)
	c.u8(&s.CETAttributes)
	c.bytes(s.Reserved1[:])
	s.Attributes.code(c)
	c.bytes(s.MREnclave[:])
	c.bytes(s.Reserved2[:])
	c.bytes(s.MRSigner[:])
	c.bytes(s.Reserved3[:])
	c.bytes(s.ConfigID[:])
	c.u16(&s.ISVProdID)
	c.u16(&s.ISVSVN)
	c.u16(&s.ConfigSVN)
	c.bytes(s.Reserved4[:])
}

// AppendBinary appends the 4096-byte encoding.
func (s *SECS) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, s), nil }

// UnmarshalBinary reads exactly SECSSize bytes.
func (s *SECS) UnmarshalBinary(b []byte) error { return decode(b, s, "SECS", SECSSize) }

// TCSSize is the size of a TCS: one page.
const TCSSize = 4096

// TCSFlags is the FLAGS field of a TCS.
type TCSFlags uint64

// Bits of TCS.FLAGS.
const (
	TCSDbgOptIn  TCSFlags = 1 << 0 // debugger has opted in; zero at EADD
	TCSAEXNotify TCSFlags = 1 << 1 // notify the thread of an AEX
	TCSReserved           = ^(TCSDbgOptIn | TCSAEXNotify)
)

// TCS is the Thread Control Structure, 4096 bytes
// (SDM Vol. 3D, "Thread Control Structure (TCS)"). Offsets are relative to
// the base of ELRANGE.
type TCS struct {
	State    uint64 // execution state of the thread; zero at EADD
	Flags    TCSFlags
	OSSA     uint64 // offset of the SSA stack, page-aligned
	CSSA     uint32 // current SSA slot; zero at EADD
	NSSA     uint32 // number of SSA slots
	OEntry   uint64 // offset of the entry point
	AEP      uint64 // asynchronous exit pointer, set by EENTER
	OFSBasGX uint64 // offset loaded into FS.base, page-aligned
	OGSBasGX uint64 // offset loaded into GS.base, page-aligned
	FSLimit  uint32 // 0xFFF in its low bits; 32-bit enclaves only
	GSLimit  uint32
	OCETSSA  uint64
	PrevSSP  uint64
	Reserved [4008]byte
}

func (t *TCS) code(c *coder) {
	c.u64(&t.State)
	c.u64((*uint64)(&t.Flags))
	c.u64(&t.OSSA)
	c.u32(&t.CSSA)
	c.u32(&t.NSSA)
	c.u64(&t.OEntry)
	c.u64(&t.AEP)
	c.u64(&t.OFSBasGX)
	c.u64(&t.OGSBasGX)
	c.u32(&t.FSLimit)
	c.u32(&t.GSLimit)
	c.u64(&t.OCETSSA)
	c.u64(&t.PrevSSP)
	c.bytes(t.Reserved[:])
}

// AppendBinary appends the 4096-byte encoding.
func (t *TCS) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, t), nil }

// UnmarshalBinary reads exactly TCSSize bytes.
func (t *TCS) UnmarshalBinary(b []byte) error { return decode(b, t, "TCS", TCSSize) }
