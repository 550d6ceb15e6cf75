package tvl

import "fmt"

// Result is what the verification of a quote yields (sgx_ql_qv_result_t).
type Result uint32

// Results. All but InvalidSignature, Revoked and Unspecified say that the quote is
// genuine, and what is to be said of its platform besides.
const (
	OK                            Result = 0
	ConfigNeeded                  Result = 0xA001
	OutOfDate                     Result = 0xA002
	OutOfDateConfigNeeded         Result = 0xA003
	InvalidSignature              Result = 0xA004
	Revoked                       Result = 0xA005
	Unspecified                   Result = 0xA006
	SWHardeningNeeded             Result = 0xA007
	ConfigAndSWHardeningNeeded    Result = 0xA008
	TDRelaunchAdvised             Result = 0xA009 // the TD began on a TDX module that is out of date, the one that runs now is not
	TDRelaunchAdvisedConfigNeeded Result = 0xA00A
)

// known reports whether r is one of the above.
func (r Result) known() bool {
	return r == OK || r >= ConfigNeeded && r <= TDRelaunchAdvisedConfigNeeded
}

// resultNames are those from ConfigNeeded on.
var resultNames = [...]string{
	"CONFIG_NEEDED", "OUT_OF_DATE", "OUT_OF_DATE_CONFIG_NEEDED", "INVALID_SIGNATURE", "REVOKED", "UNSPECIFIED",
	"SW_HARDENING_NEEDED", "CONFIG_AND_SW_HARDENING_NEEDED", "TD_RELAUNCH_ADVISED", "TD_RELAUNCH_ADVISED_CONFIG_NEEDED",
}

// String returns Intel's name, or the number.
func (r Result) String() string {
	switch {
	case !r.known():
		return fmt.Sprintf("sgx_ql_qv_result_t(%#x)", uint32(r))
	case r == OK:
		return "SGX_QL_QV_RESULT_OK"
	}
	return "SGX_QL_QV_RESULT_" + resultNames[r-ConfigNeeded]
}

// Genuine reports whether the quote is what it says, on a platform that is not
// revoked.
func (r Result) Genuine() bool {
	return r.known() && r != InvalidSignature && r != Revoked && r != Unspecified
}
