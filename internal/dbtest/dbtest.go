// Package dbtest starts database servers for tests: PostgreSQL and MariaDB (or
// MySQL), as the distribution has them, each with a folder of its own that is gone
// when the test ends. Nothing listens but a Unix socket in that folder. Who runs the
// tests as root has the servers run as their own users.
//
// The servers do not wait for the disk: what they acknowledged outlives a kill of
// theirs, and not a loss of power.
package dbtest

import (
	"testing"
	"time"
)

// Server is a database server that runs.
type Server struct {
	impl
}

// patience is how long a server may take to start or stop.
const patience = time.Minute

// Postgres starts a PostgreSQL server, and returns the address of an empty database
// on it. The test is skipped if there is no such server on this machine.
func Postgres(t testing.TB) (address string, s *Server) {
	t.Helper()
	s = postgres(t)
	return s.Database(t), s
}

// MariaDB is [Postgres] for MariaDB or MySQL.
func MariaDB(t testing.TB) (address string, s *Server) {
	t.Helper()
	s = mariadb(t)
	return s.Database(t), s
}
