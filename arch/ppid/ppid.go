// Package ppid is about the key that the name of a platform, the PPID, is
// encrypted to before it leaves the PCE. The quoting enclave says which key, and
// the certification service has its private half.
//
// Intel's enclaves have Intel's key built in. An enclave that all worlds share
// cannot: it takes the key from its host, with the word of its own signer for it,
// so that a host cannot put in its own. Whoever could sign such a word could as
// well sign an enclave that gives the PPID away.
package ppid

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/isa"
)

// KeySize is the size of a key as the PCE takes it, DocumentSize that of a signed
// one, in bytes: the key, the signer's modulus, and the signature (PKCS #1 v1.5
// with SHA-256), all big endian.
const (
	KeySize      = pce.PublicKeySize
	DocumentSize = KeySize + 2*isa.RSAKeySize
)

// exponent is that of keys that sign enclaves.
const exponent = 3

// ErrKey is the error of a key that is not to be used.
var ErrKey = errors.New("ppid: not a key to encrypt PPIDs to")

// Sign gives an enclave's signer's word for a key of RSA-3072. Enclaves that the
// same key has signed take the document.
func Sign(key *rsa.PublicKey, signer *rsa.PrivateKey) ([]byte, error) {
	doc, ok := pce.AppendPublicKey(nil, key)
	if !ok {
		return nil, fmt.Errorf("%w: RSA-3072 is needed", ErrKey)
	}
	if signer.N.BitLen() != 8*isa.RSAKeySize || signer.E != exponent {
		return nil, fmt.Errorf("%w: the signer's is not one that signs enclaves: RSA-3072 with exponent 3", ErrKey)
	}
	digest := digestOf(doc)
	sig, err := rsa.SignPKCS1v15(nil, signer, crypto.SHA256, digest[:])
	if err != nil {
		return nil, fmt.Errorf("ppid: signing: %w", err)
	}
	doc = append(doc, signer.N.FillBytes(make([]byte, isa.RSAKeySize))...)
	return append(doc, sig...), nil
}

// Open returns the key of a document if the signer's word for it is that of the
// signer whose MRSIGNER is given.
func Open(doc []byte, mrSigner [32]byte) (key []byte, err error) {
	if len(doc) != DocumentSize {
		return nil, fmt.Errorf("%w: %d bytes, and not %d", ErrKey, len(doc), DocumentSize)
	}
	key, modulus, sig := doc[:KeySize], doc[KeySize:KeySize+isa.RSAKeySize], doc[KeySize+isa.RSAKeySize:]
	little := bytes.Clone(modulus)
	slices.Reverse(little)
	if sha256.Sum256(little) != mrSigner {
		return nil, fmt.Errorf("%w: it has the word of another than the enclave's signer", ErrKey)
	}
	digest := digestOf(key)
	signer := rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: exponent}
	if err := rsa.VerifyPKCS1v15(&signer, crypto.SHA256, digest[:], sig); err != nil {
		return nil, fmt.Errorf("%w: its signature is wrong", ErrKey)
	}
	return bytes.Clone(key), nil
}

// Argument reads the arguments of an enclave's program: none, and then there is no
// key, or a document in hexadecimal.
func Argument(args []string, mrSigner [32]byte) (key []byte, err error) {
	switch len(args) {
	case 0:
		return nil, nil
	case 1:
		doc, err := hex.DecodeString(args[0])
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrKey, err)
		}
		return Open(doc, mrSigner)
	}
	return nil, fmt.Errorf("%w: %d arguments, and not one", ErrKey, len(args))
}

// digestOf is what is signed. The text keeps it apart from all else that the key
// signs.
func digestOf(key []byte) [32]byte {
	return sha256.Sum256(append([]byte("Feidi: a key to encrypt PPIDs to\x00"), key...))
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
