package pcs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kinds of failure. Every error of a request wraps one of them in an *Error,
// or the error of the context that ended it.
var (
	// ErrNotFound: Intel's service knows no such platform or FMSPC (404).
	ErrNotFound = errors.New("not known to the service")
	// ErrNoCacheData: a PCCS has nothing for this platform (404).
	ErrNoCacheData = errors.New("not in the PCCS")
	// ErrNotServed: the service has no such interface; a PCCS serves fewer
	// than Intel, and another path than it was asked for gives this, too.
	ErrNotServed = errors.New("not served there")
	// ErrRetired: this version of the interface, or this TCB evaluation
	// data number, is served no longer (410).
	ErrRetired = errors.New("retired")
	// ErrPlatformUnknown: a PCCS has never seen the platform (461).
	ErrPlatformUnknown = errors.New("platform not known to the PCCS")
	// ErrCertsUnavailable: Intel issued no PCK certificate for this TCB (462).
	ErrCertsUnavailable = errors.New("no PCK certificate for this TCB")
	// ErrUnauthorized: a token or subscription key is wanted (401, 403).
	ErrUnauthorized = errors.New("not authorized")
	// ErrBadRequest: the service refuses the request (400), or this package
	// does because no service could answer it.
	ErrBadRequest = errors.New("bad request")
	// ErrUpstream: a PCCS or proxy could not get it from Intel (460, 502).
	ErrUpstream = errors.New("the service has trouble with the one behind it")
	// ErrBusy: the service answers no requests for now (429, 503, 504).
	ErrBusy = errors.New("service is busy")
	// ErrServer: the service failed in another way (500 and what is not
	// listed here).
	ErrServer = errors.New("service failed")
	// ErrUnreachable: no reply: the name is not known, the connection is
	// refused, TLS fails, or it takes too long.
	ErrUnreachable = errors.New("cannot be reached")
	// ErrTooLarge: the reply is larger than such a document may be.
	ErrTooLarge = errors.New("reply is too large")
	// ErrBadReply: the reply is not what was asked for.
	ErrBadReply = errors.New("unexpected reply")
	// ErrNotCached: only the cache was to be asked, and it has none.
	ErrNotCached = errors.New("not in the cache")
)

// Error says which document could not be had, why, and what to do about it.
type Error struct {
	Document   string        // "TCB info (SGX) of FMSPC 00906ED50000", ...
	URL        string        // without what identifies a platform or a user
	Status     int           // of HTTP; 0 if there was no reply
	RequestID  string        // by which the service's operator finds the request
	Kind       error         // one of the kinds above
	Reason     string        // what the service said, or what is wrong with the reply
	Advice     string        // what to do next; one sentence
	Attempts   int           // how often it was tried
	RetryAfter time.Duration // how long the service wants to be left alone, if it said so
	Err        error         // the cause, if it is an error of another package
}

// Error returns one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", e.Document, e.Kind)
	if e.Reason != "" {
		fmt.Fprintf(&b, ": %s", e.Reason)
	}
	var where []string
	if e.Status != 0 {
		where = append(where, fmt.Sprintf("HTTP %d", e.Status))
	}
	if e.URL != "" {
		where = append(where, "from "+e.URL)
	}
	if e.RequestID != "" {
		where = append(where, "request "+e.RequestID)
	}
	if e.Attempts > 1 {
		where = append(where, fmt.Sprintf("%d attempts", e.Attempts))
	}
	if len(where) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(where, ", "))
	}
	if e.Advice != "" {
		fmt.Fprintf(&b, "; %s", e.Advice)
	}
	return b.String()
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error { return []error{e.Kind, e.Err} }

// temporary reports whether the same request may succeed a little later.
func (e *Error) temporary() bool {
	switch e.Status {
	case 0:
		return e.Kind == ErrUnreachable && !permanent(e.Err)
	case 429, 502, 503, 504:
		return true
	}
	return false
}

// noService reports whether the failure is the service's and not about what
// was asked for, so that an older copy may stand in.
func noService(err error) bool {
	for _, kind := range []error{ErrUnreachable, ErrBusy, ErrServer, ErrUpstream, context.DeadlineExceeded} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
