package verify

import (
	"crypto/sha256"
	"sync/atomic"

	"github.com/feidi-dev/feidi/dcap"
)

// signed is a document that somebody signed, and who is known to have.
type signed struct {
	digest    [32]byte // SHA-256 of what the signature covers
	signature *[64]byte
	by        atomic.Pointer[key] // verified with this key
	kept      atomic.Bool         // it is in the cache, or was
}

func (s *signed) set(body []byte, signature *[64]byte) {
	s.digest, s.signature = sha256.Sum256(body), signature
}

// signedBy reports whether k signed the document. It asks once.
func (s *signed) signedBy(k *key) bool {
	if by := s.by.Load(); by != nil && by.raw == k.raw {
		return true
	}
	if !k.verifies(&s.digest, s.signature) {
		return false
	}
	s.by.Store(k)
	return true
}

// The documents that are verified, each with what is read from it.
type (
	certificate struct {
		*dcap.Certificate
		signed
		key *key
	}
	revocations struct {
		*dcap.CRL
		signed
	}
	tcbInfo struct {
		*dcap.SignedTCBInfo
		signed
	}
	identity struct {
		*dcap.SignedIdentity
		signed
	}
)

func readCertificate(raw []byte) (*certificate, error) {
	c, err := dcap.ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	k, err := newKey(&c.PublicKey)
	if err != nil {
		return nil, &dcap.ParseError{Document: "certificate", Path: "subjectPublicKeyInfo", Kind: dcap.ErrFormat, Reason: err.Error()}
	}
	d := &certificate{Certificate: c, key: k}
	d.set(c.RawTBS, &c.Signature)
	return d, nil
}

func readCRL(raw []byte) (*revocations, error) {
	c, err := dcap.ParseCRL(raw)
	if err != nil {
		return nil, err
	}
	d := &revocations{CRL: c}
	d.set(c.RawTBS, &c.Signature)
	return d, nil
}

func readTCBInfo(raw []byte) (*tcbInfo, error) {
	t, err := dcap.ParseTCBInfo(raw)
	if err != nil {
		return nil, err
	}
	d := &tcbInfo{SignedTCBInfo: t}
	d.set(t.Body, &t.Signature)
	return d, nil
}

func readIdentity(raw []byte) (*identity, error) {
	i, err := dcap.ParseEnclaveIdentity(raw)
	if err != nil {
		return nil, err
	}
	d := &identity{SignedIdentity: i}
	d.set(i.Body, &i.Signature)
	return d, nil
}
