package aesm

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/isa"
)

// QEReportInfoSize is the size of a QEReportInfo in bytes.
const QEReportInfoSize = 960

// QEReportInfo is sgx_ql_qe_report_info_t, 960 bytes: how an enclave gets to
// know that a quote really comes from the quoting enclave. The quoting enclave
// makes a report for Target whose report data is the SHA-256 of Nonce and the
// quote, and 32 zeros.
type QEReportInfo struct {
	Nonce    [16]byte
	Target   isa.TargetInfo // of the enclave that checks QEReport
	QEReport isa.Report     // comes back
}

// AppendBinary appends the 960-byte encoding.
func (q *QEReportInfo) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, q.Nonce[:]...)
	b, err := q.Target.AppendBinary(b)
	if err != nil {
		return nil, err
	}
	return q.QEReport.AppendBinary(b)
}

// UnmarshalBinary reads exactly QEReportInfoSize bytes.
func (q *QEReportInfo) UnmarshalBinary(b []byte) error {
	if err := wantSize("QE report info", b, QEReportInfoSize); err != nil {
		return err
	}
	n := copy(q.Nonce[:], b)
	if err := q.Target.UnmarshalBinary(b[n:][:isa.TargetInfoSize]); err != nil {
		return err
	}
	return q.QEReport.UnmarshalBinary(b[n+isa.TargetInfoSize:])
}

// Sizes in bytes of what the attestation service of EPID says of a platform,
// and of what AESM makes of it.
const (
	PlatformInfoSize = 101
	UpdateInfoSize   = 12
)

// PlatformInfo is sgx_platform_info_t, 101 bytes, opaque and signed by the
// attestation service.
type PlatformInfo [PlatformInfoSize]byte

// UpdateInfo is sgx_update_info_bit_t, 12 bytes: what should be updated.
type UpdateInfo struct {
	Microcode, Firmware, Software bool // Firmware is the management engine's, Software AESM
}

// AppendBinary appends the 12-byte encoding: three numbers of 32 bits.
func (u *UpdateInfo) AppendBinary(b []byte) ([]byte, error) {
	for _, on := range [...]bool{u.Microcode, u.Firmware, u.Software} {
		var v uint32
		if on {
			v = 1
		}
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b, nil
}

// UnmarshalBinary reads exactly UpdateInfoSize bytes.
func (u *UpdateInfo) UnmarshalBinary(b []byte) error {
	if err := wantSize("update info", b, UpdateInfoSize); err != nil {
		return err
	}
	for i, on := range [...]*bool{&u.Microcode, &u.Firmware, &u.Software} {
		*on = binary.LittleEndian.Uint32(b[4*i:]) != 0
	}
	return nil
}

// EPIDQuoteSize returns the size in bytes of an EPID quote that was made with a
// revocation list of so many entries: 436 before the signature, 680 of it, and a
// proof of 160 for each entry.
func EPIDQuoteSize(entries int) int { return 1116 + 160*entries }

// EPIDQuote is what an EPID quote is asked for with.
type EPIDQuote struct {
	Report       isa.Report
	Linkable     bool // quotes of one machine for one SPID can be told to be so
	SPID         [16]byte
	Nonce        *[16]byte // goes into the quoting enclave's report; nil if none is wanted
	SigRL        []byte    // signature revocation list of the group, or nil
	WantQEReport bool
}
