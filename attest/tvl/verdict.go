package tvl

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/isa"
)

// Verdict is what the QvE says of a quote.
type Verdict struct {
	At           time.Time // as of when, in seconds: expiration_check_date, which the host chose
	Expired      bool      // collateral_expiration_status: a certificate, list or document is out of its time
	Result       Result
	Supplemental []byte // the bytes of a Supplemental, or none
}

// ReportData is what the QvE's REPORT carries: SHA-256 of nonce, quote, time (8
// bytes), expiration status and result (4 bytes each, all little endian) and
// supplemental data, then 32 zeros. The quote is all that the QvE was given, padding
// included.
func (v *Verdict) ReportData(nonce [16]byte, quote []byte) (data [64]byte) {
	var expired uint32
	if v.Expired {
		expired = 1
	}
	h := sha256.New()
	h.Write(nonce[:])
	h.Write(quote)
	fixed := binary.LittleEndian.AppendUint64(nil, uint64(v.At.Unix()))
	fixed = binary.LittleEndian.AppendUint32(fixed, expired)
	h.Write(binary.LittleEndian.AppendUint32(fixed, uint32(v.Result)))
	h.Write(v.Supplemental)
	h.Sum(data[:0])
	return data
}

// Check checks that the verdict is that of a QvE on this machine about this quote:
// the REPORT, its data, and whose REPORT it is. The nonce is one that the caller
// drew for this; verifyReport is inside.VerifyReport. The error wraps ReportInvalid,
// QvEIdentityMismatch or QvEOutOfDate.
//
// A verdict that stands the check may be a bad one, see the package comment.
func (v *Verdict) Check(verifyReport func(*isa.Report) error, report *isa.Report, nonce [16]byte, quote []byte, qve *Identity) error {
	if err := verifyReport(report); err != nil {
		return fmt.Errorf("tvl: %w: %w", ReportInvalid, err)
	}
	if report.ReportData != v.ReportData(nonce, quote) {
		return fmt.Errorf("tvl: %w: the REPORT is of another verdict, quote or nonce", ReportInvalid)
	}
	return qve.check(&report.ReportBody)
}

// Details reads the supplemental data.
func (v *Verdict) Details() (*Supplemental, error) {
	s := new(Supplemental)
	return s, s.UnmarshalBinary(v.Supplemental)
}

// RootKeyID is what supplemental data name a root of trust by: SHA-384 of its key as
// an uncompressed point. The key is X and Y, big endian.
func RootKeyID(key [64]byte) [48]byte { return sha512.Sum384(append([]byte{4}, key[:]...)) }
