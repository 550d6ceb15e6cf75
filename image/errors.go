package image

import (
	"errors"
	"fmt"
)

// Kinds of failure. Every error of this package wraps one of them in a
// *FormatError.
var (
	// ErrNotEnclave: the file is something else.
	ErrNotEnclave = errors.New("not an enclave file")
	// ErrUnsigned: an SDK enclave that was linked but never signed, so that
	// it has no metadata and no page layout.
	ErrUnsigned = errors.New("enclave was never signed")
	// ErrUnsupported: a valid file of a kind that this package does not read.
	ErrUnsupported = errors.New("unsupported enclave file")
	// ErrMalformed: the file contradicts itself or its format.
	ErrMalformed = errors.New("malformed enclave file")
)

// FormatError says what is wrong with a file and where.
type FormatError struct {
	Kind   error // one of the kinds above
	Offset int64 // of the offending bytes in the file
	Reason string
}

// Error returns one line with the kind, the reason and the offset.
func (e *FormatError) Error() string {
	return fmt.Sprintf("image: %v: %s (at offset %#x)", e.Kind, e.Reason, e.Offset)
}

// Unwrap returns the kind.
func (e *FormatError) Unwrap() error { return e.Kind }

func formatErr(kind error, offset uint64, format string, args ...any) error {
	return &FormatError{Kind: kind, Offset: int64(offset), Reason: fmt.Sprintf(format, args...)}
}

// malformed is formatErr for the commonest kind.
func malformed(offset uint64, format string, args ...any) error {
	return formatErr(ErrMalformed, offset, format, args...)
}

// rebase adds base to the offset of an error about a part of a file that
// begins there.
func rebase(err error, base uint64) error {
	var fe *FormatError
	if errors.As(err, &fe) {
		moved := *fe
		moved.Offset += int64(base)
		return &moved
	}
	return err
}
