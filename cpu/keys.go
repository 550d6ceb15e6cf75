package cpu

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// keys are the secrets of a processor and the registers that key derivation
// reads.
type keys struct {
	fuses       Fuses
	ownerEpoch  [16]byte // CR_SGXOWNEREPOCH
	cpuSVN      [16]byte // CR_CPUSVN
	reportKeyID [32]byte // CR_REPORT_KEYID, drawn at power-on
	report2     [32]byte // CR_REPORT_KEY2, drawn at power-on
	paging      [16]byte // CR_BASE_PK, drawn at power-on
}

func (k *keys) powerOn(c *Config) error {
	k.fuses, k.ownerEpoch, k.cpuSVN = c.Fuses, c.OwnerEpoch, c.CPUSVN
	return draw(c.Rand, k.reportKeyID[:], k.report2[:], k.paging[:])
}

// CPUSVN returns the processor's security version numbers.
func (p *Processor) CPUSVN() [16]byte { return p.keys.cpuSVN }

// svnSupported reports whether svn is not beyond the processor's CPUSVN: each
// of its sixteen numbers is at most the processor's own.
func (k *keys) svnSupported(svn [16]byte) bool {
	for i, v := range svn {
		if v > k.cpuSVN[i] {
			return false
		}
	}
	return true
}

// dependencies are what a key depends on (SDM Vol. 3D, "Key Derivation").
// Fields that a key does not depend on stay zero. CET_ATTRIBUTES and its mask
// are none of them, for the processor has no CET (CPUID.12H.1:EAX[6] = 0).
type dependencies struct {
	keyName       isa.KeyName
	keyPolicy     isa.KeyPolicy
	isvFamilyID   [16]byte
	isvExtProdID  [16]byte
	isvProdID     uint16
	isvSVN        uint16
	ownerEpoch    [16]byte
	attributes    isa.Attributes
	attributeMask isa.Attributes
	mrEnclave     [32]byte
	mrSigner      [32]byte
	keyID         [32]byte
	sealFuses     [16]byte
	cpuSVN        [16]byte
	miscSelect    isa.MiscSelect
	miscMask      isa.MiscSelect
	configID      [64]byte
	configSVN     uint16
}

// padding is the PADDING of every key: the 352 bytes above the digest in the
// encoded message of a PKCS #1 v1.5 signature with SHA-256 and RSA-3072.
var padding = func() (p [352]byte) {
	digestInfo := [...]byte{
		0x00, 0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48,
		0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
	}
	for i := range p {
		p[i] = 0xFF
	}
	p[0], p[1] = 0x00, 0x01
	copy(p[len(p)-len(digestInfo):], digestInfo[:])
	return p
}()

// encode returns the one fixed layout in which dependencies are hashed.
func (d *dependencies) encode() []byte {
	b := make([]byte, 0, 704)
	u16 := func(v uint16) { b = binary.LittleEndian.AppendUint16(b, v) }
	attr := func(a isa.Attributes) { b, _ = a.AppendBinary(b) }
	u16(uint16(d.keyName))
	u16(uint16(d.keyPolicy))
	b = append(b, d.isvFamilyID[:]...)
	b = append(b, d.isvExtProdID[:]...)
	u16(d.isvProdID)
	u16(d.isvSVN)
	b = append(b, d.ownerEpoch[:]...)
	attr(d.attributes)
	attr(d.attributeMask)
	b = append(b, d.mrEnclave[:]...)
	b = append(b, d.mrSigner[:]...)
	b = append(b, d.keyID[:]...)
	b = append(b, d.sealFuses[:]...)
	b = append(b, d.cpuSVN[:]...)
	b = append(b, padding[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(d.miscSelect))
	b = binary.LittleEndian.AppendUint32(b, uint32(d.miscMask))
	b = append(b, d.configID[:]...)
	u16(d.configSVN)
	return b
}

// derive returns the key that depends on d. Every key comes from the root
// provisioning key; those that the factory must not know have the seal fuses
// among their dependencies.
//
// Intel does not publish its derivation function: this is AES-CMAC under the
// root key over the dependencies.
func (k *keys) derive(d *dependencies) [isa.KeySize]byte {
	return cmac.Sum(k.fuses.RootProvisioningKey, d.encode())
}

// reportKey returns the key with which REPORTs for a target are signed: of
// EREPORT and of EGETKEY alike.
func (k *keys) reportKey(t *isa.TargetInfo, keyID [32]byte) [isa.KeySize]byte {
	return k.derive(&dependencies{
		keyName:    isa.KeyReport,
		ownerEpoch: k.ownerEpoch,
		attributes: t.Attributes,
		mrEnclave:  t.Measurement,
		keyID:      keyID,
		sealFuses:  k.fuses.RootSealKey,
		cpuSVN:     k.cpuSVN,
		miscSelect: t.MiscSelect,
		configID:   t.ConfigID,
		configSVN:  t.ConfigSVN,
	})
}

// einitTokenKey returns the key under which the launch enclave described by
// the token made its MAC.
func (k *keys) einitTokenKey(t *isa.EinitToken, lePubKeyHash [32]byte) [isa.KeySize]byte {
	return k.derive(&dependencies{
		keyName:    isa.KeyEinitToken,
		isvProdID:  t.ISVProdIDLE,
		isvSVN:     t.ISVSVNLE,
		ownerEpoch: k.ownerEpoch,
		attributes: t.MaskedAttributesLE,
		mrSigner:   lePubKeyHash,
		keyID:      t.KeyID,
		sealFuses:  k.fuses.RootSealKey,
		cpuSVN:     t.CPUSVNLE,
		miscSelect: t.MaskedMiscSelectLE,
	})
}
