// Package derive has the keys and names that a platform's system enclaves derive
// from what EGETKEY gives them. Of those that begin with a provisioning key, the
// factory derives the same, since it knows the key, too: so it can certify a PCK
// that never leaves the machine.
//
// The package is pure. Sources: Intel's PCE and QE3, whose derivations these are
// (pce_helper.cpp, quoting_enclave_3.cpp); the keys on the curve are made as FIPS
// 186-4 §B.4.1 has it, "Key Pair Generation Using Extra Random Bits".
package derive

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"

	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// everything is the ATTRIBUTEMASK of all keys here: they depend on every flag but
// MODE64BIT, and on nothing of XFRM.
var everything = isa.Attributes{Flags: ^isa.AttrMode64Bit}

// ProvisioningRequest returns the request with which the PCE asks for a
// provisioning key at an SVN. The PPID is derived from that of zeros.
func ProvisioningRequest(cpuSVN [16]byte, isvSVN uint16) isa.KeyRequest {
	return isa.KeyRequest{
		KeyName: isa.KeyProvision,
		CPUSVN:  cpuSVN, ISVSVN: isvSVN,
		AttributeMask: everything, MiscMask: ^isa.MiscSelect(0),
	}
}

// SealRequest returns the request with which the QE asks for the key from which
// it derives its attestation key, at its SVNs, and the QE ID, at zeros.
func SealRequest(cpuSVN [16]byte, isvSVN uint16) isa.KeyRequest {
	r := ProvisioningRequest(cpuSVN, isvSVN)
	r.KeyName, r.KeyPolicy = isa.KeySeal, isa.PolicyMRSigner
	return r
}

// PPID returns the name of a platform, which its owner cannot change: it is
// derived from the provisioning key at CPUSVN and ISVSVN 0.
func PPID(provisioningKey [isa.KeySize]byte) [16]byte {
	return cmac.Sum(provisioningKey, make([]byte, 16))
}

// PCK returns the provisioning certification key of the CPUSVN and ISVSVN that a
// provisioning key is for. It is on P-256.
func PCK(provisioningKey [isa.KeySize]byte) *ecdsa.PrivateKey {
	return curveKey(provisioningKey, "PAK_KEY_DER")
}

// AttestationKey returns the key on P-256 that a QE signs quotes with.
func AttestationKey(sealKey [isa.KeySize]byte) *ecdsa.PrivateKey {
	return curveKey(sealKey, "QE_ATT_DER")
}

// QEID returns the name of a platform that is in its quotes. It depends on the
// QE's signer and on the OWNEREPOCH, so that the owner can change it.
func QEID(sealKey [isa.KeySize]byte) [16]byte {
	return cmac.Sum(sealKey, message(0, "QE_ID_DER", 128))
}

// message is what a key derives from: a counter, a label, and how many bits are
// wanted.
func message(counter byte, label string, bits uint16) []byte {
	b := make([]byte, 16)
	b[0] = counter
	copy(b[1:], label)
	b[14], b[15] = byte(bits>>8), byte(bits)
	return b
}

// curveKey derives 320 bits x, big endian, and returns the key 1 + x mod (n-1).
func curveKey(key [isa.KeySize]byte, label string) *ecdsa.PrivateKey {
	const bits = 320
	m := cmac.New(key)
	var x []byte
	for counter := byte(1); counter <= 3; counter++ {
		block := m.Sum(message(counter, label, bits))
		x = append(x, block[:]...)
	}
	curve := elliptic.P256()
	last := new(big.Int).Sub(curve.Params().N, big.NewInt(1))
	d := new(big.Int).SetBytes(x[:bits/8])
	d.Add(d.Mod(d, last), big.NewInt(1))
	k, err := ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, 32)))
	if err != nil {
		panic("derive: " + err.Error()) // d is from 1 to n-1
	}
	return k
}
