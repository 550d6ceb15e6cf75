// Package sign verifies and makes the signature of a SIGSTRUCT: RSA-3072 with
// exponent 3, PKCS #1 v1.5 padding and SHA-256, with the quotients Q1 and Q2
// that let the processor verify it by multiplications alone (SDM Vol. 3D,
// "Enclave Signature Structure (SIGSTRUCT)" and "EINIT").
//
// The package says whether a SIGSTRUCT is well-formed and signed by the key
// it names. Whose key that is, and whether its statement fits an enclave, is
// for the caller to judge.
package sign

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"

	"github.com/feidi-dev/feidi/isa"
)

// keyBits is the size of the only modulus that EINIT knows.
const keyBits = isa.RSAKeySize * 8

// digestInfo is the DER prefix of a SHA-256 digest in a PKCS #1 v1.5
// signature (RFC 8017, section 9.2).
var digestInfo = []byte{
	0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
	0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
}

// Verify checks s as EINIT does before it looks at the enclave: the constants
// and reserved fields, then the signature. Its errors wrap
// isa.ErrInvalidSigStruct or isa.ErrInvalidSignature.
func Verify(s *isa.SigStruct) error {
	if err := checkHeader(s); err != nil {
		return err
	}
	return checkSignature(s)
}

func checkHeader(s *isa.SigStruct) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("sign: %w: %s", isa.ErrInvalidSigStruct, fmt.Sprintf(format, args...))
	}
	switch {
	case s.Header != isa.SigStructHeader:
		return bad("HEADER is %x, not %x", s.Header, isa.SigStructHeader)
	case s.Type != 0: // the last four bytes of the manual's HEADER
		return bad("type word of HEADER is %#x, not 0", s.Type)
	case s.Vendor != isa.VendorNonIntel && s.Vendor != isa.VendorIntel:
		return bad("VENDOR is %#x, neither 0 nor %#x", s.Vendor, isa.VendorIntel)
	case s.Header2 != isa.SigStructHeader2:
		return bad("HEADER2 is %x, not %x", s.Header2, isa.SigStructHeader2)
	case s.Exponent != isa.SigStructExponent:
		return bad("EXPONENT is %d, not %d", s.Exponent, isa.SigStructExponent)
	}
	for _, f := range [...]struct {
		offset int
		bytes  []byte
	}{{44, s.Reserved1[:]}, {910, s.Reserved2[:]}, {992, s.Reserved3[:]}, {1028, s.Reserved4[:]}} {
		for i, b := range f.bytes {
			if b != 0 {
				return bad("reserved byte at offset %d is %#02x, not 0", f.offset+i, b)
			}
		}
	}
	return nil
}

// checkSignature recovers SIGNATURE^3 mod MODULUS with the quotients, as the
// processor does:
//
//	r1 = SIGNATURE^2    - Q1*MODULUS, with 0 <= r1 < MODULUS
//	r2 = r1 * SIGNATURE - Q2*MODULUS, with 0 <= r2 < MODULUS
//
// and compares r2 with the padded digest.
func checkSignature(s *isa.SigStruct) error {
	bad := func(reason string) error { return fmt.Errorf("sign: %w: %s", isa.ErrInvalidSignature, reason) }
	n, sig := fromLE(s.Modulus[:]), fromLE(s.Signature[:])
	if n.BitLen() != keyBits || n.Bit(0) == 0 {
		return bad(fmt.Sprintf("MODULUS has %d bits or is even; it must be odd and have %d", n.BitLen(), keyBits))
	}
	if sig.Cmp(n) >= 0 {
		return bad("SIGNATURE is not below MODULUS")
	}
	reduce := func(v, q *big.Int) bool {
		v.Sub(v, q.Mul(q, n))
		return v.Sign() >= 0 && v.Cmp(n) < 0
	}
	v := new(big.Int).Mul(sig, sig)
	if !reduce(v, fromLE(s.Q1[:])) {
		return bad("Q1 is not SIGNATURE^2 / MODULUS")
	}
	v.Mul(v, sig)
	if !reduce(v, fromLE(s.Q2[:])) {
		return bad("Q2 is not (SIGNATURE^2 mod MODULUS) * SIGNATURE / MODULUS")
	}
	if want := encodedMessage(s); !bytes.Equal(v.FillBytes(make([]byte, isa.RSAKeySize)), want[:]) {
		return bad("the signature is not one of these fields by this key")
	}
	return nil
}

// encodedMessage is the padded digest of the signed fields, big-endian.
func encodedMessage(s *isa.SigStruct) (em [isa.RSAKeySize]byte) {
	digest := signedDigest(s)
	tail := len(em) - len(digestInfo) - len(digest)
	em[1] = 1
	for i := 2; i < tail-1; i++ {
		em[i] = 0xFF
	}
	copy(em[tail:], digestInfo)
	copy(em[tail+len(digestInfo):], digest[:])
	return em
}

func signedDigest(s *isa.SigStruct) [sha256.Size]byte {
	return sha256.Sum256(s.AppendSigned(make([]byte, 0, 256)))
}

// MRSigner returns the identity of the key that s names: the SHA-256 of
// MODULUS as it is stored, little-endian.
func MRSigner(s *isa.SigStruct) [sha256.Size]byte { return sha256.Sum256(s.Modulus[:]) }

// KeyMRSigner returns the MRSIGNER of what a key of 3072 bits signs.
func KeyMRSigner(key *rsa.PublicKey) [sha256.Size]byte {
	var s isa.SigStruct
	key.N.FillBytes(s.Modulus[:])
	slices.Reverse(s.Modulus[:])
	return MRSigner(&s)
}

func fromLE(b []byte) *big.Int {
	be := make([]byte, len(b))
	for i, v := range b {
		be[len(b)-1-i] = v
	}
	return new(big.Int).SetBytes(be)
}

// putLE writes v into b, which is large enough, little-endian.
func putLE(b []byte, v *big.Int) {
	v.FillBytes(b)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}
