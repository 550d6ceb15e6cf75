package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"sync/atomic"
)

// Store is a database. It is safe for concurrent use.
type Store struct {
	d             *dialect
	name          string  // of the database in errors, without a password
	reads, writes *sql.DB // the same but for SQLite

	document, match query

	environment atomic.Pointer[string] // of Bind
}

// Open opens a database, and brings its tables to this version; of several
// processes that do so at the same time, one does it, and the others wait. The
// address is one of
//
//	PATH, sqlite:PATH                             a file, made if there is none
//	postgres://USER:PASSWORD@HOST:PORT/DATABASE   as libpq and pgx have it: ?sslmode=verify-full&sslrootcert=FILE, environment and all
//	mysql://USER:PASSWORD@HOST:PORT/DATABASE      MySQL or MariaDB: ?tls=true&ca=FILE, or ?socket=PATH
//
// MySQL's tls is true, skip-verify, preferred (the default) or false; cert and key
// name files of the client's certificate.
//
// The errors are [ErrInvalid] for the address, [ErrUnavailable], [ErrNewer] if the
// tables are of a later version, and [ErrForeign] if they are those of Intel's
// service. In the last two nothing was changed.
func Open(ctx context.Context, address string) (*Store, error) {
	return open(ctx, address, migrations)
}

func open(ctx context.Context, address string, dir fs.FS) (*Store, error) {
	s, err := connect(ctx, address)
	if err != nil {
		return nil, err
	}
	if err = s.migrate(ctx, dir); err == nil {
		err = s.prepare(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, s.fail(ctx, "open", err)
	}
	return s, nil
}

// prepare prepares what is asked for all the time. pgx does so by itself, in a way
// that gets along with proxies that share connections.
func (s *Store) prepare(ctx context.Context) error {
	s.document = query{text: documentQuery}
	s.match = query{text: matchQuery}
	if s.d.kind == "postgres" {
		return nil
	}
	for _, q := range []*query{&s.document, &s.match} {
		var err error
		if q.stmt, err = s.reads.PrepareContext(ctx, s.d.sql(q.text)); err != nil {
			return err
		}
	}
	return nil
}

// query is a query for one row that runs often.
type query struct {
	text string
	stmt *sql.Stmt // nil if it is not prepared
}

func (s *Store) row(ctx context.Context, q *query, args ...any) *sql.Row {
	if q.stmt != nil {
		return q.stmt.QueryRowContext(ctx, args...)
	}
	return s.reads.QueryRowContext(ctx, s.d.sql(q.text), args...)
}

// Close closes it. Calls that are under way may fail.
func (s *Store) Close() error {
	for _, q := range []*query{&s.document, &s.match} {
		if q.stmt != nil {
			_ = q.stmt.Close()
		}
	}
	err := s.reads.Close()
	if s.writes != s.reads {
		// The last writer writes the log of SQLite back into the file.
		err = errors.Join(err, s.writes.Close())
	}
	return s.fail(context.Background(), "close", err)
}

// Ping asks whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.fail(ctx, "ping", s.reads.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// Kind is "sqlite", "postgres" or "mysql".
func (s *Store) Kind() string { return s.d.kind }
