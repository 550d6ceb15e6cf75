package config

import (
	"errors"

	"github.com/feidi-dev/feidi/internal/mistake"
)

// ErrInvalid is wrapped by every error of this package.
var ErrInvalid = errors.New("invalid enclave configuration")

// Error is one thing that is wrong with a configuration: Line and Column in its
// file, from 1, both 0 if it is from no file; Key, the element as the file
// spells it, empty if it is no element's fault; and Reason, what is wrong, and
// what to write instead. It wraps ErrInvalid.
type Error = mistake.Error

// Errors is everything that is wrong with a configuration, at most 50, in the
// file's order. It is never empty where it is an error.
type Errors = mistake.Errors
