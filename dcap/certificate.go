package dcap

import (
	"time"

	"github.com/feidi-dev/feidi/internal/der"
)

// Bounds of what is read.
const (
	MaxCertificateSize = 16 << 10 // bytes of a certificate in DER
	MaxChainLength     = 8        // certificates of a chain
	MaxChainSize       = 64 << 10 // bytes of a chain in PEM
)

// Name is what of a distinguished name Intel's certificates have. Two names
// are the same if all five attributes are, as Intel's library compares them.
// Of an attribute that is there twice it is the first.
type Name struct {
	CommonName, Organization, Locality, State, Country string
}

// KeyUsage are the bits of the extension of that name (RFC 5280 §4.2.1.3).
type KeyUsage uint16

// Key usages that matter here.
const (
	KeyUsageDigitalSignature KeyUsage = 1 << 0
	KeyUsageNonRepudiation   KeyUsage = 1 << 1
	KeyUsageCertSign         KeyUsage = 1 << 5
	KeyUsageCRLSign          KeyUsage = 1 << 6
)

// Certificate is an X.509 v3 certificate of the profile that Intel's PKI has:
// P-256 keys, ECDSA with SHA-256, and the five extensions that the profile
// requires. Slices point into the bytes that it was read from.
type Certificate struct {
	Raw        []byte // the whole, DER
	RawTBS     []byte // what the signature covers
	RawSubject []byte // DER of the Name
	RawIssuer  []byte

	SerialNumber   []byte // big endian, without leading zeros
	Subject        Name
	Issuer         Name
	NotBefore      time.Time // UTC
	NotAfter       time.Time
	PublicKey      [64]byte // X and Y, big endian. That it is on the curve is not checked here
	Signature      [64]byte // R and S, big endian
	SubjectKeyID   []byte
	AuthorityKeyID []byte
	IsCA           bool
	MaxPathLen     int // -1 if there is no limit
	KeyUsage       KeyUsage

	// CRLDistributionPoint is the first URI of that extension.
	CRLDistributionPoint string

	// SGX is the extension that PCK certificates have, or nil.
	SGX *PCKExtension
}

// SelfIssued reports whether subject and issuer are the same.
func (c *Certificate) SelfIssued() bool { return c.Subject == c.Issuer }

// ParseCertificate reads a certificate in DER. Only the profile of Intel's
// PKI is taken: version 3, ECDSA with SHA-256, a key on P-256, and the
// extensions authority key identifier, CRL distribution points, subject key
// identifier, key usage and basic constraints, each once. An extension that
// is not known must not be critical.
//
// An error is a *ParseError. Its kind is ErrInvalid for what is wrong about
// an extension (ErrDuplicate if it is there twice), with a Path that begins
// with "extensions"; ErrVersion or ErrKind if it is a certificate of another
// profile; and ErrFormat, ErrTruncated, ErrTrailing or ErrTooLarge else.
// Intel's library draws the same line.
func ParseCertificate(b []byte) (*Certificate, error) {
	// Certificate and SGX extension together take one allocation.
	c := new(struct {
		Certificate
		sgx PCKExtension
	})
	if err := c.parse(b, &c.sgx); err != nil {
		return nil, err
	}
	return &c.Certificate, nil
}

// parse reads a certificate, and its SGX extension to sgx.
func (c *Certificate) parse(b []byte, sgx *PCKExtension) error {
	r := newDERReader("certificate", b, MaxCertificateSize)
	certificate := r.Enter(der.TagSequence)

	r.in("tbsCertificate")
	start := r.Offset()
	tbs := r.Enter(der.TagSequence)
	c.tbs(&r, sgx)
	r.in("tbsCertificate")
	r.Leave(tbs)
	c.RawTBS = r.Since(start)

	r.in("signatureAlgorithm")
	r.signatureAlgorithm()
	r.in("signature")
	r.signature(&c.Signature)
	r.in("")
	r.Leave(certificate)
	r.Close()
	c.Raw = b[:len(b):len(b)]
	return r.err()
}

// tbs reads what the signature covers (RFC 5280 §4.1.2).
func (c *Certificate) tbs(r *derReader, sgx *PCKExtension) {
	r.in("version")
	if !r.Next(der.ContextConstructed(0)) {
		r.fail(ErrVersion, r.Offset(), "a certificate of version 1")
		return
	}
	version := r.Enter(der.ContextConstructed(0))
	at := r.Offset()
	if n := r.Integer(); r.OK() && (len(n) != 1 || n[0] != 2) {
		r.fail(ErrVersion, at, "a certificate that is not of version 3")
	}
	r.Leave(version)

	r.in("serialNumber")
	c.SerialNumber = r.serialNumber()
	r.in("signature")
	r.signatureAlgorithm()
	r.in("issuer")
	c.RawIssuer = r.name(&c.Issuer)

	r.in("validity")
	validity := r.Enter(der.TagSequence)
	c.NotBefore = r.Time()
	c.NotAfter = r.Time()
	r.Leave(validity)

	r.in("subject")
	c.RawSubject = r.name(&c.Subject)
	r.in("subjectPublicKeyInfo")
	r.publicKey(&c.PublicKey)

	// The unique IDs of version 2 are primitive and come before extensions.
	if r.Next(der.Context(1)) || r.Next(der.Context(2)) {
		r.in("uniqueID")
		r.fail(ErrInvalid, r.Offset(), "the profile has no unique identifiers")
	}
	r.in("extensions")
	if !r.More() {
		r.fail(ErrInvalid, r.Offset(), "a certificate without extensions")
	}
	explicit := r.Enter(der.ContextConstructed(3))
	c.extensions(r, sgx)
	r.Leave(explicit)
}
