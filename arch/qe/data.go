package qe

import (
	"encoding/binary"
	"fmt"

	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/isa"
)

// DataSize is the size of [Data] in bytes.
const DataSize = 1223

// AuthDataSize is the size of authentication data, if there are any, in bytes.
const AuthDataSize = 32

// PCEInfo says which PCE it is.
type PCEInfo struct{ ISVSVN, ID uint16 }

// Data is what a blob has besides its secrets, readable and authenticated: the
// attestation key, and how it was certified (ref_plaintext_ecdsa_data_sdk_t of
// ecdsa_quote.h, packed, 1223 bytes). StoreCertData takes one, of which it looks
// at what the certification has added.
type Data struct {
	Type, Version   uint8    // 0
	CertCPUSVN      [16]byte // that the PCK is for
	CertQEISVSVN    uint16   // of the QE when it was certified
	CertPCE         PCEInfo  // whose ISVSVN the PCK is for
	CertKeyType     uint32   // dcap.CertPPIDRSA3072 and the like
	RawCPUSVN       [16]byte // of the platform when it was certified
	RawPCE          PCEInfo  // likewise
	SignatureScheme uint8    // pce.SchemeECDSAP256
	PCETarget       isa.TargetInfo
	QEReport        isa.Report // what was certified; its data begin with KeyID
	Signature       [pce.SignatureSize]byte
	AttestationKey  [64]byte // X and Y, big endian
	KeyID           [32]byte // SHA-256 of the attestation key and the authentication data
	SealCPUSVN      [16]byte
	SealQEISVSVN    uint16
	AuthData        []byte // nil, or AuthDataSize bytes
	QEID            [16]byte
}

// AppendBinary appends the 1223 bytes.
func (d *Data) AppendBinary(b []byte) ([]byte, error) {
	if n := len(d.AuthData); n != 0 && n != AuthDataSize {
		return nil, fmt.Errorf("qe: %d bytes of authentication data: there are %d or none", n, AuthDataSize)
	}
	le := binary.LittleEndian
	pceInfo := func(i PCEInfo) { b = le.AppendUint16(le.AppendUint16(b, i.ISVSVN), i.ID) }
	b = append(b, d.Type, d.Version)
	b = le.AppendUint16(append(b, d.CertCPUSVN[:]...), d.CertQEISVSVN)
	pceInfo(d.CertPCE)
	b = append(le.AppendUint32(b, d.CertKeyType), d.RawCPUSVN[:]...)
	pceInfo(d.RawPCE)
	b = append(b, d.SignatureScheme)
	b, err := d.PCETarget.AppendBinary(b)
	if err != nil {
		return nil, err
	}
	if b, err = d.QEReport.AppendBinary(b); err != nil {
		return nil, err
	}
	b = append(append(append(b, d.Signature[:]...), d.AttestationKey[:]...), d.KeyID[:]...)
	b = le.AppendUint16(append(b, d.SealCPUSVN[:]...), d.SealQEISVSVN)
	b = append(le.AppendUint32(b, uint32(len(d.AuthData))), d.AuthData...)
	b = append(b, make([]byte, AuthDataSize-len(d.AuthData))...)
	return append(b, d.QEID[:]...), nil
}

// UnmarshalBinary reads exactly 1223 bytes.
func (d *Data) UnmarshalBinary(b []byte) error {
	if len(b) != DataSize {
		return fmt.Errorf("qe: %d bytes of data of a blob, and not %d", len(b), DataSize)
	}
	le := binary.LittleEndian
	take := func(n int) (head []byte) { head, b = b[:n:n], b[n:]; return head }
	u16 := func() uint16 { return le.Uint16(take(2)) }
	d.Type, d.Version = b[0], b[1]
	take(2)
	d.CertCPUSVN = [16]byte(take(16))
	d.CertQEISVSVN = u16()
	d.CertPCE = PCEInfo{u16(), u16()}
	d.CertKeyType = le.Uint32(take(4))
	d.RawCPUSVN = [16]byte(take(16))
	d.RawPCE = PCEInfo{u16(), u16()}
	d.SignatureScheme = take(1)[0]
	if err := d.PCETarget.UnmarshalBinary(take(isa.TargetInfoSize)); err != nil {
		return err
	}
	if err := d.QEReport.UnmarshalBinary(take(isa.ReportSize)); err != nil {
		return err
	}
	d.Signature = [pce.SignatureSize]byte(take(pce.SignatureSize))
	d.AttestationKey = [64]byte(take(64))
	d.KeyID = [32]byte(take(32))
	d.SealCPUSVN = [16]byte(take(16))
	d.SealQEISVSVN = u16()
	n, auth := le.Uint32(take(4)), take(AuthDataSize)
	switch n {
	case 0:
		d.AuthData = nil
	case AuthDataSize:
		d.AuthData = auth
	default:
		return fmt.Errorf("qe: %d bytes of authentication data: there are %d or none", n, AuthDataSize)
	}
	d.QEID = [16]byte(b)
	return nil
}
