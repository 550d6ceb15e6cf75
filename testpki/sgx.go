package testpki

import (
	"encoding/asn1"
	"slices"

	"github.com/feidi-dev/feidi/dcap"
)

// SGXField is a part of the SGX extension of a PCK certificate: an OID and a
// value in DER.
type SGXField struct {
	OID   asn1.ObjectIdentifier
	Value []byte
}

// OIDs of parts of the SGX extension (PCK Certificate Profile, "SGX
// Extensions"). The components of the TCB are below OIDSGXTCB: 1 to 16, PCESVN
// at 17, CPUSVN at 18.
var (
	OIDSGXPPID               = sgxOID(1)
	OIDSGXTCB                = sgxOID(2)
	OIDSGXPCEID              = sgxOID(3)
	OIDSGXFMSPC              = sgxOID(4)
	OIDSGXType               = sgxOID(5)
	OIDSGXPlatformInstanceID = sgxOID(6)
	OIDSGXConfiguration      = sgxOID(7) // 1 dynamic platform, 2 cached keys, 3 SMT enabled
)

func sgxOID(n ...int) asn1.ObjectIdentifier { return append(slices.Clip(OIDSGX), n...) }

// SGXFields returns the parts of the extension in Intel's order, for an edit
// that drops, doubles or changes some:
//
//	fields := testpki.SGXFields(t.SGX)
//	t.SGX = nil
//	t.Set(pkix.Extension{Id: testpki.OIDSGX, Value: testpki.EncodeSGX(fields[1:])}) // no PPID
func SGXFields(e *dcap.PCKExtension) []SGXField {
	fields := []SGXField{
		{OIDSGXPPID, octets(e.PPID[:])},
		{OIDSGXTCB, EncodeSGX(SGXTCBFields(e))},
		{OIDSGXPCEID, octets(e.PCEID[:])},
		{OIDSGXFMSPC, octets(e.FMSPC[:])},
		{OIDSGXType, tlv(0x0a, []byte{byte(e.SGXType)})},
	}
	if !e.HasPlatform {
		return fields
	}
	var configuration []SGXField
	for i, v := range []dcap.Tristate{e.Configuration.DynamicPlatform, e.Configuration.CachedKeys, e.Configuration.SMTEnabled} {
		switch v {
		case dcap.True:
			configuration = append(configuration, SGXField{sgxOID(7, i+1), []byte{0x01, 0x01, 0xff}})
		case dcap.False:
			configuration = append(configuration, SGXField{sgxOID(7, i+1), []byte{0x01, 0x01, 0x00}})
		}
	}
	return append(fields,
		SGXField{OIDSGXPlatformInstanceID, octets(e.PlatformInstanceID[:])},
		SGXField{OIDSGXConfiguration, EncodeSGX(configuration)})
}

// SGXTCBFields returns the parts of the part OIDSGXTCB.
func SGXTCBFields(e *dcap.PCKExtension) []SGXField {
	var fields []SGXField
	for i, svn := range e.TCB {
		fields = append(fields, SGXField{sgxOID(2, i+1), integer(int(svn))})
	}
	return append(fields,
		SGXField{sgxOID(2, 17), integer(int(e.PCESVN))},
		SGXField{sgxOID(2, 18), octets(e.CPUSVN[:])})
}

// EncodeSGX returns parts as the DER sequence that the extension and two of
// its parts are.
func EncodeSGX(fields []SGXField) []byte {
	var b []byte
	for _, f := range fields {
		b = append(b, sequence(oid(f.OID...), f.Value)...)
	}
	return sequence(b)
}
