package qe

// Errors of the enclave, as its functions return them (qe3.h).
const (
	Success               uint32 = 0
	ErrorUnexpected       uint32 = 0xD001 // REFQE3_ERROR_UNEXPECTED
	ErrorInvalidParameter uint32 = 0xD002 // REFQE3_ERROR_INVALID_PARAMETER
	ErrorOutOfMemory      uint32 = 0xD003 // REFQE3_ERROR_OUT_OF_MEMORY: not given here
	ErrorBlob             uint32 = 0xD004 // REFQE3_ECDSABLOB_ERROR: the blob does not open, or is not one
	ErrorCrypto           uint32 = 0xD005 // REFQE3_ERROR_CRYPTO
	ErrorAttestationKey   uint32 = 0xD006 // REFQE3_ERROR_ATT_KEY_GEN: no attestation key
	ErrorWrongState       uint32 = 0xD007 // REFQE3_ERROR_WRONG_STATE: something else must be called first
	ErrorInvalidReport    uint32 = 0xD008 // REFQE3_ERROR_INVALID_REPORT: not made here, for the QE
	ErrorQEReport         uint32 = 0xD009 // REFQE3_UNABLE_TO_GENERATE_QE_REPORT: the target cannot be one
)
