package config

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/pccs"
)

// Each of these makes a rule's set of where the value goes.

func setFile(to func(*Config) *string) func(*reader, value) string {
	return func(r *reader, v value) string {
		s, reason := v.asText()
		*to(r.c) = r.path(s)
		return reason
	}
}

func setBool(to func(*Config) *bool) func(*reader, value) string {
	return func(r *reader, v value) string {
		if v.kind != boolean {
			return v.not()
		}
		*to(r.c) = v.text == "true"
		return ""
	}
}

func setDuration(to func(*Config) *time.Duration, least time.Duration) func(*reader, value) string {
	return func(r *reader, v value) string {
		s, reason := v.asText()
		if reason != "" {
			return reason
		}
		d, ok := parseDuration(s)
		switch {
		case !ok:
			return quote(s) + " is no duration"
		case d < least:
			return fmt.Sprintf("%s is less than %v", quote(s), least)
		}
		*to(r.c) = d
		return ""
	}
}

func setCount(to func(*Config) *int) func(*reader, value) string {
	return func(r *reader, v value) string {
		n, err := strconv.ParseInt(v.text, 10, 32)
		switch {
		case v.kind != number:
			return v.not()
		case err != nil || n < 1 || n > 1<<20:
			return quote(v.text) + " is not from 1 to 1048576"
		}
		*to(r.c) = int(n)
		return ""
	}
}

func setHash(to func(*Config) *string) func(*reader, value) string {
	return func(r *reader, v value) string {
		s, reason := v.asText()
		if reason == "" {
			*to(r.c), reason = parseHash(s)
		}
		return reason
	}
}

// asText is the text of a value, or what is wrong.
func (v value) asText() (s, reason string) {
	switch {
	case v.kind != textual:
		return "", v.not()
	case strings.ContainsRune(v.text, 0):
		return "", "there is a zero byte in it"
	}
	return v.text, ""
}

// asTexts is the same for a list of texts, or one of them.
func (v value) asTexts() (s []string, reason string) {
	if v.kind == textual {
		v.items = []value{v}
	} else if v.kind != list {
		return nil, v.not()
	}
	for _, item := range v.items {
		t, reason := item.asText()
		if reason != "" {
			return nil, reason
		}
		s = append(s, t)
	}
	return s, ""
}

func (v value) not() string { return v.kind.String() + " does not belong here" }

// parseDuration takes what Go takes and days, up to 100 years.
func parseDuration(s string) (time.Duration, bool) {
	const most = 36500 * 24 * time.Hour
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil && n <= 36500
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= 0 && d <= most
}

// parseSize takes bytes, and what has a unit: k, KB and KiB are the same, as
// Intel's service has it. At most 1 GiB.
func parseSize(s string) (n int64, ok bool) {
	digits, unit := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(s)), "B"), "I"), 0
	for i, letter := range []string{"K", "M", "G"} {
		if d, ok := strings.CutSuffix(digits, letter); ok {
			digits, unit = d, 10*(i+1)
		}
	}
	u, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 31)
	if err != nil || u == 0 || u > 1<<30>>unit {
		return 0, false
	}
	return int64(u) << unit, true
}

// parseHash takes a SHA-512 in any case; none is none.
func parseHash(s string) (hash, reason string) {
	b, err := hex.DecodeString(s)
	if s != "" && (err != nil || len(b) != 64) {
		return "", "this is no SHA-512, which has 128 hexadecimal digits"
	}
	return strings.ToLower(s), ""
}

func parseMode(s string) (pccs.Mode, bool) {
	m := pccs.Mode(strings.ToUpper(s))
	return m, m == pccs.Lazy || m == pccs.Req || m == pccs.Offline
}

// parseLevel takes the levels of both log packages: Intel's has three below
// debug's, and one between that and info.
func parseLevel(s string) (l slog.Level, ok bool) {
	switch s {
	case "error":
		return slog.LevelError, true
	case "warn":
		return slog.LevelWarn, true
	case "info":
		return slog.LevelInfo, true
	case "debug", "http", "verbose", "silly":
		return slog.LevelDebug, true
	}
	return 0, false
}

// checkAddress says what is wrong with an address to listen at.
func checkAddress(s string) (reason string) {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return quote(s) + " is no address"
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "port " + quote(port) + " is not from 0 to 65535"
	}
	return ""
}

// checkURL says what is wrong with the address of a service or proxy. It shows
// none, since there may be a password in it.
func checkURL(s string, schemes ...string) (reason string) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || len(s) > 2048 {
		return "this is no URL"
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return ""
		}
	}
	return quote(u.Scheme) + " is no scheme for it"
}
