package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
)

var mysqlDialect = &dialect{
	// Binary strings have no collation: they are equal if their bytes are.
	kind: "mysql", text: "VARBINARY($1)", bytes: "LONGBLOB", hash: "BINARY(32)", id: "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
	onKey:   true,
	tables:  "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
	lock:    "SELECT GET_LOCK(CONCAT('pccs.', MD5(DATABASE())), 60)",
	unlock:  "SELECT RELEASE_LOCK(CONCAT('pccs.', MD5(DATABASE())))",
	row:     " LOCK IN SHARE MODE", // MariaDB has no FOR SHARE
	own:     " FOR UPDATE",
	mistake: mysqlMistake,
	again:   mysqlIs(1213, 1020), // deadlock, record has changed
	done:    mysqlIs(1050, 1060, 1061, 1091),
}

// mysqlIs reports whether an error has one of the numbers.
func mysqlIs(numbers ...uint16) func(error) bool {
	return func(err error) bool {
		var e *mysql.MySQLError
		return errors.As(err, &e) && slices.Contains(numbers, e.Number)
	}
}

func mysqlMistake(err error) bool {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Number {
	case 1044, 1049, 1142, 1203, 1226: // of class 42, but about the user and the database
		return false
	}
	switch string(e.SQLState[:2]) {
	case "21", "22", "23", "42":
		return true
	}
	return false
}

// openMySQL takes mysql://USER:PASSWORD@HOST:PORT/DATABASE. The parameters are
//
//	tls     false, preferred (the default: TLS if the server has it, whoever it
//	        is), skip-verify, or true (the default if there is a ca)
//	ca      file of the certificates, in PEM, that the server's must be below
//	cert    file of the user's certificate, and
//	key     of its private key
//	socket  path of a Unix socket in place of HOST:PORT
func openMySQL(ctx context.Context, address string) (*Store, error) {
	s := &Store{d: mysqlDialect, name: "MySQL"}
	cfg, err := mysqlConfig(address)
	if err != nil {
		return nil, s.fail(ctx, "open", fmt.Errorf("%w: the address: %w", ErrInvalid, err))
	}
	s.name = fmt.Sprintf("MySQL %s at %s", cfg.DBName, cfg.Addr)
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, s.fail(ctx, "open", fmt.Errorf("%w: the address is not one of MySQL", ErrInvalid))
	}
	s.reads = sql.OpenDB(c)
	s.writes = s.reads
	s.pool()
	return s, nil
}

func mysqlConfig(address string) (*mysql.Config, error) {
	u, err := url.Parse(address)
	if err != nil { // its text has the address
		return nil, errors.New(addressHint)
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr = "tcp", u.Host
	if u.Port() == "" {
		cfg.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	if cfg.DBName == "" || strings.Contains(cfg.DBName, "/") {
		return nil, errors.New("it names no database: mysql://HOST/DATABASE")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("its parameters are not percent-encoded")
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		switch name {
		case "tls", "ca", "cert", "key":
		case "socket":
			cfg.Net, cfg.Addr = "unix", q.Get(name)
		default:
			return nil, fmt.Errorf("there is no parameter %.40q: they are tls, ca, cert, key and socket", name)
		}
	}
	if err := mysqlTLS(cfg, u.Hostname(), q); err != nil {
		return nil, err
	}
	cfg.Timeout = dialTimeout
	cfg.Logger = &mysql.NopLogger{} // the errors are returned, too
	cfg.Collation = "utf8mb4_bin"
	cfg.ClientFoundRows = true
	cfg.InterpolateParams = true // one round trip
	cfg.MaxAllowedPacket = 0     // what the server says
	// Nothing is cut short to fit, whatever the server's own mode is.
	cfg.Params = map[string]string{"sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"}
	return cfg, nil
}

func mysqlTLS(cfg *mysql.Config, host string, q url.Values) error {
	mode := q.Get("tls")
	if mode == "" {
		mode = "preferred"
		if q.Has("ca") {
			mode = "true"
		}
		if cfg.Net == "unix" {
			mode = "false"
		}
	}
	if q.Has("ca") && mode != "true" {
		return fmt.Errorf("with tls=%.40s nobody looks at the ca: set tls=true", mode)
	}
	t := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	switch mode {
	case "false":
		return nil
	case "preferred":
		t.InsecureSkipVerify, cfg.AllowFallbackToPlaintext = true, true
	case "skip-verify":
		t.InsecureSkipVerify = true
	case "true":
	default:
		return fmt.Errorf("tls is %.40q: it may be true, skip-verify, preferred or false", mode)
	}
	if file := q.Get("ca"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("ca: %s has no certificate in PEM", file)
		}
	}
	if q.Has("cert") || q.Has("key") {
		pair, err := tls.LoadX509KeyPair(q.Get("cert"), q.Get("key"))
		if err != nil {
			return fmt.Errorf("cert and key: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	cfg.TLS = t
	return nil
}
