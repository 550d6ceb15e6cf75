package dcap

import (
	"fmt"

	"github.com/feidi-dev/feidi/internal/der"
)

// SGXType tells how the memory of a platform is protected.
type SGXType uint8

// SGX types (PCK Certificate Profile, "SGX Type").
const (
	SGXStandard              SGXType = 0
	SGXScalable              SGXType = 1
	SGXScalableWithIntegrity SGXType = 2
)

// String returns the name of the profile.
func (t SGXType) String() string {
	switch t {
	case SGXStandard:
		return "Standard"
	case SGXScalable:
		return "Scalable"
	case SGXScalableWithIntegrity:
		return "Scalable with Integrity"
	}
	return fmt.Sprintf("SGX type %d", uint8(t))
}

// PCKExtension is the SGX extension of a PCK certificate, OID
// 1.2.840.113741.1.13.1.
type PCKExtension struct {
	PPID    [16]byte
	TCB     [16]uint8 // SGX TCB components 1 to 16
	PCESVN  uint16
	CPUSVN  [16]byte
	PCEID   [2]byte
	FMSPC   [6]byte
	SGXType SGXType

	// What only certificates of the Platform CA have.
	HasPlatform        bool
	PlatformInstanceID [16]byte
	Configuration      PCKConfiguration
}

// PCKConfiguration tells how a platform of several packages is set up.
// Each is true, false, or not said.
type PCKConfiguration struct {
	DynamicPlatform, CachedKeys, SMTEnabled Tristate
}

// Tristate is a boolean that may be absent.
type Tristate uint8

// The three states.
const (
	Undefined Tristate = iota
	False
	True
)

// String returns "true", "false" or "undefined".
func (t Tristate) String() string {
	switch t {
	case False:
		return "false"
	case True:
		return "true"
	}
	return "undefined"
}

// The elements of the extension: the last arc of their object identifiers.
const (
	pckPPID = 1 + iota
	pckTCB
	pckPCEID
	pckFMSPC
	pckSGXType
	pckInstance
	pckConfiguration
)

// Elements of the TCB after the sixteen components.
const (
	tcbPCESVN = 17
	tcbCPUSVN = 18
)

// Sets of elements, as bits.
const (
	pckProcessor = 1<<pckPPID | 1<<pckTCB | 1<<pckPCEID | 1<<pckFMSPC | 1<<pckSGXType
	pckPlatform  = pckProcessor | 1<<pckInstance | 1<<pckConfiguration
	tcbAll       = 1<<(tcbCPUSVN+1) - 1<<1
)

// pckNames are the last parts of the paths of the elements.
var pckNames = []string{pckPPID: "ppid", pckTCB: "tcb", pckPCEID: "pceid", pckFMSPC: "fmspc", pckSGXType: "sgxType", pckInstance: "platformInstanceID", pckConfiguration: "configuration"}

// parse reads the value of the extension: five elements in a certificate of
// the Processor CA and seven in one of the Platform CA, in any order.
func (e *PCKExtension) parse(r *derReader) {
	const path = "extensions.sgx"
	seen := r.pckElements(path, oidSGX, pckConfiguration, func(arc byte) {
		switch arc {
		case pckPPID:
			r.octets(e.PPID[:])
		case pckTCB:
			e.parseTCB(r)
		case pckPCEID:
			r.octets(e.PCEID[:])
		case pckFMSPC:
			r.octets(e.FMSPC[:])
		case pckSGXType:
			e.SGXType = SGXType(r.Enumerated(255))
		case pckInstance:
			r.octets(e.PlatformInstanceID[:])
		case pckConfiguration:
			e.Configuration.parse(r)
		}
		if !r.OK() && r.path == path {
			r.path = path + "." + pckNames[arc]
		}
		r.in(path)
	})
	if e.HasPlatform = seen == pckPlatform; !e.HasPlatform && seen != pckProcessor && r.OK() {
		r.fail(ErrInvalid, r.Offset(), fmt.Sprintf("the elements %v, not 1 to 5 of a Processor CA or 1 to 7 of a Platform CA", arcs(seen)))
	}
}

func (e *PCKExtension) parseTCB(r *derReader) {
	const path = "extensions.sgx.tcb"
	seen := r.pckElements(path, oidSGX+"\x02", tcbCPUSVN, func(arc byte) {
		switch arc {
		case tcbPCESVN:
			e.PCESVN = uint16(r.Uint(0xFFFF))
		case tcbCPUSVN:
			r.octets(e.CPUSVN[:])
		default:
			e.TCB[arc-1] = uint8(r.Uint(0xFF))
		}
		if !r.OK() {
			r.path = fmt.Sprintf("%s[%d]", path, arc)
		}
	})
	if seen != tcbAll && r.OK() {
		r.fail(ErrInvalid, r.Offset(), fmt.Sprintf("the elements %v are missing", arcs(tcbAll&^seen)))
	}
}

// parse reads the configuration, of which each element may be missing.
func (c *PCKConfiguration) parse(r *derReader) {
	r.pckElements("extensions.sgx.configuration", oidSGX+"\x07", 3, func(arc byte) {
		state := False
		if r.Boolean() {
			state = True
		}
		switch arc {
		case 1:
			c.DynamicPlatform = state
		case 2:
			c.CachedKeys = state
		case 3:
			c.SMTEnabled = state
		}
	})
}

// pckElements reads a sequence of pairs of an object identifier and a value,
// and calls value for each to read the latter. The identifiers are those of
// an object with one arc more, which is from 1 to last; each is there once at
// most. The result is the set of arcs, as bits.
func (r *derReader) pckElements(path, object string, last byte, value func(arc byte)) (seen uint) {
	r.in(path)
	list := r.Enter(der.TagSequence)
	for r.More() {
		at := r.Offset()
		pair := r.Enter(der.TagSequence)
		oid := r.Bytes(der.TagOID)
		if !r.OK() {
			return 0
		}
		n := len(object)
		if len(oid) != n+1 || string(oid[:n]) != object || oid[n] < 1 || oid[n] > last {
			r.fail(ErrInvalid, at, "element "+der.OIDString(oid)+" is not known")
			return 0
		}
		arc := oid[n]
		if seen&(1<<arc) != 0 {
			r.fail(ErrDuplicate, at, "element "+der.OIDString(oid)+" is there twice")
			return 0
		}
		seen |= 1 << arc
		value(arc)
		r.Leave(pair)
	}
	r.Leave(list)
	return seen
}

// octets reads an OCTET STRING of exactly a size.
func (r *derReader) octets(to []byte) {
	at := r.Offset()
	b := r.Bytes(der.TagOctetString)
	if len(b) != len(to) && r.OK() {
		r.fail(ErrInvalid, at, fmt.Sprintf("%d bytes, not %d", len(b), len(to)))
	}
	copy(to, b)
}

// arcs lists a set of arcs.
func arcs(set uint) (list []int) {
	for arc := range 32 {
		if set&(1<<arc) != 0 {
			list = append(list, arc)
		}
	}
	return list
}
