package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	f.text = fmt.Sprintf("pccs/store: %s: %v: %s: %s", doing, kind, s.name, cut(strings.Join(strings.Fields(err.Error()), " "), 1000))
	return f
}
