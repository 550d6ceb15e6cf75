package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
)

// The result codes of SQLite that say that a statement is wrong.
const (
	sqliteError      = 1
	sqliteTooBig     = 18
	sqliteConstraint = 19
	sqliteMismatch   = 20
	sqliteMisuse     = 21
	sqliteRange      = 25
)

var sqliteDialect = &dialect{
	kind: "sqlite", text: "TEXT", bytes: "BLOB", hash: "BLOB", id: "INTEGER PRIMARY KEY", clustered: "WITHOUT ROWID",
	prepare: true, ddl: true,
	tables: "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
	again:  never, done: never, // there is one writer at a time
	mistake: func(err error) bool {
		switch sqliteCode(err) & 0xff {
		case sqliteError, sqliteTooBig, sqliteConstraint, sqliteMismatch, sqliteMisuse, sqliteRange:
			return true
		}
		return false
	},
}

// busy is how long SQLite waits, in milliseconds, for others who write to the file.
const busy = "5000"

// openSQLite opens a file, and makes it if there is none, for nobody but the user.
// A file that is there keeps its mode.
func openSQLite(ctx context.Context, path string) (*Store, error) {
	s := &Store{d: sqliteDialect, name: path}
	if path == "" || path == ":memory:" {
		return nil, s.fail(ctx, "open", fmt.Errorf("%w: %q is no file, and SQLite needs one", ErrInvalid, path))
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, s.fail(ctx, "open", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		err = f.Close()
	case errors.Is(err, fs.ErrExist):
		err = s.lookAt(ctx, path)
	}
	if err != nil {
		return nil, s.fail(ctx, "open", err)
	}
	// The journal keeps what was acknowledged when the power fails: WAL is synced at
	// each commit. One connection writes; the others read what was last committed.
	if s.writes, err = sqliteDB(path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)"},
	}); err != nil {
		return nil, s.fail(ctx, "open", err)
	}
	s.writes.SetMaxOpenConns(1)
	if s.reads, err = sqliteDB(path, url.Values{"_query_only": {"1"}}); err != nil {
		_ = s.writes.Close()
		return nil, s.fail(ctx, "open", err)
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	s.reads.SetMaxOpenConns(readers)
	s.reads.SetMaxIdleConns(readers)
	return s, nil
}

// lookAt looks at a file that is there before anything is changed in it.
func (s *Store) lookAt(ctx context.Context, path string) error {
	db, err := sqliteDB(path, url.Values{"mode": {"ro"}})
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = s.version(ctx, db)
	return err
}

// sqliteDB is a pool of connections to a file. The path is escaped: a question
// mark in it begins no parameters.
func sqliteDB(path string, parameters url.Values) (*sql.DB, error) {
	parameters.Set("_busy_timeout", busy)
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path // C:/ is /C:/ in a URL
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: parameters.Encode()}
	c, err := sqliteConnector(u.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}
