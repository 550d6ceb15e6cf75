// Package mistake has the errors of files that people write: where each is, and
// what to write instead. Packages that read such files have these types as
// theirs.
package mistake

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/feidi-dev/feidi/internal/text"
)

// Error is one thing that is wrong with a file.
type Error struct {
	File         string // empty if its reader does not know it
	Line, Column int    // from 1, columns in bytes; 0 if they are not known
	Key          string // as the file spells it, such as "sgx[1].mrenclave"; empty for the whole
	Kind         error  // that it wraps
	Reason       string // what is wrong, and what to write instead
}

// Error is one line: position, key and reason, as far as they are known.
func (e *Error) Error() string {
	at := e.File
	for _, n := range [...]int{e.Line, e.Column} {
		if n > 0 {
			at += ":" + strconv.Itoa(n)
		}
	}
	if e.File == "" {
		at = strings.TrimPrefix(at, ":")
	}
	s := e.Reason
	for _, before := range [...]string{e.Key, at} {
		if before != "" {
			s = before + ": " + s
		}
	}
	return s
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Errors is everything that is wrong with a file. It is never empty where it is
// an error.
type Errors []*Error

// Most is how many errors are told.
const Most = 50

// Add adds an error, of one line, whatever the file has in it; no more than
// Most are taken.
func (e *Errors) Add(one Error) {
	if len(*e) < Most {
		one.Key, one.Reason = text.Line(one.Key, 80), text.Line(one.Reason, 400)
		*e = append(*e, &one)
	}
}

// Err is e in the order of lines, or nil if it is empty.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b *Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return e
}

// Error is the first error, and how many there are besides.
func (e Errors) Error() string {
	switch len(e) {
	case 0:
		return "no error"
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

// Nested reports whether brackets nest deeper than most, which a parser need
// not follow. Those in strings and comments count, which errs on the safe side
// only if they are many.
func Nested(b []byte, most int) bool {
	depth := 0
	for _, c := range b {
		switch c {
		case '[', '{':
			if depth++; depth > most {
				return true
			}
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return false
}

// NoTOML is where a file is no TOML, both from 1, and why, by an error of the
// decoder.
func NoTOML(err error) (line, column int, reason string) {
	line, column = 1, 1
	var e *toml.DecodeError
	if errors.As(err, &e) {
		line, column = e.Position()
	}
	return line, column, "no TOML: " + strings.TrimPrefix(err.Error(), "toml: ")
}
