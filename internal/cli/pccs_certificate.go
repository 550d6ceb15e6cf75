package cli

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/internal/atomicfile"
	"github.com/feidi-dev/feidi/internal/serve"
)

// reloading replaces the certificate when its files change, and on SIGHUP.
func reloading(ctx context.Context, cert *serve.Certificate) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	go cert.Watch(ctx, 30*time.Second)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			_ = cert.Reload() // it says what went wrong
		}
	}
}

// certificate is that of TLS, nil if there is none.
func (p *pccsParts) certificate(log *slog.Logger) (*serve.Certificate, error) {
	c := p.config
	switch {
	case c.PlainHTTP:
		return nil, nil
	case c.TLSCert != "":
		return serve.LoadCertificate(c.TLSCert, c.TLSKey, log)
	}
	file, made, err := selfSigned(p.dir, c.Listen, time.Now())
	if err != nil {
		return nil, err
	}
	if made {
		log.Warn("a certificate was made that nobody trusts yet: give it to clients, or name another with --tls-cert and --tls-key", "file", p.selfSignedCert())
	}
	return serve.LoadCertificate(file, file, log)
}

// checkPair is what --check says of the files of a certificate: an error, or that
// clients will not take it.
func (p *pccsParts) checkPair() (concern, err error) {
	if p.config.TLSCert == "" || p.config.PlainHTTP {
		return nil, nil
	}
	cert, err := serve.LoadCertificate(p.config.TLSCert, p.config.TLSKey, nil)
	if err != nil {
		return nil, err
	}
	return cert.Concern(time.Now()), nil
}

// The files of a certificate that a service made for itself: with its key, and
// alone, for clients.
const (
	selfSignedFile = "self-signed.pem"
	selfSignedCopy = "self-signed.crt"
)

func (p *pccsParts) selfSignedCert() string { return filepath.Join(p.dir, selfSignedCopy) }

// selfSigned returns the file of a certificate with its key, below dir. It is
// made if there is none, or it is at its end; of two that make it at once, one
// does.
func selfSigned(dir string, listen []string, now time.Time) (file string, made bool, err error) {
	file = filepath.Join(dir, selfSignedFile)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", false, err
	}
	b, err := os.ReadFile(file)
	if err == nil {
		pair, err := tls.X509KeyPair(b, b)
		if err != nil {
			return "", false, fmt.Errorf("%s: %w: remove it, and another one is made", file, err)
		}
		if now.Before(pair.Leaf.NotAfter) {
			return file, false, copyCertificate(dir, b)
		}
		if err := os.Remove(file); err != nil {
			return "", false, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	if b, err = newCertificate(listen, now); err != nil {
		return "", false, err
	}
	atomicfile.Clean(dir, time.Hour)
	made = true
	if err = atomicfile.Create(file, b, 0o600); errors.Is(err, fs.ErrExist) {
		made = false
		b, err = os.ReadFile(file)
	}
	if err != nil {
		return "", false, err
	}
	return file, made, copyCertificate(dir, b)
}

// copyCertificate writes the certificate without its key.
func copyCertificate(dir string, b []byte) error {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" {
		return fmt.Errorf("%s does not begin with a certificate: remove it, and another one is made", filepath.Join(dir, selfSignedFile))
	}
	text, path := pem.EncodeToMemory(block), filepath.Join(dir, selfSignedCopy)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	return atomicfile.Write(path, text, 0o644)
}

// newCertificate makes a certificate and its key, PEM: for this machine by all
// names that it has here, and for where it listens. Ten years, since who trusts
// it does so by its bytes.
func newCertificate(listen []string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "feidi PCCS"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true, // clients put it among their authorities
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if name, err := os.Hostname(); err == nil && name != "" && name != "localhost" {
		t.DNSNames = append(t.DNSNames, name)
	}
	for _, l := range listen {
		host, _, _ := net.SplitHostPort(l)
		switch ip := net.ParseIP(host); {
		case ip == nil && host != "" && host != "localhost":
			t.DNSNames = append(t.DNSNames, host)
		case ip != nil && !ip.IsLoopback() && !ip.IsUnspecified():
			t.IPAddresses = append(t.IPAddresses, ip)
		}
	}
	cert, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: secret})...), nil
}
