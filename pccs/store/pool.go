package store

import "time"

// dialTimeout is how long a server may take to accept a connection.
const dialTimeout = 10 * time.Second

// pool bounds the connections to a server: a fleet of services shares those that
// it has.
func (s *Store) pool() {
	const most = 10
	s.reads.SetMaxOpenConns(most)
	s.reads.SetMaxIdleConns(most)
	s.reads.SetConnMaxIdleTime(5 * time.Minute)
	s.reads.SetConnMaxLifetime(time.Hour) // so that load moves after a failover
}
