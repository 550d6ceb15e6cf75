package policy

import (
	"errors"
	"fmt"
	"slices"
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

// Error is one thing that is wrong with a policy.
type Error struct {
	Line, Column int    // in the file, from 1, columns in bytes; 0 if the policy is from no file
	Key          string // such as "sgx[1].mrenclave"; empty for the whole
	Kind         error  // ErrInvalid or ErrNoIdentity
	Reason       string // what is wrong, and what to write instead
}

// Error returns one line: position, key and reason, as far as they are known.
func (e *Error) Error() string {
	s := e.Reason
	if e.Key != "" {
		s = e.Key + ": " + s
	}
	if e.Line > 0 {
		s = fmt.Sprintf("%d:%d: %s", e.Line, e.Column, s)
	}
	return s
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Errors is everything that is wrong with a policy, in the order of the file.
// It is never empty where it is an error.
type Errors []*Error

// Error returns the first, and how many there are besides.
func (e Errors) Error() string {
	switch len(e) {
	case 0:
		return ErrInvalid.Error()
	case 1:
		return "policy: " + e[0].Error()
	}
	return fmt.Sprintf("policy: %v (and %d more)", e[0], len(e)-1)
}

// Unwrap returns the single errors.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i := range e {
		out[i] = e[i]
	}
	return out
}

// maxErrors is how many errors are told.
const maxErrors = 50

// err is e in order, or nil if it is empty.
func (e Errors) err() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b *Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return e[:min(len(e), maxErrors)]
}
