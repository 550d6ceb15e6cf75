package pccs

import (
	"database/sql"
	"net/url"

	_ "modernc.org/sqlite"
)

// sqlite opens the site's file beside the service.
func (s *site) sqlite() *sql.DB {
	s.Helper()
	u := url.URL{Scheme: "file", Path: s.file(), RawQuery: "_pragma=busy_timeout(10000)&_txlock=exclusive"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		s.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// sql changes the site's file.
func (s *site) sql(query string, args ...any) {
	s.Helper()
	db := s.sqlite()
	defer db.Close()
	if _, err := db.ExecContext(s.Context(), query, args...); err != nil {
		s.Fatal(err)
	}
}
