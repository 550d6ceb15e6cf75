package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"time"

	"github.com/feidi-dev/feidi/inside/sealedfs"
)

// keyFile has the certificate and its key, in PEM.
const keyFile = "server.pem"

// certificate returns the server's certificate, which is made if the sealed
// directory has none.
func certificate(dir *sealedfs.FS) (*tls.Certificate, error) {
	b, err := dir.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = newCertificate(); err == nil {
			err = dir.WriteFile(keyFile, b)
		}
	}
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(b, b)
	return &cert, err
}

// newCertificate draws a key and signs a certificate with it. The time is what
// the host says: nothing should depend on it, and clients pin the certificate.
func newCertificate() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "feidi example"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	return append(b, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: pkcs8})...), nil
}
