package seal

import (
	"errors"
	"fmt"
)

// Errors that the functions of this package wrap.
var (
	// ErrFormat: these bytes are no sealed data. A FormatError says where.
	ErrFormat = errors.New("not sealed data")

	// ErrRequest: the key request is not one for sealing.
	ErrRequest = errors.New("not a request for a seal key")

	// ErrSize: there is nothing to seal, or too much.
	ErrSize = errors.New("cannot seal data of this size")

	// ErrAuth: the blob was changed, or the key is another enclave's, another
	// machine's or another blob's.
	ErrAuth = errors.New("sealed data does not open with this key: it was changed, or sealed by another enclave or machine")
)

// FormatError says what is wrong with a blob, and where. It wraps ErrFormat.
type FormatError struct {
	Offset int    // in bytes from the start of the blob
	Reason string // one line
}

// Error returns the finding in one line.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%v: offset %d: %s", ErrFormat, e.Offset, e.Reason)
}

// Unwrap returns ErrFormat.
func (e *FormatError) Unwrap() error { return ErrFormat }

func malformed(offset int, format string, args ...any) error {
	return &FormatError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}
