package qve

import (
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/arch/word"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

const rootPurpose = "a root certificate to trust"

// ErrRoot is the error of a root that is not to be trusted.
var ErrRoot = errors.New("qve: not a root to trust")

// SignRoot gives an enclave's signer's word for a root certificate (DER), such as
// that of a world. QvEs that the same key has signed take the document.
func SignRoot(der []byte, signer *rsa.PrivateKey) ([]byte, error) {
	if err := checkRoot(der); err != nil {
		return nil, err
	}
	doc, err := word.Sign(rootPurpose, der, signer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	return doc, nil
}

// Argument reads the arguments of the QvE's program: none, and then there is no
// root, or a document of SignRoot in hexadecimal, of which it returns the
// certificate.
func Argument(args []string, mrSigner [32]byte) (der []byte, err error) {
	doc, err := word.Argument(args)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	if doc == nil {
		return nil, nil
	}
	if der, err = word.Open(rootPurpose, doc, mrSigner); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	return der, checkRoot(der)
}

// checkRoot checks that a certificate can be a root.
func checkRoot(der []byte) error {
	c, err := dcap.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRoot, err)
	}
	if !c.SelfIssued() || !c.IsCA {
		return fmt.Errorf("%w: %q is not a root", ErrRoot, c.Subject.CommonName)
	}
	if _, err := verify.New(verify.WithRoots(der)); err != nil {
		return fmt.Errorf("%w: %w", ErrRoot, err)
	}
	return nil
}
