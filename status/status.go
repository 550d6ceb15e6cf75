// Package status has the status codes of the Intel SGX SDK (sgx_status_t),
// which cross the border of an enclave in both directions.
package status

import "fmt"

// Code is a status code. As an error it reads as its name. Zero is success
// and is never used as an error value.
type Code uint32

// Codes that the runtimes use.
const (
	Success                Code = 0x0000
	ErrUnexpected          Code = 0x0001
	ErrInvalidParameter    Code = 0x0002
	ErrOutOfMemory         Code = 0x0003
	ErrEnclaveLost         Code = 0x0004
	ErrInvalidState        Code = 0x0005
	ErrFeatureNotSupported Code = 0x0008
	ErrPthreadExit         Code = 0x0009
	ErrMemoryMapFailure    Code = 0x000A
	ErrInvalidFunction     Code = 0x1001
	ErrOutOfTCS            Code = 0x1003
	ErrEnclaveCrashed      Code = 0x1006
	ErrECallNotAllowed     Code = 0x1007
	ErrOCallNotAllowed     Code = 0x1008
	ErrStackOverrun        Code = 0x1009
	ErrUndefinedSymbol     Code = 0x2000
	ErrInvalidEnclave      Code = 0x2001
	ErrInvalidEnclaveID    Code = 0x2002
	ErrInvalidSignature    Code = 0x2003
	ErrNDebugEnclave       Code = 0x2004
	ErrOutOfEPC            Code = 0x2005
	ErrNoDevice            Code = 0x2006
	ErrMemoryMapConflict   Code = 0x2007
	ErrInvalidMetadata     Code = 0x2009
	ErrDeviceBusy          Code = 0x200C
	ErrInvalidVersion      Code = 0x200D
	ErrModeIncompatible    Code = 0x200E
	ErrEnclaveFileAccess   Code = 0x200F
	ErrInvalidMisc         Code = 0x2010
	ErrInvalidLaunchToken  Code = 0x2011
	ErrMACMismatch         Code = 0x3001
	ErrInvalidAttribute    Code = 0x3002
	ErrInvalidCPUSVN       Code = 0x3003
	ErrInvalidISVSVN       Code = 0x3004
	ErrInvalidKeyName      Code = 0x3005
	ErrNoPrivilege         Code = 0x5002
)

var names = map[Code]string{
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

// String returns the SDK's name of the code, or its number.
func (c Code) String() string {
	if n, ok := names[c]; ok {
		return n
	}
	return fmt.Sprintf("status %#x", uint32(c))
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

// Lookup returns the code of that name.
func Lookup(name string) (Code, bool) {
	for c, n := range names {
		if n == name {
			return c, true
		}
	}
	return 0, false
}
