package verify

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

func date(t time.Time) string { return t.Format(time.RFC3339) }

// verifyPCKChain is the first step: the chain of the PCK certificate and its
// revocation lists. Order and codes are those of PckCertVerifier.cpp.
func (s *session) verifyPCKChain() *Error {
	if s.pckErr != nil {
		return &Error{Status: s.pckErr.Status, Err: s.pckErr.Err}
	}
	ch := s.pck
	if len(ch.certs) != 3 {
		return fail(StatusUnsupportedCertFormat, "a PCK certificate chain has three certificates, this has %d", len(ch.certs))
	}
	if err := s.crlError("root", s.rootCRL, s.rootErr); err != nil {
		return err
	}
	if err := s.crlError("PCK", s.pckCRL, s.crlErr); err != nil {
		return err
	}
	root, ca, pck := ch.root, ch.intermediate, ch.pck
	switch {
	case root == nil || !strings.Contains(root.Subject.CommonName, rootName):
		return fail(StatusSGXRootCAMissing, "no certificate of the chain is a root whose name contains %q", rootName)
	case ca == nil:
		return fail(StatusSGXIntermediateCAMissing, "no certificate of the chain is an intermediate CA")
	case pck == nil:
		return fail(StatusSGXPCKMissing, "no certificate of the chain has a name that contains %q", pckName)
	}
	if err := s.checkRoot(root); err != nil {
		return err
	}
	if err := checkIssued(ca, root, StatusSGXIntermediateCAInvalidIssuer); err != nil {
		return err
	}
	if err := checkCA(ca, StatusSGXIntermediateCAInvalid); err != nil {
		return err
	}
	if err := checkIssued(pck, ca, StatusSGXPCKInvalidIssuer); err != nil {
		return err
	}
	if pck.IsCA || pck.KeyUsage&dcap.KeyUsageDigitalSignature == 0 {
		return fail(StatusSGXPCKInvalid, "the PCK certificate is not one for signatures")
	}
	a, err := s.anchor(root, StatusSGXPCKCertChainUntrusted)
	if err != nil {
		return err
	}
	s.result.Root = a.Root
	s.result.CA = caOf(ca)
	if err := checkCRL(s.rootCRL, root); err != nil {
		return err
	}
	if err := checkCRL(s.pckCRL, ca); err != nil {
		return err
	}
	if s.rootCRL.lists(ca) {
		return fail(StatusSGXIntermediateCARevoked, "the certificate of %s (serial number %x) is revoked by the root", name(&ca.Subject), ca.SerialNumber)
	}
	if s.pckCRL.lists(pck) {
		return fail(StatusSGXPCKRevoked, "the PCK certificate (serial number %x) is revoked by %s", pck.SerialNumber, name(&ca.Subject))
	}
	s.keep(ch, s.pckPEM[0])
	s.keepCRL(s.rootCRL)
	s.keepCRL(s.pckCRL)
	if err := s.unexpired(StatusSGXPCKCertChainExpired, root, ca, pck); err != nil {
		return err
	}
	if err := s.crlInTime(s.rootCRL); err != nil {
		return err
	}
	if err := s.crlInTime(s.pckCRL); err != nil {
		return err
	}
	return s.begun(StatusSGXPCKCertChainExpired, root, ca, pck)
}

// caOf tells the authorities that issue PCK certificates apart.
func caOf(c *certificate) CA {
	if strings.Contains(c.Subject.CommonName, "Processor") {
		return ProcessorCA
	}
	return PlatformCA
}

// crlError is for a revocation list that is missing or cannot be read.
func (s *session) crlError(what string, crl *revocations, err error) *Error {
	switch {
	case errors.Is(err, errMissing) && s.lone:
		return nil
	case errors.Is(err, errMissing):
		return fail(StatusMissingParameters, "%s revocation list: %w", what, err)
	case errors.Is(err, dcap.ErrInvalid):
		return fail(StatusSGXCRLInvalidExtensions, "%s revocation list: %w", what, err)
	case err != nil:
		return fail(StatusSGXCRLUnsupportedFormat, "%s revocation list: %w", what, err)
	case crl.Number == nil:
		return fail(StatusSGXCRLUnsupportedFormat, "the %s revocation list has no number", what)
	}
	return nil
}

// keep remembers the certificates of a chain that was found to be good, and if
// all of them were known, so that it may come yet again, its text. The chain
// itself does not hold on to the text, which is the caller's.
func (s *session) keep(ch *chain, pem []byte) {
	for _, c := range ch.certs {
		s.v.certificates.keep(&c.kept, c.Raw, c)
	}
	if s.v.chains == nil || ch.new || ch.kept.Load() {
		return
	}
	size := 0
	for _, c := range ch.certs {
		n := base64.StdEncoding.EncodedLen(len(c.Raw))
		size += len("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n") + n + (n+63)/64
	}
	if len(pem) <= size+1 { // blank lines and the like make many texts of one chain
		s.v.chains.keep(&ch.kept, pem, ch)
	}
}

func (s *session) keepCRL(c *revocations) {
	if c != nil {
		s.v.crls.keep(&c.kept, c.Raw, c)
	}
}

// plain reports whether a document has little but what is signed. Others are not
// remembered: anybody can add to a document what no signature covers, and so
// make many of one, which would push everything else out of the cache.
func plain(d *dcap.Signed) bool { return len(d.Raw)-len(d.Body) <= 256 }

// verifyTCBInfo is the second step. Order and codes are those of
// TCBInfoVerifier.cpp.
func (s *session) verifyTCBInfo() *Error {
	switch {
	case errors.Is(s.tcbErr, errMissing):
		return &Error{Status: StatusMissingParameters, Err: s.tcbErr}
	case errors.Is(s.tcbErr, dcap.ErrInvalid):
		return &Error{Status: StatusSGXTCBInfoInvalid, Err: s.tcbErr}
	case s.tcbErr != nil:
		return &Error{Status: StatusSGXTCBInfoUnsupportedFormat, Err: s.tcbErr}
	}
	ch, err := s.verifySigner(s.c.TCBInfoChain)
	if err != nil {
		return err
	}
	if !s.tcb.signedBy(ch.top.key) {
		return fail(StatusTCBInfoInvalidSignature, "the TCB info is not signed with the key of %s", name(&ch.top.Subject))
	}
	if plain(&s.tcb.Signed) {
		s.v.tcbInfos.keep(&s.tcb.kept, s.tcb.Raw, s.tcb)
	}
	if err := s.signerInTime(ch); err != nil {
		return err
	}
	if err := s.documentInTime("TCB info", s.tcb.IssueDate, s.tcb.NextUpdate, StatusSGXTCBInfoExpired); err != nil {
		return err
	}
	return s.begun(StatusSGXSigningCertChainExpired, ch.root, ch.top)
}

// verifyIdentity is the third step. Order and codes are those of
// EnclaveIdentityVerifier.cpp.
func (s *session) verifyIdentity() *Error {
	switch {
	case errors.Is(s.idErr, errMissing):
		return &Error{Status: StatusMissingParameters, Err: s.idErr}
	case errors.Is(s.idErr, dcap.ErrVersion):
		return &Error{Status: StatusSGXEnclaveIdentityUnsupportedVersion, Err: s.idErr}
	case errors.Is(s.idErr, dcap.ErrInvalid):
		return &Error{Status: StatusSGXEnclaveIdentityInvalid, Err: s.idErr}
	case s.idErr != nil:
		return &Error{Status: StatusSGXEnclaveIdentityUnsupportedFormat, Err: s.idErr}
	}
	ch, err := s.verifySigner(s.c.QEIdentityChain)
	if err != nil {
		return err
	}
	if !s.identity.signedBy(ch.top.key) {
		return fail(StatusSGXEnclaveIdentityInvalidSignature, "the identity is not signed with the key of %s", name(&ch.top.Subject))
	}
	if plain(&s.identity.Signed) {
		s.v.identities.keep(&s.identity.kept, s.identity.Raw, s.identity)
	}
	if err := s.signerInTime(ch); err != nil {
		return err
	}
	if err := s.documentInTime(s.identity.ID+" identity", s.identity.IssueDate, s.identity.NextUpdate, StatusSGXEnclaveIdentityExpired); err != nil {
		return err
	}
	return s.begun(StatusSGXSigningCertChainExpired, ch.root, ch.top)
}

// verifySigner verifies the chain of a TCB signing certificate but for its
// time, as TCBSigningChain.cpp does.
func (s *session) verifySigner(pem []byte) (*chain, *Error) {
	ch, err := s.signingChain(pem)
	if err != nil {
		return nil, &Error{Status: err.Status, Err: err.Err}
	}
	if len(ch.certs) != 2 {
		return nil, fail(StatusUnsupportedCertFormat, "a TCB signing chain has two certificates, this has %d", len(ch.certs))
	}
	if err := s.crlError("root", s.rootCRL, s.rootErr); err != nil {
		return nil, err
	}
	root, signer := ch.root, ch.top
	if root == nil || !strings.Contains(root.Subject.CommonName, rootName) {
		return nil, fail(StatusSGXRootCAMissing, "no certificate of the chain is a root whose name contains %q", rootName)
	}
	if err := s.checkRoot(root); err != nil {
		return nil, err
	}
	if signer == nil || !strings.Contains(signer.Subject.CommonName, signingName) {
		return nil, fail(StatusSGXTCBSigningCertMissing, "no certificate of the chain has a name that contains %q", signingName)
	}
	if err := checkIssued(signer, root, StatusSGXTCBSigningCertInvalidIssuer); err != nil {
		return nil, err
	}
	if signer.IsCA || signer.KeyUsage&dcap.KeyUsageDigitalSignature == 0 {
		return nil, fail(StatusSGXTCBSigningCertInvalid, "the TCB signing certificate is not one for signatures")
	}
	if err := checkCRL(s.rootCRL, root); err != nil {
		return nil, err
	}
	if s.rootCRL.lists(signer) {
		return nil, fail(StatusSGXTCBSigningCertRevoked, "the TCB signing certificate (serial number %x) is revoked by the root", signer.SerialNumber)
	}
	if _, err := s.anchor(root, StatusSGXTCBSigningCertChainUntrusted); err != nil {
		return nil, err
	}
	s.keep(ch, pem)
	s.keepCRL(s.rootCRL)
	return ch, nil
}

func (s *session) signerInTime(ch *chain) *Error {
	if err := s.unexpired(StatusSGXSigningCertChainExpired, ch.root, ch.top); err != nil {
		return err
	}
	return s.crlInTime(s.rootCRL)
}

func (s *session) documentInTime(what string, issued, next time.Time, bad Status) *Error {
	switch {
	case s.at.After(next):
		return fail(bad, "the %s was good until %s: a newer one is needed", what, date(next))
	case s.at.Before(issued):
		return fail(bad, "the %s is of %s, which is after the time that is asked about", what, date(issued))
	}
	return nil
}
