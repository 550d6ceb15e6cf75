package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
)

// ErrNotFound: there is no such row.
var ErrNotFound = errors.New("not in the database")

// ErrUnavailable: the database does not answer, is locked or full, or refuses
// the user. The cause is wrapped beside it.
var ErrUnavailable = errors.New("the database is not available")

// ErrInvalid: a value that is longer than the database holds it, or no text.
var ErrInvalid = errors.New("not a value for the database")

// ErrNewer: the tables were made by a newer version of this program.
var ErrNewer = errors.New("the database is of a newer version")

// ErrForeign: the database is that of another program. Nothing in it was changed.
var ErrForeign = errors.New("the database of another program")

// ErrEnvironment: what is in the database is of another environment than that of
// the roots that are trusted.
var ErrEnvironment = errors.New("the database is of another environment")

// errRefused: a mistake of this package.
var errRefused = errors.New("the database refuses")

// failure is an error of a database in one line: pgx lists the hosts that it tried
// in several.
type failure struct {
	text string
	of   []error
}

func (f *failure) Error() string { return f.text }

func (f *failure) Unwrap() []error { return f.of }

// fail says what a call was doing when it failed, and of which kind that is. An
// end of the caller's context stays visible; if the time was up, it is the
// database that did not answer.
func (s *Store) fail(ctx context.Context, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, ErrNotFound):
		return ErrNotFound
	case errors.Is(err, ErrInvalid), errors.Is(err, ErrNewer), errors.Is(err, ErrForeign), errors.Is(err, ErrEnvironment):
		return fmt.Errorf("pccs/store: %s: %w", doing, err)
	}
	f := &failure{of: []error{err}}
	if end := ctx.Err(); end != nil && !errors.Is(err, end) {
		f.of = append(f.of, end)
	}
	kind := ErrUnavailable
	switch {
	case s.d.mistake(err): // it answered
		kind = errRefused
	case errors.Is(ctx.Err(), context.Canceled):
		kind = context.Canceled
	}
	f.of = append(f.of, kind)
	f.text = fmt.Sprintf("pccs/store: %s: %v: %s: %s", doing, kind, s.name, cause(err))
	return f
}

// cause is an error in one line that says a thing once: pgx tries each host with TLS
// and without. Where nobody took the connection, or there is no place for the file,
// it says what to look at.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // of the file that is named already
	}
	text := err.Error()
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	text = cut(strings.Join(lines, " "), 1000)
	switch e, ok := errors.AsType[*net.OpError](err); {
	case ok && e.Op == "dial":
		text += ": is it running there, and is the address right?"
	case errors.Is(err, fs.ErrNotExist):
		text += ": is the folder there?"
	}
	return text
}
