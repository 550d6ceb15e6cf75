package inside

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/seal"
)

// GetKey derives a key (EGETKEY). What it depends on is the request's to say
// and the processor's to allow.
func GetKey(r *isa.KeyRequest) (key [isa.KeySize]byte, err error) {
	if !enclosed {
		return key, ErrNotEnclosed
	}
	b, err := r.AppendBinary(nil)
	if err != nil {
		return key, err
	}
	key, rax := egetkey(b)
	return key, keyError(rax)
}

// Key returns a seal key that is the same each time: of this machine and, as
// the policy says, of this enclave (isa.PolicyMREnclave) or of all enclaves of
// its signer and product with this security version or a newer one
// (isa.PolicyMRSigner). Keys for several purposes are best derived from it, by
// crypto/hkdf.
func Key(policy isa.KeyPolicy) (key [isa.KeySize]byte, err error) {
	r, err := selfReport()
	if err != nil {
		return key, err
	}
	request := seal.Request(r, policy, [32]byte{})
	return GetKey(&request)
}

// Seal encrypts plaintext under a key that only this enclave, or enclaves of
// its signer, have on this machine, and authenticates additional with it. The
// result is Intel's sgx_sealed_data_t, see package seal.
//
// With isa.PolicyMRSigner, enclaves with the same or a newer security version
// open it; with isa.PolicyMREnclave this very enclave alone. A host can still
// give back an older blob than the last: what it is for, and how new it is,
// belongs into additional or the plaintext.
func Seal(plaintext, additional []byte, policy isa.KeyPolicy) ([]byte, error) {
	r, err := selfReport()
	if err != nil {
		return nil, err
	}
	var id [32]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	request := seal.Request(r, policy, id)
	key, err := GetKey(&request)
	if err != nil {
		return nil, err
	}
	return seal.Seal(&request, key, plaintext, additional)
}

// Unseal opens what Seal has made.
func Unseal(blob []byte) (plaintext, additional []byte, err error) {
	if !enclosed {
		return nil, nil, ErrNotEnclosed
	}
	s, err := seal.Parse(blob)
	if err != nil {
		return nil, nil, err
	}
	return open(s)
}

// open opens a blob with the key that it asks for.
func open(s *seal.Sealed) (plaintext, additional []byte, err error) {
	request := s.Request()
	if seal.NeedsKSS(&request) {
		// Without KSS the processor answers with a fault, not with an error.
		if self, err := Self(); err != nil {
			return nil, nil, err
		} else if self.Attributes.Flags&isa.AttrKSS == 0 {
			return nil, nil, fmt.Errorf("%w: the blob was sealed by an enclave with KSS", ErrKey)
		}
	}
	key, err := GetKey(&request)
	if errors.Is(err, isa.ErrInvalidCPUSVN) || errors.Is(err, isa.ErrInvalidISVSVN) {
		return nil, nil, fmt.Errorf("%w: the blob is of a newer machine or enclave than this", err)
	}
	if err != nil {
		return nil, nil, err
	}
	return s.Open(key)
}
