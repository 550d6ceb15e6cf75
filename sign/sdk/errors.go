package sdk

import (
	"errors"
	"fmt"
)

// Kinds of failure beside those of packages sign and config. Errors about the
// enclave's file are *ObjectError and wrap ErrObject.
var (
	// ErrObject: the file is no enclave that can be signed.
	ErrObject = errors.New("not an enclave that can be signed")
	// ErrSigned: the file has a signature, and Options.Resign is not set.
	ErrSigned = errors.New("the enclave is signed already")
	// ErrLayout: file and configuration do not fit together.
	ErrLayout = errors.New("the configuration does not fit the enclave")
	// ErrData: data that was signed elsewhere is not that of this enclave.
	ErrData = errors.New("the signed data is not this enclave's")
	// ErrUnsigned: the result is asked for before it is signed.
	ErrUnsigned = errors.New("the enclave is not signed yet")
)

// ObjectError says what is wrong with an enclave's file, where, and what to
// do about it.
type ObjectError struct {
	Kind   error  // ErrObject or ErrSigned
	Offset uint64 // of the offending bytes in the file
	Reason string
}

// Error returns one line with the kind, the reason and the offset.
func (e *ObjectError) Error() string {
	return fmt.Sprintf("sdk: %v: %s (at offset %#x)", e.Kind, e.Reason, e.Offset)
}

// Unwrap returns the kind.
func (e *ObjectError) Unwrap() error { return e.Kind }

func objectErr(offset uint64, format string, args ...any) error {
	return &ObjectError{Kind: ErrObject, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

func layoutErr(format string, args ...any) error {
	return fmt.Errorf("sdk: %w: %s", ErrLayout, fmt.Sprintf(format, args...))
}
