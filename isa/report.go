package isa

// ReportSize is the size of a REPORT. It must be 512-byte aligned in memory.
const ReportSize = 432

// ReportMACOffset is the number of leading bytes of a REPORT that its MAC
// covers.
const ReportMACOffset = 384

// ReportBodySize is the size of a REPORT without key ID and MAC, which a quote
// has in their place: sgx_report_body_t of the SDK.
const ReportBodySize = ReportMACOffset

// ReportBody is what a REPORT says of an enclave, 384 bytes.
type ReportBody struct {
	CPUSVN        [16]byte
	MiscSelect    MiscSelect
	CETAttributes uint8
	Reserved1     [11]byte
	ISVExtProdID  [16]byte
	Attributes    Attributes
	MREnclave     [32]byte
	Reserved2     [32]byte
	MRSigner      [32]byte
	Reserved3     [32]byte
	ConfigID      [64]byte
	ISVProdID     uint16
	ISVSVN        uint16
	ConfigSVN     uint16
	Reserved4     [42]byte
	ISVFamilyID   [16]byte
	ReportData    [64]byte
}

func (r *ReportBody) code(c *coder) {
	c.bytes(r.CPUSVN[:])
	c.u32((*uint32)(&r.MiscSelect))
	c.u8(&r.CETAttributes)
	c.bytes(r.Reserved1[:])
	c.bytes(r.ISVExtProdID[:])
	r.Attributes.code(c)
	c.bytes(r.MREnclave[:])
	c.bytes(r.Reserved2[:])
	c.bytes(r.MRSigner[:])
	c.bytes(r.Reserved3[:])
	c.bytes(r.ConfigID[:])
	c.u16(&r.ISVProdID)
	c.u16(&r.ISVSVN)
	c.u16(&r.ConfigSVN)
	c.bytes(r.Reserved4[:])
	c.bytes(r.ISVFamilyID[:])
	c.bytes(r.ReportData[:])
}

// AppendBinary appends the 384-byte encoding.
func (r *ReportBody) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, r), nil }

// UnmarshalBinary reads exactly ReportBodySize bytes, and allocates nothing:
// the readers of quotes count on it.
func (r *ReportBody) UnmarshalBinary(b []byte) error {
	if err := checkSize(b, "report body", ReportBodySize); err != nil {
		return err
	}
	r.code(&coder{buf: b, read: true})
	return nil
}

// Report is the REPORT structure, 432 bytes (SDM Vol. 3D, "REPORT").
type Report struct {
	ReportBody
	KeyID [32]byte
	MAC   [16]byte
}

func (r *Report) code(c *coder) {
	r.ReportBody.code(c)
	c.bytes(r.KeyID[:])
	c.bytes(r.MAC[:])
}

// AppendBinary appends the 432-byte encoding.
func (r *Report) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, r), nil }

// UnmarshalBinary reads exactly ReportSize bytes.
func (r *Report) UnmarshalBinary(b []byte) error { return decode(b, r, "REPORT", ReportSize) }

// TargetInfoSize is the size of a TARGETINFO; it must be aligned as much.
const TargetInfoSize = 512

// TargetInfo is the TARGETINFO structure, 512 bytes (SDM Vol. 3D, "REPORT
// TARGET INFO (TARGETINFO)"): the enclave that is to check a REPORT.
type TargetInfo struct {
	Measurement   [32]byte
	Attributes    Attributes
	CETAttributes uint8
	Reserved1     uint8
	ConfigSVN     uint16
	MiscSelect    MiscSelect
	Reserved2     [8]byte
	ConfigID      [64]byte
	Reserved3     [384]byte
}

func (t *TargetInfo) code(c *coder) {
	c.bytes(t.Measurement[:])
	t.Attributes.code(c)
	c.u8(&t.CETAttributes)
	c.u8(&t.Reserved1)
	c.u16(&t.ConfigSVN)
	c.u32((*uint32)(&t.MiscSelect))
	c.bytes(t.Reserved2[:])
	c.bytes(t.ConfigID[:])
	c.bytes(t.Reserved3[:])
}

// AppendBinary appends the 512-byte encoding.
func (t *TargetInfo) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, t), nil }

// UnmarshalBinary reads exactly TargetInfoSize bytes.
func (t *TargetInfo) UnmarshalBinary(b []byte) error {
	return decode(b, t, "TARGETINFO", TargetInfoSize)
}

// Report2MACStructSize is the size of a REPORTMACSTRUCT; it must be aligned
// as much.
const Report2MACStructSize = 256

// Report2MACOffset is the number of leading bytes of a REPORTMACSTRUCT that
// its MAC covers.
const Report2MACOffset = 224

// ReportType is the REPORTTYPE structure, 4 bytes.
type ReportType struct {
	Type, Subtype, Version, Reserved uint8
}

// Types of REPORTTYPE.
const (
	ReportTypeSGX uint8 = 0x00 // a REPORT of an SGX enclave
	ReportTypeTDX uint8 = 0x81 // a TDREPORT
)

// Report2MACStruct is the REPORTMACSTRUCT structure, 256 bytes, common to the
// REPORT2 family, of which EVERIFYREPORT2 checks the MAC (SDM Vol. 3D,
// "REPORTMACSTRUCT").
type Report2MACStruct struct {
	Type           ReportType
	Reserved1      [12]byte
	CPUSVN         [16]byte
	TEETCBInfoHash [48]byte // SHA-384 of TEE_TCB_INFO
	TEEInfoHash    [48]byte // SHA-384 of TEE_INFO
	ReportData     [64]byte
	Reserved2      [32]byte
	MAC            [32]byte
}

func (r *Report2MACStruct) code(c *coder) {
	c.u8(&r.Type.Type)
	c.u8(&r.Type.Subtype)
	c.u8(&r.Type.Version)
	c.u8(&r.Type.Reserved)
	c.bytes(r.Reserved1[:])
	c.bytes(r.CPUSVN[:])
	c.bytes(r.TEETCBInfoHash[:])
	c.bytes(r.TEEInfoHash[:])
	c.bytes(r.ReportData[:])
	c.bytes(r.Reserved2[:])
	c.bytes(r.MAC[:])
}

// AppendBinary appends the 256-byte encoding.
func (r *Report2MACStruct) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, r), nil }

// UnmarshalBinary reads exactly Report2MACStructSize bytes.
func (r *Report2MACStruct) UnmarshalBinary(b []byte) error {
	return decode(b, r, "REPORTMACSTRUCT", Report2MACStructSize)
}
