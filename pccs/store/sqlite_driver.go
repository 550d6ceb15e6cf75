//go:build !nosqlite

package store

import (
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"
)

func sqliteConnector(address string) (driver.Connector, error) { return sqlite.NewConnector(address) }

// sqliteCode is SQLite's result code of an error, or 0.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
