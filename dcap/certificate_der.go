package dcap

import (
	"strings"

	"github.com/feidi-dev/feidi/internal/der"
)

// Object identifiers, as they stand in DER.
const (
	oidECPublicKey     = "\x2A\x86\x48\xCE\x3D\x02\x01"         // 1.2.840.10045.2.1
	oidPrime256v1      = "\x2A\x86\x48\xCE\x3D\x03\x01\x07"     // 1.2.840.10045.3.1.7
	oidECDSAWithSHA256 = "\x2A\x86\x48\xCE\x3D\x04\x03\x02"     // 1.2.840.10045.4.3.2
	oidExtension       = "\x55\x1D"                             // 2.5.29, of which are:
	oidSKI             = "\x55\x1D\x0E"                         // 14
	oidKeyUsage        = "\x55\x1D\x0F"                         // 15
	oidBasic           = "\x55\x1D\x13"                         // 19
	oidCRLNumber       = "\x55\x1D\x14"                         // 20
	oidReason          = "\x55\x1D\x15"                         // 21
	oidCRLPoints       = "\x55\x1D\x1F"                         // 31
	oidAKI             = "\x55\x1D\x23"                         // 35
	oidSGX             = "\x2A\x86\x48\x86\xF8\x4D\x01\x0D\x01" // 1.2.840.113741.1.13.1
)

// maxExtensions is how many extensions are read of anything; Intel's
// certificates have six.
const maxExtensions = 32

// A derReader reads a certificate or a CRL, and knows where it is in terms of
// the document. After the first failure it reads nothing more.
type derReader struct {
	der.Reader
	document string
	path     string
	kind     error // of a failure that is not one of DER
}

func newDERReader(document string, b []byte, bound int) derReader {
	r := derReader{Reader: der.NewReader(b), document: document}
	if len(b) > bound {
		r.fail(ErrTooLarge, bound, "more bytes than are read")
	}
	return r
}

// in says what is read next.
func (r *derReader) in(path string) {
	if r.OK() {
		r.path = path
	}
}

// fail is a failure that is not one of DER.
func (r *derReader) fail(kind error, offset int, reason string) {
	if r.OK() {
		r.kind = kind
	}
	r.Fail(offset, reason)
}

// err returns the first failure, if there is one. All that is wrong in an
// extension is ErrInvalid, its form too: the form of what holds it is right.
func (r *derReader) err() error {
	failure, reason, offset := r.Failed()
	if failure == der.None {
		return nil
	}
	kind := r.kind
	switch {
	case kind != nil:
	case strings.Contains(r.path, "extensions."):
		kind = ErrInvalid
	case failure == der.Truncated:
		kind = ErrTruncated
	case failure == der.Trailing:
		kind = ErrTrailing
	default:
		kind = ErrFormat
	}
	return &ParseError{Document: r.document, Path: r.path, Offset: offset, Kind: kind, Reason: reason}
}

// serialNumber reads a positive number of at most 20 bytes (RFC 5280
// §4.1.2.2).
func (r *derReader) serialNumber() []byte {
	at := r.Offset()
	serial := r.Integer()
	if len(serial) > 20 || len(serial) == 1 && serial[0] == 0 {
		r.fail(ErrFormat, at, "a serial number that is 0 or has more than 20 bytes")
	}
	return serial
}

// signatureAlgorithm reads the AlgorithmIdentifier of ECDSA with SHA-256,
// which has no parameters (RFC 5758 §3.2).
func (r *derReader) signatureAlgorithm() {
	algorithm := r.Enter(der.TagSequence)
	at := r.Offset()
	if oid := r.OID(); r.OK() && string(oid) != oidECDSAWithSHA256 {
		r.fail(ErrKind, at, "signature algorithm "+oidName(oid)+", not ecdsa-with-SHA256")
	}
	if r.More() {
		r.fail(ErrKind, r.Offset(), "ecdsa-with-SHA256 has no parameters")
	}
	r.Leave(algorithm)
}

// signature reads the BIT STRING of an ECDSA signature (RFC 3279 §2.2.3) to R
// and S. Both are from 1 to 2^256-1; whether they are below the group's order
// is for who verifies.
func (r *derReader) signature(rs *[64]byte) {
	at := r.Offset()
	bits := r.BitString()
	if !r.OK() {
		return
	}
	offset := r.Offset() - len(bits)
	in := der.NewReader(bits)
	seq := in.Enter(der.TagSequence)
	for half := 0; half < 64; half += 32 {
		n := in.Integer()
		if len(n) > 32 || len(n) == 1 && n[0] == 0 {
			r.fail(ErrFormat, at, "a signature of which a number is 0 or has more than 256 bits")
			return
		}
		copy(rs[half+32-len(n):], n)
	}
	in.Leave(seq)
	in.Close()
	if failure, reason, inner := in.Failed(); failure != der.None {
		r.fail(ErrFormat, offset+inner, "in the signature: "+reason)
	}
}

// publicKey reads a SubjectPublicKeyInfo with a point of P-256 (RFC 5480 §2).
func (r *derReader) publicKey(xy *[64]byte) {
	info := r.Enter(der.TagSequence)
	algorithm := r.Enter(der.TagSequence)
	at := r.Offset()
	if oid := r.OID(); r.OK() && string(oid) != oidECPublicKey {
		r.fail(ErrKind, at, "a key of algorithm "+oidName(oid)+", not id-ecPublicKey")
	}
	at = r.Offset()
	if r.OK() && !r.Next(der.TagOID) {
		r.fail(ErrKind, at, "a curve that is not named, not prime256v1")
	}
	if oid := r.OID(); r.OK() && string(oid) != oidPrime256v1 {
		r.fail(ErrKind, at, "a key on the curve "+oidName(oid)+", not prime256v1")
	}
	r.Leave(algorithm)
	at = r.Offset()
	if point := r.BitString(); r.OK() {
		if len(point) != 65 || point[0] != 4 {
			r.fail(ErrKind, at, "a point that is not of the uncompressed form of 65 bytes")
			return
		}
		copy(xy[:], point[1:])
	}
	r.Leave(info)
}

// oidName is how an object identifier is shown: with the name of those that
// are mistaken for the right ones.
func oidName(oid []byte) string {
	dotted := der.OIDString(oid)
	names := map[string]string{
		"1.2.840.113549.1.1.1":  "rsaEncryption",
		"1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
		"1.2.840.10045.3.1.1":   "prime192v1",
		"1.3.132.0.10":          "secp256k1",
		"1.3.132.0.33":          "secp224r1",
		"1.3.132.0.34":          "secp384r1",
		"1.3.132.0.35":          "secp521r1",
		"1.2.840.10045.4.1":     "ecdsa-with-SHA1",
		"1.2.840.10045.4.3.3":   "ecdsa-with-SHA384",
		"1.2.840.10045.4.3.4":   "ecdsa-with-SHA512",
		"1.3.101.112":           "Ed25519",
	}
	if name, ok := names[dotted]; ok {
		return name + " (" + dotted + ")"
	}
	return dotted
}
