package enclave

import "github.com/feidi-dev/feidi/status"

// Status is a status code of the Intel SGX SDK (sgx_status_t). As an error it
// reads as its name. Zero is success and is never used as an error value.
type Status = status.Code

// Statuses that the runtime and the trusted runtime use.
const (
	Success                = status.Success
	ErrUnexpected          = status.ErrUnexpected
	ErrInvalidParameter    = status.ErrInvalidParameter
	ErrOutOfMemory         = status.ErrOutOfMemory
	ErrEnclaveLost         = status.ErrEnclaveLost
	ErrInvalidState        = status.ErrInvalidState
	ErrFeatureNotSupported = status.ErrFeatureNotSupported
	ErrPthreadExit         = status.ErrPthreadExit
	ErrMemoryMapFailure    = status.ErrMemoryMapFailure
	ErrInvalidFunction     = status.ErrInvalidFunction
	ErrOutOfTCS            = status.ErrOutOfTCS
	ErrEnclaveCrashed      = status.ErrEnclaveCrashed
	ErrECallNotAllowed     = status.ErrECallNotAllowed
	ErrOCallNotAllowed     = status.ErrOCallNotAllowed
	ErrStackOverrun        = status.ErrStackOverrun
	ErrUndefinedSymbol     = status.ErrUndefinedSymbol
	ErrInvalidEnclave      = status.ErrInvalidEnclave
	ErrInvalidEnclaveID    = status.ErrInvalidEnclaveID
	ErrInvalidSignature    = status.ErrInvalidSignature
	ErrNDebugEnclave       = status.ErrNDebugEnclave
	ErrOutOfEPC            = status.ErrOutOfEPC
	ErrNoDevice            = status.ErrNoDevice
	ErrMemoryMapConflict   = status.ErrMemoryMapConflict
	ErrInvalidMetadata     = status.ErrInvalidMetadata
	ErrDeviceBusy          = status.ErrDeviceBusy
	ErrInvalidVersion      = status.ErrInvalidVersion
	ErrModeIncompatible    = status.ErrModeIncompatible
	ErrEnclaveFileAccess   = status.ErrEnclaveFileAccess
	ErrInvalidMisc         = status.ErrInvalidMisc
	ErrInvalidLaunchToken  = status.ErrInvalidLaunchToken
	ErrMACMismatch         = status.ErrMACMismatch
	ErrInvalidAttribute    = status.ErrInvalidAttribute
	ErrInvalidCPUSVN       = status.ErrInvalidCPUSVN
	ErrInvalidISVSVN       = status.ErrInvalidISVSVN
	ErrInvalidKeyName      = status.ErrInvalidKeyName
	ErrNoPrivilege         = status.ErrNoPrivilege
)
