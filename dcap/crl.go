package dcap

import (
	"bytes"
	"iter"
	"time"

	"github.com/feidi-dev/feidi/internal/der"
)

// MaxCRLSize is the largest CRL that is read, in bytes of DER.
const MaxCRLSize = 8 << 20

// CRL is an X.509 v2 certificate revocation list of Intel's profile. Slices
// point into the bytes that it was read from.
type CRL struct {
	Raw       []byte // the whole, DER
	RawTBS    []byte // what the signature covers
	RawIssuer []byte

	Issuer         Name
	Number         []byte // CRL number, big endian, without leading zeros (but 0 is one byte); nil if there is none
	ThisUpdate     time.Time
	NextUpdate     time.Time
	AuthorityKeyID []byte   // nil if there is none
	Signature      [64]byte // R and S, big endian

	revoked []byte // the entries, DER, checked
	entries int
}

// RevokedCertificate is an entry of a CRL.
type RevokedCertificate struct {
	SerialNumber []byte // as that of a Certificate
	Date         time.Time
	Reason       int // 0 to 10 (RFC 5280 §5.3.1), or -1 if it is not said
}

// Len returns how many certificates are revoked.
func (c *CRL) Len() int { return c.entries }

// Contains reports whether the certificate with a serial number is revoked.
// Its time is in proportion to Len.
func (c *CRL) Contains(serial []byte) bool {
	serial = bytes.TrimLeft(serial, "\x00")
	r := der.NewReader(c.revoked)
	for r.More() {
		entry := r.Enter(der.TagSequence)
		if bytes.Equal(r.Integer(), serial) {
			return true
		}
		r.Skip(entry)
	}
	return false
}

// Revoked returns the entries in the order of the list.
func (c *CRL) Revoked() iter.Seq[RevokedCertificate] {
	return func(yield func(RevokedCertificate) bool) {
		r := derReader{Reader: der.NewReader(c.revoked)}
		for r.More() {
			entry := r.Enter(der.TagSequence)
			serial := r.serialNumber()
			c := r.revocation()
			c.SerialNumber = serial
			r.Leave(entry)
			if !yield(c) {
				return
			}
		}
	}
}
