package le

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/arch/le/whitelist"
	"github.com/feidi-dev/feidi/arch/word"
)

// Policy says whom a launch enclave believes. It takes that from its host with the
// word of its own signer, see package word.
type Policy struct {
	// WhiteListRoot is the key, on P-256, that white lists begin with. If it is
	// nil there are none.
	WhiteListRoot *ecdsa.PublicKey
	// Provisioning are the MRSIGNERs of those whose enclaves may have
	// PROVISION_KEY, besides the launch enclave's own signer: at most
	// MaxProvisioning.
	Provisioning [][32]byte
}

// MaxProvisioning is the most signers that a policy names.
const MaxProvisioning = 64

// Sizes in a document, which has the white lists' root, X and Y, and then the
// MRSIGNERs.
const (
	rootSize   = 64
	signerSize = 32
)

const purpose = "whom a launch enclave believes"

// ErrPolicy is the error of a policy that is not to be followed.
var ErrPolicy = errors.New("le: not a policy for this launch enclave")

// Sign makes the document of a policy, which launch enclaves take that the same key
// has signed. The same policy and key make the same document.
func (p *Policy) Sign(signer *rsa.PrivateKey) ([]byte, error) {
	switch {
	case p.WhiteListRoot == nil:
		return nil, fmt.Errorf("%w: it has no root of white lists", ErrPolicy)
	case len(p.Provisioning) > MaxProvisioning:
		return nil, fmt.Errorf("%w: %d signers may provision, and not at most %d", ErrPolicy, len(p.Provisioning), MaxProvisioning)
	}
	what, err := whitelist.AppendKey(nil, p.WhiteListRoot)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	for i := range p.Provisioning {
		what = append(what, p.Provisioning[i][:]...)
	}
	doc, err := word.Sign(purpose, what, signer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	return doc, nil
}

// OpenPolicy returns the policy of a document if it has the word of the signer whose
// MRSIGNER is given.
func OpenPolicy(doc []byte, mrSigner [32]byte) (p Policy, err error) {
	if n := len(doc) - word.Overhead - rootSize; n < 0 || n%signerSize != 0 || n > MaxProvisioning*signerSize {
		return p, fmt.Errorf("%w: it cannot be %d bytes", ErrPolicy, len(doc))
	}
	what, err := word.Open(purpose, doc, mrSigner)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	if p.WhiteListRoot, err = whitelist.ParseKey(what[:rootSize]); err != nil {
		return p, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	for s := range slices.Chunk(what[rootSize:], signerSize) {
		p.Provisioning = append(p.Provisioning, [signerSize]byte(s))
	}
	return p, nil
}

// Argument reads the arguments of the enclave's program: none, and then the policy
// is the zero value, or a document in hexadecimal.
func Argument(args []string, mrSigner [32]byte) (p Policy, err error) {
	doc, err := word.Argument(args)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	if doc == nil {
		return p, nil
	}
	return OpenPolicy(doc, mrSigner)
}

func (p *Policy) mayProvision(mrSigner [32]byte) bool {
	return slices.Contains(p.Provisioning, mrSigner)
}
