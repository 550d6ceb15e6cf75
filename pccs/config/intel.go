package config

import (
	"crypto/sha512"
	"encoding/hex"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// intelFile is what of Intel's file is put together at its end.
type intelFile struct {
	host, port string
	use        string // DB_CONFIG
	databases  map[string]*intelDatabase
}

// intelDatabase is a section that DB_CONFIG may name.
type intelDatabase struct {
	at                                   entry // of the section's last setting
	dialect, storage                     string
	host, port, name, user, password, ca string
	tls                                  bool
}

// intelDir is the folder that names in Intel's file are relative to: that in
// which its service runs, above the folder config.
func intelDir(file string) string {
	dir := filepath.Dir(file)
	if abs, err := filepath.Abs(dir); err == nil && filepath.Base(abs) == "config" {
		return filepath.Dir(abs)
	}
	return dir
}

// finishIntel makes addresses of what Intel's file has in pieces.
func (r *reader) finishIntel() {
	f := r.intel
	r.c.Listen = []string{net.JoinHostPort(f.host, f.port)}
	d := f.databases[f.use]
	if d == nil {
		return // the default
	}
	r.at = d.at
	if d.dialect == "" {
		d.dialect = f.use
	}
	switch d.dialect {
	case "sqlite":
		if d.storage != "" {
			r.besideIntel(r.path(d.storage))
		}
		return
	case "mysql", "mariadb", "postgres":
	default:
		r.at.key = f.use + ".options.dialect"
		r.fail(quote(d.dialect) + ` is no database that is known: write "sqlite", "mysql", "mariadb" or "postgres"`)
		return
	}
	u := url.URL{Scheme: "mysql", Host: d.host, Path: "/" + d.name}
	port, ca, tls := "3306", "ca", url.Values{"tls": {"true"}}
	if d.dialect == "postgres" {
		u.Scheme, port, ca, tls = "postgres", "5432", "sslrootcert", url.Values{"sslmode": {"verify-full"}}
	}
	if d.ca != "" {
		tls.Set(ca, r.path(d.ca))
	}
	if d.user != "" {
		u.User = url.User(d.user)
	}
	if d.host == "" {
		u.Host = "localhost"
	}
	if d.port != "" {
		port = d.port
	}
	u.Host = net.JoinHostPort(u.Host, port)
	if d.tls {
		u.RawQuery = tls.Encode()
	}
	r.c.Database, r.c.DatabasePassword = u.String(), Secret(d.password)
}

// besideIntel names the database after that of Intel's service, in whose file
// nothing of this project's is to be.
func (r *reader) besideIntel(file string) {
	r.c.IntelDatabase = file
	r.c.Database = "sqlite:" + filepath.Join(filepath.Dir(file), "feidi-"+filepath.Base(file))
}

// intelIgnored are keys of its sections that set how its library works.
func intelIgnored(key string) bool {
	parts := strings.Split(key, ".")
	return len(parts) >= 3 && slices.Contains(intelSections, parts[0]) && parts[1] == "options" &&
		slices.Contains([]string{"pool", "define", "logging", "retry", "benchmark", "timezone"}, parts[2])
}

var intelSections = []string{"sqlite", "mysql", "mariadb", "postgres"}

// intelRules are the keys of Intel's file, of all versions.
var intelRules = append([]rule{
	{"HTTPS_PORT", "a number like 8081", setPort(func(f *intelFile) *string { return &f.port })},
	{"hosts", `an address like "127.0.0.1"`, func(r *reader, v value) (reason string) {
		r.intel.host, reason = v.asText()
		return reason
	}},
	{"uri", `an address like "https://api.trustedservices.intel.com/sgx/certification/v4/"`, setUpstream},
	{"ApiKey", "a text", func(r *reader, v value) string {
		s, reason := v.asText()
		r.c.APIKey = Secret(s)
		return reason
	}},
	{"proxy", `an address like "http://192.168.1.1:80"`, setProxy},
	{"RefreshSchedule", `a text like "0 0 1 * * *"`, func(r *reader, v value) string {
		s, reason := v.asText()
		if reason == "" && s != "" {
			r.notice("not obeyed: each document is fetched again at its own time, %v after the last at the latest", r.c.RefreshAfter)
		}
		return reason
	}},
	{"UserTokenHash", "what `feidi pccs token` says", setIntelHash(func(c *Config) *string { return &c.UserSHA512 })},
	{"AdminTokenHash", "what `feidi pccs token` says", setIntelHash(func(c *Config) *string { return &c.AdminSHA512 })},
	{"UserToken", "a text", setToken(func(c *Config) *string { return &c.UserSHA512 })},
	{"AdminToken", "a text", setToken(func(c *Config) *string { return &c.AdminSHA512 })},
	{"MaxRequestBodySize", `a size like "2MB", up to 1GB`, setBody},
	{"HeadersTimeoutSeconds", "a number like 10", setSeconds(func(c *Config) *time.Duration { return &c.HeaderTimeout })},
	{"RequestTimeoutSeconds", "a number like 15", setSeconds(func(c *Config) *time.Duration { return &c.RequestTimeout })},
	{"KeepAliveTimeoutSeconds", "a number like 60", setSeconds(func(c *Config) *time.Duration { return &c.IdleTimeout })},
	{"CachingFillMode", `"LAZY", "REQ" or "OFFLINE"`, setMode},
	{"OPENSSL_FIPS_MODE", "true or false", func(r *reader, v value) string {
		if v.kind != boolean {
			return v.not()
		}
		if v.text == "true" {
			r.notice("not obeyed: start it with GODEBUG=fips140=on for the FIPS 140-3 mode of Go's cryptography")
		}
		return ""
	}},
	{"LogLevel", `"error", "warn", "info" or "debug"`, setLevel},
	{"init_db", "true or false", func(r *reader, v value) string {
		if v.kind != boolean {
			return v.not()
		}
		r.notice("not obeyed: tables are made when they are not there")
		return ""
	}},
	{"DB_CONFIG", `"sqlite", "mysql", "mariadb" or "postgres"`, func(r *reader, v value) string {
		s, reason := v.asText()
		if reason == "" && !slices.Contains(intelSections, s) {
			reason = quote(s) + " is no database that is known"
		}
		r.intel.use = s
		return reason
	}},
}, sectionRules()...)

// sectionRules are the keys of the sections with a database.
func sectionRules() (rules []rule) {
	for _, section := range intelSections {
		add := func(key, what string, set func(*reader, *intelDatabase, value) string) {
			rules = append(rules, rule{section + "." + key, what, func(r *reader, v value) string {
				d := r.intel.databases[section]
				if d == nil {
					d = &intelDatabase{}
					r.intel.databases[section] = d
				}
				d.at = r.at
				return set(r, d, v)
			}})
		}
		text := func(key, what string, to func(*intelDatabase) *string) {
			add(key, what, func(_ *reader, d *intelDatabase, v value) (reason string) {
				*to(d), reason = v.asText()
				return reason
			})
		}
		text("database", "a text", func(d *intelDatabase) *string { return &d.name })
		text("username", "a text", func(d *intelDatabase) *string { return &d.user })
		text("password", "a text", func(d *intelDatabase) *string { return &d.password })
		text("options.dialect", `a text like "`+section+`"`, func(d *intelDatabase) *string { return &d.dialect })
		text("options.host", "a text", func(d *intelDatabase) *string { return &d.host })
		text("ssl.ca", "the name of a file", func(d *intelDatabase) *string { return &d.ca })
		add("options.storage", "the name of a file", func(_ *reader, d *intelDatabase, v value) (reason string) {
			if d.storage, reason = v.asText(); reason == "" && d.storage == ":memory:" {
				reason = "a database in memory is gone with the service"
			}
			return reason
		})
		add("options.port", "a number like 3306", func(_ *reader, d *intelDatabase, v value) (reason string) {
			d.port, reason = parsePort(v)
			return reason
		})
		add("ssl.required", "true or false", func(_ *reader, d *intelDatabase, v value) string {
			if v.kind != boolean {
				return v.not()
			}
			d.tls = v.text == "true"
			return ""
		})
	}
	return rules
}

func setPort(to func(*intelFile) *string) func(*reader, value) string {
	return func(r *reader, v value) (reason string) {
		*to(r.intel), reason = parsePort(v)
		return reason
	}
}

func parsePort(v value) (port, reason string) {
	if v.kind != textual && v.kind != number {
		return "", v.not()
	}
	n, err := strconv.ParseUint(v.text, 10, 16)
	if err != nil {
		return "", quote(v.text) + " is no port"
	}
	return strconv.FormatUint(n, 10), ""
}

// setIntelHash takes what is no hash for none, as Intel's service does: what
// works without the token goes on.
func setIntelHash(to func(*Config) *string) func(*reader, value) string {
	return func(r *reader, v value) string {
		s, reason := v.asText()
		if reason != "" {
			return reason
		}
		*to(r.c), reason = parseHash(s)
		if reason != "" {
			r.notice("%s: nobody has this token", reason)
		}
		return ""
	}
}

// setToken takes a token as it is, as the first versions had it.
func setToken(to func(*Config) *string) func(*reader, value) string {
	return func(r *reader, v value) string {
		s, reason := v.asText()
		if reason != "" || s == "" {
			return reason
		}
		sum := sha512.Sum512([]byte(s))
		*to(r.c) = hex.EncodeToString(sum[:])
		r.notice("a token that anybody can read: put its hash there, as %sHash", r.at.key)
		return ""
	}
}

// setSeconds takes 0 for the default: Intel's service waits for ever then.
func setSeconds(to func(*Config) *time.Duration) func(*reader, value) string {
	return func(r *reader, v value) string {
		if v.kind != textual && v.kind != number {
			return v.not()
		}
		n, err := strconv.ParseFloat(v.text, 64)
		switch {
		case err != nil || !(n >= 0 && n <= 86400):
			return quote(v.text) + " is not from 0 to 86400 seconds"
		case n == 0:
			r.notice("not obeyed: nobody may take for ever; it is %v", *to(r.c))
		default:
			*to(r.c) = max(time.Duration(n*float64(time.Second)), time.Millisecond)
		}
		return ""
	}
}
