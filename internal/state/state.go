// Package state keeps what the command needs from one run to the next, below
// $XDG_STATE_HOME/feidi: the key that signs what is being developed, and the
// fuses of machines. Both are secrets, and files of mode 0600; a file is
// written whole or not at all.
package state

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/sign"
)

// Dir is the directory of all that is kept.
func Dir() (string, error) {
	if d := os.Getenv("XDG_STATE_HOME"); d != "" {
		return filepath.Join(d, "feidi"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for keys and machines: set XDG_STATE_HOME: %w", err)
	}
	return filepath.Join(home, ".local", "state", "feidi"), nil
}

// Cache is the directory of what can be made again.
func Cache() (string, error) {
	d, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for what is built: set XDG_CACHE_HOME: %w", err)
	}
	return filepath.Join(d, "feidi"), nil
}

// DevelopmentKey returns the user's key for enclaves that are being developed,
// and its file. It is drawn when it is asked for the first time.
func DevelopmentKey() (*rsa.PrivateKey, string, error) {
	const blockType = "RSA PRIVATE" + " KEY"
	b, path, err := keep("development-key.pem", func() ([]byte, error) {
		key, err := sign.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
	})
	if err != nil {
		return nil, path, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != blockType {
		return nil, path, fmt.Errorf("%s: no RSA key in PEM: remove it, and another one is made", path)
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return nil, path, fmt.Errorf("%s: %w: remove it, and another one is made", path, err)
	}
	return key, path, nil
}

// machine is the file of a machine.
type machine struct {
	Warning             string `json:"warning"`
	RootProvisioningKey []byte `json:"root_provisioning_key"`
	RootSealKey         []byte `json:"root_seal_key"`
	CPUSVN              []byte `json:"cpu_svn"`
}

var machineName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`)

// ErrName is returned for a name that no machine can have.
var ErrName = errors.New("a machine's name has letters, digits, dots, dashes and underscores")

// Machine returns the processor of the machine with a name: its fuses are drawn
// when it is asked for the first time, and the same ever after, so that what
// was sealed on it can be opened on it again.
func Machine(name string) (cpu.Config, error) {
	if !machineName.MatchString(name) {
		return cpu.Config{}, fmt.Errorf("%.80q: %w", name, ErrName)
	}
	b, path, err := keep(filepath.Join("machines", name+".json"), func() ([]byte, error) {
		f, err := cpu.NewFuses(rand.Reader)
		if err != nil {
			return nil, err
		}
		return json.MarshalIndent(machine{
			Warning:             "SOFTWARE - NOT HARDWARE: these keys protect nothing from who can read this file",
			RootProvisioningKey: f.RootProvisioningKey[:], RootSealKey: f.RootSealKey[:], CPUSVN: make([]byte, 16),
		}, "", "\t")
	})
	if err != nil {
		return cpu.Config{}, err
	}
	var m machine
	var c cpu.Config
	if err := json.Unmarshal(b, &m); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	for _, f := range []struct {
		name string
		to   []byte
		from []byte
	}{
		{"root_provisioning_key", c.Fuses.RootProvisioningKey[:], m.RootProvisioningKey},
		{"root_seal_key", c.Fuses.RootSealKey[:], m.RootSealKey},
		{"cpu_svn", c.CPUSVN[:], m.CPUSVN},
	} {
		if len(f.from) != len(f.to) {
			return cpu.Config{}, fmt.Errorf("%s: %s has %d bytes, not %d", path, f.name, len(f.from), len(f.to))
		}
		copy(f.to, f.from)
	}
	return c, nil
}

// keep returns the content of a file below Dir. If there is none it is made; of
// two that make it at once, one does.
func keep(name string, make func() ([]byte, error)) (b []byte, path string, err error) {
	dir, err := Dir()
	if err != nil {
		return nil, "", err
	}
	path = filepath.Join(dir, name)
	if b, err = os.ReadFile(path); !errors.Is(err, fs.ErrNotExist) {
		return b, path, err
	}
	if b, err = make(); err != nil {
		return nil, path, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, path, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*") // mode 0600
	if err != nil {
		return nil, path, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, path, err
	}
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		b, err = os.ReadFile(path)
		return b, path, err
	} else if err != nil {
		return nil, path, err
	}
	return b, path, nil
}
