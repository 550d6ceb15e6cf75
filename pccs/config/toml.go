package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/feidi-dev/feidi/internal/mistake"
	"github.com/feidi-dev/feidi/internal/text"
)

// maxNesting is how deep brackets may nest, in either format: a configuration
// takes four.
const maxNesting = 16

// readTOML reads a file in TOML.
func (r *reader) readTOML(b []byte) {
	entries, ok := r.tomlEntries(b)
	if !ok {
		return
	}
	r.read(entries, tomlRules, nil)
}

// tomlEntries flattens a file.
func (r *reader) tomlEntries(b []byte) (entries []entry, ok bool) {
	if mistake.Nested(b, maxNesting) {
		r.fail("its brackets nest too deep")
		return nil, false
	}
	// The parser below knows the words of the language; whether they make sense
	// together, and nothing is there twice, the decoder says.
	if err := toml.Unmarshal(b, &map[string]any{}); err != nil {
		line, _, reason := mistake.NoTOML(err)
		r.at.line = line
		r.fail(reason)
		return nil, false
	}
	var p unstable.Parser
	table := ""
	for p.Reset(b); p.NextExpression(); {
		e := p.Expression()
		name, at := keyOf(&p, e)
		switch e.Kind {
		case unstable.Table:
			table = name
			if !isTable(name) {
				r.at = entry{key: name, line: at}
				r.fail("there is no such table" + nearest(name, tables()))
			}
		case unstable.ArrayTable:
			r.at = entry{key: name, line: at}
			r.fail("there are no lists of tables: write [" + text.Line(name, 40) + "]")
			table = name
		case unstable.KeyValue:
			if table != "" && !isTable(table) {
				continue // was reported
			}
			entries = flattenTOML(&p, entries, join(table, name), at, e.Value())
		}
	}
	return entries, len(r.errs) == 0
}

// keyOf is the name of an expression, and its line.
func keyOf(p *unstable.Parser, e *unstable.Node) (name string, at int) {
	for keys := e.Key(); keys.Next(); {
		n := keys.Node()
		if at == 0 {
			at = p.Shape(n.Raw).Start.Line
		}
		part := string(n.Data)
		if strings.ContainsAny(part, `."`) {
			part = strconv.Quote(part)
		}
		name = join(name, part)
	}
	return name, at
}

func flattenTOML(p *unstable.Parser, entries []entry, key string, at int, n *unstable.Node) []entry {
	if n.Kind != unstable.InlineTable {
		return append(entries, entry{key, at, valueOf(n)})
	}
	for c := n.Children(); c.Next(); {
		name, line := keyOf(p, c.Node())
		entries = flattenTOML(p, entries, join(key, name), max(line, at), c.Node().Value())
	}
	return entries
}

func valueOf(n *unstable.Node) value {
	switch n.Kind {
	case unstable.String:
		return value{kind: textual, text: string(n.Data)}
	case unstable.Bool:
		return value{kind: boolean, text: string(n.Data)}
	case unstable.Integer:
		return value{kind: number, text: strings.ReplaceAll(string(n.Data), "_", "")}
	case unstable.Array:
		v := value{kind: list}
		for c := n.Children(); c.Next(); {
			v.items = append(v.items, valueOf(c.Node()))
		}
		return v
	}
	return value{}
}

func join(table, key string) string {
	if table == "" {
		return key
	}
	return table + "." + key
}

func tables() (names []string) {
	for _, x := range tomlRules {
		if t, _, ok := strings.Cut(x.key, "."); ok && !slices.Contains(names, t) {
			names = append(names, t)
		}
	}
	return names
}

func isTable(name string) bool { return slices.Contains(tables(), name) }

// tomlRules are the keys of a file in TOML.
var tomlRules = []rule{
	{"mode", `"LAZY", "REQ" or "OFFLINE"`, setMode},
	{"listen", `a list like ["127.0.0.1:8081"]`, func(r *reader, v value) (reason string) {
		r.c.Listen, reason = v.asTexts()
		if reason == "" && len(r.c.Listen) == 0 {
			reason = "the list is empty"
		}
		for _, a := range r.c.Listen {
			reason = cmp.Or(reason, checkAddress(a))
		}
		return reason
	}},
	{"tls.cert", "the name of a file", setFile(func(c *Config) *string { return &c.TLSCert })},
	{"tls.key", "the name of a file", setFile(func(c *Config) *string { return &c.TLSKey })},
	{"tls.off", "true or false", setBool(func(c *Config) *bool { return &c.PlainHTTP })},
	{"database.address", `"sqlite:FILE", "postgres://..." or "mysql://..."`, setDatabase},
	{"database.password_file", "the name of a file", setFile(func(c *Config) *string { return &c.passwordFile })},
	{"upstream.url", `an address like "https://api.trustedservices.intel.com"`, setUpstream},
	{"upstream.api_key_file", "the name of a file", setFile(func(c *Config) *string { return &c.keyFile })},
	{"upstream.proxy", `an address like "http://proxy:3128"`, setProxy},
	{"upstream.roots", `names of files like ["root.pem"]`, func(r *reader, v value) string {
		files, reason := v.asTexts()
		r.c.Roots = nil
		for _, f := range files {
			r.c.Roots = append(r.c.Roots, r.path(f))
		}
		return reason
	}},
	{"upstream.timeout", `a duration like "30s"`, setDuration(func(c *Config) *time.Duration { return &c.Timeout }, time.Millisecond)},
	{"upstream.attempts", "a number like 4", setCount(func(c *Config) *int { return &c.Attempts })},
	{"tokens.user_sha512", "what `feidi pccs token` says", setHash(func(c *Config) *string { return &c.UserSHA512 })},
	{"tokens.admin_sha512", "what `feidi pccs token` says", setHash(func(c *Config) *string { return &c.AdminSHA512 })},
	{"freshness.refresh_after", `a duration like "24h"`, setDuration(func(c *Config) *time.Duration { return &c.RefreshAfter }, time.Minute)},
	{"freshness.certs_after", `a duration like "7d"`, setDuration(func(c *Config) *time.Duration { return &c.CertsAfter }, time.Minute)},
	{"freshness.max_stale", `a duration like "7d"`, setDuration(func(c *Config) *time.Duration { return &c.MaxStale }, 0)},
	{"freshness.expired", `"warn" or "refuse"`, func(r *reader, v value) string {
		s, reason := v.asText()
		if reason == "" && s != "warn" && s != "refuse" {
			reason = quote(s) + " is neither"
		}
		r.c.RefuseExpired = s == "refuse"
		return reason
	}},
	{"freshness.max_expired", `a duration like "30d"`, setDuration(func(c *Config) *time.Duration { return &c.MaxExpired }, 0)},
	{"limits.body", `a size like "2MiB", up to 1GiB`, setBody},
	{"limits.header_timeout", `a duration like "10s"`, setDuration(func(c *Config) *time.Duration { return &c.HeaderTimeout }, time.Millisecond)},
	{"limits.request_timeout", `a duration like "15s"`, setDuration(func(c *Config) *time.Duration { return &c.RequestTimeout }, time.Millisecond)},
	{"limits.idle_timeout", `a duration like "60s"`, setDuration(func(c *Config) *time.Duration { return &c.IdleTimeout }, time.Millisecond)},
	{"limits.requests", "a number like 256", setCount(func(c *Config) *int { return &c.MaxRequests })},
	{"limits.connections", "a number like 1024", setCount(func(c *Config) *int { return &c.MaxConnections })},
	{"limits.drain", `a duration like "30s"`, setDuration(func(c *Config) *time.Duration { return &c.Drain }, time.Millisecond)},
	{"limits.cache_time", `a duration like "1s"`, setDuration(func(c *Config) *time.Duration { return &c.CacheTime }, 0)},
	{"log.level", `"debug", "info", "warn" or "error"`, setLevel},
}

// Keys are the keys of a file in TOML, with dots behind the names of tables.
func Keys() []string {
	keys := make([]string, len(tomlRules))
	for i := range tomlRules {
		keys[i] = tomlRules[i].key
	}
	return keys
}
