package config_test

import (
	"crypto/sha512"
	"encoding/hex"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/config"
)

// What Intel's service is delivered with, in the words of this project: keys and
// values are its interface. Version 1.27 has comments and a comma that nothing
// follows, 1.23 a section of MySQL.
const (
	intel127 = `{
    "HTTPS_PORT" : 8081,
    "hosts" : "127.0.0.1",
    "uri": "https://api.trustedservices.intel.com/sgx/certification/v4/",
    "ApiKey": "", "proxy" : "",
    "RefreshSchedule": "0 0 1 * * *",
    "UserTokenHash" : "", "AdminTokenHash" : "",
    "MaxRequestBodySize": "2MB",
    "HeadersTimeoutSeconds": 10, "RequestTimeoutSeconds": 15, "KeepAliveTimeoutSeconds": 60,
    "CachingFillMode" : "LAZY",
    "OPENSSL_FIPS_MODE" : false,
    "LogLevel" : "info",
    "DB_CONFIG" : "sqlite",
    "sqlite" : { "options" : { "dialect": "sqlite", "define": { "freezeTableName": true }, "logging" : false, "storage": "pckcache.db" } },
    //"mysql" : { "database" : "pckcache", // only for some
    //}
    /* and "this": } */
}`
	intel123 = `{
    "HTTPS_PORT" : "9443",
    "hosts" : "::",
    "uri": "https://sbx.api.trustedservices.intel.com/sgx/certification/v3/",
    "ApiKey": "0123456789abcdef0123456789abcdef",
    "proxy" : "http://192.168.1.1:80",
    "RefreshSchedule": "0 0 1 * * *",
    "UserTokenHash" : "HASH", "AdminTokenHash" : "short",
    "CachingFillMode" : "OFFLINE",
    "OPENSSL_FIPS_MODE" : true,
    "LogLevel" : "silly",
    "DB_CONFIG" : "mysql",
    "sqlite" : { "database" : "database", "username" : "username", "password" : "password",
        "options" : { "host": "localhost", "dialect": "sqlite", "pool": { "max": 5, "min": 0, "acquire": 30000, "idle": 10000 }, "storage": "pckcache.db" } },
    "mysql" : { "database" : "pckcache", "username" : "root", "password" : "my@pass/",
        "options" : { "host": "db", "port": "3307", "dialect": "mysql", "pool": { "max": 5 }, "define": { "freezeTableName": true }, "logging" : false },
        "ssl":{ "required": true, "ca":"/etc/ca.pem" } }
}`
)

func TestIntel(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config", "default.json")
	got, err := config.Parse(file, []byte(intel127))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.File = file
	want.Upstream = "https://api.trustedservices.intel.com/sgx/certification/v4/"
	want.IntelDatabase = filepath.Join(dir, "pckcache.db") // where its service runs
	want.Database = "sqlite:" + filepath.Join(dir, "feidi-pckcache.db")
	want.Notices = []string{file + ":6: RefreshSchedule: not obeyed: each document is fetched again at its own time, 24h0m0s after the last at the latest"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("1.27 is\n%+v, want\n%+v", got, want)
	}

	hash := sha512.Sum512([]byte("user"))
	upper := strings.ToUpper(hex.EncodeToString(hash[:]))
	got, err = config.Parse(file, []byte(strings.Replace(intel123, "HASH", upper, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Notices) != 4 || !strings.Contains(got.Notices[0], "v4") && !strings.Contains(got.Notices[0], "version 4") ||
		!strings.Contains(got.Notices[2], "AdminTokenHash: this is no SHA-512") || !strings.Contains(got.Notices[3], "GODEBUG=fips140=on") {
		t.Errorf("1.23 has the notices\n%s", strings.Join(got.Notices, "\n"))
	}
	want = config.Default()
	want.File, want.Notices = file, got.Notices
	want.Listen = []string{"[::]:9443"}
	want.Upstream = "https://sbx.api.trustedservices.intel.com/sgx/certification/v4/"
	want.APIKey, want.Proxy = "0123456789abcdef0123456789abcdef", "http://192.168.1.1:80"
	want.UserSHA512 = strings.ToLower(upper)
	want.Mode, want.LogLevel = pccs.Offline, slog.LevelDebug
	want.Database, want.DatabasePassword = "mysql://root@db:3307/pckcache?ca=%2Fetc%2Fca.pem&tls=true", "my@pass/"
	if !reflect.DeepEqual(got, want) {
		t.Errorf("1.23 is\n%+v, want\n%+v", got, want)
	}
	if a := got.DatabaseAddress(); a != "mysql://root:my%40pass%2F@db:3307/pckcache?ca=%2Fetc%2Fca.pem&tls=true" {
		t.Errorf("address %s", a)
	}
}

func TestIntelSettings(t *testing.T) {
	token := sha512.Sum512([]byte("secret"))
	for text, want := range map[string]func(*config.Config){
		`{}`:                                   func(*config.Config) {},
		"\ufeff// nothing\n{}":                 func(*config.Config) {},
		`{"hosts": "0.0.0.0"}`:                 func(c *config.Config) { c.Listen = []string{"0.0.0.0:8081"} },
		`{"HTTPS_PORT": 1, "hosts": "a",}`:     func(c *config.Config) { c.Listen = []string{"a:1"} },
		`{"CachingFillMode": "REQ"}`:           func(c *config.Config) { c.Mode = pccs.Req },
		`{"MaxRequestBodySize": 4096}`:         func(c *config.Config) { c.MaxBody = 4096 },
		`{"MaxRequestBodySize": "200MB"}`:      func(c *config.Config) { c.MaxBody = 200 << 20 },
		`{"RequestTimeoutSeconds": 1.5}`:       func(c *config.Config) { c.RequestTimeout = 1500 * time.Millisecond },
		`{"KeepAliveTimeoutSeconds": 0}`:       func(*config.Config) {},
		`{"AdminToken": "secret"}`:             func(c *config.Config) { c.AdminSHA512 = hex.EncodeToString(token[:]) },
		`{"DB_CONFIG": "mysql"}`:               func(*config.Config) {}, // Intel's would not start
		`{"mysql": {"options": {"pool": []}}}`: func(*config.Config) {},
		`{"DB_CONFIG": "postgres", "postgres": {"username": "u", "database": "d", "ssl": {"required": true, "ca": "/ca"}}}`: func(c *config.Config) {
			c.Database = "postgres://u@localhost:5432/d?sslmode=verify-full&sslrootcert=%2Fca"
		},
		`{"DB_CONFIG": "mysql", "mysql": {"database": "d", "ssl": {"required": true}}}`:                      func(c *config.Config) { c.Database = "mysql://localhost:3306/d?tls=true" },
		`{"DB_CONFIG": "mysql", "mysql": {"database": "d", "options": {"dialect": "mariadb", "host": "h"}}}`: func(c *config.Config) { c.Database = "mysql://h:3306/d" },
	} {
		got, err := config.Parse("/x/default.json", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		c := config.Default()
		c.File, c.Notices = got.File, got.Notices
		if want(c); !reflect.DeepEqual(got, c) {
			t.Errorf("%s is\n%+v, want\n%+v", text, got, c)
		}
	}
}

func TestIntelErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"HTTPS_PORT": 65536}`:                            `f.json:1: HTTPS_PORT: "65536" is no port: write a number like 8081`,
		"{\n\"HTTPSPORT\": 1}":                             `f.json:2: HTTPSPORT: there is no such setting: is HTTPS_PORT meant?`,
		"{\n\n\"storage\": \"x\"}":                         `f.json:3: storage: there is no such setting: is sqlite.options.storage meant?`,
		`{"hosts": ["a"]}`:                                 `f.json:1: hosts: a list does not belong here: write an address`,
		`{"hosts": null}`:                                  `f.json:1: hosts: this does not belong here: write an address`,
		`{"CachingFillMode": "NEVER"}`:                     `f.json:1: CachingFillMode: "NEVER" is no mode: write "LAZY", "REQ" or "OFFLINE"`,
		`{"uri": "ftp://x"}`:                               `f.json:1: uri: "ftp" is no scheme for it: write an address`,
		`{"uri": "https://user:pw@[x"}`:                    `f.json:1: uri: this is no URL: write an address`,
		`{"sqlite": {"options": {"storage": ":memory:"}}}`: `f.json:1: sqlite.options.storage: a database in memory is gone with the service`,
		`{"DB_CONFIG": "oracle"}`:                          `f.json:1: DB_CONFIG: "oracle" is no database that is known`,
		`{"DB_CONFIG": "mysql", "mysql": {"options": {"dialect": "mssql"}}}`: `f.json:1: mysql.options.dialect: "mssql" is no database that is known`,
		`{"HeadersTimeoutSeconds": -1}`:                                      `f.json:1: HeadersTimeoutSeconds: "-1" is not from 0 to 86400 seconds`,
		"{\n  \"hosts\" \"a\"\n}":                                            `f.json:2: hosts: not JSON: `,
		"{\n  'hosts': \"a\"\n}":                                             `f.json:2: not JSON: `,
		"{\n /* ":                                                            `f.json:2: this comment does not end`,
		`{"hosts": "a", "hosts": "b"}`:                                       `f.json:1: hosts: duplicate key`,
		`{} {}`:                                                              `f.json:1: trailing data`,
		`{"":1}`:                                                             `f.json:1: "": there is no such setting`,
		`{"sqlite.options.storage":"x"}`:                                     `f.json:1: "sqlite.options.storage": there is no such setting`,
		strings.Repeat(`{"a":`, 100):                                         `nested too deeply`,
	} {
		c, err := config.Parse("f.json", []byte(text))
		checkError(t, text, c, err, want)
	}
}
