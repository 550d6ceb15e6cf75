package policy

import (
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/internal/mistake"
)

// Kinds of error.
var (
	// ErrInvalid: a policy that cannot be read, or that contradicts itself.
	ErrInvalid = errors.New("invalid policy")
	// ErrNoIdentity: a policy that would accept whatever runs in any enclave
	// or TD, and does not say that it means to. It wraps ErrInvalid.
	ErrNoIdentity = fmt.Errorf("%w: it names no identity", ErrInvalid)
	// ErrRejected: a policy does not accept a result.
	ErrRejected = errors.New("rejected by policy")
)

// Error is one thing that is wrong with a policy: Line and Column in its file,
// from 1, columns in bytes, 0 if it is from no file; Key, such as
// "sgx[1].mrenclave", empty for the whole; Kind, ErrInvalid or ErrNoIdentity;
// and Reason, what is wrong, and what to write instead. It wraps Kind.
type Error = mistake.Error

// Errors is everything that is wrong with a policy, at most 50, in the order of
// the file. It is never empty where it is an error.
type Errors = mistake.Errors

// failed is the error that a caller gets, or nil if errs is empty.
func failed(errs Errors) error {
	if err := errs.Err(); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return nil
}
