//go:build unix

package dbtest

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func postgres(t testing.TB) *Server {
	t.Helper()
	server, initdb, psql := find("postgres"), find("initdb"), find("psql")
	if server == "" || initdb == "" || psql == "" {
		t.Skip("there is no PostgreSQL server on this machine (postgres, initdb, psql)")
	}
	s := newServer(t, "postgres", "nobody")
	data := filepath.Join(s.dir, "data")
	s.run(t, initdb, "-D", data, "-U", "feidi", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	s.args = []string{server, "-D", data, "-k", s.dir}
	for _, o := range []string{"listen_addresses=", "fsync=off", "max_connections=100", "shared_buffers=32MB", "autovacuum=off", "logging_collector=off"} {
		s.args = append(s.args, "-c", o)
	}
	s.stop = syscall.SIGINT // fast: it does not wait for those who are connected
	// The server says in the last line of this file how far it is.
	pid := filepath.Join(data, "postmaster.pid")
	s.ready = func() bool {
		b, err := os.ReadFile(pid)
		return err == nil && bytes.HasPrefix(b, fmt.Appendf(nil, "%d\n", s.cmd.Process.Pid)) && bytes.HasSuffix(bytes.TrimSpace(b), []byte("\nready"))
	}
	s.create = func(name string) error {
		out, err := s.command(psql, "-h", s.dir, "-U", "feidi", "-d", "postgres", "-qc", "CREATE DATABASE "+name).CombinedOutput()
		if err != nil {
			return fmt.Errorf("psql: %w: %s", err, out)
		}
		return nil
	}
	s.where = func(name string) string {
		return "postgres://feidi@/" + name + "?host=" + url.QueryEscape(s.dir)
	}
	return s.begin(t)
}
