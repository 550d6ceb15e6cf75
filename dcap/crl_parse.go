package dcap

import (
	"bytes"
	"fmt"

	"github.com/feidi-dev/feidi/internal/der"
)

// ParseCRL reads a CRL in DER: version 2, signed with ECDSA and SHA-256, with
// the time of the next update. An extension that is not known, of the list or
// an entry, must not be critical. That the list has a number and an authority
// key identifier is for who verifies it.
//
// An error is a *ParseError, of the kinds that ParseCertificate has.
func ParseCRL(b []byte) (*CRL, error) {
	c := &CRL{Raw: b[:len(b):len(b)]}
	r := newDERReader("CRL", b, MaxCRLSize)
	list := r.Enter(der.TagSequence)

	r.in("tbsCertList")
	start := r.Offset()
	tbs := r.Enter(der.TagSequence)
	c.tbs(&r)
	r.in("tbsCertList")
	r.Leave(tbs)
	c.RawTBS = r.Since(start)

	r.in("signatureAlgorithm")
	r.signatureAlgorithm()
	r.in("signature")
	r.signature(&c.Signature)
	r.in("")
	r.Leave(list)
	r.Close()
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// tbs reads what the signature covers (RFC 5280 §5.1.2).
func (c *CRL) tbs(r *derReader) {
	r.in("version")
	at := r.Offset()
	if r.OK() && !r.Next(der.TagInteger) {
		r.fail(ErrVersion, at, "a CRL of version 1")
	}
	if n := r.Integer(); r.OK() && (len(n) != 1 || n[0] != 1) {
		r.fail(ErrVersion, at, "a CRL that is not of version 2")
	}
	r.in("signature")
	r.signatureAlgorithm()
	r.in("issuer")
	c.RawIssuer = r.name(&c.Issuer)
	r.in("thisUpdate")
	c.ThisUpdate = r.Time()
	r.in("nextUpdate")
	c.NextUpdate = r.Time()

	if r.Next(der.TagSequence) {
		r.in("revokedCertificates")
		entries := r.Enter(der.TagSequence)
		if !r.More() {
			r.fail(ErrFormat, r.Offset(), "a list of no entries, which is left out")
		}
		start := r.Offset()
		c.entries = r.revokedList()
		c.revoked = r.Since(start)
		r.Leave(entries)
	}

	if r.More() {
		r.in("extensions")
		explicit := r.Enter(der.ContextConstructed(0))
		r.extensions("extensions", func(oid []byte, critical bool) bool {
			switch string(oid) {
			case oidAKI:
				c.AuthorityKeyID = r.authorityKeyID(critical)
			case oidCRLNumber:
				r.in("extensions.cRLNumber")
				r.notCritical(critical)
				at := r.Offset()
				if c.Number = r.Integer(); len(c.Number) > 20 {
					r.fail(ErrInvalid, at, "a number of more than 20 bytes")
				}
			default:
				return false
			}
			return true
		})
		r.Leave(explicit)
	}
}

// revokedList checks the entries and returns how many there are. In Intel's
// lists they have the same date and reason, so that what follows the serial
// number needs a look only if it is not what the entry before has.
func (r *derReader) revokedList() (n int) {
	var checked []byte
	for ; r.More(); n++ {
		entry := r.Enter(der.TagSequence)
		r.in("userCertificate")
		r.serialNumber()
		tail := r.Rest()
		if len(tail) > 0 && bytes.Equal(tail, checked) {
			r.Skip(entry)
			continue
		}
		checked = tail
		r.revocation()
		if r.Leave(entry); !r.OK() {
			r.path = fmt.Sprintf("revokedCertificates[%d].%s", n, r.path)
		}
	}
	return n
}

// revocation reads what an entry of the list has after the serial number
// (RFC 5280 §5.1.2.6).
func (r *derReader) revocation() (c RevokedCertificate) {
	c.Reason = -1
	r.in("revocationDate")
	c.Date = r.Time()
	if r.More() {
		r.extensions("extensions", func(oid []byte, critical bool) bool {
			if string(oid) != oidReason {
				return false
			}
			r.in("extensions.reasonCode")
			at := r.Offset()
			if c.Reason = int(r.Enumerated(10)); c.Reason == 7 {
				r.fail(ErrInvalid, at, "a reason that does not exist")
			}
			return true
		})
	}
	return c
}
