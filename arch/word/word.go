// Package word is about what an enclave takes from its host with the word of its
// own signer for it: a key to encrypt to, a root to trust.
//
// Intel's enclaves have such things built in. An enclave that all worlds share
// cannot, and a host must not be able to put in its own. Whoever could sign such a
// word could as well sign an enclave that has something else built in.
package word

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

	"github.com/feidi-dev/feidi/isa"
)

// Overhead is how many bytes a document has besides what it says: after it come the
// signer's modulus and the signature (PKCS #1 v1.5 with SHA-256), both big endian.
const Overhead = 2 * isa.RSAKeySize

// exponent is that of keys that sign enclaves.
const exponent = 3

// ErrWord is the error of a document that is not the word of the enclave's signer.
var ErrWord = errors.New("not the word of the enclave's signer")

// Sign gives an enclave's signer's word for something. The purpose, a text without
// zero bytes, keeps it apart from all else that the key signs.
func Sign(purpose string, what []byte, signer *rsa.PrivateKey) ([]byte, error) {
	if signer.N.BitLen() != 8*isa.RSAKeySize || signer.E != exponent {
		return nil, fmt.Errorf("%w: a key that signs enclaves is RSA-3072 with exponent 3", ErrWord)
	}
	digest := digestOf(purpose, what)
	sig, err := rsa.SignPKCS1v15(nil, signer, crypto.SHA256, digest[:])
	if err != nil {
		return nil, fmt.Errorf("word: signing: %w", err)
	}
	doc := append(bytes.Clone(what), signer.N.FillBytes(make([]byte, isa.RSAKeySize))...)
	return append(doc, sig...), nil
}

// Open returns what a document says, if it has that purpose and is the word of the
// signer whose MRSIGNER is given.
func Open(purpose string, doc []byte, mrSigner [32]byte) (what []byte, err error) {
	n := len(doc) - Overhead
	if n < 0 {
		return nil, fmt.Errorf("%w: %d bytes, and %d are signature alone", ErrWord, len(doc), Overhead)
	}
	what, modulus, sig := doc[:n], doc[n:][:isa.RSAKeySize], doc[n+isa.RSAKeySize:]
	little := bytes.Clone(modulus)
	slices.Reverse(little)
	if sha256.Sum256(little) != mrSigner {
		return nil, fmt.Errorf("%w: it has the word of another than the enclave's signer", ErrWord)
	}
	digest := digestOf(purpose, what)
	signer := rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: exponent}
	if err := rsa.VerifyPKCS1v15(&signer, crypto.SHA256, digest[:], sig); err != nil {
		return nil, fmt.Errorf("%w: its signature is wrong", ErrWord)
	}
	return bytes.Clone(what), nil
}

// Argument reads the arguments of an enclave's program: none, and then there is no
// document, or one in hexadecimal.
func Argument(args []string) (doc []byte, err error) {
	switch len(args) {
	case 0:
		return nil, nil
	case 1:
		if doc, err = hex.DecodeString(args[0]); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrWord, err)
		}
		return doc, nil
	}
	return nil, fmt.Errorf("%w: %d arguments, and not one", ErrWord, len(args))
}

func digestOf(purpose string, what []byte) [32]byte {
	return sha256.Sum256(append([]byte("Feidi: "+purpose+"\x00"), what...))
}
