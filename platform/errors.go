package platform

import (
	"context"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/arch/qe"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
	"github.com/feidi-dev/feidi/status"
)

// Error is why there is no quote. It unwraps to the code and to the cause.
type Error struct {
	Doing  string    // what failed: a clause
	Code   aesm.Code // what AESM's clients are told
	Err    error     // the cause
	Advice string    // what to do about it: a clause; may be empty
}

// Error returns one line.
func (e *Error) Error() string {
	s := fmt.Sprintf("platform: %s: %v", e.Doing, e.Err)
	if e.Advice != "" {
		s += "; " + e.Advice
	}
	return s
}

// Unwrap returns code and cause.
func (e *Error) Unwrap() []error { return []error{e.Code, e.Err} }

// notReady is the error of a quote without an attestation key.
func notReady(why string) error {
	return &Error{Doing: "making a quote", Code: aesm.ErrAttKeyNotInitialized, Err: errors.New(why), Advice: "call InitQuote, and have the report made for what it returns"}
}

// pckError says why there is no PCK certificate.
func pckError(err error) error {
	e := &Error{Doing: "getting the PCK certificate", Code: aesm.ErrNetwork, Err: err}
	is := func(kinds ...error) bool {
		for _, k := range kinds {
			if errors.Is(err, k) {
				return true
			}
		}
		return false
	}
	switch {
	case is(pcs.ErrNotFound, pcs.ErrNoCacheData, pcs.ErrPlatformUnknown):
		e.Code, e.Advice = aesm.ErrNoPlatformCertData, "register the machine with the service"
	case is(pcs.ErrCertsUnavailable):
		e.Code, e.Advice = aesm.ErrNoPlatformCertData, "the service has no certificate for this TCB of the machine"
	case is(pcs.ErrUnauthorized):
		e.Code = aesm.ErrNoPlatformCertData
	case is(pcs.ErrBusy):
		e.Code = aesm.ErrNetworkBusy
	case is(pcs.ErrUpstream, pcs.ErrServer):
		e.Code = aesm.ErrBackendBusy
	case is(pcs.ErrBadReply, pcs.ErrTooLarge, pcs.ErrBadRequest, pcs.ErrNotServed, pcs.ErrRetired):
		e.Code = aesm.ErrMessage
	case is(context.Canceled):
		e.Code = aesm.ErrServiceStopped
	}
	return e
}

// callError is why an ECALL did not return.
func callError(doing string, err error) error {
	return &Error{Doing: doing, Code: supervisor.CallCode(err), Err: err}
}

// qeError is what an ECALL of the QE returned, as an error.
func qeError(doing string, ret uint32, err error) error {
	switch {
	case err != nil:
		return callError(doing, err)
	case ret == qe.Success:
		return nil
	}
	e := &Error{Doing: doing, Code: aesm.ErrUnexpected, Err: fmt.Errorf("the QE answers %#x", ret)}
	switch ret {
	case qe.ErrorInvalidParameter:
		e.Code = aesm.ErrParameter
	case qe.ErrorInvalidReport:
		e.Code, e.Err = aesm.ErrInvalidReport, errors.New("the report was not made on this machine for its QE")
		e.Advice = "have it made for the target info that InitQuote returns"
	case qe.ErrorQEReport:
		e.Code, e.Err = aesm.ErrQEReport, errors.New("the target info for the QE's report is none")
	case qe.ErrorBlob, qe.ErrorWrongState, qe.ErrorAttestationKey:
		e.Code = aesm.ErrAttKeyBlob
	}
	return e
}

// pceError is what an ECALL of the PCE returned, as an error.
func pceError(doing string, ret uint32, err error) error {
	switch {
	case err != nil:
		return callError(doing, err)
	case ret == pce.Success:
		return nil
	}
	return &Error{Doing: doing, Code: aesm.ErrKeyCertification, Err: fmt.Errorf("the PCE answers %d", ret)}
}

// ideError is what an ECALL of the IDE returned, as an error.
func ideError(doing string, ret status.Code, err error) error {
	switch {
	case err != nil:
		return callError(doing, err)
	case ret == status.Success:
		return nil
	}
	return &Error{Doing: doing, Code: aesm.ErrUnexpected, Err: fmt.Errorf("the IDE answers %w", ret)}
}
