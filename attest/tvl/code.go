package tvl

import "fmt"

// Code is an error of the functions that verify quotes (quote3_error_t). As an error
// it reads as its name. Zero is success and is never used as an error value.
type Code uint32

// Codes that the QvE and Verdict.Check give, and no others of the type.
const (
	Success                         Code = 0
	Unexpected                      Code = 0xE001
	InvalidParameter                Code = 0xE002
	ReportInvalid                   Code = 0xE013 // SGX_QL_ERROR_REPORT: the QvE's REPORT, or its data
	CertificationDataUnsupported    Code = 0xE01C
	QuoteFormatUnsupported          Code = 0xE01D
	NoReport                        Code = 0xE01E // SGX_QL_UNABLE_TO_GENERATE_REPORT
	QEReportInvalidSignature        Code = 0xE01F
	QEReportUnsupportedFormat       Code = 0xE020
	PCKCertUnsupportedFormat        Code = 0xE021
	PCKCertChainError               Code = 0xE022
	TCBInfoUnsupportedFormat        Code = 0xE023
	TCBInfoMismatch                 Code = 0xE024
	QEIdentityUnsupportedFormat     Code = 0xE025
	QEIdentityMismatch              Code = 0xE026
	PCKRevoked                      Code = 0xE031
	TCBRevoked                      Code = 0xE032
	CRLUnsupportedFormat            Code = 0xE038
	QEIdentityChainError            Code = 0xE039
	TCBInfoChainError               Code = 0xE03A
	QvEIdentityMismatch             Code = 0xE050
	QvEOutOfDate                    Code = 0xE051
	CollateralVersionNotSupported   Code = 0xE053
	TDXModuleMismatch               Code = 0xE060
	SupplementalVersionNotSupported Code = 0xE064
	TCBNotSupported                 Code = 0xE066
	ResultInvalidSignature          Code = 0xE068
)

var codeNames = map[Code]string{
	Success:                         "SGX_QL_SUCCESS",
	Unexpected:                      "SGX_QL_ERROR_UNEXPECTED",
	InvalidParameter:                "SGX_QL_ERROR_INVALID_PARAMETER",
	ReportInvalid:                   "SGX_QL_ERROR_REPORT",
	CertificationDataUnsupported:    "SGX_QL_QUOTE_CERTIFICATION_DATA_UNSUPPORTED",
	QuoteFormatUnsupported:          "SGX_QL_QUOTE_FORMAT_UNSUPPORTED",
	NoReport:                        "SGX_QL_UNABLE_TO_GENERATE_REPORT",
	QEReportInvalidSignature:        "SGX_QL_QE_REPORT_INVALID_SIGNATURE",
	QEReportUnsupportedFormat:       "SGX_QL_QE_REPORT_UNSUPPORTED_FORMAT",
	PCKCertUnsupportedFormat:        "SGX_QL_PCK_CERT_UNSUPPORTED_FORMAT",
	PCKCertChainError:               "SGX_QL_PCK_CERT_CHAIN_ERROR",
	TCBInfoUnsupportedFormat:        "SGX_QL_TCBINFO_UNSUPPORTED_FORMAT",
	TCBInfoMismatch:                 "SGX_QL_TCBINFO_MISMATCH",
	QEIdentityUnsupportedFormat:     "SGX_QL_QEIDENTITY_UNSUPPORTED_FORMAT",
	QEIdentityMismatch:              "SGX_QL_QEIDENTITY_MISMATCH",
	PCKRevoked:                      "SGX_QL_PCK_REVOKED",
	TCBRevoked:                      "SGX_QL_TCB_REVOKED",
	CRLUnsupportedFormat:            "SGX_QL_CRL_UNSUPPORTED_FORMAT",
	QEIdentityChainError:            "SGX_QL_QEIDENTITY_CHAIN_ERROR",
	TCBInfoChainError:               "SGX_QL_TCBINFO_CHAIN_ERROR",
	QvEIdentityMismatch:             "SGX_QL_QVEIDENTITY_MISMATCH",
	QvEOutOfDate:                    "SGX_QL_QVE_OUT_OF_DATE",
	CollateralVersionNotSupported:   "SGX_QL_COLLATERAL_VERSION_NOT_SUPPORTED",
	TDXModuleMismatch:               "SGX_QL_TDX_MODULE_MISMATCH",
	SupplementalVersionNotSupported: "SGX_QL_SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED",
	TCBNotSupported:                 "SGX_QL_TCB_NOT_SUPPORTED",
	ResultInvalidSignature:          "SGX_QL_RESULT_INVALID_SIGNATURE",
}

// String returns Intel's name, or the number.
func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return fmt.Sprintf("quote3_error_t(%#x)", uint32(c))
}

// Error implements error.
func (c Code) Error() string { return c.String() }

// Err returns nil for Success, and c otherwise.
func (c Code) Err() error {
	if c == Success {
		return nil
	}
	return c
}
