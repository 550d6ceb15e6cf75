package crosscheck

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	tdx "github.com/google/go-tdx-guest/verify"

	"github.com/feidi-dev/feidi/dcap"
)

// goTDXGuest is Google's github.com/google/go-tdx-guest v0.3.1: TDX quotes of
// version 4 from platforms with a certificate of the Platform CA. It says yes
// or no, and yes only to UpToDate.
type goTDXGuest struct{}

func (goTDXGuest) Name() string                { return "go-tdx-guest" }
func (goTDXGuest) Reads(s *Set) bool           { return tdx4(s) }
func (goTDXGuest) Takes(t dcap.TCBStatus) bool { return upToDate(t) }

func (goTDXGuest) Verify(s *Set) (Answer, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.Root) {
		return Answer{}, errors.New("root is no PEM certificate")
	}
	err := tdx.RawTdxQuote(s.Quote, &tdx.Options{
		CheckRevocations: true,
		GetCollateral:    true,
		Getter:           (*served)(&s.Collateral),
		Now:              s.At,
		TrustedRoots:     roots,
	})
	if err != nil {
		return Answer{Reason: oneLine(err.Error())}, nil
	}
	return Answer{Accepted: true}, nil
}

// served is Intel's service (PCS) as go-tdx-guest sees it, from memory.
type served dcap.Collateral

// Get answers for Intel's service.
func (c *served) Get(address string) (map[string][]string, []byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case strings.HasSuffix(u.Path, "/tcb"):
		return chainHeader("Tcb-Info-Issuer-Chain", c.TCBInfoChain), c.TCBInfo, nil
	case strings.HasSuffix(u.Path, "/qe/identity"):
		return chainHeader("Sgx-Enclave-Identity-Issuer-Chain", c.QEIdentityChain), c.QEIdentity, nil
	case strings.HasSuffix(u.Path, "/pckcrl"):
		return chainHeader("Sgx-Pck-Crl-Issuer-Chain", c.PCKCRLChain), c.PCKCRL, nil
	case strings.HasSuffix(u.Path, ".der"): // the root's distribution point
		return nil, c.RootCRL, nil
	}
	return nil, nil, fmt.Errorf("asked for %s", address)
}

func chainHeader(name string, chain []byte) map[string][]string {
	pem := append(bytes.TrimSpace(chain), '\n') // the service ends it so
	return map[string][]string{name: {url.QueryEscape(string(pem))}}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
