package isa

// KeyName is KEYREQUEST.KEYNAME.
type KeyName uint16

// Keys that EGETKEY derives (SDM Vol. 3D, "KEY REQUEST (KEYREQUEST)").
const (
	KeyEinitToken    KeyName = 0
	KeyProvision     KeyName = 1
	KeyProvisionSeal KeyName = 2
	KeyReport        KeyName = 3
	KeySeal          KeyName = 4
)

// String returns the manual's name of the key.
func (k KeyName) String() string {
	names := [...]string{"EINITTOKEN_KEY", "PROVISION_KEY", "PROVISION_SEAL_KEY", "REPORT_KEY", "SEAL_KEY"}
	if int(k) < len(names) {
		return names[k]
	}
	return "RESERVED_KEY"
}

// KeyPolicy is KEYREQUEST.KEYPOLICY.
type KeyPolicy uint16

// Bits of KEYPOLICY.
const (
	PolicyMREnclave    KeyPolicy = 1 << 0
	PolicyMRSigner     KeyPolicy = 1 << 1
	PolicyNoISVProdID  KeyPolicy = 1 << 2
	PolicyConfigID     KeyPolicy = 1 << 3
	PolicyISVFamilyID  KeyPolicy = 1 << 4
	PolicyISVExtProdID KeyPolicy = 1 << 5

	// PolicyKSS are the bits that need ATTRIBUTES.KSS.
	PolicyKSS = PolicyNoISVProdID | PolicyConfigID | PolicyISVFamilyID | PolicyISVExtProdID
	// PolicyReserved are the bits that must be zero.
	PolicyReserved = ^(PolicyMREnclave | PolicyMRSigner | PolicyKSS)
)

// KeyRequestSize is the size of a KEYREQUEST; it must be aligned as much.
const KeyRequestSize = 512

// KeySize is the size of a key that EGETKEY returns.
const KeySize = 16

// KeyRequest is the KEYREQUEST structure, 512 bytes.
type KeyRequest struct {
	KeyName       KeyName
	KeyPolicy     KeyPolicy
	ISVSVN        uint16
	Reserved1     uint16
	CPUSVN        [16]byte
	AttributeMask Attributes
	KeyID         [32]byte
	MiscMask      MiscSelect
	ConfigSVN     uint16
	Reserved2     [434]byte
}

func (k *KeyRequest) code(c *coder) {
	c.u16((*uint16)(&k.KeyName))
	c.u16((*uint16)(&k.KeyPolicy))
	c.u16(&k.ISVSVN)
	c.u16(&k.Reserved1)
	c.bytes(k.CPUSVN[:])
	k.AttributeMask.code(c)
	c.bytes(k.KeyID[:])
	c.u32((*uint32)(&k.MiscMask))
	c.u16(&k.ConfigSVN)
	c.bytes(k.Reserved2[:])
}

// AppendBinary appends the 512-byte encoding.
func (k *KeyRequest) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, k), nil }

// UnmarshalBinary reads exactly KeyRequestSize bytes.
func (k *KeyRequest) UnmarshalBinary(b []byte) error {
	return decode(b, k, "KEYREQUEST", KeyRequestSize)
}

// EinitTokenSize is the size of an EINITTOKEN.
const EinitTokenSize = 304

// EinitTokenMACOffset is the number of leading bytes of an EINITTOKEN that
// its MAC covers.
const EinitTokenMACOffset = 192

// EinitTokenValid is the only defined bit of EINITTOKEN.VALID.
const EinitTokenValid = 1

// EinitToken is the EINITTOKEN structure, 304 bytes (SDM Vol. 3D, "EINIT
// Token Structure (EINITTOKEN)"). Fields ending in LE tell of the launch
// enclave that made it.
type EinitToken struct {
	Valid              uint32
	Reserved1          [44]byte
	Attributes         Attributes
	MREnclave          [32]byte
	Reserved2          [32]byte
	MRSigner           [32]byte
	Reserved3          [32]byte
	CPUSVNLE           [16]byte
	ISVProdIDLE        uint16
	ISVSVNLE           uint16
	Reserved4          [24]byte
	MaskedMiscSelectLE MiscSelect
	MaskedAttributesLE Attributes
	KeyID              [32]byte
	MAC                [16]byte
}

func (t *EinitToken) code(c *coder) {
	c.u32(&t.Valid)
	c.bytes(t.Reserved1[:])
	t.Attributes.code(c)
	c.bytes(t.MREnclave[:])
	c.bytes(t.Reserved2[:])
	c.bytes(t.MRSigner[:])
	c.bytes(t.Reserved3[:])
	c.bytes(t.CPUSVNLE[:])
	c.u16(&t.ISVProdIDLE)
	c.u16(&t.ISVSVNLE)
	c.bytes(t.Reserved4[:])
	c.u32((*uint32)(&t.MaskedMiscSelectLE))
	t.MaskedAttributesLE.code(c)
	c.bytes(t.KeyID[:])
	c.bytes(t.MAC[:])
}

// AppendBinary appends the 304-byte encoding.
func (t *EinitToken) AppendBinary(b []byte) ([]byte, error) { return appendTo(b, t), nil }

// UnmarshalBinary reads exactly EinitTokenSize bytes.
func (t *EinitToken) UnmarshalBinary(b []byte) error {
	return decode(b, t, "EINITTOKEN", EinitTokenSize)
}
