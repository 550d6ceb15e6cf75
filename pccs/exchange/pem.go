package exchange

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// unescape takes percent-encoded certificates in PEM, or some that are not
// encoded, and returns them in DER, and in the one form of PEM that package dcap
// takes.
func unescape(s string) (pem []byte, certs [][]byte, err error) {
	if len(s) > 3*dcap.MaxChainSize {
		return nil, nil, fmt.Errorf("it has more than %d bytes", 3*dcap.MaxChainSize)
	}
	text, err := url.PathUnescape(s)
	if err != nil {
		return nil, nil, errors.New("it is not percent-encoded")
	}
	if certs, err = dcap.SplitChain([]byte(text)); err != nil {
		return nil, nil, fmt.Errorf("it has no certificates in PEM: %w", err)
	}
	for _, der := range certs {
		pem = dcap.AppendPEM(pem, der)
	}
	return pem, certs, nil
}

// escape is the percent-encoding of encodeURIComponent, which Intel's tools
// expect: a space is %20.
func escape(pem []byte) string {
	return strings.ReplaceAll(url.QueryEscape(string(pem)), "+", "%20")
}

// kindOf says which platforms a PCK certificate is for, and which CA signed it
// by what it says itself: "processor" or "platform".
func kindOf(der []byte) (ext *dcap.PCKExtension, ca verify.CA, err error) {
	c, err := dcap.ParseCertificate(der)
	if err != nil {
		return nil, "", fmt.Errorf("it is no PCK certificate: %w", err)
	}
	if c.SGX == nil {
		return nil, "", errors.New("it is no PCK certificate: it has no SGX extension")
	}
	if ca, err = caOf(c.Issuer.CommonName); err != nil {
		return nil, "", err
	}
	return c.SGX, ca, nil
}

// caOf tells the CAs apart by their names, as Intel's PCCS does. That of a
// software world goes on after these words.
func caOf(name string) (verify.CA, error) {
	switch {
	case strings.Contains(name, "PCK Platform CA"):
		return verify.PlatformCA, nil
	case strings.Contains(name, "PCK Processor CA"):
		return verify.ProcessorCA, nil
	}
	return "", fmt.Errorf("its issuer %.60q is neither the Processor CA nor the Platform CA", name)
}
