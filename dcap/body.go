package dcap

import (
	"encoding/binary"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// BodyType is the type of what a quote is about; only quotes of version 5 say
// it.
type BodyType uint16

// Body types.
const (
	BodySGX    BodyType = 1 // enclave report
	BodyTD10   BodyType = 2 // TD report of TDX 1.0
	BodyTD15   BodyType = 3 // TD report of TDX 1.5
	BodyTD15Ex BodyType = 4 // extended TD report of TDX 1.5
)

// Sizes of bodies in bytes.
const (
	enclaveReportSize = isa.ReportBodySize
	tdReport10Size    = 584
	tdReport15Size    = 648
	tdReport15ExSize  = 885
)

// Size returns the size of a body of this type in bytes, 0 if it is unknown.
func (t BodyType) Size() int {
	switch t {
	case BodySGX:
		return enclaveReportSize
	case BodyTD10:
		return tdReport10Size
	case BodyTD15:
		return tdReport15Size
	case BodyTD15Ex:
		return tdReport15ExSize
	}
	return 0
}

// String names the type.
func (t BodyType) String() string {
	switch t {
	case BodySGX:
		return "SGX enclave report"
	case BodyTD10:
		return "TDX 1.0 TD report"
	case BodyTD15:
		return "TDX 1.5 TD report"
	case BodyTD15Ex:
		return "TDX 1.5 extended TD report"
	}
	return fmt.Sprintf("body type %d", uint16(t))
}

// Body is what a quote is about: *EnclaveReport, *TDReport10, *TDReport15 or
// *TDReport15Ex.
type Body interface {
	Type() BodyType
	Size() int // bytes
	append(b []byte) []byte
	decode(b []byte) // Size bytes
}

// EnclaveReport is the body of a quote of an enclave, 384 bytes. Its fields are
// those of isa.ReportBody: MREnclave, MRSigner, Attributes, ReportData and others.
type EnclaveReport struct{ isa.ReportBody }

// Type returns BodySGX.
func (*EnclaveReport) Type() BodyType { return BodySGX }

// Size returns 384.
func (*EnclaveReport) Size() int { return enclaveReportSize }

func (r *EnclaveReport) append(b []byte) []byte {
	b, _ = r.AppendBinary(b) // has no errors
	return b
}

func (r *EnclaveReport) decode(b []byte) {
	_ = r.UnmarshalBinary(b) // the size is right
}

// TDAttributes are the attributes of a TD (TDX module ABI, "ATTRIBUTES").
type TDAttributes uint64

// Bits of TDAttributes. A TD that has any of the lowest byte cannot be trusted:
// it is under debug or its secrets may be observed.
const (
	TDDebug          TDAttributes = 1 << 0
	TDHGSPlusProf    TDAttributes = 1 << 4
	TDPerfProf       TDAttributes = 1 << 5
	TDPMTProf        TDAttributes = 1 << 6
	TDICSSD          TDAttributes = 1 << 16
	TDLASS           TDAttributes = 1 << 27
	TDSEPTVEDisable  TDAttributes = 1 << 28
	TDMigratable     TDAttributes = 1 << 29
	TDPKS            TDAttributes = 1 << 30
	TDKeyLocker      TDAttributes = 1 << 31
	TDTPA            TDAttributes = 1 << 62
	TDPerfmon        TDAttributes = 1 << 63
	TDUntrustedDebug TDAttributes = 0xff // "TUD": all of the lowest byte
)

// TDReport10 is the body of a quote of a TD of TDX 1.0, 584 bytes, and the
// first part of the later ones.
type TDReport10 struct {
	TEETCBSVN      [16]byte // of the TDX module at the launch of the TD: [0] minor, [1] major SVN of the module
	MRSEAM         [48]byte // the module
	MRSignerSEAM   [48]byte // zero for Intel's
	SEAMAttributes [8]byte
	TDAttributes   TDAttributes
	XFAM           uint64
	MRTD           [48]byte
	MRConfigID     [48]byte
	MROwner        [48]byte
	MROwnerConfig  [48]byte
	RTMR           [4][48]byte
	ReportData     [64]byte
}

// TDReport15 is the body of a quote of a TD of TDX 1.5, 648 bytes.
type TDReport15 struct {
	TDReport10
	TEETCBSVN2  [16]byte // of the TDX module that runs now
	MRServiceTD [48]byte // of the service TDs that are bound to it
}

// TDReport15Ex is the extended body of TDX 1.5, 885 bytes.
type TDReport15Ex struct {
	TDReport15
	VMID                 uint8
	TDID                 [32]byte
	DevInfo              [48]byte
	InitServTDHash       [48]byte
	InitServTDAttributes [8]byte
	InitCPUSVN           [16]byte
	InitTEETCBSVN        [16]byte
	InitTEEFMSPC         [12]byte
	CurServTDHash        [48]byte
	CurServTDAttributes  [8]byte
}

// Type returns BodyTD10.
func (*TDReport10) Type() BodyType { return BodyTD10 }

// Type returns BodyTD15.
func (*TDReport15) Type() BodyType { return BodyTD15 }

// Type returns BodyTD15Ex.
func (*TDReport15Ex) Type() BodyType { return BodyTD15Ex }

// Size returns 584.
func (*TDReport10) Size() int { return tdReport10Size }

// Size returns 648.
func (*TDReport15) Size() int { return tdReport15Size }

// Size returns 885.
func (*TDReport15Ex) Size() int { return tdReport15ExSize }

func (r *TDReport10) append(b []byte) []byte {
	for _, f := range [][]byte{r.TEETCBSVN[:], r.MRSEAM[:], r.MRSignerSEAM[:], r.SEAMAttributes[:]} {
		b = append(b, f...)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(r.TDAttributes))
	b = binary.LittleEndian.AppendUint64(b, r.XFAM)
	for _, f := range [][]byte{r.MRTD[:], r.MRConfigID[:], r.MROwner[:], r.MROwnerConfig[:], r.RTMR[0][:], r.RTMR[1][:], r.RTMR[2][:], r.RTMR[3][:], r.ReportData[:]} {
		b = append(b, f...)
	}
	return b
}

func (r *TDReport10) decode(b []byte) {
	r.TEETCBSVN = [16]byte(b)
	r.MRSEAM = [48]byte(b[16:])
	r.MRSignerSEAM = [48]byte(b[64:])
	r.SEAMAttributes = [8]byte(b[112:])
	r.TDAttributes = TDAttributes(binary.LittleEndian.Uint64(b[120:]))
	r.XFAM = binary.LittleEndian.Uint64(b[128:])
	r.MRTD = [48]byte(b[136:])
	r.MRConfigID = [48]byte(b[184:])
	r.MROwner = [48]byte(b[232:])
	r.MROwnerConfig = [48]byte(b[280:])
	for i := range r.RTMR {
		r.RTMR[i] = [48]byte(b[328+48*i:])
	}
	r.ReportData = [64]byte(b[520:])
}

func (r *TDReport15) append(b []byte) []byte {
	b = r.TDReport10.append(b)
	return append(append(b, r.TEETCBSVN2[:]...), r.MRServiceTD[:]...)
}

func (r *TDReport15) decode(b []byte) {
	r.TDReport10.decode(b)
	r.TEETCBSVN2 = [16]byte(b[584:])
	r.MRServiceTD = [48]byte(b[600:])
}

func (r *TDReport15Ex) append(b []byte) []byte {
	b = append(r.TDReport15.append(b), r.VMID)
	for _, f := range [][]byte{
		r.TDID[:], r.DevInfo[:], r.InitServTDHash[:], r.InitServTDAttributes[:], r.InitCPUSVN[:],
		r.InitTEETCBSVN[:], r.InitTEEFMSPC[:], r.CurServTDHash[:], r.CurServTDAttributes[:],
	} {
		b = append(b, f...)
	}
	return b
}

func (r *TDReport15Ex) decode(b []byte) {
	r.TDReport15.decode(b)
	b = b[tdReport15Size:]
	r.VMID = b[0]
	r.TDID = [32]byte(b[1:])
	r.DevInfo = [48]byte(b[33:])
	r.InitServTDHash = [48]byte(b[81:])
	r.InitServTDAttributes = [8]byte(b[129:])
	r.InitCPUSVN = [16]byte(b[137:])
	r.InitTEETCBSVN = [16]byte(b[153:])
	r.InitTEEFMSPC = [12]byte(b[169:])
	r.CurServTDHash = [48]byte(b[181:])
	r.CurServTDAttributes = [8]byte(b[229:])
}
