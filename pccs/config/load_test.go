package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/pccs"
	"github.com/feidi-dev/feidi/pccs/config"
)

// write makes files below dir, of which only the owner may read any.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSecretsOfFiles(t *testing.T) {
	dir, hash := t.TempDir(), strings.Repeat("0a", 64)
	write(t, dir, map[string]string{
		"a.toml":    "[database]\naddress = 'postgres://feidi@h/d'\npassword_file = 'pw'\n[upstream]\napi_key_file = 'key'",
		"b.toml":    "[database]\naddress = 'postgres://feidi:1@h/d'\n[tokens]\nuser_sha512 = '" + hash + "'",
		"pw":        "s3 cret\r\n",
		"key":       "KEY",
		"c/api_key": "other\n", "c/database_password": "other", "c/admin_sha512": strings.ToUpper(hash) + "\n",
		"c/tls_cert": "x", "c/tls_key": "x",
	})
	creds := filepath.Join(dir, "c")
	c, err := config.Load(filepath.Join(dir, "a.toml"), creds)
	if err != nil {
		t.Fatal(err)
	}
	if c.APIKey != "KEY" || c.DatabaseAddress() != "postgres://feidi:s3%20cret@h/d" || c.AdminSHA512 != hash || c.TLSKey != filepath.Join(creds, "tls_key") {
		t.Errorf("%+v, key %q, %s", c, string(c.APIKey), c.DatabaseAddress())
	}
	if want := []string{"from $CREDENTIALS_DIRECTORY: admin_sha512", "from $CREDENTIALS_DIRECTORY: tls_cert", "from $CREDENTIALS_DIRECTORY: tls_key"}; !slices.Equal(c.Notices, want) {
		t.Errorf("notices %q", c.Notices)
	}
	// What the file says is not overridden.
	if c, err = config.Load(filepath.Join(dir, "b.toml"), creds); err != nil {
		t.Fatal(err)
	}
	if c.DatabaseAddress() != "postgres://feidi:1@h/d" || string(c.APIKey) != "other" || !slices.Contains(c.Notices, "the credential database_password is not used: the configuration has another") {
		t.Errorf("%+v, key %q, %s", c, string(c.APIKey), c.DatabaseAddress())
	}
	if c, err = config.LoadDefault(""); err != nil || len(c.Notices) > 0 {
		t.Errorf("without a file: %+v, %v", c, err)
	}

	for name, want := range map[string]string{
		"two\nlines": "a secret of one line is wanted", "": "a secret of one line is wanted", strings.Repeat("x", 5000): "too large",
	} {
		write(t, dir, map[string]string{"key": name})
		if _, err := config.Load(filepath.Join(dir, "a.toml"), ""); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "key: ") {
			t.Errorf("%.20q: %v, want %s", name, err, want)
		}
	}
	write(t, dir, map[string]string{"c/admin_sha512": "abc"})
	if _, err := config.LoadDefault(creds); err == nil || !strings.Contains(err.Error(), "admin_sha512: this is no SHA-512") {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(creds, "tls_key")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"c/admin_sha512": hash})
	if _, err := config.LoadDefault(creds); err == nil || !strings.Contains(err.Error(), "go together") {
		t.Error(err)
	}
	if _, err := config.Load(filepath.Join(dir, "nothing.toml"), ""); err == nil || !strings.Contains(err.Error(), "nothing.toml") {
		t.Error(err)
	}
}

// Beside Intel's file are its certificate, its database and what goes before.
func TestIntelFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"config/default.json": intel127, "config/production.json": "{\n // none\n \"CachingFillMode\": \"REQ\",\n \"ApiKey\": \"k\" }",
		"ssl_key/file.crt": "x", "ssl_key/private.pem": "x",
	})
	file := filepath.Join(dir, "config", "default.json")
	c, err := config.Load(file, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Mode != pccs.Req || c.TLSCert != filepath.Join(dir, "ssl_key", "file.crt") || c.TLSKey != filepath.Join(dir, "ssl_key", "private.pem") || len(c.Notices) != 1 {
		t.Errorf("%+v", c)
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if c, err = config.Load(file, ""); err != nil || !strings.Contains(c.Notices[len(c.Notices)-1], "everybody can read it") {
			t.Errorf("%v, %v", c.Notices, err)
		}
	}
	write(t, dir, map[string]string{"config/production.json": "{\n\n\"hsots\": \"\"}"})
	if _, err = config.Load(file, ""); err == nil || !strings.Contains(err.Error(), "production.json:3: hsots: there is no such setting: is hosts meant?") {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "config", "production.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "config", "production.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err = config.Load(file, ""); err == nil || strings.Contains(err.Error(), fs.ErrNotExist.Error()) {
		t.Error(err)
	}
}

// Of each file with a secret it is told that everybody can read it.
func TestReadable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no such modes here")
	}
	dir := t.TempDir()
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		told       int
	}{
		{"plain", "mode = 'REQ'", 0o644, 0},
		{"proxy", "[upstream]\nproxy = 'http://u:p@h:1'", 0o644, 1},
		{"proxy of ours", "[upstream]\nproxy = 'http://u:p@h:1'", 0o640, 0},
		{"parameter", "[database]\naddress = 'postgres://u@h/d?password=p'", 0o644, 1},
		{"key", "[upstream]\napi_key_file = 'open'", 0o600, 1},
		{"password", "[database]\naddress = 'mysql://u@h/d'\npassword_file = 'open'", 0o600, 1},
		{"closed", "[upstream]\napi_key_file = 'closed'", 0o644, 0},
	} {
		file := filepath.Join(dir, c.name+".toml")
		for name, mode := range map[string]os.FileMode{file: c.mode, filepath.Join(dir, "open"): 0o644, filepath.Join(dir, "closed"): 0o600} {
			if err := os.WriteFile(name, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if name != file {
				if err := os.WriteFile(name, []byte("secret\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
		got, err := config.Load(file, "")
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, n := range got.Notices {
			if strings.Contains(n, "everybody can read it") {
				told++
			}
		}
		if told != c.told {
			t.Errorf("%s: notices %q, want %d of files", c.name, got.Notices, c.told)
		}
	}
}
