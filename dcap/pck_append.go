package dcap

import "github.com/feidi-dev/feidi/internal/der"

// Append appends the value of the extension in DER, with the elements in the
// order that Intel's certificates have. It is what ParseCertificate read.
func (e *PCKExtension) Append(b []byte) []byte {
	tcb := make([]byte, 0, 512)
	for i, svn := range e.TCB {
		tcb = appendPCKElement(tcb, oidSGX+"\x02", byte(i+1), der.AppendUint(nil, der.TagInteger, uint32(svn)))
	}
	tcb = appendPCKElement(tcb, oidSGX+"\x02", tcbPCESVN, der.AppendUint(nil, der.TagInteger, uint32(e.PCESVN)))
	tcb = appendPCKElement(tcb, oidSGX+"\x02", tcbCPUSVN, octetString(e.CPUSVN[:]))

	all := make([]byte, 0, 768)
	all = appendPCKElement(all, oidSGX, pckPPID, octetString(e.PPID[:]))
	all = appendPCKElement(all, oidSGX, pckTCB, der.Append(nil, der.TagSequence, tcb))
	all = appendPCKElement(all, oidSGX, pckPCEID, octetString(e.PCEID[:]))
	all = appendPCKElement(all, oidSGX, pckFMSPC, octetString(e.FMSPC[:]))
	all = appendPCKElement(all, oidSGX, pckSGXType, der.AppendUint(nil, der.TagEnumerated, uint32(e.SGXType)))
	if e.HasPlatform {
		all = appendPCKElement(all, oidSGX, pckInstance, octetString(e.PlatformInstanceID[:]))
		var configuration []byte
		c := e.Configuration
		for i, state := range []Tristate{c.DynamicPlatform, c.CachedKeys, c.SMTEnabled} {
			if state != Undefined {
				configuration = appendPCKElement(configuration, oidSGX+"\x07", byte(i+1), der.AppendBoolean(nil, state == True))
			}
		}
		all = appendPCKElement(all, oidSGX, pckConfiguration, der.Append(nil, der.TagSequence, configuration))
	}
	return der.Append(b, der.TagSequence, all)
}

// appendPCKElement appends a pair of an object identifier, which is that of
// an object and an arc, and a value in DER.
func appendPCKElement(b []byte, object string, arc byte, value []byte) []byte {
	oid := der.Append(nil, der.TagOID, []byte(object), []byte{arc})
	return der.Append(b, der.TagSequence, oid, value)
}

func octetString(content []byte) []byte { return der.Append(nil, der.TagOctetString, content) }
