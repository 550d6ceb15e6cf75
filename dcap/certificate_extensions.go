package dcap

import (
	"bytes"

	"github.com/feidi-dev/feidi/internal/der"
)

// The extensions that every certificate of the profile has, as bits.
const (
	extensionAKI = 1 << iota
	extensionCRLPoints
	extensionSKI
	extensionKeyUsage
	extensionBasic
	extensionsRequired = 1<<iota - 1
)

// extensions reads the list of extensions of a certificate.
func (c *Certificate) extensions(r *derReader, sgx *PCKExtension) {
	c.MaxPathLen = -1
	var seen uint
	r.extensions("extensions", func(oid []byte, critical bool) bool {
		switch string(oid) {
		case oidAKI:
			seen |= extensionAKI
			c.AuthorityKeyID = r.authorityKeyID(critical)
		case oidCRLPoints:
			seen |= extensionCRLPoints
			c.CRLDistributionPoint = r.crlDistributionPoint()
		case oidSKI:
			seen |= extensionSKI
			c.SubjectKeyID = r.subjectKeyID(critical)
		case oidKeyUsage:
			seen |= extensionKeyUsage
			r.in("extensions.keyUsage")
			c.KeyUsage = KeyUsage(r.NamedBits())
		case oidBasic:
			seen |= extensionBasic
			c.basicConstraints(r)
		case oidSGX:
			c.SGX = sgx
			sgx.parse(r)
		default:
			return false
		}
		return true
	})
	if missing := extensionsRequired &^ seen; missing != 0 && r.OK() {
		names := [...]string{"authorityKeyIdentifier", "cRLDistributionPoints", "subjectKeyIdentifier", "keyUsage", "basicConstraints"}
		for i, name := range names {
			if missing&(1<<i) != 0 {
				r.in("extensions." + name)
				r.fail(ErrInvalid, r.Offset(), "missing, but the profile requires it")
			}
		}
	}
}

// extensions reads a list of extensions. known reads the content of one, for
// which it sets the path, or reports that it does not know it. One that is not
// known is passed over if it is not critical. path is that of the list.
func (r *derReader) extensions(path string, known func(oid []byte, critical bool) bool) {
	var seen [maxExtensions][]byte
	list := r.Enter(der.TagSequence)
	for n := 0; r.More(); n++ {
		r.in(path)
		at := r.Offset()
		if n == maxExtensions {
			r.fail(ErrTooLarge, at, "more than 32 extensions")
			return
		}
		extension := r.Enter(der.TagSequence)
		oid := r.OID()
		critical := r.Next(der.TagBoolean)
		if critical && !r.Boolean() {
			r.fail(ErrFormat, at, "the default value false of critical, which DER leaves out")
		}
		for _, other := range seen[:n] {
			if bytes.Equal(other, oid) {
				r.fail(ErrDuplicate, at, "extension "+der.OIDString(oid)+" is there twice")
			}
		}
		seen[n] = oid

		value := r.Enter(der.TagOctetString)
		if !r.OK() {
			return
		}
		if known(oid, critical) {
			r.Leave(value)
		} else {
			if critical {
				r.fail(ErrInvalid, at, "extension "+der.OIDString(oid)+" is critical and not known")
			}
			r.Skip(value)
		}
		r.in(path)
		r.Leave(extension)
	}
	r.Leave(list)
}

// authorityKeyID reads that extension (RFC 5280 §4.2.1.1), of which the key
// identifier must be there.
func (r *derReader) authorityKeyID(critical bool) []byte {
	r.in("extensions.authorityKeyIdentifier")
	r.notCritical(critical)
	seq := r.Enter(der.TagSequence)
	id := r.keyID(der.Context(0))
	if r.Next(der.ContextConstructed(1)) { // authorityCertIssuer and its serial number
		r.Bytes(der.ContextConstructed(1))
		r.Bytes(der.Context(2))
	}
	r.Leave(seq)
	return id
}

func (r *derReader) subjectKeyID(critical bool) []byte {
	r.in("extensions.subjectKeyIdentifier")
	r.notCritical(critical)
	return r.keyID(der.TagOctetString)
}

func (r *derReader) keyID(tag byte) []byte {
	at := r.Offset()
	id := r.Bytes(tag)
	if len(id) == 0 {
		r.fail(ErrInvalid, at, "a key identifier of no bytes")
	}
	return id
}

// notCritical refuses what RFC 5280 forbids of some extensions.
func (r *derReader) notCritical(critical bool) {
	if critical {
		r.fail(ErrInvalid, r.Offset(), "marked critical, which this extension never is")
	}
}

func (c *Certificate) basicConstraints(r *derReader) {
	r.in("extensions.basicConstraints")
	seq := r.Enter(der.TagSequence)
	if r.Next(der.TagBoolean) {
		at := r.Offset()
		if c.IsCA = r.Boolean(); !c.IsCA {
			r.fail(ErrInvalid, at, "the default value false of cA, which DER leaves out")
		}
	}
	if r.More() {
		if !c.IsCA {
			r.fail(ErrInvalid, r.Offset(), "a bound of the path for what is not a CA")
		}
		c.MaxPathLen = int(r.Uint(255))
	}
	r.Leave(seq)
}

// crlDistributionPoint reads that extension (RFC 5280 §4.2.1.13) and returns
// the first URI. The points of the profile have full names, and nothing else.
func (r *derReader) crlDistributionPoint() (uri string) {
	r.in("extensions.cRLDistributionPoints")
	points := r.Enter(der.TagSequence)
	for r.More() {
		point := r.Enter(der.TagSequence)
		name := r.Enter(der.ContextConstructed(0))
		full := r.Enter(der.ContextConstructed(0))
		for r.More() {
			at := r.Offset()
			tag, value := r.Any()
			if tag == der.Context(6) && uri == "" {
				uri = r.uri(at, value)
			}
		}
		r.Leave(full)
		r.Leave(name)
		r.Leave(point)
	}
	if uri == "" {
		r.fail(ErrInvalid, r.Offset(), "no URI")
	}
	r.Leave(points)
	return uri
}

// uri returns a URI, which is read and began at an offset.
func (r *derReader) uri(at int, value []byte) string {
	ok := len(value) > 0
	for _, c := range value {
		ok = ok && c > ' ' && c <= '~'
	}
	if !ok {
		r.fail(ErrInvalid, at, "a URI that is empty or not of printable ASCII")
	}
	return intern(value)
}
