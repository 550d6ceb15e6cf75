package config

import (
	"log/slog"
	"time"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pcs"
)

// Config is how a service is to run. See the package's comment for what each
// setting means.
type Config struct {
	File   string // that it is from; empty for the defaults
	Mode   pccs.Mode
	Listen []string // addresses

	PlainHTTP       bool   // no TLS
	TLSCert, TLSKey string // files; empty: make a pair

	Database         string // an address; empty: a file in the state directory
	DatabasePassword Secret // that the address does not have
	IntelDatabase    string // the file that Intel's service has, beside which Database is; empty if there is none

	Upstream string // URL
	APIKey   Secret
	Proxy    string   // URL; empty: what the environment says
	Roots    []string // files; none: Intel's root
	Timeout  time.Duration
	Attempts int

	UserSHA512, AdminSHA512 string // 128 digits, lower case; empty: nobody may

	RefreshAfter, CertsAfter, MaxStale time.Duration
	RefuseExpired                      bool
	MaxExpired                         time.Duration

	MaxBody                                           int64 // bytes
	HeaderTimeout, RequestTimeout, IdleTimeout, Drain time.Duration
	MaxRequests, MaxConnections                       int
	CacheTime                                         time.Duration
	LogLevel                                          slog.Level

	// Notices are what a person should know of the file, one line each: what
	// of Intel's file has no meaning here, and where secrets are from.
	Notices []string

	passwordFile, keyFile string // until they are read
}

// Default returns the settings of a service without a file.
func Default() *Config {
	return &Config{
		Mode: pccs.Lazy, Listen: []string{"127.0.0.1:8081"}, Upstream: pcs.IntelURL,
		Timeout: 30 * time.Second, Attempts: 4,
		RefreshAfter: 24 * time.Hour, CertsAfter: 7 * 24 * time.Hour,
		MaxBody: 2 << 20, HeaderTimeout: 10 * time.Second, RequestTimeout: 15 * time.Second,
		IdleTimeout: time.Minute, Drain: 30 * time.Second, MaxRequests: 256, MaxConnections: 1024,
		CacheTime: time.Second, LogLevel: slog.LevelInfo,
	}
}

// Secret is a text that is not shown: use string(s) where it is needed.
type Secret string

// String says only whether there is one.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(hidden)"
}

// GoString is String, so that %#v tells no more.
func (s Secret) GoString() string { return s.String() }

// LogValue is String for logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String for JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
