//go:build unix

package dbtest

import (
	"context"
	"database/sql"
	"net"
	"net/url"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

func mariadb(t testing.TB) *Server {
	t.Helper()
	server, install := find("mariadbd", "mysqld"), find("mariadb-install-db", "mysql_install_db")
	if server == "" {
		t.Skip("there is no MariaDB or MySQL server on this machine (mariadbd, mysqld)")
	}
	s := newServer(t, "mysql", "nobody")
	data, socket := filepath.Join(s.dir, "data"), filepath.Join(s.dir, "s")
	small := []string{"--no-defaults", "--datadir=" + data, "--innodb-flush-log-at-trx-commit=2", "--innodb-log-file-size=16M", "--innodb-flush-method=nosync", "--innodb-doublewrite=0"}
	if install != "" {
		s.run(t, append(append([]string{install}, small...), "--auth-root-authentication-method=normal", "--skip-test-db")...)
	} else {
		s.run(t, append(append([]string{server}, small...), "--initialize-insecure")...)
	}
	s.args = append(append([]string{server}, small...),
		"--socket="+socket, "--pid-file="+filepath.Join(s.dir, "pid"), "--skip-networking", "--skip-log-bin",
		"--innodb-buffer-pool-size=64M", "--max-connections=100")
	s.stop = syscall.SIGTERM
	s.ready = func() bool {
		c, err := net.Dial("unix", socket)
		if err != nil {
			return false
		}
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		n, _ := c.Read(make([]byte, 1)) // of its greeting
		return n == 1
	}
	s.create = func(name string) error {
		cfg := mysql.NewConfig()
		cfg.User, cfg.Net, cfg.Addr = "root", "unix", socket
		c, err := mysql.NewConnector(cfg)
		if err != nil {
			return err
		}
		db := sql.OpenDB(c)
		defer db.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, err = db.ExecContext(ctx, "CREATE DATABASE "+name)
		return err
	}
	s.where = func(name string) string {
		return "mysql://root@localhost/" + name + "?socket=" + url.QueryEscape(socket)
	}
	return s.begin(t)
}
