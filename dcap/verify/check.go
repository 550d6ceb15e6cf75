package verify

import (
	"bytes"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// What verifies one document is for those who keep documents for verifiers. The
// checks, their order and codes are those that it has as a part of a quote's
// verification. Revocation lists may be nil where there are none yet; nothing is
// revoked then.
//
// Errors are *Error. Where its Status is Expired, all else about the document was
// found to be right, and it is returned beside the error.

// TCBInfo verifies a TCB info, JSON as served, as of a time, by the chain of its
// signer (PEM) and the root's revocation list (DER, or nil). If it is out of its
// time, it is returned beside the *Error.
func (v *Verifier) TCBInfo(doc, chain, rootCRL []byte, at time.Time) (*dcap.TCBInfo, error) {
	s := v.lone(rootCRL, at)
	s.c.TCBInfoChain = chain
	s.tcb, s.tcbErr = load(v.tcbInfos, doc, readTCBInfo)
	genuine, err := s.outcome("TCB info", s.verifyTCBInfo())
	if !genuine {
		return nil, err
	}
	return &s.tcb.TCBInfo, err
}

// EnclaveIdentity verifies the identity of QE, QvE or TD QE as TCBInfo does a TCB
// info.
func (v *Verifier) EnclaveIdentity(doc, chain, rootCRL []byte, at time.Time) (*dcap.EnclaveIdentity, error) {
	s := v.lone(rootCRL, at)
	s.c.QEIdentityChain = chain
	s.identity, s.idErr = load(v.identities, doc, readIdentity)
	genuine, err := s.outcome("enclave identity", s.verifyIdentity())
	if !genuine {
		return nil, err
	}
	return &s.identity.EnclaveIdentity, err
}

// PCK verifies a chain (PEM) of a PCK certificate, its CA and the root, as of a
// time, by the revocation lists of CA and root (DER, or nil).
func (v *Verifier) PCK(chain, pckCRL, rootCRL []byte, at time.Time) (*dcap.Certificate, CA, error) {
	s := v.lone(rootCRL, at)
	s.pckCRL, s.crlErr = load(v.crls, pckCRL, readCRL)
	s.pckPEM[0] = chain
	s.pck, s.pckErr = s.readChain(chain, nil)
	genuine, err := s.outcome("PCK chain", s.verifyPCKChain())
	if !genuine {
		return nil, "", err
	}
	return s.pck.pck.Certificate, s.result.CA, err
}

// PCKCRL verifies the revocation list (DER) of a CA that issues PCK certificates,
// as of a time, by the chain (PEM) of that CA and the root, and the root's list
// (DER, or nil). It tells whose list it is.
func (v *Verifier) PCKCRL(crl, chain, rootCRL []byte, at time.Time) (*dcap.CRL, CA, error) {
	s := v.lone(rootCRL, at)
	s.pckCRL, s.crlErr = load(v.crls, crl, readCRL)
	genuine, err := s.outcome("PCK CRL", s.verifyPCKCRL(chain))
	if !genuine {
		return nil, "", err
	}
	return s.pckCRL.CRL, s.result.CA, err
}

// RootCRL verifies the revocation list (DER) of a trusted root, as of a time.
func (v *Verifier) RootCRL(crl []byte, at time.Time) (*dcap.CRL, error) {
	s := v.lone(crl, at)
	genuine, err := s.outcome("root CRL", s.verifyRootCRL())
	if !genuine {
		return nil, err
	}
	return s.rootCRL.CRL, err
}

// lone begins the verification of one document.
func (v *Verifier) lone(rootCRL []byte, at time.Time) *session {
	s := &session{v: v, c: &dcap.Collateral{}, at: at.UTC().Truncate(time.Second), lone: true}
	s.rootCRL, s.rootErr = load(v.crls, rootCRL, readCRL)
	return s
}

// outcome is what is to be said of a lone document.
func (s *session) outcome(what string, e *Error) (genuine bool, err error) {
	switch {
	case s.at.Equal(time.Time{}):
		e = fail(StatusInvalidParameter, "no time was given to verify at")
	case e == nil:
		return true, nil
	}
	e.Step = what
	return e.Status.Expired(), e
}

// verifyPCKCRL verifies the list of a CA below the root, with the codes of
// PckCrlVerifier.cpp. That knows no time, and does not ask whether the CA is
// revoked.
func (s *session) verifyPCKCRL(pem []byte) *Error {
	if s.crlErr == errMissing {
		return &Error{Status: StatusMissingParameters, Err: s.crlErr}
	}
	if err := s.crlError("PCK", s.pckCRL, s.crlErr); err != nil {
		return err
	}
	if err := s.crlError("root", s.rootCRL, s.rootErr); err != nil {
		return err
	}
	ch, err := s.readChain(pem, nil)
	if err != nil {
		return &Error{Status: StatusSGXCACertUnsupportedFormat, Err: err.Err}
	}
	root, ca := ch.root, ch.intermediate
	switch {
	case len(ch.certs) != 2:
		return fail(StatusSGXCACertUnsupportedFormat, "the chain of a CA has two certificates, this has %d", len(ch.certs))
	case root == nil || !strings.Contains(root.Subject.CommonName, rootName):
		return fail(StatusSGXRootCAInvalid, "no certificate of the chain is a root whose name contains %q", rootName)
	case ca == nil:
		return fail(StatusSGXIntermediateCAMissing, "no certificate of the chain is an intermediate CA")
	}
	for _, err := range []*Error{
		s.checkRoot(root), checkIssued(ca, root, StatusSGXCACertInvalid), checkCA(ca, StatusSGXCACertInvalid),
	} {
		if err != nil {
			err.Status = StatusSGXCACertInvalid
			return err
		}
	}
	if err := checkCRL(s.pckCRL, ca); err != nil {
		return err
	}
	if _, err := s.anchor(root, StatusSGXRootCAUntrusted); err != nil {
		return err
	}
	if err := checkCRL(s.rootCRL, root); err != nil {
		return err
	}
	if s.rootCRL.lists(ca) {
		return fail(StatusSGXIntermediateCARevoked, "the certificate of %s (serial number %x) is revoked by the root", name(&ca.Subject), ca.SerialNumber)
	}
	s.result.CA = caOf(ca)
	s.keep(ch, pem)
	s.keepCRL(s.rootCRL)
	s.keepCRL(s.pckCRL)
	if err := s.unexpired(StatusSGXPCKCertChainExpired, root, ca); err != nil {
		return err
	}
	if err := s.crlInTime(s.rootCRL); err != nil {
		return err
	}
	if err := s.crlInTime(s.pckCRL); err != nil {
		return err
	}
	return s.begun(StatusSGXPCKCertChainExpired, root, ca)
}

// verifyRootCRL verifies the list of a trusted root, whose certificate is not at
// hand: of Intel's there are several.
func (s *session) verifyRootCRL() *Error {
	if s.rootErr == errMissing {
		return &Error{Status: StatusMissingParameters, Err: s.rootErr}
	}
	if err := s.crlError("root", s.rootCRL, s.rootErr); err != nil {
		return err
	}
	for _, a := range s.v.anchors {
		switch {
		case !a.selfIssued || !bytes.Equal(a.keyID, s.rootCRL.AuthorityKeyID):
			continue
		case a.Subject != s.rootCRL.Issuer:
			return fail(StatusSGXCRLUnknownIssuer, "the revocation list is of %s and not of %s", name(&s.rootCRL.Issuer), name(&a.Subject))
		case !s.rootCRL.signedBy(a.key):
			return fail(StatusSGXCRLInvalidSignature, "the revocation list is not signed with the key of %s", name(&a.Subject))
		}
		s.keepCRL(s.rootCRL)
		return s.crlInTime(s.rootCRL)
	}
	if s.rootCRL.AuthorityKeyID == nil {
		return fail(StatusSGXCRLInvalidExtensions, "the revocation list of %s does not name the key of its issuer", name(&s.rootCRL.Issuer))
	}
	return fail(StatusSGXRootCAUntrusted, "the revocation list of %s names a key that is no trusted root's (%x)", name(&s.rootCRL.Issuer), s.rootCRL.AuthorityKeyID)
}
