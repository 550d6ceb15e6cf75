package isa

// AttributeFlags is the low half of ATTRIBUTES (SDM Vol. 3D, "ATTRIBUTES").
type AttributeFlags uint64

// Bits of ATTRIBUTES.
const (
	AttrInit          AttributeFlags = 1 << 0  // set by EINIT
	AttrDebug         AttributeFlags = 1 << 1  // EDBGRD and EDBGWR are allowed
	AttrMode64Bit     AttributeFlags = 1 << 2  // runs in 64-bit mode
	AttrProvisionKey  AttributeFlags = 1 << 4  // may derive provisioning keys
	AttrEinitTokenKey AttributeFlags = 1 << 5  // may derive the EINITTOKEN key
	AttrCET           AttributeFlags = 1 << 6  // control-flow enforcement
	AttrKSS           AttributeFlags = 1 << 7  // key separation and sharing
	AttrAEXNotify     AttributeFlags = 1 << 10 // threads may ask for AEX notification
	AttrReserved                     = ^(AttrInit | AttrDebug | AttrMode64Bit | AttrProvisionKey | AttrEinitTokenKey | AttrCET | AttrKSS | AttrAEXNotify)
)

// XFRM is the high half of ATTRIBUTES: the XSAVE components enabled inside
// the enclave, with the bit numbers of XCR0.
type XFRM uint64

// Components of XFRM.
const (
	XFRMX87      XFRM = 1 << 0
	XFRMSSE      XFRM = 1 << 1
	XFRMAVX      XFRM = 1 << 2
	XFRMBNDREGS  XFRM = 1 << 3
	XFRMBNDCSR   XFRM = 1 << 4
	XFRMOpmask   XFRM = 1 << 5
	XFRMZMMHi256 XFRM = 1 << 6
	XFRMHi16ZMM  XFRM = 1 << 7
	XFRMPKRU     XFRM = 1 << 9
	XFRMTileCfg  XFRM = 1 << 17
	XFRMTileData XFRM = 1 << 18

	// XFRMLegacy is the least XFRM that ECREATE accepts: x87 and SSE.
	XFRMLegacy = XFRMX87 | XFRMSSE
)

// AttributesSize is the size of ATTRIBUTES in bytes.
const AttributesSize = 16

// Attributes is the ATTRIBUTES structure, 16 bytes.
type Attributes struct {
	Flags AttributeFlags
	XFRM  XFRM
}

func (a *Attributes) code(c *coder) {
	c.u64((*uint64)(&a.Flags))
	c.u64((*uint64)(&a.XFRM))
}

// AppendBinary appends the 16-byte encoding.
func (a *Attributes) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, a), nil }

// UnmarshalBinary reads exactly AttributesSize bytes.
func (a *Attributes) UnmarshalBinary(b []byte) error {
	return decode(b, a, "ATTRIBUTES", AttributesSize)
}

// And returns the bitwise conjunction of a and m, as every mask is applied.
func (a Attributes) And(m Attributes) Attributes {
	return Attributes{Flags: a.Flags & m.Flags, XFRM: a.XFRM & m.XFRM}
}

// MiscSelect chooses what the MISC region of an SSA frame records
// (SDM Vol. 3D, "SECS.MISCSELECT Field").
type MiscSelect uint32

// Bits of MISCSELECT.
const (
	MiscEXINFO   MiscSelect = 1 << 0 // report #PF and #GP inside the enclave
	MiscCPINFO   MiscSelect = 1 << 1 // report #CP inside the enclave
	MiscReserved            = ^(MiscEXINFO | MiscCPINFO)
)
