package isa

import "fmt"

// ErrorCode is what a leaf leaves in RAX when it neither succeeds nor faults
// (SDM Vol. 3D, "Information and Error Codes"). Zero is success and is never
// used as an error value.
type ErrorCode uint32

// Error and information codes.
const (
	ErrInvalidSigStruct       ErrorCode = 1
	ErrInvalidAttribute       ErrorCode = 2
	ErrBlState                ErrorCode = 3
	ErrInvalidMeasurement     ErrorCode = 4
	ErrNotBlockable           ErrorCode = 5
	ErrPgInvld                ErrorCode = 6
	ErrEPCPageConflict        ErrorCode = 7
	ErrInvalidSignature       ErrorCode = 8
	ErrMACCompareFail         ErrorCode = 9
	ErrPageNotBlocked         ErrorCode = 10
	ErrNotTracked             ErrorCode = 11
	ErrVASlotOccupied         ErrorCode = 12
	ErrChildPresent           ErrorCode = 13
	ErrEnclaveAct             ErrorCode = 14
	ErrEntryEpochLocked       ErrorCode = 15
	ErrInvalidEinitToken      ErrorCode = 16
	ErrPrevTrkIncmpl          ErrorCode = 17
	ErrPgIsSECS               ErrorCode = 18
	ErrPageAttributesMismatch ErrorCode = 19
	ErrPageNotModifiable      ErrorCode = 20
	ErrPageNotDebuggable      ErrorCode = 21
	ErrInvalidReportMACStruct ErrorCode = 28
	ErrInvalidCPUSVN          ErrorCode = 32
	ErrInvalidISVSVN          ErrorCode = 64
	ErrUnmaskedEvent          ErrorCode = 128
	ErrInvalidKeyName         ErrorCode = 256
)

var errorNames = map[ErrorCode]string{
	ErrInvalidSigStruct:       "SGX_INVALID_SIG_STRUCT",
	ErrInvalidAttribute:       "SGX_INVALID_ATTRIBUTE",
	ErrBlState:                "SGX_BLSTATE",
	ErrInvalidMeasurement:     "SGX_INVALID_MEASUREMENT",
	ErrNotBlockable:           "SGX_NOTBLOCKABLE",
	ErrPgInvld:                "SGX_PG_INVLD",
	ErrEPCPageConflict:        "SGX_EPC_PAGE_CONFLICT",
	ErrInvalidSignature:       "SGX_INVALID_SIGNATURE",
	ErrMACCompareFail:         "SGX_MAC_COMPARE_FAIL",
	ErrPageNotBlocked:         "SGX_PAGE_NOT_BLOCKED",
	ErrNotTracked:             "SGX_NOT_TRACKED",
	ErrVASlotOccupied:         "SGX_VA_SLOT_OCCUPIED",
	ErrChildPresent:           "SGX_CHILD_PRESENT",
	ErrEnclaveAct:             "SGX_ENCLAVE_ACT",
	ErrEntryEpochLocked:       "SGX_ENTRYEPOCH_LOCKED",
	ErrInvalidEinitToken:      "SGX_INVALID_EINITTOKEN",
	ErrPrevTrkIncmpl:          "SGX_PREV_TRK_INCMPL",
	ErrPgIsSECS:               "SGX_PG_IS_SECS",
	ErrPageAttributesMismatch: "SGX_PAGE_ATTRIBUTES_MISMATCH",
	ErrPageNotModifiable:      "SGX_PAGE_NOT_MODIFIABLE",
	ErrPageNotDebuggable:      "SGX_PAGE_NOT_DEBUGGABLE",
	ErrInvalidReportMACStruct: "SGX_INVALID_REPORTMACSTRUCT",
	ErrInvalidCPUSVN:          "SGX_INVALID_CPUSVN",
	ErrInvalidISVSVN:          "SGX_INVALID_ISVSVN",
	ErrUnmaskedEvent:          "SGX_UNMASKED_EVENT",
	ErrInvalidKeyName:         "SGX_INVALID_KEYNAME",
}

// Error returns the manual's name of the code.
func (e ErrorCode) Error() string {
	if n, ok := errorNames[e]; ok {
		return n
	}
	return fmt.Sprintf("SGX error code %d", uint32(e))
}
