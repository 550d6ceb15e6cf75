package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/internal/text"
)

// ErrInvalid is wrapped by the errors of a file that can be read, but not
// obeyed.
var ErrInvalid = errors.New("invalid configuration")

// Error is one thing that is wrong with a file.
type Error struct {
	File   string // empty if it is no file's
	Line   int    // from 1; 0 for the whole file
	Key    string // such as "freshness.expired"; empty for the whole line
	Reason string // what is wrong, and what to write instead
}

// Error returns one line.
func (e *Error) Error() string {
	s := e.Reason
	if e.Key != "" {
		s = e.Key + ": " + s
	}
	switch {
	case e.File == "":
		return s
	case e.Line > 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, s)
	}
	return fmt.Sprintf("%s: %s", e.File, s)
}

// Unwrap returns ErrInvalid.
func (e *Error) Unwrap() error { return ErrInvalid }

// Errors is everything that is wrong with a file, in its order. It is never
// empty where it is an error.
type Errors []*Error

// Error returns the first in one line, and how many there are besides.
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
const maxErrors = 30

// err is e in the order of lines, or nil if it is empty.
func (e Errors) err() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b *Error) int { return a.Line - b.Line })
	return e[:min(len(e), maxErrors)]
}

// nearest says which of the keys was meant: one that differs in case and
// punctuation only, or in at most two letters; or one that has such a name in
// another table.
func nearest(name string, keys []string) string {
	if len(name) > 64 {
		return ""
	}
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)) }
	last := func(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
	best, least := "", 3
	for _, k := range keys {
		if d := text.Distance(plain(name), plain(k), least); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		for _, k := range keys {
			if plain(last(k)) == plain(last(name)) {
				best = k
				break
			}
		}
	}
	if best == "" {
		return ""
	}
	return ": is " + best + " meant?"
}

// line is s without characters that a terminal obeys, and not much longer than
// most.
func line(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.Map(func(c rune) rune {
		if text.Unsafe(c) || c == '\n' || c == '\t' || c == '\r' {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
}

func quote(s string) string { return strconv.Quote(line(s, 60)) }
