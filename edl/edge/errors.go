package edge

import (
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/status"
)

// Why a call cannot be made. They are wrapped with the name of the parameter.
var (
	// ErrLength says that slices of one length differ, that a slice is not
	// as long as a parameter says, or that a length does not fit into the
	// type that C gives it.
	ErrLength = errors.New("the length does not fit")
	// ErrZero says that a string has a zero character, which would end it.
	ErrZero = errors.New("a zero character in a string")
	// ErrResult says that a function returned more than its caller has room
	// for.
	ErrResult = errors.New("a result beyond its buffer")
)

// BufferError says what is wrong with a buffer that a callee was told of.
// It unwraps to the status that the other side gets.
type BufferError struct {
	Addr, Size uint64
	Reason     string
	Status     status.Code
}

// Error describes the buffer in one line.
func (e *BufferError) Error() string {
	return fmt.Sprintf("edl/edge: %v: %d bytes at %#x: %s", e.Status, e.Size, e.Addr, e.Reason)
}

// Unwrap returns the status.
func (e *BufferError) Unwrap() error { return e.Status }

// Unserved is the error of a function that nobody implements; its status is
// SGX_ERROR_INVALID_FUNCTION.
func Unserved(name string) error {
	return fmt.Errorf("edl/edge: %s is not served: %w", name, status.ErrInvalidFunction)
}

// Status is the status that the other side gets for an error: the status.Code
// in it, or SGX_ERROR_UNEXPECTED.
func Status(err error) status.Code {
	var code status.Code
	switch {
	case err == nil:
		return status.Success
	case errors.As(err, &code) && code != status.Success:
		return code
	}
	return status.ErrUnexpected
}

// sticky is the first error of a call, which stays.
type sticky struct{ err error }

// Err returns the first error.
func (s *sticky) Err() error { return s.err }

// Fail keeps the first error, and reports whether there is one.
func (s *sticky) Fail(err error) bool {
	if s.err == nil {
		s.err = err
	}
	return s.err != nil
}
