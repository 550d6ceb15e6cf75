package store

import (
	"testing"

	"github.com/feidi-dev/feidi/internal/dbtest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	address, server := dbtest.Postgres(t)
	backend{postgresDialect, server.Database, address}.runServer(t, server)
}

func TestPostgresAddress(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"postgres:u:" + secret + "@h/db", "postgres://"},
		{"postgres://u:" + secret + "/x@h/db", "%2F"},
		{"postgres://u:1/" + secret + "@h/db", "%2F"},
		{"postgres://u:p@" + secret + "@h/db", "%2F"},
		{"postgres://u:%zz" + secret + "@h/db", "%2F"},
		{"postgres://u:" + secret + "@h/db?sslmode=maybe", "sslmode"},
		{"postgres://u:" + secret + "@h:port/db", "port"},
		{"postgres://h:port/db?password=" + secret, "%2F"},
		{"postgres://h/db?password=" + secret + "%zz", "%2F"},
		{"postgres://u:" + secret + "@h/db?sslrootcert=none.pem&sslmode=verify-full", "none.pem"},
		{"postgres://u:" + secret + "@127.0.0.1:1/db", "PostgreSQL db at 127.0.0.1"},
		{"postgresql://u:" + secret + "@127.0.0.1:1,127.0.0.1:2/db", "refused"},
	} {
		checkAddress(t, c.address, c.want)
	}
}

func BenchmarkPostgres(b *testing.B) {
	address, _ := dbtest.Postgres(b)
	benchmark(b, address)
}
