package config

import (
	"errors"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/internal/mistake"
	"github.com/feidi-dev/feidi/internal/text"
)

// ErrInvalid is wrapped by the errors of a file that can be read, but not
// obeyed.
var ErrInvalid = errors.New("invalid configuration")

// Error is one thing that is wrong with a file: its File, empty if it is no
// file's; Line, from 1, 0 for the whole file; Key, such as "freshness.expired",
// empty for the whole line; and Reason, what is wrong, and what to write
// instead. It wraps ErrInvalid.
type Error = mistake.Error

// Errors is everything that is wrong with a file, at most 50, in its order. It
// is never empty where it is an error.
type Errors = mistake.Errors

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

func quote(s string) string { return strconv.Quote(text.Line(s, 60)) }
