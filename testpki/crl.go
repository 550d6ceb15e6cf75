package testpki

import (
	"crypto"
	"crypto/sha1"
	"crypto/x509/pkix"
	"encoding/binary"
	"math/big"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// Revocation is an entry of a CRL. Its reason is key compromise, as in all of
// Intel's.
type Revocation struct {
	Serial *big.Int
	Date   time.Time
}

// CRLTemplate is a revocation list before it is signed.
type CRLTemplate struct {
	Version    int // 2; version 1 has no field
	Issuer     dcap.Name
	ThisUpdate time.Time
	NextUpdate time.Time // left out if it is zero
	Revoked    []Revocation
	Extensions []pkix.Extension // CRL number and authority key ID
	Signer     crypto.Signer

	// Edits of bytes, as those of a Template.
	EditTBS       func(tbs []byte) []byte
	EditSignature func(sig []byte) []byte
	EditDER       func(der []byte) []byte
}

// Fill adds n entries with serial numbers that belong to nothing. One entry has
// about 52 bytes.
func (t *CRLTemplate) Fill(n int) {
	t.Revoked = slices.Grow(t.Revoked, n)
	for i := range n {
		sum := sha1.Sum(binary.BigEndian.AppendUint64(nil, uint64(i)))
		sum[0] |= 0x40 // so that all have 20 bytes
		t.Revoked = append(t.Revoked, Revocation{Serial: bigInt(sum[:]), Date: t.ThisUpdate})
	}
}

// CRL returns the revocation list of an authority, DER: what Revoked says, 12
// days old and valid for 30 days as Intel's are, or for a year if it is the
// root's.
func (c *Cert) CRL(edits ...func(*CRLTemplate)) []byte {
	t := &CRLTemplate{
		Version: 2, Issuer: c.Template.Subject, Signer: c.Key(),
		ThisUpdate: c.now.AddDate(0, 0, -12), NextUpdate: c.now.AddDate(0, 0, 18),
		Revoked:    slices.Clone(c.Revoked),
		Extensions: []pkix.Extension{CRLNumber(1), AuthorityKeyID(keyID(c.Key()))},
	}
	if c.Template.Subject == c.Template.Issuer {
		t.NextUpdate = t.ThisUpdate.AddDate(1, 0, 14)
	}
	for _, e := range edits {
		e(t)
	}
	return t.sign()
}

func (t *CRLTemplate) sign() []byte {
	alg, _ := algorithm(t.Signer)
	var version, next, revoked, tail []byte
	if t.Version != 1 {
		version = integer(t.Version - 1)
	}
	if !t.NextUpdate.IsZero() {
		next = derTime(t.NextUpdate)
	}
	if len(t.Revoked) > 0 { // an empty list is left out (RFC 5280 §5.1.2.6)
		revoked = sequence(encodeRevoked(t.Revoked))
	}
	if len(t.Extensions) > 0 {
		tail = tlv(0xa0, encodeExtensions(t.Extensions))
	}
	tbs := sequence(version, alg, name(t.Issuer), derTime(t.ThisUpdate), next, revoked, tail)
	return seal(tbs, alg, t.Signer, t.EditTBS, t.EditSignature, t.EditDER)
}

// encodeRevoked is made for many entries.
func encodeRevoked(list []Revocation) []byte {
	reason := encodeExtensions([]pkix.Extension{{Id: OIDReasonCode, Value: []byte{0x0a, 0x01, 0x01}}})
	b := make([]byte, 0, 54*len(list))
	var last time.Time
	var date []byte
	for _, r := range list {
		if date == nil || !r.Date.Equal(last) {
			last, date = r.Date, derTime(r.Date)
		}
		b = append(b, sequence(bigInteger(r.Serial), date, reason)...)
	}
	return b
}
