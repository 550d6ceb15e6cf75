package epid

import (
	"fmt"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/epidqe"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// Error is why there is no quote. It unwraps to the code and to the cause.
type Error struct {
	Doing string    // what failed: a clause
	Code  aesm.Code // what AESM's clients are told
	Err   error     // the cause
}

// Error returns one line.
func (e *Error) Error() string { return fmt.Sprintf("EPID: %s: %v", e.Doing, e.Err) }

// Unwrap returns code and cause.
func (e *Error) Unwrap() []error { return []error{e.Code, e.Err} }

func failed(doing string, code aesm.Code, format string, args ...any) error {
	return &Error{doing, code, fmt.Errorf(format, args...)}
}

// callError is why an ECALL did not return.
func callError(doing string, err error) error {
	return &Error{doing, supervisor.CallCode(err), err}
}

// qeError is what an ECALL of the QE returned, as an error.
func qeError(doing string, ret uint32, err error) error {
	switch {
	case err != nil:
		return callError(doing, err)
	case ret == epidqe.Success:
		return nil
	}
	switch ret {
	case epidqe.ParameterError:
		return failed(doing, aesm.ErrParameter, "the QE takes only reports that were made on this machine for it, and SigRLs of its group")
	case epidqe.BlobError:
		return failed(doing, aesm.ErrEPIDBlob, "the key that was kept does not open: it is another machine's or damaged")
	case epidqe.RevokedError:
		return failed(doing, aesm.ErrEPIDRevoked, "the machine is in the SigRL")
	case epidqe.SigRLError:
		return failed(doing, aesm.ErrUnexpected, "the issuer of the group did not sign the SigRL")
	}
	return failed(doing, aesm.ErrUnexpected, "the QE answers %d", ret)
}
