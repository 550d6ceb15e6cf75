package aesm

import (
	"errors"
	"fmt"
)

// Code is an error code of AESM (aesm_error_t), which every response carries.
// As an error it reads as its name. Zero is success and never used as an
// error value.
type Code uint32

// The codes that AESM has today; 9 to 11 belonged to platform services, which
// are gone, and 27 is free.
const (
	Success                  Code = 0
	ErrUnexpected            Code = 1
	ErrNoDevice              Code = 2
	ErrParameter             Code = 3
	ErrEPIDBlob              Code = 4
	ErrEPIDRevoked           Code = 5
	ErrGetLicenseToken       Code = 6
	ErrSessionInvalid        Code = 7
	ErrMaxSessions           Code = 8
	ErrPSDAUnavailable       Code = 9
	ErrEPHSessionFailed      Code = 10
	ErrLongTermPairing       Code = 11
	ErrNetwork               Code = 12
	ErrNetworkBusy           Code = 13
	ErrProxySettingAssist    Code = 14
	ErrFileAccess            Code = 15
	ErrProvisionFailed       Code = 16
	ErrServiceStopped        Code = 17
	ErrBusy                  Code = 18
	ErrBackendBusy           Code = 19
	ErrUpdateAvailable       Code = 20
	ErrOutOfMemory           Code = 21
	ErrMessage               Code = 22
	ErrThread                Code = 23
	ErrDeviceNotAvailable    Code = 24
	ErrEnableDevice          Code = 25
	ErrPlatformInfoSignature Code = 26
	ErrKDFMismatch           Code = 28
	ErrOutOfEPC              Code = 29
	ErrServiceUnavailable    Code = 30
	ErrUnrecognizedPlatform  Code = 31
	ErrECDSAIDMismatch       Code = 32
	ErrPathTooLong           Code = 33
	ErrStoredKey             Code = 34
	ErrPubKeyIDMismatch      Code = 35
	ErrPCESignatureScheme    Code = 36
	ErrAttKeyBlob            Code = 37
	ErrUnsupportedAttKeyID   Code = 38
	ErrLoadingPolicy         Code = 39
	ErrInterfaceUnavailable  Code = 40
	ErrPlatformLib           Code = 41
	ErrAttKeyNotInitialized  Code = 42
	ErrCertDataInvalid       Code = 43
	ErrNoPlatformCertData    Code = 44
	ErrReport                Code = 45
	ErrEnclaveLost           Code = 46
	ErrInvalidReport         Code = 47
	ErrEnclaveLoad           Code = 48
	ErrQEReport              Code = 49
	ErrKeyCertification      Code = 50
	ErrConfigUnsupported     Code = 51
)

// codes are the names of the codes and what to do about them.
var codes = [...]struct{ name, advice string }{
	Success:                  {"AESM_SUCCESS", ""},
	ErrUnexpected:            {"AESM_UNEXPECTED_ERROR", "the log of the AESM service says more"},
	ErrNoDevice:              {"AESM_NO_DEVICE_ERROR", "the service needs SGX: check that the driver is loaded and that the service may open its device"},
	ErrParameter:             {"AESM_PARAMETER_ERROR", "something in the request has the wrong size or value"},
	ErrEPIDBlob:              {"AESM_EPIDBLOB_ERROR", "the stored EPID key is damaged: let the service provision anew"},
	ErrEPIDRevoked:           {"AESM_EPID_REVOKED_ERROR", "this platform's EPID key is revoked"},
	ErrGetLicenseToken:       {"AESM_GET_LICENSETOKEN_ERROR", "the launch enclave refuses this enclave: its signer is not on the white list"},
	ErrSessionInvalid:        {"AESM_SESSION_INVALID", "begin the session anew"},
	ErrMaxSessions:           {"AESM_MAX_NUM_SESSION_REACHED", "close a session"},
	ErrPSDAUnavailable:       {"AESM_PSDA_UNAVAILABLE", "platform services are no longer part of AESM"},
	ErrEPHSessionFailed:      {"AESM_EPH_SESSION_FAILED", "platform services are no longer part of AESM"},
	ErrLongTermPairing:       {"AESM_LONG_TERM_PAIRING_FAILED", "platform services are no longer part of AESM"},
	ErrNetwork:               {"AESM_NETWORK_ERROR", "the service cannot reach its server: check its network and proxy settings"},
	ErrNetworkBusy:           {"AESM_NETWORK_BUSY_ERROR", "try again later"},
	ErrProxySettingAssist:    {"AESM_PROXY_SETTING_ASSIST", "set a proxy in the configuration of the service"},
	ErrFileAccess:            {"AESM_FILE_ACCESS_ERROR", "the service cannot read or write a file of its own: check its directory"},
	ErrProvisionFailed:       {"AESM_SGX_PROVISION_FAILED", "provisioning failed: the log of the AESM service says why"},
	ErrServiceStopped:        {"AESM_SERVICE_STOPPED", "try again once the service runs"},
	ErrBusy:                  {"AESM_BUSY", "try again later"},
	ErrBackendBusy:           {"AESM_BACKEND_SERVER_BUSY", "try again later"},
	ErrUpdateAvailable:       {"AESM_UPDATE_AVAILABLE", "the platform should be updated"},
	ErrOutOfMemory:           {"AESM_OUT_OF_MEMORY_ERROR", "the service needs more memory"},
	ErrMessage:               {"AESM_MSG_ERROR", "a server that the service asks gave no sensible answer"},
	ErrThread:                {"AESM_THREAD_ERROR", "the log of the AESM service says more"},
	ErrDeviceNotAvailable:    {"AESM_SGX_DEVICE_NOT_AVAILABLE", "load the SGX driver"},
	ErrEnableDevice:          {"AESM_ENABLE_SGX_DEVICE_FAILED", "enable SGX in the firmware"},
	ErrPlatformInfoSignature: {"AESM_PLATFORM_INFO_BLOB_INVALID_SIG", "the platform info is not signed by the attestation service"},
	ErrKDFMismatch:           {"AESM_KDF_MISMATCH", "both sides must derive keys in the same way"},
	ErrOutOfEPC:              {"AESM_OUT_OF_EPC", "stop other enclaves: there is no EPC left for the service's"},
	ErrServiceUnavailable:    {"AESM_SERVICE_UNAVAILABLE", "the service has no plug-in for this: install or enable it"},
	ErrUnrecognizedPlatform:  {"AESM_UNRECOGNIZED_PLATFORM", "the provisioning server does not know this platform"},
	ErrECDSAIDMismatch:       {"AESM_ECDSA_ID_MISMATCH", "the stored attestation key is another quoting enclave's: let the service make a new one"},
	ErrPathTooLong:           {"AESM_PATHNAME_BUFFER_OVERFLOW_ERROR", "put the service's files below a shorter path"},
	ErrStoredKey:             {"AESM_ERROR_STORED_KEY", "let the service make a new attestation key"},
	ErrPubKeyIDMismatch:      {"AESM_PUB_KEY_ID_MISMATCH", "the attestation key is another one now: begin anew with InitQuoteEx"},
	ErrPCESignatureScheme:    {"AESM_INVALID_PCE_SIG_SCHEME", "the PCE is of a version that the service does not know"},
	ErrAttKeyBlob:            {"AESM_ATT_KEY_BLOB_ERROR", "let the service make a new attestation key"},
	ErrUnsupportedAttKeyID:   {"AESM_UNSUPPORTED_ATT_KEY_ID", "use a key that SelectAttKeyID names"},
	ErrLoadingPolicy:         {"AESM_UNSUPPORTED_LOADING_POLICY", "the service keeps its enclaves loaded"},
	ErrInterfaceUnavailable:  {"AESM_INTERFACE_UNAVAILABLE", "the quoting library of the service is too old for this"},
	ErrPlatformLib:           {"AESM_PLATFORM_LIB_UNAVAILABLE", "the service finds no quote provider library: install it"},
	ErrAttKeyNotInitialized:  {"AESM_ATT_KEY_NOT_INITIALIZED", "call InitQuoteEx first"},
	ErrCertDataInvalid:       {"AESM_ATT_KEY_CERT_DATA_INVALID", "the PCK certificate fits the platform no more: call InitQuoteEx again"},
	ErrNoPlatformCertData:    {"AESM_NO_PLATFORM_CERT_DATA", "there is no PCK certificate for this platform: a platform of several packages must be registered; else check the PCCS in sgx_default_qcnl.conf"},
	ErrReport:                {"AESM_ERROR_REPORT", "the report was not made for the quoting enclave of this machine"},
	ErrEnclaveLost:           {"AESM_ENCLAVE_LOST", "the machine slept: try again"},
	ErrInvalidReport:         {"AESM_INVALID_REPORT", "the report was not made for the quoting enclave of this machine: take the target info from InitQuoteEx; after a recovery of the machine, start the service again"},
	ErrEnclaveLoad:           {"AESM_ENCLAVE_LOAD_ERROR", "the service cannot load its enclaves: check that it may open the SGX devices"},
	ErrQEReport:              {"AESM_UNABLE_TO_GENERATE_QE_REPORT", "check the target info in the QE report info"},
	ErrKeyCertification:      {"AESM_KEY_CERTIFICATION_ERROR", "the PCE does not certify the attestation key: the log of the AESM service says why"},
	ErrConfigUnsupported:     {"AESM_CONFIG_UNSUPPORTED", "the service does not support this configuration"},
}

// known reports whether AESM has the code.
func (c Code) known() bool { return uint64(c) < uint64(len(codes)) && codes[c].name != "" }

// String returns AESM's name of the code, or its number.
func (c Code) String() string {
	if c.known() {
		return codes[c].name
	}
	return fmt.Sprintf("AESM error %d", uint32(c))
}

// Error implements error.
func (c Code) Error() string { return c.String() }

// Advice returns what to do about the code: a clause, or nothing for success
// and unknown codes.
func (c Code) Advice() string {
	if c.known() {
		return codes[c].advice
	}
	return ""
}

// Error is what a client returns if the service answered with a Code.
type Error struct {
	Kind Kind // of the request
	Code Code // which errors.Is finds
}

// Error returns one line.
func (e *Error) Error() string {
	s := fmt.Sprintf("aesm: %v: %v", e.Kind, e.Code)
	if e.Code.known() {
		s += fmt.Sprintf(" (%d); %s", uint32(e.Code), e.Code.Advice())
	}
	return s
}

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

// Errors of transport and form. A code of the service is none of them.
var (
	// ErrUnreachable: nobody listens at the socket, or it may not be opened.
	ErrUnreachable = errors.New("AESM service cannot be reached")
	// ErrNoAnswer: the connection ended before the response did, as it does
	// if the service cannot read the request or is stopping.
	ErrNoAnswer = errors.New("AESM service closed the connection without an answer")
	// ErrFormat: a frame or message is not what the protocol has.
	ErrFormat = errors.New("not a message of AESM")
	// ErrTooLarge: a frame is larger than MaxFrame.
	ErrTooLarge = errors.New("frame is too large")
)
