package admin

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/feidi-dev/feidi/internal/text"
	"github.com/feidi-dev/feidi/pccs"
)

// Error is a refusal of the service.
type Error struct {
	URL       string // without parameters
	Status    int    // of HTTP
	Reason    pccs.Reason
	Message   string // what the service said, in one line
	RequestID string
}

// Error returns one line, which says what to do next where the service does not.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: status %d: ", e.URL, e.Status)
	if e.Reason != "" {
		fmt.Fprintf(&b, "%s: ", e.Reason)
	}
	b.WriteString(e.Message)
	switch {
	case e.Status == http.StatusUnauthorized:
		b.WriteString(": the administrator's token is another, or the service has none")
	case e.Status == http.StatusNotFound && e.Reason == "":
		b.WriteString(": the service has no such interface")
	case e.Status == http.StatusRequestEntityTooLarge:
		b.WriteString(": raise MaxRequestBodySize of the service, or bring it in parts")
	case e.Status >= 300 && e.Status < 400:
		b.WriteString(": it sends to another address: give that")
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", e.RequestID)
	}
	return b.String()
}

// refusal makes an error of a reply.
func refusal(address string, resp *http.Response) error {
	where, _, _ := strings.Cut(address, "?")
	e := &Error{URL: where, Status: resp.StatusCode, Reason: pccs.Reason(line(resp.Header.Get("Error-Code"), 60)), RequestID: line(resp.Header.Get("Request-ID"), 64)}
	e.Message = line(resp.Header.Get("Error-Message"), 1000)
	if e.Message == "" && !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, maxReason)) // as much as there is
		if s := string(b); !strings.Contains(s, "<") {
			e.Message = line(s, 1000)
		}
	}
	if e.Message == "" {
		e.Message = http.StatusText(e.Status)
	}
	if !strings.HasSuffix(e.Message, "...") {
		e.Message = strings.TrimSuffix(e.Message, ".")
	}
	return e
}

// line is what a service said, in one line for a terminal.
func line(s string, most int) string {
	s = strings.Join(strings.Fields(text.Printable(s)), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// unreachable is the error of a service that does not answer. The address in the
// cause is left out: parameters are nothing to tell.
func unreachable(ctx context.Context, base string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	advice := "is the service running there?"
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	if errors.As(err, &authority) || errors.As(err, &name) {
		advice = "trust its certificate, if it is known to be the service's own"
	}
	return fmt.Errorf("%s cannot be reached: %w: %s", base, err, advice)
}
