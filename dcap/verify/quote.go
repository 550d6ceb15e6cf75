package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
)

// verifyQuote is the fourth step: the quote with its PCK certificate, TCB info
// and QE identity. Order and codes are those of sgxAttestationVerifyQuoteEx
// and QuoteVerifier.cpp.
func (s *session) verifyQuote() *Error {
	q := s.result.Quote
	switch {
	case s.quoteErr != nil:
		return &Error{Status: StatusUnsupportedQuoteFormat, Err: s.quoteErr}
	case q.Header.QEVendorID != dcap.IntelQEVendorID:
		return fail(StatusUnsupportedQuoteFormat, "the quoting enclave's vendor ID is %x, which is not Intel's", q.Header.QEVendorID)
	case q.Certification.Type() == dcap.CertPlatformManifest:
		return fail(StatusUnsupportedQuoteFormat, "the quote has a platform manifest in place of a PCK certificate")
	}
	if err := s.readable(); err != nil {
		return err
	}
	if err := s.pckMatches(); err != nil {
		return err
	}
	if err := s.tcbInfoMatches(q); err != nil {
		return err
	}
	if s.tcb.ID == dcap.TCBInfoTDX {
		if err := s.moduleMatches(q.TDReport()); err != nil {
			return err
		}
	}
	return s.verifySignatures(q)
}

// readable asks for the documents that the step needs.
func (s *session) readable() *Error {
	if s.crlErr != nil || s.pckCRL.Number == nil {
		return &Error{Status: missingOr(s.crlErr, StatusUnsupportedPCKRLFormat), Err: fmt.Errorf("PCK revocation list: %w", orNumber(s.crlErr))}
	}
	if s.tcbErr != nil {
		return &Error{Status: missingOr(s.tcbErr, StatusUnsupportedTCBInfoFormat), Err: fmt.Errorf("TCB info: %w", s.tcbErr)}
	}
	if s.idErr != nil {
		return &Error{Status: missingOr(s.idErr, StatusUnsupportedQEIdentityFormat), Err: fmt.Errorf("QE identity: %w", s.idErr)}
	}
	switch {
	case s.pckErr != nil && s.pckErr.Status == StatusMissingParameters:
		return fail(StatusMissingParameters, "PCK certificate: the quote has none (%s), and the collateral has none", s.result.Quote.Certification.Type())
	case s.pckErr != nil && s.pckErr.Status == StatusUnsupportedCertFormat:
		return &Error{Status: StatusUnsupportedPCKCertFormat, Err: s.pckErr.Err}
	case s.pckErr != nil:
		return &Error{Status: StatusInvalidPCKCert, Err: s.pckErr.Err}
	case s.pck.pck == nil:
		return fail(StatusInvalidPCKCert, "no certificate has a name that contains %q", pckName)
	}
	return nil
}

func missingOr(err error, s Status) Status {
	if errors.Is(err, errMissing) {
		return StatusMissingParameters
	}
	return s
}

func orNumber(err error) error {
	if err == nil {
		return errors.New("it has no number")
	}
	return err
}

// pckMatches asks whether certificate and revocation list belong together.
func (s *session) pckMatches() *Error {
	pck, crl := s.pck.pck, s.pckCRL
	switch {
	case !strings.Contains(crl.Issuer.CommonName, caName):
		return fail(StatusInvalidPCKCRL, "the issuer of the PCK revocation list is %s, which is no CA", name(&crl.Issuer))
	case !bytes.Equal(crl.RawIssuer, pck.RawIssuer):
		return fail(StatusInvalidPCKCRL, "the PCK revocation list is of %s, the PCK certificate of %s", name(&crl.Issuer), name(&pck.Issuer))
	case crl.Contains(pck.SerialNumber):
		return fail(StatusPCKRevoked, "the PCK certificate (serial number %x) is revoked", pck.SerialNumber)
	}
	return nil
}

// tcbInfoMatches asks whether the TCB info is for this TEE and platform.
func (s *session) tcbInfoMatches(q *dcap.Quote) *Error {
	sgx, tcb := s.pck.pck.SGX, &s.tcb.TCBInfo
	switch {
	case tcb.ID != q.Header.TEEType.String():
		return fail(StatusTCBInfoMismatch, "the TCB info is for %s, the quote of %s", tcb.ID, q.Header.TEEType)
	case tcb.FMSPC != sgx.FMSPC:
		return fail(StatusTCBInfoMismatch, "the TCB info is for FMSPC %X, the PCK certificate has %X", tcb.FMSPC, sgx.FMSPC)
	case tcb.PCEID != sgx.PCEID:
		return fail(StatusTCBInfoMismatch, "the TCB info is for PCEID %X, the PCK certificate has %X", tcb.PCEID, sgx.PCEID)
	}
	return nil
}

// moduleMatches asks whether the TDX module is the one that the TCB info
// describes.
func (s *session) moduleMatches(td *dcap.TDReport10) *Error {
	module := s.tcb.TDXModule
	if version := td.TEETCBSVN[1]; version > 0 {
		id := findModule(&s.tcb.TCBInfo, version)
		if id == nil {
			return fail(StatusTDXModuleMismatch, "the TCB info has no identity %q for the TDX module of the quote", moduleID(version))
		}
		module = &id.TDXModule
	}
	switch {
	case td.MRSignerSEAM != module.MRSigner:
		return fail(StatusTDXModuleMismatch, "MRSIGNERSEAM is %x, that of the TCB info %x", td.MRSignerSEAM, module.MRSigner)
	case td.SEAMAttributes != [8]byte{} || module.Attributes != [8]byte{}:
		return fail(StatusTDXModuleMismatch, "SEAMATTRIBUTES is %x, that of the TCB info %x: both have to be zero", td.SEAMAttributes, module.Attributes)
	}
	return nil
}

// verifySignatures goes from the PCK to the QE report, from there to the
// attestation key, and with this to the quote. Then it evaluates the TCB.
func (s *session) verifySignatures(q *dcap.Quote) *Error {
	digest := sha256.Sum256(q.RawQEReport)
	if !s.pck.pck.key.verifies(&digest, &q.QEReportSignature) {
		return fail(StatusInvalidQEReportSignature, "the QE report is not signed with the key of the PCK certificate")
	}
	h := sha256.New()
	h.Write(q.AttestationKey[:])
	h.Write(q.QEAuthData)
	if [32]byte(h.Sum(digest[:0])) != [32]byte(q.QEReport.ReportData[:32]) {
		return fail(StatusInvalidQEReportData, "the QE report is not for this attestation key")
	}
	if err := s.identityMatches(q); err != nil {
		return err
	}
	attestation, err := newKey(&q.AttestationKey)
	if err != nil {
		return &Error{Status: StatusUnsupportedQuoteFormat, Err: fmt.Errorf("attestation key: %w", err)}
	}
	digest = sha256.Sum256(q.Signed)
	if !attestation.verifies(&digest, &q.Signature) {
		return fail(StatusInvalidQuoteSignature, "the quote is not signed with its attestation key")
	}
	return s.evaluateQuote(q)
}

// identityMatches asks whether the quoting enclave is the one that Intel
// describes. Its SVN is a matter of the evaluation.
func (s *session) identityMatches(q *dcap.Quote) *Error {
	id, qe := &s.identity.EnclaveIdentity, &q.QEReport
	want := dcap.IdentityQE
	if q.Header.TEEType == dcap.TEETDX {
		want = dcap.IdentityTDQE
	}
	var attributes, masked [16]byte
	binary.LittleEndian.PutUint64(attributes[:], uint64(qe.Attributes.Flags))
	binary.LittleEndian.PutUint64(attributes[8:], uint64(qe.Attributes.XFRM))
	for i := range masked {
		masked[i] = attributes[i] & id.AttributesMask[i]
	}
	switch {
	case id.ID != want:
		return fail(StatusQEIdentityMismatch, "the identity is of %s, a quote of %s is made by %s", id.ID, q.Header.TEEType, want)
	case uint32(qe.MiscSelect)&id.MiscSelectMask != id.MiscSelect:
		return fail(StatusQEIdentityMismatch, "the quoting enclave's MISCSELECT is %08x, with the mask %08x this is not %08x", uint32(qe.MiscSelect), id.MiscSelectMask, id.MiscSelect)
	case masked != id.Attributes:
		return fail(StatusQEIdentityMismatch, "the quoting enclave's ATTRIBUTES are %x, with the mask %x this is not %x", attributes, id.AttributesMask, id.Attributes)
	case qe.MRSigner != id.MRSigner:
		return fail(StatusQEIdentityMismatch, "the quoting enclave's MRSIGNER is %x and not %x", qe.MRSigner, id.MRSigner)
	case qe.ISVProdID != id.ISVProdID:
		return fail(StatusQEIdentityMismatch, "the quoting enclave's ISVPRODID is %d and not %d", qe.ISVProdID, id.ISVProdID)
	}
	return nil
}
