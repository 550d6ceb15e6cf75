package config

import (
	"net/url"
	"strings"
)

// What both formats have, by whatever name.

func setMode(r *reader, v value) string {
	s, reason := v.asText()
	if reason != "" {
		return reason
	}
	m, ok := parseMode(s)
	if !ok {
		return quote(s) + " is no mode"
	}
	r.c.Mode = m
	return ""
}

func setLevel(r *reader, v value) string {
	s, reason := v.asText()
	if reason != "" {
		return reason
	}
	l, ok := parseLevel(s)
	if !ok {
		return quote(s) + " is no level"
	}
	r.c.LogLevel = l
	return ""
}

// setBody takes a number of bytes, too.
func setBody(r *reader, v value) string {
	if v.kind != textual && v.kind != number {
		return v.not()
	}
	n, ok := parseSize(v.text)
	if !ok {
		return quote(v.text) + " is no size"
	}
	r.c.MaxBody = n
	return ""
}

func setProxy(r *reader, v value) string {
	s, reason := v.asText()
	if reason == "" && s != "" {
		reason = checkURL(s, "http", "https", "socks5", "socks5h")
	}
	r.c.Proxy = s
	return reason
}

// setUpstream takes the address of a service. One of version 3 would be of no
// use: Intel ended it.
func setUpstream(r *reader, v value) string {
	s, reason := v.asText()
	if reason == "" {
		reason = checkURL(s, "https", "http")
	}
	if reason != "" {
		return reason
	}
	r.c.Upstream = s
	if before, ok := strings.CutSuffix(strings.TrimRight(s, "/"), "/sgx/certification/v3"); ok {
		r.c.Upstream = before + "/sgx/certification/v4/"
		r.notice("version 3 of the interface is retired: version 4 is asked")
	}
	return ""
}

func setDatabase(r *reader, v value) string {
	s, reason := v.asText()
	if reason != "" {
		return reason
	}
	r.c.DatabasePassword, r.c.IntelDatabase = "", "" // of another
	switch scheme, rest, ok := strings.Cut(s, ":"); {
	case s == "":
		return "there is none"
	case ok && (scheme == "postgres" || scheme == "postgresql" || scheme == "mysql"):
		if _, err := url.Parse(s); err != nil || !strings.HasPrefix(rest, "//") {
			return "this is no address of a " + scheme + " server"
		}
		r.c.Database = s
	case ok && scheme == "sqlite":
		if rest == "" || rest == ":memory:" {
			return "it names no file"
		}
		r.c.Database = "sqlite:" + r.path(rest)
	case ok && strings.HasPrefix(rest, "//"):
		return quote(scheme) + " is no database that is known"
	default:
		r.c.Database = "sqlite:" + r.path(s)
	}
	return ""
}
