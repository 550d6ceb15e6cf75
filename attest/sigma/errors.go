package sigma

import (
	"errors"
	"fmt"
)

// Errors that the functions of this package wrap.
var (
	// ErrOrder: the method was called out of order, or a second time, or after
	// an error. The exchange is over; a new one may begin.
	ErrOrder = errors.New("remote attestation: call out of order")

	// ErrKey: the service provider's key is missing, or not one on P-256.
	ErrKey = errors.New("remote attestation: the service provider's key is not an ECDSA key on P-256")

	// ErrFormat: these bytes are no such message, or ask for what is not
	// supported.
	ErrFormat = errors.New("remote attestation: malformed message")

	// ErrAuth: the message was changed, belongs to another exchange, or comes
	// from another service provider.
	ErrAuth = errors.New("remote attestation: message is not genuine")

	// ErrQuote: the quote does not verify, says the function that was given for
	// it. Its error is wrapped, too.
	ErrQuote = errors.New("remote attestation: quote is not accepted")
)

// MessageError says what is wrong with a message, and where.
type MessageError struct {
	Message int   // 0 to 3
	Offset  int   // of the field at fault, in bytes
	Kind    error // ErrFormat, ErrAuth or ErrQuote
	Reason  error // one line
}

// Error returns the finding in one line.
func (e *MessageError) Error() string {
	return fmt.Sprintf("%v: message %d, offset %d: %v", e.Kind, e.Message, e.Offset, e.Reason)
}

// Unwrap returns Kind and Reason.
func (e *MessageError) Unwrap() []error { return []error{e.Kind, e.Reason} }

func malformed(message, offset int, format string, args ...any) error {
	return &MessageError{Message: message, Offset: offset, Kind: ErrFormat, Reason: fmt.Errorf(format, args...)}
}

func forged(message, offset int, reason string) error {
	return &MessageError{Message: message, Offset: offset, Kind: ErrAuth, Reason: errors.New(reason)}
}

func outOfOrder(call string) error {
	return fmt.Errorf("%w: %s: begin a new exchange", ErrOrder, call)
}
