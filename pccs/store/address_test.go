package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const secret = "hunter2-s3cret"

// No error has the password, however the address is written. Each names what is
// wrong.
func TestAddress(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "no.pem")
	must(t, os.WriteFile(file, []byte("no certificate"), 0o600))
	for _, c := range []struct{ address, want string }{
		{"", "needs one"},
		{"sqlite:", "needs one"},
		{":memory:", "needs one"},
		{"oracle://u:" + secret + "@h/db", "oracle"},
		{"mysql:u:" + secret + "@h/db", "mysql://"},
		{"mysql://u:" + secret + "@h", "names no database"},
		{"mysql://u:" + secret + "@h/a/b", "names no database"},
		{"mysql://u:" + secret + "@h:port/db", "%2F"},
		{"mysql://u:" + secret + "/x@h/db", "%2F"},
		{"mysql://u:1/" + secret + "@h/db", "%2F"},
		{"mysql://u:1/x?" + secret + "@h", "%2F"},
		{"mysql://u:1#" + secret + "@h/db", "%2F"},
		{"mysql://u:p@" + secret + "@h/db", "%2F"},
		{"mysql://u:%zz" + secret + "@h/db", "%2F"},
		{"mysql://u:" + secret + "@h/db?sslmode=require", `no parameter "sslmode"`},
		{"mysql://u:" + secret + "@h/db?tls=yes", `tls is "yes"`},
		{"mysql://u:" + secret + "@h/db?tls=%zz", "percent"},
		{"mysql://u:" + secret + "@h/db?tls=skip-verify&ca=" + file, "nobody looks"},
		{"mysql://u:" + secret + "@h/db?ca=" + file, "no certificate"},
		{"mysql://u:" + secret + "@h/db?ca=" + filepath.Join(dir, "none"), "none"},
		{"mysql://u:" + secret + "@h/db?cert=" + file + "&key=" + file, "cert and key"},
		{"mysql://u:" + secret + "@127.0.0.1:1/db", "refused"},
		{"mariadb://u:" + secret + "@127.0.0.1:1/db?tls=true", "MySQL db at 127.0.0.1:1"},
	} {
		checkAddress(t, c.address, c.want)
	}
}

// checkAddress opens what cannot be opened.
func checkAddress(t *testing.T, address, want string) {
	t.Helper()
	s, err := Open(t.Context(), address)
	if err == nil {
		_ = s.Close()
		t.Errorf("%s was opened", address)
		return
	}
	if msg := err.Error(); !strings.Contains(msg, want) || strings.Contains(msg, secret) || strings.Contains(msg, "\n") {
		t.Errorf("%s: %q, want %q in a line without the password", address, msg, want)
	}
}

func TestMySQLConfig(t *testing.T) {
	for address, want := range map[string]string{
		"mysql://h/db":                    "tcp h:3306 db fallback skip",
		"mysql://u:p@h:33/db":             "tcp h:33 db fallback skip",
		"mysql://[::1]/db?tls=true":       "tcp [::1]:3306 db verify",
		"mysql://h/db?tls=false":          "tcp h:3306 db plain",
		"mysql://h/db?tls=skip-verify":    "tcp h:3306 db skip",
		"mysql://u@localhost/db?socket=s": "unix s db plain",
	} {
		cfg, err := mysqlConfig(address)
		must(t, err)
		got := cfg.Net + " " + cfg.Addr + " " + cfg.DBName
		if cfg.AllowFallbackToPlaintext {
			got += " fallback"
		}
		switch {
		case cfg.TLS == nil:
			got += " plain"
		case cfg.TLS.InsecureSkipVerify:
			got += " skip"
		default:
			got += " verify"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	cfg, err := mysqlConfig("mysql://a%40b:p%2F%3F@h/db")
	must(t, err)
	if cfg.User != "a@b" || cfg.Passwd != "p/?" {
		t.Errorf("%q, %q", cfg.User, cfg.Passwd)
	}
}

func TestStatements(t *testing.T) {
	keys, columns := []string{"a", "b"}, []string{"c", "d"}
	for _, c := range []struct{ got, want string }{
		{sqliteDialect.put("t", 1, keys, columns), "INSERT INTO t (a, b, c, d) VALUES (?, ?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET c = excluded.c, d = excluded.d"},
		{sqliteDialect.put("t", 2, keys, nil), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING"},
		{mysqlDialect.put("t", 1, keys, columns), "INSERT INTO t (a, b, c, d) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE c = VALUES(c), d = VALUES(d)"},
		{mysqlDialect.put("t", 1, keys, nil), "INSERT INTO t (a, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE a = a"},
		{(&dialect{numbered: true}).sql("a = ? AND b = ?"), "a = $1 AND b = $2"},
		{sqliteDialect.sql("a = ?"), "a = ?"},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		s    string
		most int
		want string
	}{
		{"", 3, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"äöü", 3, "ä"}, {"a\n\x00b", 9, "a  b"}, {"\xff", 9, "\uFFFD"}, {"abc", 0, ""},
	} {
		if got := cut(c.s, c.most); got != c.want {
			t.Errorf("%q in %d bytes is %q, want %q", c.s, c.most, got, c.want)
		}
	}
}

// Times are kept to the microsecond, from year 1 to 9999.
func TestMoment(t *testing.T) {
	for _, want := range []time.Time{{}, noon, time.Unix(0, 0).UTC(), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)} {
		if got := moment(micros(want)); !got.Equal(want) || got.IsZero() != want.IsZero() {
			t.Errorf("%v became %v", want, got)
		}
	}
}

// FuzzAddress: no address panics, and none leaves its password in an error. Nothing
// is connected to: those that are well-formed are not opened.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"mysql://u:PW@h/db", "mysql://u:1/PW@h", "mysql://u:x@PW@h/db?tls=1", "mysql://PW", "postgres://u:PW@h:1/db?sslmode=x", "mysql://h/db?PW@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		const pw = "Xq7-Zk9"
		rest, ok := strings.CutPrefix(strings.Replace(address, "PW", pw, 1), "mysql:")
		if !ok || strings.ContainsAny(rest, "\r\n") {
			return
		}
		// A password is between a colon and the last @, but what follows an @ and then
		// a / or ? is in a parameter.
		user, _, found := strings.Cut(rest[:strings.LastIndexByte(rest, '@')+1], pw)
		_, after, _ := strings.Cut(user, "@")
		if !found || !strings.Contains(user, ":") || strings.ContainsAny(after, "/?#") {
			return
		}
		err := unambiguous(rest)
		if err == nil {
			_, err = mysqlConfig("mysql:" + rest)
		}
		if err != nil && strings.Contains(err.Error(), pw) {
			t.Errorf("%q: %v", rest, err)
		}
	})
}
