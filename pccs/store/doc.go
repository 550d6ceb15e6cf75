// Package store keeps what a PCCS knows in a database: SQLite in one file,
// PostgreSQL, or MySQL and MariaDB, which several services may share.
//
// It holds documents and platforms as they are given to it; whether they are
// genuine is for package pccs/collateral to say. What a call has put is on the
// disk when the call returns, if the database is set up so: SQLite is by this
// package, the servers are by default (synchronous_commit of PostgreSQL,
// innodb_flush_log_at_trx_commit of InnoDB).
//
// Calls are bounded by their context. Errors are one line, wrap one of the
// errors of this package, and never contain a password. The bounds of what may
// be put are the constants Max...; more is [ErrInvalid].
//
// The tables have the prefix pccs_, so that they may live beside others'. Times
// are microseconds since 1970 in UTC. An issuer chain is kept once.
package store
