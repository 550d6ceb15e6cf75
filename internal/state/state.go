// Package state keeps what the command needs from one run to the next, below
// $XDG_STATE_HOME/feidi: the key that signs what is being developed. It is a
// secret, and its file of mode 0600; a file is written whole or not at all. What
// else is there belongs to package world.
package state

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/feidi-dev/feidi/internal/atomicfile"
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
	atomicfile.Clean(filepath.Dir(path), time.Hour)
	if err := atomicfile.Create(path, b, 0o600); errors.Is(err, fs.ErrExist) {
		b, err = os.ReadFile(path)
		return b, path, err
	} else if err != nil {
		return nil, path, err
	}
	return b, path, nil
}
