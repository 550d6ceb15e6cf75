package testpki

import (
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// tlv returns one DER element.
func tlv(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n+6)
	switch {
	case n < 0x80:
		b = append(b, tag, byte(n))
	case n < 0x100:
		b = append(b, tag, 0x81, byte(n))
	case n < 0x10000:
		b = append(b, tag, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, tag, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		if n < 1<<24 { // DER wants the shortest
			b = append(b[:1], 0x83, byte(n>>16), byte(n>>8), byte(n))
		}
	}
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func oid(id ...int) []byte            { return must(asn1.Marshal(asn1.ObjectIdentifier(id))) }
func integer(n int) []byte            { return must(asn1.Marshal(n)) }
func bigInteger(n *big.Int) []byte    { return must(asn1.Marshal(n)) }
func octets(b []byte) []byte          { return tlv(0x04, b) }
func sequence(parts ...[]byte) []byte { return tlv(0x30, parts...) }
func bitString(b []byte) []byte       { return tlv(0x03, []byte{0}, b) }

// derTime is a UTCTime until 2049, then a GeneralizedTime (RFC 5280 §4.1.2.5).
func derTime(t time.Time) []byte { return must(asn1.Marshal(t.UTC())) }

// name writes the attributes in Intel's order, with Intel's string types.
// Those that are empty are left out.
func name(n dcap.Name) []byte {
	var b []byte
	for _, a := range []struct {
		id    int // 2.5.4.id
		tag   byte
		value string
	}{
		{3, 0x0c, n.CommonName}, {10, 0x0c, n.Organization}, {7, 0x0c, n.Locality}, {8, 0x0c, n.State}, {6, 0x13, n.Country},
	} {
		if a.value != "" {
			b = append(b, tlv(0x31, sequence(oid(2, 5, 4, a.id), tlv(a.tag, []byte(a.value))))...)
		}
	}
	return sequence(b)
}
