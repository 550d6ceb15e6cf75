package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Certificate is the certificate of a TLS server with its key, from two files
// that may be replaced while it serves. It is safe for concurrent use.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	pair              atomic.Pointer[tls.Certificate]

	mu        sync.Mutex
	cert, key []byte // as last read, good or not
	warned    time.Time
}

// MaxPEM is the size of the largest file of certificates or keys that is read, in bytes.
const MaxPEM = 1 << 20

// LoadCertificate reads a certificate with its issuers, and its key, both PEM.
// What is replaced later is told to log, or to nobody if it is nil.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	c.warn(time.Now())
	return c, nil
}

// soon is how long before its end a certificate is spoken of.
const soon = 7 * 24 * time.Hour

// Concern says why clients refuse the certificate at a time, or will within a
// week, or is nil.
func (c *Certificate) Concern(at time.Time) error {
	leaf := c.Leaf()
	switch {
	case leaf.NotAfter.Before(leaf.NotBefore) || at.After(leaf.NotAfter):
		return fmt.Errorf("TLS certificate %s expired at %s: clients refuse it", c.certFile, leaf.NotAfter.UTC().Format(time.RFC3339))
	case at.Before(leaf.NotBefore):
		return fmt.Errorf("TLS certificate %s is not valid before %s: clients refuse it", c.certFile, leaf.NotBefore.UTC().Format(time.RFC3339))
	case at.Add(soon).After(leaf.NotAfter):
		return fmt.Errorf("TLS certificate %s expires at %s", c.certFile, leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// warn logs a concern, once a day.
func (c *Certificate) warn(now time.Time) {
	err := c.Concern(now)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && now.Sub(c.warned) >= 24*time.Hour {
		c.log.Warn(err.Error())
		c.warned = now
	}
}

// Reload reads the files again. If they cannot be read or are no pair, the one
// before stays in use, and the error, which is logged, too, says why.
func (c *Certificate) Reload() error {
	_, err := c.reload(true)
	return err
}

// reload reads the files, and looks at them if they changed or always is set.
func (c *Certificate) reload(always bool) (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		if err != nil && c.pair.Load() != nil {
			c.log.Error("the TLS certificate cannot be replaced, the one before stays", "error", err)
		}
	}()
	cert, err := readSmall(c.certFile)
	var key []byte
	if err == nil {
		key, err = readSmall(c.keyFile)
	}
	if err != nil {
		repeated := !always && c.cert == nil
		c.cert, c.key = nil, nil
		if repeated {
			return false, nil // it was logged when it began
		}
		return false, fmt.Errorf("TLS certificate: %w", err)
	}
	if !always && bytes.Equal(cert, c.cert) && bytes.Equal(key, c.key) {
		return false, nil
	}
	c.cert, c.key, c.warned = cert, key, time.Time{}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return false, fmt.Errorf("TLS certificate: %s with the key %s: %w", c.certFile, c.keyFile, err)
	}
	if c.pair.Swap(&pair) != nil {
		c.log.Info("TLS certificate replaced", "file", c.certFile, "not_after", pair.Leaf.NotAfter)
	}
	return true, nil
}

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, MaxPEM+1))
	if err == nil && len(b) > MaxPEM {
		err = fmt.Errorf("%s: more than %d bytes", name, MaxPEM)
	}
	return b, err
}

// Watch reloads the files when what is in them changes, which it looks at each
// interval, until ctx is done.
func (c *Certificate) Watch(ctx context.Context, interval time.Duration) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_, _ = c.reload(false) // logged
			c.warn(time.Now())
		}
	}
}

// Leaf returns the certificate in use.
func (c *Certificate) Leaf() *x509.Certificate { return c.pair.Load().Leaf }

// Config returns a configuration that has the certificate in use at the time of
// each handshake: TLS 1.2 or 1.3.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if p := c.pair.Load(); p != nil {
				return p, nil
			}
			return nil, errors.New("no certificate")
		},
	}
}
