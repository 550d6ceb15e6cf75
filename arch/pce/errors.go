package pce

// Errors of the enclave, as its functions return them (aeerror.h).
const (
	Success            uint32 = 0
	Failure            uint32 = 1   // AE_FAILURE: a key that cannot be had, or used
	InvalidParameter   uint32 = 15  // AE_INVALID_PARAMETER
	InsufficientBuffer uint32 = 18  // AE_INSUFFICIENT_DATA_IN_BUFFER: a result has no room
	UnexpectedError    uint32 = 206 // PCE_UNEXPECTED_ERROR
	InvalidPrivilege   uint32 = 207 // PCE_INVALID_PRIVILEGE: the caller lacks PROVISION_KEY
	InvalidReport      uint32 = 208 // PCE_INVALID_REPORT: it was not made here, for the PCE
	CryptoError        uint32 = 215 // PCE_CRYPTO_ERROR: the REPORT does not vouch for the key
)
