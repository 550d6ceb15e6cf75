package collateral

import (
	"errors"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/dcap/verify"
)

// What is wrong with a document that was had. Such errors wrap one of these in
// an *Error.
var (
	// ErrUntrusted: it is signed, but below another root: it is of another
	// environment, such as Intel's sandbox or a software world.
	ErrUntrusted = errors.New("below a root that is not trusted")
	// ErrExpired: it is genuine, and out of its time.
	ErrExpired = errors.New("out of its time")
	// ErrForged: it is not what it has to be: its signature is wrong, it is
	// another document than that which was asked for, or none at all.
	ErrForged = errors.New("not genuine")
)

// ErrURI: no certificate names this address as that of a revocation list.
var ErrURI = errors.New("not the address of a revocation list")

// Error says what is wrong with a document, or with the PCK certificates of a
// platform.
type Error struct {
	Document  string // the name of an Item, or "PCK certificates"
	Kind      error  // ErrUntrusted, ErrExpired or ErrForged
	From      string // address of the service, without what identifies a platform or a user; empty if it was not asked
	RequestID string // of the service
	Err       error  // why: a *verify.Error, a *pcs.Error or words
}

// Error returns one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v: %v", e.Document, e.Kind, e.Err)
	if e.From != "" {
		fmt.Fprintf(&b, " (from %s", e.From)
		if e.RequestID != "" {
			fmt.Fprintf(&b, ", request %s", e.RequestID)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap returns kind and cause.
func (e *Error) Unwrap() []error { return []error{e.Kind, e.Err} }

// kindOf is the kind of an error of package verify.
func kindOf(err error) error {
	bad, ok := errors.AsType[*verify.Error](err)
	if !ok {
		return ErrForged
	}
	switch bad.Status {
	case verify.StatusSGXTCBSigningCertChainUntrusted, verify.StatusSGXPCKCertChainUntrusted, verify.StatusSGXRootCAUntrusted:
		return ErrUntrusted
	}
	if bad.Status.Expired() {
		return ErrExpired
	}
	return ErrForged
}
