package config_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/config"
)

func checkError(t *testing.T, text string, c *config.Config, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || !errors.Is(err, config.ErrInvalid) {
		t.Errorf("%.60q: %+v, %v, want %q", text, c, err, want)
	}
}

// The file in the package's comment has every setting, and says the defaults
// where they are not names of what is on a machine.
func TestDocumented(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for l := range strings.Lines(string(source)) {
		if s, ok := strings.CutPrefix(l, "//\t"); ok {
			text.WriteString(s)
		}
	}
	c, err := config.Parse("/etc/feidi/pccs.toml", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.File = "/etc/feidi/pccs.toml"
	want.TLSCert, want.TLSKey = "/etc/feidi/tls.crt", "/etc/feidi/tls.key"
	want.Database, want.Proxy, want.Roots = "postgres://feidi@db/feidi", "http://proxy:3128", []string{"/etc/feidi/root.pem"}
	if !filepath.IsAbs("/") {
		t.Skip("names of files differ here")
	}
	if got, want := fmt.Sprintf("%#v", strip(c)), fmt.Sprintf("%#v", strip(want)); got != want {
		t.Errorf("it is\n%s, want\n%s", got, want)
	}
	for _, key := range config.Keys() {
		if _, name, ok := strings.Cut(key, "."); ok {
			key = name
		}
		if !strings.Contains(text.String(), "\n"+key+" ") && !strings.HasPrefix(text.String(), key+" ") {
			t.Errorf("it lacks %s", key)
		}
	}
}

// strip is c with its exported fields alone.
func strip(c *config.Config) config.Config {
	out, v := config.Config{}, reflect.ValueOf(*c)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			reflect.ValueOf(&out).Elem().Field(i).Set(v.Field(i))
		}
	}
	return out
}

func TestTOML(t *testing.T) {
	abs, err := filepath.Abs("x.db")
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.Repeat("ab", 64)
	for text, want := range map[string]func(*config.Config){
		"":                                       func(*config.Config) {},
		"mode = 'req'":                           func(c *config.Config) { c.Mode = pccs.Req },
		"listen = ':1'":                          func(c *config.Config) { c.Listen = []string{":1"} },
		"listen = ['[::1]:1', 'a:2']":            func(c *config.Config) { c.Listen = []string{"[::1]:1", "a:2"} },
		"tls.off = true":                         func(c *config.Config) { c.PlainHTTP = true },
		"tls = {off = true}":                     func(c *config.Config) { c.PlainHTTP = true },
		"[tls]\noff = true\n[log]\nlevel='warn'": func(c *config.Config) { c.PlainHTTP, c.LogLevel = true, slog.LevelWarn },
		"[database]\naddress = 'postgres://u@h/d?sslmode=disable'":      func(c *config.Config) { c.Database = "postgres://u@h/d?sslmode=disable" },
		"[database]\naddress = 'sqlite:" + filepath.ToSlash(abs) + "'":  func(c *config.Config) { c.Database = "sqlite:" + filepath.ToSlash(abs) },
		"[database]\naddress = 'x.db'":                                  func(c *config.Config) { c.Database = "sqlite:" + filepath.Join("dir", "x.db") },
		"[upstream]\nroots = 'a.pem'":                                   func(c *config.Config) { c.Roots = []string{filepath.Join("dir", "a.pem")} },
		"[upstream]\nattempts = 1_0":                                    func(c *config.Config) { c.Attempts = 10 },
		"[tokens]\nadmin_sha512 = '" + strings.ToUpper(hash) + "'":      func(c *config.Config) { c.AdminSHA512 = hash },
		"[freshness]\nmax_stale = '7d'\nexpired = 'refuse'":             func(c *config.Config) { c.MaxStale, c.RefuseExpired = 7*24*time.Hour, true },
		"[limits]\nbody = 1000\ncache_time = '0s'\nidle_timeout = '1h'": func(c *config.Config) { c.MaxBody, c.CacheTime, c.IdleTimeout = 1000, 0, time.Hour },
		"[limits]\nbody = '64k'":                                        func(c *config.Config) { c.MaxBody = 64 << 10 },
		"[limits]\nbody = '1 GiB'":                                      func(c *config.Config) { c.MaxBody = 1 << 30 },
	} {
		got, err := config.Parse(filepath.Join("dir", "f.toml"), []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		c := config.Default()
		c.File = got.File
		if want(c); !reflect.DeepEqual(got, c) {
			t.Errorf("%q is\n%+v, want\n%+v", text, got, c)
		}
	}
}

func TestTOMLErrors(t *testing.T) {
	for text, want := range map[string]string{
		"# first\nmoode = 'LAZY'":            `f.toml:2: moode: there is no such setting: is mode meant?`,
		"[freshness]\nrefreshAfter = '1h'":   `f.toml:2: freshness.refreshAfter: there is no such setting: is freshness.refresh_after meant?`,
		"admin_sha512 = ''":                  `f.toml:1: admin_sha512: there is no such setting: is tokens.admin_sha512 meant?`,
		"[limit]\nbody = 1":                  `f.toml:1: limit: there is no such table: is limits meant?`,
		"[nonsense]":                         `f.toml:1: nonsense: there is no such table`,
		"[[log]]\nlevel = 'info'":            `f.toml:1: log: there are no lists of tables: write [log]`,
		"mode = 1":                           `f.toml:1: mode: a number does not belong here: write "LAZY", "REQ" or "OFFLINE"`,
		"\nmode = 'often'":                   `f.toml:2: mode: "often" is no mode`,
		"mode = 'LAZY'\nmode = 'REQ'":        `f.toml:2: no TOML: `,
		"mode = ":                            `f.toml:1: no TOML: `,
		"mode = 1979-05-27":                  `f.toml:1: mode: this does not belong here`,
		"listen = []":                        `f.toml:1: listen: the list is empty`,
		"listen = ['localhost']":             `f.toml:1: listen: "localhost" is no address: write a list like`,
		"listen = ['localhost:http2']":       `f.toml:1: listen: port "http2" is not from 0 to 65535`,
		"listen = ['a:1', 2]":                `f.toml:1: listen: a number does not belong here`,
		"tls.off = 1":                        `f.toml:1: tls.off: a number does not belong here: write true or false`,
		"[tls]\ncert = 'x'":                  `f.toml: tls.cert and tls.key go together`,
		"[tls]\ncert = \"a\\u0000b\"":        `f.toml:2: tls.cert: there is a zero byte in it`,
		"[database]\naddress = 'oracle://x'": `f.toml:2: database.address: "oracle" is no database that is known: write "sqlite:FILE"`,
		"[database]\naddress = 'mysql:x'":    `f.toml:2: database.address: this is no address of a mysql server`,
		"[database]\naddress = 'sqlite:'":    `f.toml:2: database.address: it names no file`,
		"[database]\naddress = ''":           `f.toml:2: database.address: there is none`,
		"[database]\naddress = 'mysql://u:p@h/d'\npassword_file = 'x'": `f.toml: database.password_file: database.address has a password`,
		"[database]\npassword_file = 'x'":                              `f.toml: database.password_file: `,
		"[upstream]\nurl = 'intel'":                                    `f.toml:2: upstream.url: this is no URL`,
		"[upstream]\nproxy = 'x://y'":                                  `f.toml:2: upstream.proxy: "x" is no scheme for it`,
		"[upstream]\nattempts = 0":                                     `f.toml:2: upstream.attempts: "0" is not from 1 to 1048576`,
		"[upstream]\ntimeout = '0s'":                                   `f.toml:2: upstream.timeout: "0s" is less than 1ms`,
		"[tokens]\nuser_sha512 = 'abc'":                                `f.toml:2: tokens.user_sha512: this is no SHA-512, which has 128 hexadecimal digits: write what ` + "`feidi pccs token` says",
		"[freshness]\nexpired = 'perhaps'":                             `f.toml:2: freshness.expired: "perhaps" is neither: write "warn" or "refuse"`,
		"[freshness]\nmax_stale = '-1h'":                               `f.toml:2: freshness.max_stale: "-1h" is no duration`,
		"[freshness]\nmax_stale = '36501d'":                            `f.toml:2: freshness.max_stale: "36501d" is no duration`,
		"[freshness]\nrefresh_after = '1s'":                            `f.toml:2: freshness.refresh_after: "1s" is less than 1m0s`,
		"[limits]\nbody = '2GiB'":                                      `f.toml:2: limits.body: "2GiB" is no size`,
		"[limits]\nbody = 0":                                           `f.toml:2: limits.body: "0" is no size`,
		"[log]\nlevel = 'loud'":                                        `f.toml:2: log.level: "loud" is no level`,
		"x = " + strings.Repeat("[", 200):                              `f.toml: its brackets nest too deep`,
		strings.Repeat("#", 300<<10):                                   `f.toml: it has more than 262144 bytes`,
		"a = 1\nb = 2\nc = 3":                                          `f.toml:1: a: there is no such setting (and 2 more)`,
		"'tls.off' = true":                                             `f.toml:1: "tls.off": there is no such setting`,
	} {
		c, err := config.Parse("f.toml", []byte(text))
		checkError(t, text, c, err, want)
	}
}

func TestSet(t *testing.T) {
	c := config.Default()
	c.Database, c.DatabasePassword = "mysql://u@h/d", "x"
	for _, s := range [][]string{{"database.address", "a.db"}, {"listen", ":1", ":2"}, {"upstream.roots", "r.pem"}, {"mode", "req"}, {"upstream.url", "http://x/sgx/certification/v3"}} {
		if err := c.Set(s[0], s[1:]...); err != nil {
			t.Error(err)
		}
	}
	want := config.Default()
	want.Database, want.Listen, want.Roots, want.Mode = "sqlite:a.db", []string{":1", ":2"}, []string{"r.pem"}, pccs.Req
	want.Upstream, want.Notices = "http://x/sgx/certification/v4/", c.Notices
	if len(c.Notices) != 1 || !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
	if err := c.Set("mode", "often"); err == nil || err.Error() != `"often" is no mode: write "LAZY", "REQ" or "OFFLINE"` {
		t.Error(err)
	}
	if err := c.Set("mood", "LAZY"); !errors.Is(err, config.ErrInvalid) {
		t.Error(err)
	}
}

// No way of printing a configuration shows a secret.
func TestSecret(t *testing.T) {
	c := config.Default()
	c.APIKey = "SeSaMe"
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(format, c); strings.Contains(s, "SeSaMe") {
			t.Errorf("%s shows it: %s", format, s)
		}
	}
	for address, want := range map[string]string{
		"mysql://u:p@h/d": "mysql://u:xxxxx@h/d", "postgres://h/d": "postgres://h/d", "sqlite:a@b:c": "sqlite:a@b:c", "http://u:p@[h": "(hidden)",
		"postgres://h/d?user=u&password=p&sslmode=disable": "postgres://h/d?user=u&password=xxxxx&sslmode=disable",
		"postgres://u@h/d?sslpassword=p":                   "postgres://u@h/d?sslpassword=xxxxx", "postgres://u@h/d?PassWord=p&p%61ssword=q": "postgres://u@h/d?PassWord=xxxxx&p%61ssword=xxxxx",
		"mysql://h/d?tls=true&ca=a%2Fb": "mysql://h/d?tls=true&ca=a%2Fb",
	} {
		if got := config.Shown(address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}
