package qve

import (
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// resultOf is the result for the status of the last step, the quote's.
func resultOf(s verify.Status) tvl.Result {
	switch s {
	case verify.StatusOK:
		return tvl.OK
	case verify.StatusTCBConfigurationNeeded:
		return tvl.ConfigNeeded
	case verify.StatusTCBOutOfDate:
		return tvl.OutOfDate
	case verify.StatusTCBOutOfDateConfigurationNeeded:
		return tvl.OutOfDateConfigNeeded
	case verify.StatusTCBSWHardeningNeeded:
		return tvl.SWHardeningNeeded
	case verify.StatusTCBConfigurationAndSWHardeningNeeded:
		return tvl.ConfigAndSWHardeningNeeded
	case verify.StatusTCBTDRelaunchAdvised:
		return tvl.TDRelaunchAdvised
	case verify.StatusTCBTDRelaunchAdvisedConfigurationNeeded:
		return tvl.TDRelaunchAdvisedConfigNeeded
	}
	return tvl.Unspecified // with an error, see codeOf
}

// codeOf is the error for the status of a step that ended the verification. It is
// that of Intel's QvE, which reads chains and CRLs before the steps begin, so that
// what cannot be read has one error whichever it is. A status with no case is
// unexpected there, too.
func codeOf(s verify.Status) tvl.Code {
	switch s {
	case verify.StatusMissingParameters:
		return tvl.InvalidParameter
	case verify.StatusUnsupportedQuoteFormat:
		return tvl.QuoteFormatUnsupported
	case verify.StatusUnsupportedQECertification, verify.StatusUnsupportedQECertificationDataType:
		return tvl.CertificationDataUnsupported
	case verify.StatusInvalidQEReportSignature:
		return tvl.QEReportInvalidSignature
	case verify.StatusSGXEnclaveReportUnsupportedFormat:
		return tvl.QEReportUnsupportedFormat
	case verify.StatusUnsupportedPCKCertFormat:
		return tvl.PCKCertUnsupportedFormat
	case verify.StatusUnsupportedCertFormat, verify.StatusInvalidPCKCert,
		verify.StatusSGXRootCAMissing, verify.StatusSGXRootCAUntrusted, verify.StatusSGXPCKCertChainUntrusted,
		verify.StatusSGXRootCAInvalidExtensions, verify.StatusSGXIntermediateCAInvalidExtensions,
		verify.StatusSGXPCKInvalidExtensions, verify.StatusSGXTCBSigningCertInvalidExtensions:
		return tvl.PCKCertChainError
	case verify.StatusUnsupportedTCBInfoFormat, verify.StatusSGXTCBInfoUnsupportedFormat, verify.StatusSGXTCBInfoInvalid:
		return tvl.TCBInfoUnsupportedFormat
	case verify.StatusTCBInfoMismatch:
		return tvl.TCBInfoMismatch
	case verify.StatusTCBInfoInvalidSignature, verify.StatusSGXTCBSigningCertChainUntrusted:
		return tvl.TCBInfoChainError
	case verify.StatusSGXQEIdentityInvalid, verify.StatusQEIdentityMismatch,
		verify.StatusSGXEnclaveReportMiscSelectMismatch, verify.StatusSGXEnclaveReportAttributesMismatch,
		verify.StatusSGXEnclaveReportMREnclaveMismatch, verify.StatusSGXEnclaveReportMRSignerMismatch,
		verify.StatusSGXEnclaveReportISVProdIDMismatch:
		return tvl.QEIdentityMismatch
	case verify.StatusSGXEnclaveIdentityInvalidSignature, verify.StatusUnsupportedQEIdentityFormat:
		return tvl.QEIdentityChainError
	case verify.StatusSGXCRLUnsupportedFormat, verify.StatusSGXCRLInvalidExtensions:
		return tvl.CRLUnsupportedFormat
	case verify.StatusSGXCRLInvalidSignature, verify.StatusSGXQEIdentityInvalidSignature, verify.StatusInvalidQuoteSignature:
		return tvl.ResultInvalidSignature
	case verify.StatusPCKRevoked, verify.StatusSGXPCKRevoked, verify.StatusSGXIntermediateCARevoked, verify.StatusSGXTCBSigningCertRevoked:
		return tvl.PCKRevoked
	case verify.StatusTCBRevoked, verify.StatusSGXEnclaveReportISVSVNRevoked:
		return tvl.TCBRevoked
	case verify.StatusTCBNotSupported:
		return tvl.TCBNotSupported
	case verify.StatusTDXModuleMismatch:
		return tvl.TDXModuleMismatch
	}
	return tvl.Unexpected
}
