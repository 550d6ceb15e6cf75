package testpki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// Template is a certificate before it is signed. An edit may change all of it:
// another key (P-384, RSA), another signer, other dates, extensions that are
// missing, critical, unknown or there twice.
type Template struct {
	Version   int // 3; version 1 has no field
	Serial    *big.Int
	Subject   dcap.Name
	Issuer    dcap.Name
	NotBefore time.Time
	NotAfter  time.Time
	Key       crypto.Signer // of the subject: ECDSA or RSA

	// Extensions are in this order. None leaves the field out.
	Extensions []pkix.Extension

	// SGX is the SGX extension, which follows the others, or nil. For one
	// that is malformed see SGXFields.
	SGX *dcap.PCKExtension

	Signer crypto.Signer // the issuer's key

	// Edits of bytes, in the order in which they are made; each may be nil.
	EditTBS       func(tbs []byte) []byte // before it is signed
	EditSignature func(sig []byte) []byte // the value, without the BIT STRING around it
	EditDER       func(der []byte) []byte // the whole
}

// Get returns the extension of that OID, or nil. What it points to may be
// changed.
func (t *Template) Get(id []int) *pkix.Extension {
	i := slices.IndexFunc(t.Extensions, func(e pkix.Extension) bool { return slices.Equal(e.Id, id) })
	if i < 0 {
		return nil
	}
	return &t.Extensions[i]
}

// Set puts e in the place of the extension of its OID, or at the end.
func (t *Template) Set(e pkix.Extension) {
	if old := t.Get(e.Id); old != nil {
		*old = e
		return
	}
	t.Extensions = append(t.Extensions, e)
}

// Remove takes out the extensions of that OID.
func (t *Template) Remove(id []int) {
	t.Extensions = slices.DeleteFunc(t.Extensions, func(e pkix.Extension) bool { return slices.Equal(e.Id, id) })
}

// clone returns a copy that shares nothing that an edit would change.
func (t *Template) clone() *Template {
	c := *t
	c.Serial = new(big.Int).Set(t.Serial)
	c.Extensions = slices.Clone(t.Extensions)
	if t.SGX != nil {
		sgx := *t.SGX
		c.SGX = &sgx
	}
	return &c
}

// sign makes the certificate.
func (t *Template) sign(now time.Time) *Cert {
	alg, _ := algorithm(t.Signer)
	extensions := t.Extensions
	if t.SGX != nil {
		extensions = append(slices.Clip(extensions), pkix.Extension{Id: OIDSGX, Value: EncodeSGX(SGXFields(t.SGX))})
	}
	var version, tail []byte
	if t.Version != 1 {
		version = tlv(0xa0, integer(t.Version-1))
	}
	if len(extensions) > 0 {
		tail = tlv(0xa3, encodeExtensions(extensions))
	}
	tbs := sequence(version, bigInteger(t.Serial), alg, name(t.Issuer),
		sequence(derTime(t.NotBefore), derTime(t.NotAfter)), name(t.Subject), publicKey(t.Key), tail)
	der := seal(tbs, alg, t.Signer, t.EditTBS, t.EditSignature, t.EditDER)
	return &Cert{
		Template: *t, DER: der, now: now,
		pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}
}

// seal signs what a certificate or a CRL says, and puts it together.
func seal(tbs, alg []byte, signer crypto.Signer, editTBS, editSignature, editDER func([]byte) []byte) []byte {
	tbs = edit(editTBS, tbs)
	sig := edit(editSignature, sign(signer, tbs))
	return edit(editDER, sequence(tbs, alg, bitString(sig)))
}

func edit(f func([]byte) []byte, b []byte) []byte {
	if f == nil {
		return b
	}
	return f(b)
}

// Cert is a certificate with its private key.
type Cert struct {
	// Template is what was signed. To change it is of no effect; see Reissue.
	Template Template

	DER []byte

	// Revoked is what the CRLs of this authority list.
	Revoked []Revocation

	pem []byte
	now time.Time
}

// Key returns the private key.
func (c *Cert) Key() crypto.Signer { return c.Template.Key }

// PEM returns the certificate in PEM, with a line feed at the end.
func (c *Cert) PEM() []byte { return slices.Clone(c.pem) }

// X509 returns the certificate as package crypto/x509 reads it. It panics if
// that does not want to read it.
func (c *Cert) X509() *x509.Certificate { return must(x509.ParseCertificate(c.DER)) }

// Reissue returns the certificate made again, with the same key unless an edit
// gives another. What was issued under c stays valid under it in so far as the
// edits allow. It replaces c nowhere: assign it to the field of the PKI or
// platform that is to have it.
//
//	pki.TCBSigning = pki.TCBSigning.Reissue(func(t *testpki.Template) {
//		t.NotAfter = pki.Now.Add(-time.Hour)
//	})
func (c *Cert) Reissue(edits ...func(*Template)) *Cert {
	t := c.Template.clone()
	for _, e := range edits {
		e(t)
	}
	n := t.sign(c.now)
	n.Revoked = c.Revoked
	return n
}

// Revoke adds certificates to the CRLs that c makes from now on.
func (c *Cert) Revoke(certs ...*Cert) {
	for _, r := range certs {
		c.Revoked = append(c.Revoked, Revocation{Serial: r.Template.Serial, Date: c.now.AddDate(0, 0, -20)})
	}
}

// chainPEM returns certificates in PEM, one after another.
func chainPEM(certs ...*Cert) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		b.Write(c.pem)
	}
	return b.Bytes()
}
