package testpki

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/bits"

	"github.com/feidi-dev/feidi/dcap"
)

// Object identifiers of the extensions that Intel's certificates and CRLs have.
var (
	OIDSubjectKeyID         = asn1.ObjectIdentifier{2, 5, 29, 14}
	OIDKeyUsage             = asn1.ObjectIdentifier{2, 5, 29, 15}
	OIDBasicConstraints     = asn1.ObjectIdentifier{2, 5, 29, 19}
	OIDCRLNumber            = asn1.ObjectIdentifier{2, 5, 29, 20}
	OIDReasonCode           = asn1.ObjectIdentifier{2, 5, 29, 21}
	OIDCRLDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 31}
	OIDAuthorityKeyID       = asn1.ObjectIdentifier{2, 5, 29, 35}
	OIDSGX                  = asn1.ObjectIdentifier{1, 2, 840, 113741, 1, 13, 1}
)

// AuthorityKeyID is the extension that names the issuer's key.
func AuthorityKeyID(id []byte) pkix.Extension {
	return pkix.Extension{Id: OIDAuthorityKeyID, Value: sequence(tlv(0x80, id))}
}

// SubjectKeyID is the extension that names the certificate's key.
func SubjectKeyID(id []byte) pkix.Extension {
	return pkix.Extension{Id: OIDSubjectKeyID, Value: octets(id)}
}

// CRLDistributionPoint is the extension with one URI.
func CRLDistributionPoint(uri string) pkix.Extension {
	point := sequence(tlv(0xa0, tlv(0xa0, tlv(0x86, []byte(uri)))))
	return pkix.Extension{Id: OIDCRLDistributionPoint, Value: sequence(point)}
}

// KeyUsage is the extension of that name, critical.
func KeyUsage(u dcap.KeyUsage) pkix.Extension {
	n := bits.Len16(uint16(u))
	reversed := bits.Reverse16(uint16(u)) // bit 0 comes first
	b := []byte{byte(reversed >> 8), byte(reversed)}[:(n+7)/8]
	return pkix.Extension{Id: OIDKeyUsage, Critical: true, Value: must(asn1.Marshal(asn1.BitString{Bytes: b, BitLength: n}))}
}

// BasicConstraints is the extension of that name, critical. There is no limit
// to the length of paths if it is negative.
func BasicConstraints(ca bool, pathLen int) pkix.Extension {
	var b []byte
	if ca {
		b = append(b, 0x01, 0x01, 0xff)
	}
	if pathLen >= 0 {
		b = append(b, integer(pathLen)...)
	}
	return pkix.Extension{Id: OIDBasicConstraints, Critical: true, Value: sequence(b)}
}

// CRLNumber is the extension of that name.
func CRLNumber(n int) pkix.Extension {
	return pkix.Extension{Id: OIDCRLNumber, Value: integer(n)}
}

func encodeExtensions(list []pkix.Extension) []byte {
	var b []byte
	for _, e := range list {
		var critical []byte
		if e.Critical {
			critical = []byte{0x01, 0x01, 0xff}
		}
		b = append(b, sequence(oid(e.Id...), critical, octets(e.Value))...)
	}
	return sequence(b)
}
