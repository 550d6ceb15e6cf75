package pcs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/internal/text"
)

// kindOf is the kind of failure that a status means at a service.
func kindOf(status int, s service, reason string) error {
	switch status {
	case 400:
		return ErrBadRequest
	case 401, 403:
		return ErrUnauthorized
	case 404:
		switch {
		// Of a retired interface nothing may be left, not even a 410.
		case s.intel && s.version == 3:
			return ErrRetired
		case s.intel:
			return ErrNotFound
		// What the reference PCCS, made with Express, says for a path that
		// it does not have.
		case strings.HasPrefix(reason, "Cannot GET"):
			return ErrNotServed
		}
		return ErrNoCacheData
	case 410:
		return ErrRetired
	case 460, 502:
		return ErrUpstream
	case 461:
		return ErrPlatformUnknown
	case 462:
		return ErrCertsUnavailable
	case 429, 503, 504:
		return ErrBusy
	}
	return ErrServer
}

// advice is what to do about e.
func advice(e *Error, r *request) string {
	chosen := strings.Contains(r.url, "tcbEvaluationDataNumber=")
	switch e.Kind {
	case ErrNotFound:
		if r.service.sandbox {
			return "this is Intel's sandbox, which knows only platforms that are not yet on sale: others are at " + IntelURL
		}
		if chosen {
			return "does Intel still serve this evaluation data number, and is this FMSPC its own and not one of a test?"
		}
		return "a platform that is registered nowhere, or not yet on sale (" + IntelSandboxURL + "), is not known here"
	case ErrNoCacheData:
		return "the PCCS has not been filled for this platform: register it there (PCKIDRetrievalTool), let the PCCS fetch (LAZY), or ask " + IntelURL
	case ErrPlatformUnknown:
		return "register the platform with this PCCS (PCKIDRetrievalTool), or see that it is the PCCS the platform was registered with"
	case ErrCertsUnavailable:
		return "Intel has no PCK certificate for this CPUSVN and PCESVN: was the platform registered after its last microcode update or package change?"
	case ErrNotServed:
		return "is the path of its address right? A PCCS serves neither the list of FMSPCs nor that of evaluation data numbers: ask " + IntelURL
	case ErrRetired:
		switch {
		case r.service.version == 3:
			return "Intel's interface of version 3 ended in May 2026: ask for version 4"
		case chosen:
			return "this evaluation data number is served no longer: ask for the list of those that are, or for none"
		}
		return "the service has ended this interface: is there a newer one?"
	case ErrUnauthorized:
		if r.service.intel {
			return "Intel wants a subscription key for this, or refuses the one that was given"
		}
		return "a PCCS asks for no token for reading: is there a proxy that wants a login?"
	case ErrUpstream:
		return "the PCCS cannot reach Intel, or refuses what it got: see its log, its proxy and its API key"
	case ErrBusy:
		if e.RetryAfter > 0 {
			return fmt.Sprintf("try again in %v", e.RetryAfter)
		}
		return "try again later; in its OFFLINE mode a PCCS never fetches what it lacks"
	case ErrBadRequest:
		return "see the parameters; an old PCCS may not know all of them"
	case ErrServer:
		return "see the log of the service"
	}
	return ""
}

// noReply fills in why there is no reply, or none that came whole.
func (e *Error) noReply(ctx context.Context, err error, timeout time.Duration) {
	// A url.Error shows the URL, and in it what identifies a platform.
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	e.Kind, e.Err = ErrUnreachable, err
	var dns *net.DNSError
	var redirect *redirectError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case ctx.Err() != nil:
		e.Err = context.Cause(ctx)
		e.Reason = line(e.Err.Error())
	case errors.As(err, &redirect):
		e.Kind, e.Reason = ErrBadReply, line(err.Error())
		e.Advice = "if that is the service, give its address"
	case errors.As(err, &authority):
		e.Reason = "nobody who is trusted vouches for its TLS certificate"
		e.Advice = "if it is your PCCS with a certificate of its own, trust that (Config.RootCAs; --pccs-ca of feidi verify and feidi collateral, --cacert of others), or take any (Config.InsecureTLS; --insecure; use_secure_cert false): collateral is signed, and TLS only hides what is asked for"
	case errors.As(err, &host):
		e.Reason = "its TLS certificate is not for this name: " + line(err.Error())
		e.Advice = "address it by a name that is in the certificate"
	case errors.As(err, &invalid):
		e.Reason = "its TLS certificate is not valid: " + line(err.Error())
		e.Advice = "is the clock of this machine right?"
	case errors.As(err, &record) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		e.Reason = "it does not speak TLS there"
		e.Advice = "is it http, or another port?"
	case errors.As(err, &dns):
		e.Reason = fmt.Sprintf("the name %.100q cannot be resolved", dns.Name)
		e.Advice = "is the name right, and does this machine have a network and a name server?"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Reason = "connection refused"
		e.Advice = "is the service running, and on this port?"
	case timedOut(err):
		e.Reason = fmt.Sprintf("no whole reply within %v", timeout)
		e.Advice = "does a firewall or a proxy stand between?"
	default:
		e.Reason = line(err.Error())
	}
}

func timedOut(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// permanent reports whether an error without a reply stays the same: TLS, a
// name that does not exist, a caller who has left.
func permanent(err error) bool {
	if errors.Is(err, context.Canceled) {
		return true
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	return strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// line is a message from elsewhere as part of one line.
func line(s string) string {
	const most = 200
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > most {
		s = s[:most] + "..."
	}
	return text.Printable(strings.ToValidUTF8(strings.TrimSpace(s), "?"))
}
