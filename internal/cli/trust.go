package cli

import (
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"path/filepath"

	"github.com/feidi-dev/feidi/internal/state"
	"github.com/feidi-dev/feidi/pcs"
)

// cacertHelp is that of the flag by which a service's certificate is trusted.
const cacertHelp = "trust the certificates in this `file`, PEM, for TLS, such as the service's own; that of the user's own PCCS is trusted on this machine anyway"

// trust has a client trust the certificates in a file for TLS, or if there is no
// file that of the user's own service where it asks this machine.
func trust(cfg *pcs.Config, file string) error {
	address := cfg.URL
	for _, u := range cfg.PCKURLs {
		if onThisMachine(u) {
			address = u
		}
	}
	switch {
	case file != "":
		cfg.InsecureTLS = false
	case cfg.InsecureTLS, cfg.HTTP != nil:
		return nil
	}
	pool, err := rootCAs(file, address)
	cfg.RootCAs = pool
	return err
}

// rootCAs are the authorities to trust for TLS with a service: those in a file,
// or if there is none those of the system, for which nil stands. A service on this
// machine that made its certificate itself has left a copy of it in the user's
// files, which is trusted for this machine, too.
func rootCAs(file, address string) (*x509.CertPool, error) {
	if file != "" {
		b, err := readFile(file, maxRoots, nil)
		if err != nil {
			return nil, cannot(err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(b) {
			return nil, cannot(errors.New(file + ": no certificate in PEM"))
		}
		return pool, nil
	}
	if !onThisMachine(address) {
		return nil, nil
	}
	dir, err := state.Dir()
	if err != nil {
		return nil, nil
	}
	b, err := readFile(filepath.Join(dir, "pccs", selfSignedCopy), maxRoots, nil)
	if err != nil {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(b)
	return pool, nil
}

// onThisMachine reports whether an address is one of the loopback interface.
func onThisMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
