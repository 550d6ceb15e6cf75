package dcap

import (
	"errors"
	"fmt"
)

// Kinds of failure. Every error of a parser of this package wraps one of them
// in a *ParseError.
var (
	// ErrFormat: the bytes are not what they should be, or something that
	// must be there is missing.
	ErrFormat = errors.New("unsupported format")
	// ErrInvalid: the form is right, and a value in it is not.
	ErrInvalid = errors.New("invalid value")
	// ErrVersion: a version that this package does not know.
	ErrVersion = errors.New("unknown version")
	// ErrKind: an attestation key, TEE, body, certification data or
	// signature algorithm of a kind that this package does not know.
	ErrKind = errors.New("unknown kind")
	// ErrTruncated: the bytes end too early.
	ErrTruncated = errors.New("cut off")
	// ErrTrailing: there are bytes after the end.
	ErrTrailing = errors.New("trailing data")
	// ErrDuplicate: something that must be unique is there twice.
	ErrDuplicate = errors.New("duplicate")
	// ErrTooLarge: more bytes, entries or levels of nesting than the bound.
	ErrTooLarge = errors.New("too large")
)

// ParseError says what is wrong with a document, and where.
type ParseError struct {
	Document string // "quote", "certificate", "CRL", "TCB info", ...
	Path     string // the field, such as "tcbLevels[3].tcb.pcesvn"; may be empty
	Offset   int    // of the offending bytes in the document
	Kind     error  // one of the kinds above
	Reason   string
}

// Error returns one line.
func (e *ParseError) Error() string {
	where := ""
	if e.Path != "" {
		where = e.Path + ": "
	}
	return fmt.Sprintf("%s: %s%v: %s (at offset %d)", e.Document, where, e.Kind, e.Reason, e.Offset)
}

// Unwrap returns the kind.
func (e *ParseError) Unwrap() error { return e.Kind }
