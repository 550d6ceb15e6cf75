package pccs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/pccs/store"
)

// Reason says why a request has no answer, for programs. It is what the header
// Error-Code says.
type Reason string

// The reasons, each with the status that Intel's service has for such.
const (
	BadRequest       Reason = "BadRequest"          // 400
	Unauthorized     Reason = "Unauthorized"        // 401
	NoSuchInterface  Reason = "NoSuchInterface"     // 404: no such route
	NotCached        Reason = "NotCached"           // 404: in OFFLINE or REQ mode nobody else is asked
	NotRegistered    Reason = "NotRegistered"       // 461 (404 in LAZY mode, 400 without an encrypted PPID, as Intel's): the platform was never seen
	WrongEnvironment Reason = "WrongEnvironment"    // 404: what the upstream has is below another root, or of another environment
	UpstreamUnknown  Reason = "UpstreamNotFound"    // 404: the upstream says 404
	NoCertificate    Reason = "NoCertificateForTCB" // 462 (400 of what an administrator brings)
	APIRetired       Reason = "APIRetired"          // 410: v3, and not in the cache
	KeyMissing       Reason = "KeyMissing"          // 502: the upstream wants a subscription key, and none is configured
	KeyRejected      Reason = "KeyRejected"         // 502
	UpstreamDown     Reason = "UpstreamUnreachable" // 502
	UpstreamBusy     Reason = "UpstreamBusy"        // 502: 429, 5xx
	UpstreamForged   Reason = "UpstreamNotGenuine"  // 460
	UpstreamOld      Reason = "UpstreamOutOfDate"   // 502: what the upstream has is expired, or older than what is here
	NotGenuine       Reason = "NotGenuine"          // 460: what an administrator brings
	Expired          Reason = "Expired"             // 503: the policy refuses expired documents
	TooLarge         Reason = "TooLarge"            // 413
	Busy             Reason = "Busy"                // 503
	NotAllowed       Reason = "NotInThisMode"       // 503: such as a refresh in OFFLINE mode
	NoDatabase       Reason = "DatabaseUnavailable" // 503
	Internal         Reason = "InternalServerError" // 500
)

// Error is why a request has no answer.
type Error struct {
	Status    int // of HTTP, as Intel's service has it for this request
	Reason    Reason
	Message   string // one line: what, and what to do next; no secrets
	RequestID string // of the upstream service
	Err       error
}

// Error returns one line.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.Reason, e.Message)
	if e.RequestID != "" && !strings.Contains(s, e.RequestID) {
		s += fmt.Sprintf(" (request %s of the service behind)", e.RequestID)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func fail(status int, reason Reason, format string, args ...any) *Error {
	return &Error{Status: status, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *Error {
	return fail(400, BadRequest, format, args...)
}

// asError returns what a request fails with, of any error.
func asError(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, store.ErrUnavailable):
		e = fail(503, NoDatabase, "%v", err)
	case errors.Is(err, store.ErrInvalid):
		e = badRequest("%v", err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e = fail(503, Busy, "%v", err)
	default:
		e = fail(500, Internal, "%v", err)
	}
	e.Err = err
	return e
}
