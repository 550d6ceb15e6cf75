//go:build !unix

package dbtest

import "testing"

type impl struct{}

const skip = "database servers for tests are started on Unix only"

func postgres(t testing.TB) *Server { t.Skip(skip); return nil }

func mariadb(t testing.TB) *Server { t.Skip(skip); return nil }

// Database makes an empty database, and returns its address.
func (s *Server) Database(t testing.TB) string { t.Skip(skip); return "" }

// Stop stops the server as an administrator does.
func (s *Server) Stop(t testing.TB) {}

// Kill kills the server.
func (s *Server) Kill(t testing.TB) {}

// Start starts a server that was stopped or killed, on the same data.
func (s *Server) Start(t testing.TB) {}

// Restart is Stop and Start.
func (s *Server) Restart(t testing.TB) {}
