package config

import (
	"errors"
	"fmt"
	"slices"
)

// ErrInvalid is wrapped by every error of this package.
var ErrInvalid = errors.New("invalid enclave configuration")

// Error is one thing that is wrong with a configuration.
type Error struct {
	Line, Column int    // from 1; both 0 if the configuration is from no file
	Element      string // as the file spells it; empty if it is no element's fault
	Reason       string // what is wrong, and what to write instead
}

// Error is one line: position, element and reason, as far as they are known.
func (e *Error) Error() string {
	s := e.Reason
	if e.Element != "" {
		s = e.Element + ": " + s
	}
	if e.Line > 0 {
		s = fmt.Sprintf("%d:%d: %s", e.Line, e.Column, s)
	}
	return s
}

// Unwrap returns ErrInvalid.
func (e *Error) Unwrap() error { return ErrInvalid }

// Errors is everything that is wrong with a configuration, in the file's
// order. It is never empty where it is an error.
type Errors []*Error

// Error is the first error, and how many there are besides.
func (e Errors) Error() string {
	switch len(e) {
	case 0:
		return ErrInvalid.Error()
	case 1:
		return e[0].Error()
	}
	return fmt.Sprintf("%v (and %d more)", e[0], len(e)-1)
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
