package pccs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/feidi-dev/feidi/pccs/collateral"
	"github.com/feidi-dev/feidi/pcs"
)

// What the service behind says, in the words of this one.

// keySetting says where the subscription key goes.
const keySetting = "upstream.api_key_file of the configuration names its file (in Intel's it is ApiKey itself)"

// asked is what log lines say of a request to the service behind, which may not
// have given it an ID.
func tellUpstream(requestID string, started time.Time) slog.Attr {
	a := []slog.Attr{slog.Int64("took_ns", time.Since(started).Nanoseconds())}
	if requestID != "" {
		a = append(a, slog.String("upstream_request_id", requestID))
	}
	return slog.Attr{Value: slog.GroupValue(a...)} // without a name of its own
}

// upstreamError says why something could not be had from the service behind.
func (s *Service) upstreamError(what string, err error) *Error {
	e := &Error{Err: err, Message: err.Error()}
	if from, ok := errors.AsType[*pcs.Error](err); ok {
		plain := *from
		plain.Advice = "" // which is for whoever asks a PCCS, and not for the PCCS
		e.RequestID, e.Message = from.RequestID, plain.Error()
	}
	if from, ok := errors.AsType[*collateral.Error](err); ok {
		e.RequestID = from.RequestID
	}
	is := func(kinds ...error) bool {
		for _, k := range kinds {
			if errors.Is(err, k) {
				return true
			}
		}
		return false
	}
	switch {
	case is(collateral.ErrUntrusted):
		e.Status, e.Reason = 404, WrongEnvironment
		e.Message = fmt.Sprintf("%s: what %s has is below a root that is not trusted here: it is of another environment, such as Intel's sandbox, or a software world; set the address of the right service, or trust its root", what, s.behind())
	case is(collateral.ErrExpired):
		e.Status, e.Reason = 502, UpstreamOld
		e.Message = fmt.Sprintf("%s: what %s has is expired itself: %v; if it is a PCCS, refresh it; is the clock of this machine right?", what, s.behind(), err)
	case is(collateral.ErrForged):
		e.Status, e.Reason = 460, UpstreamForged
		e.Message = fmt.Sprintf("%s: what %s sent is not genuine, and was not kept: %v", what, s.behind(), err)
	case is(pcs.ErrUnauthorized):
		e.Status, e.Reason = 502, KeyRejected
		e.Message = fmt.Sprintf("%s: %s refuses the subscription key: is it right, and of this environment? Keys are at https://api.portal.trustedservices.intel.com; "+keySetting, what, s.behind())
		if !s.cfg.Upstream.HasKey() {
			e.Reason = KeyMissing
			e.Message = fmt.Sprintf("%s: %s wants a subscription key, and none is configured: get one at https://api.portal.trustedservices.intel.com; "+keySetting, what, s.behind())
		}
	// A request that it takes for bad is one for what it does not know: such
	// as an encrypted PPID of another environment.
	case is(pcs.ErrNotFound, pcs.ErrNoCacheData, pcs.ErrPlatformUnknown, pcs.ErrCertsUnavailable, pcs.ErrNotServed, pcs.ErrRetired, pcs.ErrBadRequest, pcs.ErrNotCached):
		e.Status, e.Reason = 404, UpstreamUnknown
		e.Message += "; is the platform, or its FMSPC, of this environment, and no other?"
	case is(pcs.ErrBusy, pcs.ErrUpstream, pcs.ErrServer):
		e.Status, e.Reason = 502, UpstreamBusy
	case is(pcs.ErrTooLarge, pcs.ErrBadReply):
		e.Status, e.Reason = 460, UpstreamForged
	case is(pcs.ErrUnreachable, context.DeadlineExceeded, context.Canceled):
		e.Status, e.Reason = 502, UpstreamDown
	default:
		e.Status, e.Reason = 502, UpstreamBusy
		e.Message = fmt.Sprintf("%s: %v", what, err)
	}
	return e
}

// behind is the address of the service behind, or empty in OFFLINE mode.
func (s *Service) behind() string {
	if s.cfg.Upstream == nil {
		return ""
	}
	return s.cfg.Upstream.URL()
}

// retryAfter is for how long the service behind wants to be left alone.
func retryAfter(e *Error) time.Duration {
	if from, ok := errors.AsType[*pcs.Error](e.Err); ok {
		return from.RetryAfter
	}
	return 0
}
