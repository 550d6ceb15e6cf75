package local

import (
	"errors"
	"fmt"
)

// Errors that the functions of this package wrap.
var (
	// ErrOrder: the method was called out of order, or a second time, or after
	// an error. The exchange is over; a new one may begin.
	ErrOrder = errors.New("local attestation: call out of order")

	// ErrFormat: these bytes are no such message.
	ErrFormat = errors.New("local attestation: malformed message")

	// ErrAuth: the message was changed, belongs to another exchange, or comes
	// from no enclave of this machine.
	ErrAuth = errors.New("local attestation: message is not genuine")
)

// MessageError says what is wrong with a message, and where.
type MessageError struct {
	Message int   // 1, 2 or 3
	Offset  int   // of the field at fault, in bytes
	Kind    error // ErrFormat or ErrAuth
	Reason  error // one line, or the error of Enclave.VerifyReport
}

// Error returns the finding in one line.
func (e *MessageError) Error() string {
	return fmt.Sprintf("%v: message %d, offset %d: %v", e.Kind, e.Message, e.Offset, e.Reason)
}

// Unwrap returns Kind and Reason.
func (e *MessageError) Unwrap() []error { return []error{e.Kind, e.Reason} }

func malformed(message, offset int, reason error) error {
	return &MessageError{Message: message, Offset: offset, Kind: ErrFormat, Reason: reason}
}

func forged(message, offset int, reason error) error {
	return &MessageError{Message: message, Offset: offset, Kind: ErrAuth, Reason: reason}
}

// Reasons of ErrAuth.
var (
	errMAC  = errors.New("the CMAC is not that of the message")
	errData = errors.New("the report data are not of this exchange")
)

func outOfOrder(call string) error {
	return fmt.Errorf("%w: %s: begin a new exchange", ErrOrder, call)
}
