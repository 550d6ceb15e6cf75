package epidqe

// Errors of the enclave, as its functions return them (aeerror.h).
const (
	Success         uint32 = 0
	UnexpectedError uint32 = 19 // QE_UNEXPECTED_ERROR
	ParameterError  uint32 = 20 // QE_PARAMETER_ERROR: also a REPORT that was not made here, for the QE
	BlobError       uint32 = 21 // QE_EPIDBLOB_ERROR: the blob does not open, or is not one
	RevokedError    uint32 = 22 // QE_REVOKED_ERROR: the member is in the SigRL
	SigRLError      uint32 = 23 // QE_SIGRL_ERROR: the issuer did not sign the SigRL
)
