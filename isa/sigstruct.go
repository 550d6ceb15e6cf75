package isa

// SigStructSize is the size of a SIGSTRUCT.
const SigStructSize = 1808

// SigStructSignedSize is the number of bytes that the signature covers.
const SigStructSignedSize = 256

// RSAKeySize is the size of a SIGSTRUCT's modulus, signature, Q1 and Q2.
const RSAKeySize = 384

// SigStructExponent is the only EXPONENT that EINIT accepts.
const SigStructExponent = 3

// Constants of SIGSTRUCT's two headers, and the values of VENDOR.
var (
	SigStructHeader  = [12]byte{0x06, 0, 0, 0, 0xE1, 0, 0, 0, 0, 0, 0x01, 0}
	SigStructHeader2 = [16]byte{0x01, 0x01, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 0x01, 0, 0, 0}
)

// Values of SIGSTRUCT.VENDOR and bits of its type word.
const (
	VendorNonIntel = 0
	VendorIntel    = 0x8086
	SigStructDebug = 1 << 31 // type: signed for debug enclaves only
)

// SigStruct is the SIGSTRUCT structure, 1808 bytes: the sealing authority's
// signed statement about an enclave (SDM Vol. 3D, "Enclave Signature
// Structure (SIGSTRUCT)"). The large numbers are little-endian.
//
// The manual's 16-byte HEADER field is split here into its 12 constant bytes
// and the type word that follows them.
type SigStruct struct {
	Header            [12]byte
	Type              uint32
	Vendor            uint32
	Date              uint32 // yyyymmdd in binary-coded decimal
	Header2           [16]byte
	SWDefined         uint32
	Reserved1         [84]byte
	Modulus           [RSAKeySize]byte
	Exponent          uint32
	Signature         [RSAKeySize]byte
	MiscSelect        MiscSelect
	MiscMask          MiscSelect
	CETAttributes     uint8
	CETAttributesMask uint8
	Reserved2         [2]byte
	ISVFamilyID       [16]byte
	Attributes        Attributes
	AttributeMask     Attributes
	EnclaveHash       [32]byte
	Reserved3         [16]byte
	ISVExtProdID      [16]byte
	ISVProdID         uint16
	ISVSVN            uint16
	Reserved4         [12]byte
	Q1                [RSAKeySize]byte
	Q2                [RSAKeySize]byte
}

func (s *SigStruct) code(c *coder) {
	s.codeHeader(c)
	c.bytes(s.Modulus[:])
	c.u32(&s.Exponent)
	c.bytes(s.Signature[:])
	s.codeBody(c)
	c.bytes(s.Reserved4[:])
	c.bytes(s.Q1[:])
	c.bytes(s.Q2[:])
}

func (s *SigStruct) codeHeader(c *coder) {
	c.bytes(s.Header[:])
	c.u32(&s.Type)
	c.u32(&s.Vendor)
	c.u32(&s.Date)
	c.bytes(s.Header2[:])
	c.u32(&s.SWDefined)
	c.bytes(s.Reserved1[:])
}

func (s *SigStruct) codeBody(c *coder) {
	c.u32((*uint32)(&s.MiscSelect))
	c.u32((*uint32)(&s.MiscMask))
	c.u8(&s.CETAttributes)
	c.u8(&s.CETAttributesMask)
	c.bytes(s.Reserved2[:])
	c.bytes(s.ISVFamilyID[:])
	s.Attributes.code(c)
	s.AttributeMask.code(c)
	c.bytes(s.EnclaveHash[:])
	c.bytes(s.Reserved3[:])
	c.bytes(s.ISVExtProdID[:])
	c.u16(&s.ISVProdID)
	c.u16(&s.ISVSVN)
}

// AppendBinary appends the 1808-byte encoding.
func (s *SigStruct) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, s), nil }

// UnmarshalBinary reads exactly SigStructSize bytes.
func (s *SigStruct) UnmarshalBinary(b []byte) error {
	return decode(b, s, "SIGSTRUCT", SigStructSize)
}

// AppendSigned appends the 256 bytes that the signature covers: bytes 0 to
// 127 and 900 to 1027 of the encoding.
func (s *SigStruct) AppendSigned(b []byte) []byte {
	c := coder{buf: b}
	s.codeHeader(&c)
	s.codeBody(&c)
	return c.buf
}
