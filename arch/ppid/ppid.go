// Package ppid is about the key that the name of a platform, the PPID, is
// encrypted to before it leaves the PCE. The quoting enclave says which key, and
// the certification service has its private half.
//
// Intel's enclaves have Intel's key built in. Ours take it from their host with the
// word of their own signer, see package word.
package ppid

import (
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/arch/word"
	"github.com/feidi-dev/feidi/isa"
)

// KeySize is the size of a key as the PCE takes it, DocumentSize that of a signed
// one, in bytes.
const (
	KeySize      = pce.PublicKeySize
	DocumentSize = KeySize + word.Overhead
)

const purpose = "a key to encrypt PPIDs to"

// ErrKey is the error of a key that is not to be used.
var ErrKey = errors.New("ppid: not a key to encrypt PPIDs to")

// Sign gives an enclave's signer's word for a key of RSA-3072. Enclaves that the
// same key has signed take the document.
func Sign(key *rsa.PublicKey, signer *rsa.PrivateKey) ([]byte, error) {
	k, ok := pce.AppendPublicKey(nil, key)
	if !ok {
		return nil, fmt.Errorf("%w: RSA-3072 is needed", ErrKey)
	}
	doc, err := word.Sign(purpose, k, signer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return doc, nil
}

// Open returns the key of a document if the signer's word for it is that of the
// signer whose MRSIGNER is given.
func Open(doc []byte, mrSigner [32]byte) (key []byte, err error) {
	if len(doc) != DocumentSize {
		return nil, fmt.Errorf("%w: %d bytes, and not %d", ErrKey, len(doc), DocumentSize)
	}
	if key, err = word.Open(purpose, doc, mrSigner); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return key, nil
}

// Argument reads the arguments of an enclave's program: none, and then there is no
// key, or a document in hexadecimal.
func Argument(args []string, mrSigner [32]byte) (key []byte, err error) {
	doc, err := word.Argument(args)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if doc == nil {
		return nil, nil
	}
	return Open(doc, mrSigner)
}

// Report makes the REPORT that vouches for a key to the PCE with the target info.
func Report(p leaf.Processor, target *isa.TargetInfo, key []byte) (*isa.Report, error) {
	return p.Report(target, pce.KeyReportData(pce.SuiteRSAOAEP, key))
}

// Trusts reports whether target can be a PCE that may be asked: it has
// PROVISION_KEY, and is not under debug.
func Trusts(target *isa.TargetInfo) bool {
	return target.Attributes.Flags&(isa.AttrProvisionKey|isa.AttrDebug) == isa.AttrProvisionKey
}
