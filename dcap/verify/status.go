package verify

import (
	"errors"
	"fmt"
)

// Status is a result code of Intel's Quote Verification Library (QVL), with
// its number. The text form is Intel's name, such as "STATUS_TCB_OUT_OF_DATE".
type Status uint8

// All codes of the QVL of 2026, in its order. Some are never given, by it or
// here, and are listed so that the numbers are right.
const (
	StatusOK Status = iota
	StatusUnsupportedCertFormat
	StatusSGXRootCAMissing
	StatusSGXRootCAInvalid
	StatusSGXRootCAInvalidExtensions
	StatusSGXRootCAInvalidIssuer
	StatusSGXRootCAUntrusted
	StatusSGXIntermediateCAMissing
	StatusSGXIntermediateCAInvalid
	StatusSGXIntermediateCAInvalidExtensions
	StatusSGXIntermediateCAInvalidIssuer
	StatusSGXIntermediateCARevoked
	StatusSGXPCKMissing
	StatusSGXPCKInvalid
	StatusSGXPCKInvalidExtensions
	StatusSGXPCKInvalidIssuer
	StatusSGXPCKRevoked
	StatusTrustedRootCAInvalid
	StatusSGXPCKCertChainUntrusted
	StatusSGXTCBInfoUnsupportedFormat
	StatusSGXTCBInfoInvalid
	StatusTCBInfoInvalidSignature
	StatusSGXTCBSigningCertMissing
	StatusSGXTCBSigningCertInvalid
	StatusSGXTCBSigningCertInvalidExtensions
	StatusSGXTCBSigningCertInvalidIssuer
	StatusSGXTCBSigningCertChainUntrusted
	StatusSGXTCBSigningCertRevoked
	StatusSGXCRLUnsupportedFormat
	StatusSGXCRLUnknownIssuer
	StatusSGXCRLInvalid
	StatusSGXCRLInvalidExtensions
	StatusSGXCRLInvalidSignature
	StatusSGXCACertUnsupportedFormat
	StatusSGXCACertInvalid
	StatusTrustedRootCAUnsupportedFormat
	StatusMissingParameters
	StatusUnsupportedQuoteFormat
	StatusUnsupportedPCKCertFormat
	StatusInvalidPCKCert
	StatusUnsupportedPCKRLFormat
	StatusInvalidPCKCRL
	StatusUnsupportedTCBInfoFormat
	StatusPCKRevoked
	StatusTCBInfoMismatch
	StatusTCBOutOfDate
	StatusTCBRevoked
	StatusTCBConfigurationNeeded
	StatusTCBOutOfDateConfigurationNeeded
	StatusTCBNotSupported
	StatusTCBUnrecognizedStatus
	StatusUnsupportedQECertification
	StatusInvalidQECertificationDataSize
	StatusUnsupportedQECertificationDataType
	StatusPCKCertMismatch
	StatusInvalidQEReportSignature
	StatusInvalidQEReportData
	StatusInvalidQuoteSignature
	StatusSGXQEIdentityUnsupportedFormat
	StatusSGXQEIdentityInvalid
	StatusSGXQEIdentityInvalidSignature
	StatusSGXEnclaveReportUnsupportedFormat
	StatusSGXEnclaveIdentityUnsupportedFormat
	StatusSGXEnclaveIdentityInvalid
	StatusSGXEnclaveIdentityUnsupportedVersion
	StatusSGXEnclaveIdentityOutOfDate
	StatusSGXEnclaveReportMiscSelectMismatch
	StatusSGXEnclaveReportAttributesMismatch
	StatusSGXEnclaveReportMREnclaveMismatch
	StatusSGXEnclaveReportMRSignerMismatch
	StatusSGXEnclaveReportISVProdIDMismatch
	StatusSGXEnclaveReportISVSVNOutOfDate
	StatusUnsupportedQEIdentityFormat
	StatusQEIdentityOutOfDate
	StatusQEIdentityMismatch
	StatusSGXTCBInfoExpired
	StatusSGXEnclaveIdentityInvalidSignature
	StatusInvalidParameter
	StatusSGXPCKCertChainExpired
	StatusSGXCRLExpired
	StatusSGXSigningCertChainExpired
	StatusSGXEnclaveIdentityExpired
	StatusTCBSWHardeningNeeded
	StatusTCBConfigurationAndSWHardeningNeeded
	StatusSGXEnclaveReportISVSVNRevoked
	StatusTDXModuleMismatch
	StatusSGXEnclaveReportISVSVNNotSupported
	StatusTCBTDRelaunchAdvised
	StatusTCBTDRelaunchAdvisedConfigurationNeeded
)

var statusNames = [...]string{
	StatusOK:                                      "STATUS_OK",
	StatusUnsupportedCertFormat:                   "STATUS_UNSUPPORTED_CERT_FORMAT",
	StatusSGXRootCAMissing:                        "STATUS_SGX_ROOT_CA_MISSING",
	StatusSGXRootCAInvalid:                        "STATUS_SGX_ROOT_CA_INVALID",
	StatusSGXRootCAInvalidExtensions:              "STATUS_SGX_ROOT_CA_INVALID_EXTENSIONS",
	StatusSGXRootCAInvalidIssuer:                  "STATUS_SGX_ROOT_CA_INVALID_ISSUER",
	StatusSGXRootCAUntrusted:                      "STATUS_SGX_ROOT_CA_UNTRUSTED",
	StatusSGXIntermediateCAMissing:                "STATUS_SGX_INTERMEDIATE_CA_MISSING",
	StatusSGXIntermediateCAInvalid:                "STATUS_SGX_INTERMEDIATE_CA_INVALID",
	StatusSGXIntermediateCAInvalidExtensions:      "STATUS_SGX_INTERMEDIATE_CA_INVALID_EXTENSIONS",
	StatusSGXIntermediateCAInvalidIssuer:          "STATUS_SGX_INTERMEDIATE_CA_INVALID_ISSUER",
	StatusSGXIntermediateCARevoked:                "STATUS_SGX_INTERMEDIATE_CA_REVOKED",
	StatusSGXPCKMissing:                           "STATUS_SGX_PCK_MISSING",
	StatusSGXPCKInvalid:                           "STATUS_SGX_PCK_INVALID",
	StatusSGXPCKInvalidExtensions:                 "STATUS_SGX_PCK_INVALID_EXTENSIONS",
	StatusSGXPCKInvalidIssuer:                     "STATUS_SGX_PCK_INVALID_ISSUER",
	StatusSGXPCKRevoked:                           "STATUS_SGX_PCK_REVOKED",
	StatusTrustedRootCAInvalid:                    "STATUS_TRUSTED_ROOT_CA_INVALID",
	StatusSGXPCKCertChainUntrusted:                "STATUS_SGX_PCK_CERT_CHAIN_UNTRUSTED",
	StatusSGXTCBInfoUnsupportedFormat:             "STATUS_SGX_TCB_INFO_UNSUPPORTED_FORMAT",
	StatusSGXTCBInfoInvalid:                       "STATUS_SGX_TCB_INFO_INVALID",
	StatusTCBInfoInvalidSignature:                 "STATUS_TCB_INFO_INVALID_SIGNATURE",
	StatusSGXTCBSigningCertMissing:                "STATUS_SGX_TCB_SIGNING_CERT_MISSING",
	StatusSGXTCBSigningCertInvalid:                "STATUS_SGX_TCB_SIGNING_CERT_INVALID",
	StatusSGXTCBSigningCertInvalidExtensions:      "STATUS_SGX_TCB_SIGNING_CERT_INVALID_EXTENSIONS",
	StatusSGXTCBSigningCertInvalidIssuer:          "STATUS_SGX_TCB_SIGNING_CERT_INVALID_ISSUER",
	StatusSGXTCBSigningCertChainUntrusted:         "STATUS_SGX_TCB_SIGNING_CERT_CHAIN_UNTRUSTED",
	StatusSGXTCBSigningCertRevoked:                "STATUS_SGX_TCB_SIGNING_CERT_REVOKED",
	StatusSGXCRLUnsupportedFormat:                 "STATUS_SGX_CRL_UNSUPPORTED_FORMAT",
	StatusSGXCRLUnknownIssuer:                     "STATUS_SGX_CRL_UNKNOWN_ISSUER",
	StatusSGXCRLInvalid:                           "STATUS_SGX_CRL_INVALID",
	StatusSGXCRLInvalidExtensions:                 "STATUS_SGX_CRL_INVALID_EXTENSIONS",
	StatusSGXCRLInvalidSignature:                  "STATUS_SGX_CRL_INVALID_SIGNATURE",
	StatusSGXCACertUnsupportedFormat:              "STATUS_SGX_CA_CERT_UNSUPPORTED_FORMAT",
	StatusSGXCACertInvalid:                        "STATUS_SGX_CA_CERT_INVALID",
	StatusTrustedRootCAUnsupportedFormat:          "STATUS_TRUSTED_ROOT_CA_UNSUPPORTED_FORMAT",
	StatusMissingParameters:                       "STATUS_MISSING_PARAMETERS",
	StatusUnsupportedQuoteFormat:                  "STATUS_UNSUPPORTED_QUOTE_FORMAT",
	StatusUnsupportedPCKCertFormat:                "STATUS_UNSUPPORTED_PCK_CERT_FORMAT",
	StatusInvalidPCKCert:                          "STATUS_INVALID_PCK_CERT",
	StatusUnsupportedPCKRLFormat:                  "STATUS_UNSUPPORTED_PCK_RL_FORMAT",
	StatusInvalidPCKCRL:                           "STATUS_INVALID_PCK_CRL",
	StatusUnsupportedTCBInfoFormat:                "STATUS_UNSUPPORTED_TCB_INFO_FORMAT",
	StatusPCKRevoked:                              "STATUS_PCK_REVOKED",
	StatusTCBInfoMismatch:                         "STATUS_TCB_INFO_MISMATCH",
	StatusTCBOutOfDate:                            "STATUS_TCB_OUT_OF_DATE",
	StatusTCBRevoked:                              "STATUS_TCB_REVOKED",
	StatusTCBConfigurationNeeded:                  "STATUS_TCB_CONFIGURATION_NEEDED",
	StatusTCBOutOfDateConfigurationNeeded:         "STATUS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED",
	StatusTCBNotSupported:                         "STATUS_TCB_NOT_SUPPORTED",
	StatusTCBUnrecognizedStatus:                   "STATUS_TCB_UNRECOGNIZED_STATUS",
	StatusUnsupportedQECertification:              "STATUS_UNSUPPORTED_QE_CERTIFICATION",
	StatusInvalidQECertificationDataSize:          "STATUS_INVALID_QE_CERTIFICATION_DATA_SIZE",
	StatusUnsupportedQECertificationDataType:      "STATUS_UNSUPPORTED_QE_CERTIFICATION_DATA_TYPE",
	StatusPCKCertMismatch:                         "STATUS_PCK_CERT_MISMATCH",
	StatusInvalidQEReportSignature:                "STATUS_INVALID_QE_REPORT_SIGNATURE",
	StatusInvalidQEReportData:                     "STATUS_INVALID_QE_REPORT_DATA",
	StatusInvalidQuoteSignature:                   "STATUS_INVALID_QUOTE_SIGNATURE",
	StatusSGXQEIdentityUnsupportedFormat:          "STATUS_SGX_QE_IDENTITY_UNSUPPORTED_FORMAT",
	StatusSGXQEIdentityInvalid:                    "STATUS_SGX_QE_IDENTITY_INVALID",
	StatusSGXQEIdentityInvalidSignature:           "STATUS_SGX_QE_IDENTITY_INVALID_SIGNATURE",
	StatusSGXEnclaveReportUnsupportedFormat:       "STATUS_SGX_ENCLAVE_REPORT_UNSUPPORTED_FORMAT",
	StatusSGXEnclaveIdentityUnsupportedFormat:     "STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_FORMAT",
	StatusSGXEnclaveIdentityInvalid:               "STATUS_SGX_ENCLAVE_IDENTITY_INVALID",
	StatusSGXEnclaveIdentityUnsupportedVersion:    "STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_VERSION",
	StatusSGXEnclaveIdentityOutOfDate:             "STATUS_SGX_ENCLAVE_IDENTITY_OUT_OF_DATE",
	StatusSGXEnclaveReportMiscSelectMismatch:      "STATUS_SGX_ENCLAVE_REPORT_MISCSELECT_MISMATCH",
	StatusSGXEnclaveReportAttributesMismatch:      "STATUS_SGX_ENCLAVE_REPORT_ATTRIBUTES_MISMATCH",
	StatusSGXEnclaveReportMREnclaveMismatch:       "STATUS_SGX_ENCLAVE_REPORT_MRENCLAVE_MISMATCH",
	StatusSGXEnclaveReportMRSignerMismatch:        "STATUS_SGX_ENCLAVE_REPORT_MRSIGNER_MISMATCH",
	StatusSGXEnclaveReportISVProdIDMismatch:       "STATUS_SGX_ENCLAVE_REPORT_ISVPRODID_MISMATCH",
	StatusSGXEnclaveReportISVSVNOutOfDate:         "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE",
	StatusUnsupportedQEIdentityFormat:             "STATUS_UNSUPPORTED_QE_IDENTITY_FORMAT",
	StatusQEIdentityOutOfDate:                     "STATUS_QE_IDENTITY_OUT_OF_DATE",
	StatusQEIdentityMismatch:                      "STATUS_QE_IDENTITY_MISMATCH",
	StatusSGXTCBInfoExpired:                       "STATUS_SGX_TCB_INFO_EXPIRED",
	StatusSGXEnclaveIdentityInvalidSignature:      "STATUS_SGX_ENCLAVE_IDENTITY_INVALID_SIGNATURE",
	StatusInvalidParameter:                        "STATUS_INVALID_PARAMETER",
	StatusSGXPCKCertChainExpired:                  "STATUS_SGX_PCK_CERT_CHAIN_EXPIRED",
	StatusSGXCRLExpired:                           "STATUS_SGX_CRL_EXPIRED",
	StatusSGXSigningCertChainExpired:              "STATUS_SGX_SIGNING_CERT_CHAIN_EXPIRED",
	StatusSGXEnclaveIdentityExpired:               "STATUS_SGX_ENCLAVE_IDENTITY_EXPIRED",
	StatusTCBSWHardeningNeeded:                    "STATUS_TCB_SW_HARDENING_NEEDED",
	StatusTCBConfigurationAndSWHardeningNeeded:    "STATUS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED",
	StatusSGXEnclaveReportISVSVNRevoked:           "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_REVOKED",
	StatusTDXModuleMismatch:                       "STATUS_TDX_MODULE_MISMATCH",
	StatusSGXEnclaveReportISVSVNNotSupported:      "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_NOT_SUPPORTED",
	StatusTCBTDRelaunchAdvised:                    "STATUS_TCB_TD_RELAUNCH_ADVISED",
	StatusTCBTDRelaunchAdvisedConfigurationNeeded: "STATUS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED",
}

// ErrUnknownStatus: a text is no name of a Status.
var ErrUnknownStatus = errors.New("no status of Intel's quote verification library")

// String returns Intel's name.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("STATUS_%d", uint8(s))
}

// ParseStatus is the inverse of String.
func ParseStatus(name string) (Status, error) {
	for s, n := range statusNames {
		if n == name {
			return Status(s), nil
		}
	}
	return 0, fmt.Errorf("%w: %q", ErrUnknownStatus, name)
}

// MarshalText returns Intel's name.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads Intel's name.
func (s *Status) UnmarshalText(b []byte) (err error) {
	*s, err = ParseStatus(string(b))
	return err
}

// TCB reports whether the status is a judgement of the TCB: everything about
// the quote was found to be genuine, and this is what Intel says of the
// platform it came from.
func (s Status) TCB() bool {
	switch s {
	case StatusOK, StatusTCBSWHardeningNeeded, StatusTCBConfigurationNeeded, StatusTCBConfigurationAndSWHardeningNeeded,
		StatusTCBOutOfDate, StatusTCBOutOfDateConfigurationNeeded, StatusTCBRevoked, StatusTCBNotSupported, StatusTCBUnrecognizedStatus,
		StatusTCBTDRelaunchAdvised, StatusTCBTDRelaunchAdvisedConfigurationNeeded:
		return true
	}
	return false
}

// Expired reports whether the status says that a certificate, list or document
// is out of its time, and that all else about it was found to be right.
func (s Status) Expired() bool {
	switch s {
	case StatusSGXPCKCertChainExpired, StatusSGXSigningCertChainExpired, StatusSGXCRLExpired, StatusSGXTCBInfoExpired, StatusSGXEnclaveIdentityExpired:
		return true
	}
	return false
}
