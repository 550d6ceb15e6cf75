package enclave

import "fmt"

// Status is a status code of the Intel SGX SDK (sgx_status_t). As an error it
// reads as its name. Zero is success and is never used as an error value.
type Status uint32

// Statuses that the runtime and the trusted runtime use.
const (
	Success                Status = 0x0000
	ErrUnexpected          Status = 0x0001
	ErrInvalidParameter    Status = 0x0002
	ErrOutOfMemory         Status = 0x0003
	ErrEnclaveLost         Status = 0x0004
	ErrInvalidState        Status = 0x0005
	ErrFeatureNotSupported Status = 0x0008
	ErrPthreadExit         Status = 0x0009
	ErrMemoryMapFailure    Status = 0x000A
	ErrInvalidFunction     Status = 0x1001
	ErrOutOfTCS            Status = 0x1003
	ErrEnclaveCrashed      Status = 0x1006
	ErrECallNotAllowed     Status = 0x1007
	ErrOCallNotAllowed     Status = 0x1008
	ErrStackOverrun        Status = 0x1009
	ErrUndefinedSymbol     Status = 0x2000
	ErrInvalidEnclave      Status = 0x2001
	ErrInvalidEnclaveID    Status = 0x2002
	ErrInvalidSignature    Status = 0x2003
	ErrNDebugEnclave       Status = 0x2004
	ErrOutOfEPC            Status = 0x2005
	ErrNoDevice            Status = 0x2006
	ErrMemoryMapConflict   Status = 0x2007
	ErrInvalidMetadata     Status = 0x2009
	ErrDeviceBusy          Status = 0x200C
	ErrInvalidVersion      Status = 0x200D
	ErrModeIncompatible    Status = 0x200E
	ErrEnclaveFileAccess   Status = 0x200F
	ErrInvalidMisc         Status = 0x2010
	ErrInvalidLaunchToken  Status = 0x2011
	ErrMACMismatch         Status = 0x3001
	ErrInvalidAttribute    Status = 0x3002
	ErrInvalidCPUSVN       Status = 0x3003
	ErrInvalidISVSVN       Status = 0x3004
	ErrInvalidKeyName      Status = 0x3005
	ErrNoPrivilege         Status = 0x5002
)

var statusNames = map[Status]string{
	Success:                "SGX_SUCCESS",
	ErrUnexpected:          "SGX_ERROR_UNEXPECTED",
	ErrInvalidParameter:    "SGX_ERROR_INVALID_PARAMETER",
	ErrOutOfMemory:         "SGX_ERROR_OUT_OF_MEMORY",
	ErrEnclaveLost:         "SGX_ERROR_ENCLAVE_LOST",
	ErrInvalidState:        "SGX_ERROR_INVALID_STATE",
	ErrFeatureNotSupported: "SGX_ERROR_FEATURE_NOT_SUPPORTED",
	ErrPthreadExit:         "SGX_PTHREAD_EXIT",
	ErrMemoryMapFailure:    "SGX_ERROR_MEMORY_MAP_FAILURE",
	ErrInvalidFunction:     "SGX_ERROR_INVALID_FUNCTION",
	ErrOutOfTCS:            "SGX_ERROR_OUT_OF_TCS",
	ErrEnclaveCrashed:      "SGX_ERROR_ENCLAVE_CRASHED",
	ErrECallNotAllowed:     "SGX_ERROR_ECALL_NOT_ALLOWED",
	ErrOCallNotAllowed:     "SGX_ERROR_OCALL_NOT_ALLOWED",
	ErrStackOverrun:        "SGX_ERROR_STACK_OVERRUN",
	ErrUndefinedSymbol:     "SGX_ERROR_UNDEFINED_SYMBOL",
	ErrInvalidEnclave:      "SGX_ERROR_INVALID_ENCLAVE",
	ErrInvalidEnclaveID:    "SGX_ERROR_INVALID_ENCLAVE_ID",
	ErrInvalidSignature:    "SGX_ERROR_INVALID_SIGNATURE",
	ErrNDebugEnclave:       "SGX_ERROR_NDEBUG_ENCLAVE",
	ErrOutOfEPC:            "SGX_ERROR_OUT_OF_EPC",
	ErrNoDevice:            "SGX_ERROR_NO_DEVICE",
	ErrMemoryMapConflict:   "SGX_ERROR_MEMORY_MAP_CONFLICT",
	ErrInvalidMetadata:     "SGX_ERROR_INVALID_METADATA",
	ErrDeviceBusy:          "SGX_ERROR_DEVICE_BUSY",
	ErrInvalidVersion:      "SGX_ERROR_INVALID_VERSION",
	ErrModeIncompatible:    "SGX_ERROR_MODE_INCOMPATIBLE",
	ErrEnclaveFileAccess:   "SGX_ERROR_ENCLAVE_FILE_ACCESS",
	ErrInvalidMisc:         "SGX_ERROR_INVALID_MISC",
	ErrInvalidLaunchToken:  "SGX_ERROR_INVALID_LAUNCH_TOKEN",
	ErrMACMismatch:         "SGX_ERROR_MAC_MISMATCH",
	ErrInvalidAttribute:    "SGX_ERROR_INVALID_ATTRIBUTE",
	ErrInvalidCPUSVN:       "SGX_ERROR_INVALID_CPUSVN",
	ErrInvalidISVSVN:       "SGX_ERROR_INVALID_ISVSVN",
	ErrInvalidKeyName:      "SGX_ERROR_INVALID_KEYNAME",
	ErrNoPrivilege:         "SGX_ERROR_NO_PRIVILEGE",
}

// String returns the SDK's name of the status, or its number.
func (s Status) String() string {
	if n, ok := statusNames[s]; ok {
		return n
	}
	return fmt.Sprintf("status %#x", uint32(s))
}

// Error implements error.
func (s Status) Error() string { return s.String() }

// err returns nil for Success.
func (s Status) err() error {
	if s == Success {
		return nil
	}
	return s
}
