package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/feidi-dev/feidi/internal/mistake"
	"github.com/feidi-dev/feidi/internal/text"
)

// An entry is a setting as it stands in a file.
type entry struct {
	key   string // with dots between the names of tables
	line  int
	value value
}

// A value is what is behind a key.
type value struct {
	kind  kind
	text  string // of a text, and the words of a number or of true and false
	items []value
}

type kind uint8

const (
	other kind = iota // what no key takes
	textual
	number
	boolean
	list
)

func (k kind) String() string {
	return [...]string{"this", "a text", "a number", "true or false", "a list"}[k]
}

// A rule is what a key means. set returns what is wrong with a value.
type rule struct {
	key  string
	what string // a value looks like this
	set  func(r *reader, v value) (reason string)
}

// reader makes settings of entries.
type reader struct {
	c    *Config
	file string // that is read
	dir  string // that names of files are relative to
	at   entry  // that is read
	errs Errors

	intel *intelFile // of Intel's file
}

// read obeys entries by rules; passed are the keys that others look at.
func (r *reader) read(entries []entry, rules []rule, passed func(key string) bool) {
	for _, e := range entries {
		r.at = e
		if passed != nil && passed(e.key) {
			continue
		}
		i := slices.IndexFunc(rules, func(x rule) bool { return x.key == e.key })
		if i < 0 {
			keys := make([]string, len(rules))
			for i := range rules {
				keys[i] = rules[i].key
			}
			r.fail("there is no such setting" + nearest(e.key, keys))
			continue
		}
		if reason := rules[i].set(r, e.value); reason != "" {
			r.fail(reason + ": write " + rules[i].what)
		}
	}
}

// Set changes a setting by its key in TOML, as a flag does; names of files are
// as the process sees them. The error says what to write.
func (c *Config) Set(key string, texts ...string) error {
	v := value{kind: list}
	for _, t := range texts {
		v.items = append(v.items, value{kind: textual, text: t})
	}
	if len(texts) == 1 {
		v = v.items[0]
	}
	i := slices.IndexFunc(tomlRules, func(x rule) bool { return x.key == key })
	if i < 0 {
		return fmt.Errorf("%w: there is no setting %q", ErrInvalid, key)
	}
	if reason := tomlRules[i].set(&reader{c: c}, v); reason != "" {
		return errors.New(text.Line(reason+": write "+tomlRules[i].what, 400))
	}
	return nil
}

// fail reports what is wrong with the current entry.
func (r *reader) fail(reason string) {
	r.errs.Add(Error{File: r.file, Line: r.at.line, Key: r.at.key, Kind: ErrInvalid, Reason: reason})
}

// notice adds a line on the current entry.
func (r *reader) notice(format string, args ...any) {
	if len(r.c.Notices) < mistake.Most {
		var e Errors
		e.Add(Error{File: r.file, Line: r.at.line, Key: r.at.key, Reason: fmt.Sprintf(format, args...)})
		r.c.Notices = append(r.c.Notices, e.Error())
	}
}

// path is the name of a file, as seen from the process.
func (r *reader) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.dir, name)
}
