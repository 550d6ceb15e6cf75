package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// MaxFile is the size of the largest file that is read, in bytes.
const MaxFile = 256 << 10

// Parse reads a file in either format; over are Intel's files whose settings
// go before those of b, by name. Errors are of type Errors. Secrets that are in
// other files are not read yet: Load does.
func Parse(name string, b []byte, over ...File) (*Config, error) {
	r := &reader{c: Default(), file: name, dir: filepath.Dir(name)}
	r.c.File = name
	if len(b) > MaxFile {
		r.fail(fmt.Sprintf("it has more than %d bytes", MaxFile))
		return nil, r.errs.Err()
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if !isJSON(b) {
		r.readTOML(b)
		return r.finish()
	}
	r.dir = intelDir(name)
	r.intel = &intelFile{host: "127.0.0.1", port: "8081", use: "sqlite", databases: map[string]*intelDatabase{}}
	for _, f := range append([]File{{name, b}}, over...) {
		r.file = f.Name
		if entries, ok := r.jsonEntries(f.Content); ok {
			r.read(entries, intelRules, intelIgnored)
		}
	}
	r.file = name
	r.finishIntel()
	return r.finish()
}

// File is a file that was read.
type File struct {
	Name    string
	Content []byte
}

// isJSON tells Intel's format, which begins with a bracket or a comment, from
// TOML, which cannot.
func isJSON(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && (b[0] == '{' || b[0] == '/')
}

// finish checks what several settings say together.
func (r *reader) finish() (*Config, error) {
	c := r.c
	whole := func(reason string) {
		r.at = entry{}
		r.fail(reason)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		whole("tls.cert and tls.key go together")
	}
	if c.passwordFile != "" && c.hasPassword() {
		whole("database.password_file: database.address has a password, or takes none: leave one out")
	}
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Load reads a file, and what it names: secrets in other files and, beside
// Intel's default.json, production.json, whose settings go before. dir is
// $CREDENTIALS_DIRECTORY, or empty.
func Load(file, dir string) (*Config, error) {
	b, err := atomicfile.Read(file, MaxFile)
	if errors.Is(err, atomicfile.ErrTooLarge) {
		return nil, Errors{{File: file, Kind: ErrInvalid, Reason: fmt.Sprintf("it has more than %d bytes", MaxFile)}}
	}
	if err != nil {
		return nil, err
	}
	var over []File
	if filepath.Base(file) == "default.json" {
		name := filepath.Join(filepath.Dir(file), "production.json")
		b, err := atomicfile.Read(name, MaxFile)
		switch {
		case err == nil:
			over = append(over, File{name, b})
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	c, err := Parse(file, b, over...)
	if err != nil {
		return nil, err
	}
	if isJSON(bytes.TrimPrefix(b, []byte("\ufeff"))) {
		c.intelPair(intelDir(file))
	}
	if c.APIKey != "" || c.DatabasePassword != "" || c.DatabaseShown() != c.Database || Shown(c.Proxy) != c.Proxy || Shown(c.Upstream) != c.Upstream {
		c.warnReadable(file)
	}
	return c, c.readSecrets(dir)
}

// LoadDefault is Load without a file.
func LoadDefault(dir string) (*Config, error) {
	c := Default()
	return c, c.readSecrets(dir)
}

// intelPair takes the certificate and key of Intel's service, if they are where
// it has them.
func (c *Config) intelPair(dir string) {
	cert, key := filepath.Join(dir, "ssl_key", "file.crt"), filepath.Join(dir, "ssl_key", "private.pem")
	for _, f := range []string{cert, key} {
		if _, err := os.Stat(f); err != nil {
			return
		}
	}
	c.TLSCert, c.TLSKey = cert, key
}

// warnReadable tells that everybody can read a file in which there is a secret.
func (c *Config) warnReadable(file string) {
	info, err := os.Stat(file)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o004 == 0 {
		return
	}
	c.Notices = append(c.Notices, file+": everybody can read it, and there is a secret in it: chmod o-r")
}
