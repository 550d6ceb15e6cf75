package world

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hpke"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/sign"
)

const keysVersion = 1

// keyFile is keys.json: what a world is, and what it never changes.
type keyFile struct {
	Warning string    `json:"warning"`
	Version int       `json:"version"`
	ID      octets    `json:"id"` // 16 bytes, drawn: files of another world are found out by it
	Name    string    `json:"name"`
	URL     string    `json:"url"`
	Created time.Time `json:"created"` // in seconds, UTC

	// Scalars on P-256, 32 bytes.
	Root        octets `json:"root_key"`
	ProcessorCA octets `json:"processor_ca_key"`
	PlatformCA  octets `json:"platform_ca_key"`
	TCBSigning  octets `json:"tcb_signing_key"`

	Registration octets `json:"registration_key"` // X25519, 32 bytes
	Enclave      []byte `json:"enclave_key"`      // RSA-3072, exponent 3; PKCS #1
	PPID         []byte `json:"ppid_key"`         // RSA-3072; PKCS #1

	RootSHA256 octets `json:"root_sha256"` // of the root certificate
	SHA256     octets `json:"sha256"`
}

func (f *keyFile) checksum() *octets { return &f.SHA256 }

// keys are the keys of a keyFile.
type keys struct {
	root, processorCA, platformCA, tcbSigning *ecdsa.PrivateKey

	registration  hpke.PrivateKey
	enclave, ppid *rsa.PrivateKey
}

// rsaKeys are the two keys that take long to draw.
type rsaKeys struct{ enclave, ppid *rsa.PrivateKey }

// drawRSA draws them, on two cores if there are.
func drawRSA() (k rsaKeys, err error) {
	drawn := make(chan error)
	go func() {
		var err error
		k.ppid, err = rsa.GenerateKey(rand.Reader, 3072)
		drawn <- err
	}()
	k.enclave, err = sign.GenerateKey(rand.Reader)
	return k, errors.Join(err, <-drawn)
}

// worldName is a name that fits into those of certificates, of 64 characters.
var worldName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,23}$`)

// newKeyFile draws the keys of a world.
func newKeyFile(o *Options, r rsaKeys, now time.Time) (*keyFile, error) {
	f := &keyFile{
		Warning: warning, Version: keysVersion, ID: make([]byte, 16), Name: o.Name, URL: o.URL, Created: now,
		Enclave: x509.MarshalPKCS1PrivateKey(r.enclave), PPID: x509.MarshalPKCS1PrivateKey(r.ppid),
	}
	rand.Read(f.ID)
	if f.Name == "" {
		f.Name = fmt.Sprintf("%x", f.ID[:4])
	}
	for _, to := range []*octets{&f.Root, &f.ProcessorCA, &f.PlatformCA, &f.TCBSigning} {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		if *to, err = k.Bytes(); err != nil {
			return nil, err
		}
	}
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	f.Registration = k.Bytes()
	parsed, err := f.keys()
	if err != nil {
		return nil, err
	}
	certs, err := newAuthorities(f, parsed)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(certs.root.Raw)
	f.RootSHA256 = sum[:]
	return f, nil
}

// checkURL asks whether services can be below an address.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" ||
		u.User != nil || strings.HasSuffix(s, "/") || len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%.80q is not an address such as %s", s, DefaultURL)
	}
	return nil
}

// keys checks the file and reads its keys.
func (f *keyFile) keys() (*keys, error) {
	switch {
	case f.Version != keysVersion:
		return nil, fmt.Errorf("version %d is not known", f.Version)
	case len(f.ID) != 16:
		return nil, fmt.Errorf("id has %d bytes, and not 16", len(f.ID))
	case !worldName.MatchString(f.Name):
		return nil, fmt.Errorf("%.80q: %w, at most 24", f.Name, ErrName)
	case f.Created.Location() != time.UTC || f.Created.Nanosecond() != 0:
		return nil, errors.New("created is not UTC in seconds")
	}
	if err := checkURL(f.URL); err != nil {
		return nil, err
	}
	k := new(keys)
	for _, c := range []struct {
		name string
		from octets
		to   **ecdsa.PrivateKey
	}{
		{"root_key", f.Root, &k.root}, {"processor_ca_key", f.ProcessorCA, &k.processorCA},
		{"platform_ca_key", f.PlatformCA, &k.platformCA}, {"tcb_signing_key", f.TCBSigning, &k.tcbSigning},
	} {
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), c.from)
		if err != nil {
			return nil, fmt.Errorf("%s is not on P-256", c.name)
		}
		*c.to = key
	}
	x, err := ecdh.X25519().NewPrivateKey(f.Registration)
	if err != nil {
		return nil, errors.New("registration_key is not of X25519")
	}
	if k.registration, err = hpke.NewDHKEMPrivateKey(x); err != nil {
		return nil, fmt.Errorf("registration_key: %w", err)
	}
	if k.enclave, err = readRSA("enclave_key", f.Enclave); err != nil {
		return nil, err
	}
	if k.ppid, err = readRSA("ppid_key", f.PPID); err != nil {
		return nil, err
	}
	if k.enclave.E != 3 {
		return nil, errors.New("enclave_key signs no enclaves: its exponent is not 3")
	}
	return k, nil
}

func readRSA(name string, b []byte) (*rsa.PrivateKey, error) {
	k, err := x509.ParsePKCS1PrivateKey(b)
	if err != nil || k.N.BitLen() != 3072 {
		return nil, fmt.Errorf("%s is not RSA-3072 in PKCS #1", name)
	}
	return k, nil
}

// readKeys reads keys.json.
func readKeys(path string) (*keyFile, *keys, *authorities, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, nil, nil, err
	}
	f := new(keyFile)
	if err := decode(path, b, f); err != nil {
		return nil, nil, nil, err
	}
	k, err := f.keys()
	if err != nil {
		return nil, nil, nil, damaged(path, "%v", err)
	}
	certs, err := newAuthorities(f, k)
	if err != nil {
		return nil, nil, nil, damaged(path, "%v", err)
	}
	if sum := sha256.Sum256(certs.root.Raw); !bytes.Equal(sum[:], f.RootSHA256) {
		return nil, nil, nil, damaged(path, "the root certificate of its keys has SHA-256 %x, and not %x", sum, f.RootSHA256)
	}
	return f, k, certs, nil
}
