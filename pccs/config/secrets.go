package config

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// maxSecret is the size of the largest file with a secret, in bytes.
const maxSecret = 4 << 10

// readSecrets reads the files with secrets that are named, or else are
// credentials in dir.
func (c *Config) readSecrets(dir string) error {
	user, admin := Secret(c.UserSHA512), Secret(c.AdminSHA512)
	for _, s := range []struct {
		name, file string
		to         *Secret
		set, hash  bool
	}{
		{"api_key", c.keyFile, &c.APIKey, c.APIKey != "", false},
		{"database_password", c.passwordFile, &c.DatabasePassword, c.hasPassword(), false},
		{"user_sha512", "", &user, user != "", true},
		{"admin_sha512", "", &admin, admin != "", true},
	} {
		if s.file == "" {
			if s.file = c.credential(dir, s.name, s.set); s.file == "" {
				continue
			}
		}
		b, err := atomicfile.Read(s.file, maxSecret)
		if err != nil {
			return err
		}
		if !s.hash {
			c.warnReadable(s.file)
		}
		secret := strings.TrimRight(string(b), "\r\n")
		if secret == "" || strings.ContainsAny(secret, "\r\n\x00") {
			return Errors{{File: s.file, Kind: ErrInvalid, Reason: "a secret of one line is wanted"}}
		}
		if s.hash {
			var reason string
			if secret, reason = parseHash(secret); reason != "" {
				return Errors{{File: s.file, Kind: ErrInvalid, Reason: reason}}
			}
		}
		*s.to = Secret(secret)
	}
	c.UserSHA512, c.AdminSHA512 = string(user), string(admin)
	if c.TLSCert == "" && !c.PlainHTTP {
		cert, key := c.credential(dir, "tls_cert", false), c.credential(dir, "tls_key", false)
		if (cert == "") != (key == "") {
			return fmt.Errorf("%w: the credentials tls_cert and tls_key go together", ErrInvalid)
		}
		c.TLSCert, c.TLSKey = cert, key
	}
	return nil
}

// credential is the file of a credential, if there is one and the setting is
// not made otherwise; the notices say where it is from.
func (c *Config) credential(dir, name string, set bool) string {
	if dir == "" {
		return ""
	}
	file := filepath.Join(dir, name)
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	if set {
		c.Notices = append(c.Notices, "the credential "+name+" is not used: the configuration has another")
		return ""
	}
	c.Notices = append(c.Notices, "from $CREDENTIALS_DIRECTORY: "+name)
	return file
}

// hasPassword reports whether a password of the database is known, or none is
// wanted.
func (c *Config) hasPassword() bool {
	u, err := url.Parse(c.Database)
	if err != nil || c.DatabasePassword != "" || u.Scheme == "sqlite" || u.Scheme == "" {
		return true
	}
	_, has := u.User.Password()
	return has
}

// DatabaseAddress is the address with its password, for who opens it.
func (c *Config) DatabaseAddress() string {
	u, err := url.Parse(c.Database)
	if err != nil || c.DatabasePassword == "" || strings.HasPrefix(c.Database, "sqlite:") {
		return c.Database
	}
	u.User = url.UserPassword(u.User.Username(), string(c.DatabasePassword))
	return u.String()
}

// DatabaseShown is the address without a password.
func (c *Config) DatabaseShown() string { return Shown(c.Database) }

// Shown is the address of a database, service or proxy without a password, be it of
// a user or, as PostgreSQL has it, a parameter.
func Shown(address string) string {
	if strings.HasPrefix(address, "sqlite:") || !strings.ContainsAny(address, "@?") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "(hidden)"
	}
	parameters := strings.Split(u.RawQuery, "&")
	for i, p := range parameters {
		name, _, _ := strings.Cut(p, "=")
		if plain, err := url.QueryUnescape(name); err != nil || strings.Contains(strings.ToLower(plain), "pass") {
			parameters[i] = name + "=xxxxx"
		}
	}
	u.RawQuery = strings.Join(parameters, "&")
	return u.Redacted()
}
