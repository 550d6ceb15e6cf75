package inside

import (
	"errors"

	"github.com/feidi-dev/feidi/inside/sealedfs"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/seal"
)

// SealedOptions change how OpenSealed opens a directory.
type SealedOptions struct {
	// Policy is isa.PolicyMRSigner, the default, or isa.PolicyMREnclave.
	Policy isa.KeyPolicy
	// Files are options of the directory itself.
	Files sealedfs.Options
}

// OpenSealed opens an encrypted directory of the host's file system, which it
// makes if there is none: the host can neither read nor change what is in it
// unnoticed. Its key is sealed as Seal does; with the default policy, enclaves
// of the same signer and product with the same or a newer security version
// open it. What holds of it, and what does not, package sealedfs says. opts may
// be nil.
func OpenSealed(dir string, opts *SealedOptions) (*sealedfs.FS, error) {
	if !enclosed {
		return nil, ErrNotEnclosed
	}
	if opts == nil {
		opts = new(SealedOptions)
	}
	policy := opts.Policy
	if policy == 0 {
		policy = isa.PolicyMRSigner
	}
	return sealedfs.Open(dir, sealer{policy}, &opts.Files)
}

// sealer seals with the enclave's keys.
type sealer struct{ policy isa.KeyPolicy }

// errPolicy is of a key that was sealed for others, too.
var errPolicy = errors.New("inside: the directory's key is sealed by another policy than asked for")

// Seal implements sealedfs.Sealer.
func (s sealer) Seal(plaintext, additional []byte) ([]byte, error) {
	return Seal(plaintext, additional, s.policy)
}

// Unseal implements sealedfs.Sealer.
func (s sealer) Unseal(blob []byte) (plaintext, additional []byte, err error) {
	b, err := seal.Parse(blob)
	if err != nil {
		return nil, nil, err
	}
	if r := b.Request(); r.KeyPolicy&(isa.PolicyMREnclave|isa.PolicyMRSigner) != s.policy&(isa.PolicyMREnclave|isa.PolicyMRSigner) {
		return nil, nil, errPolicy
	}
	return open(b)
}
