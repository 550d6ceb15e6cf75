package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/internal/mistake"
	"github.com/feidi-dev/feidi/internal/text"
)

// position is a place in a file, both numbers from 1.
type position struct{ line, column int }

// reader is what the readers of both formats have in common: it collects the
// settings of a file, and what is wrong with them.
type reader struct {
	spelling
	cfg, def *Config
	at       map[*field]position
	given    map[*field]bool // false: something is wrong with it
	errs     Errors
}

func newReader(s spelling) *reader {
	cfg, def := Default(), Default()
	return &reader{s, &cfg, &def, map[*field]position{}, map[*field]bool{}, nil}
}

// report adds an error, of one line, whatever the file has in it.
func (r *reader) report(at position, element, reason string) {
	r.errs.Add(Error{Line: at.line, Column: at.column, Key: element, Kind: ErrInvalid, Reason: reason})
}

// full reports whether there are more errors than are told.
func (r *reader) full() bool { return len(r.errs) >= mistake.Most }

// begin returns the setting of that name, or nil and reports why not.
func (r *reader) begin(name string, by map[string]*field, at position) *field {
	f := by[name]
	if f == nil {
		reason := "there is no such setting"
		if near := nearest(name, by); near != "" {
			reason += ": write " + near
		}
		r.report(at, name, reason)
		return nil
	}
	if first, ok := r.at[f]; ok {
		r.report(at, name, fmt.Sprintf("it is given on line %d already: leave one out", first.line))
		r.given[f] = false
		return nil
	}
	r.at[f], r.given[f] = at, true
	return f
}

// fail reports what is wrong with a setting of the file.
func (r *reader) fail(f *field, reason string) {
	r.given[f] = false
	r.report(r.at[f], r.name(f), reason)
}

// value takes the value of a setting, if it is in range.
func (r *reader) value(f *field, v uint64) {
	if reason := r.inRange(f, v); reason != "" {
		r.fail(f, reason)
		return
	}
	f.set(r.cfg, v)
}

// finish fills in what follows from other settings, and checks the whole.
func (r *reader) finish() (*Config, error) {
	c := r.cfg
	for _, f := range fields {
		from := byName[follows[f.name]]
		if from == nil {
			continue
		}
		if _, ok := r.given[f]; !ok {
			f.set(c, from.get(c))
			if ok, isGiven := r.given[from]; isGiven && !ok {
				r.given[f] = false // what it would be is not known
				r.at[f] = r.at[from]
			}
		}
	}
	sz := byName["ELRangeSize"]
	if ok, isGiven := r.given[sz]; !isGiven || !ok {
		for _, name := range [...]string{"EnclaveImageAddress", "ELRangeStartAddress"} {
			if f := byName[name]; r.given[f] && !isGiven {
				r.fail(f, fmt.Sprintf("it needs %s: give both, or leave it out", r.name(sz)))
			}
		}
		c.ELRange = nil
	}
	c.check(r.spelling, r.given, func(f *field, reason string) {
		at, ok := r.at[f]
		if !ok {
			at = position{1, 1}
		}
		r.report(at, r.name(f), reason)
	})
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// nearest is the name that was meant: one that differs in case and
// punctuation only, or in at most two letters.
func nearest(name string, by map[string]*field) string {
	if len(name) > 2*len("ReservedMemExecutable") {
		return ""
	}
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)) }
	best, least := "", 3
	for _, f := range fields {
		for _, n := range [...]string{f.name, f.key} {
			d := text.Distance(plain(name), plain(n), least)
			if d < least {
				best, least = f.name, d
				if by[f.name] == nil {
					best = f.key
				}
			}
		}
	}
	return best
}

func quote(s string) string { return strconv.Quote(text.Line(s, 40)) }
