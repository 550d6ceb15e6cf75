package pcs

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
)

const pemCertificate = "CERTIFICATE"

// parseIssuerChain reads the header of a reply that has the issuers in it:
// PEM, percent-encoded. The result is PEM in the one form that package dcap
// takes.
func parseIssuerChain(header string) ([]byte, error) {
	if len(header) > 3*dcap.MaxChainSize {
		return nil, fmt.Errorf("more than %d bytes", 3*dcap.MaxChainSize)
	}
	// In the query form of the encoding a space is a plus, and a plus is
	// always escaped; in the other one, no plus can stand in these words.
	decode := url.PathUnescape
	if strings.Contains(header, "BEGIN+"+pemCertificate) {
		decode = url.QueryUnescape
	}
	s, err := decode(header)
	if err != nil {
		return nil, errors.New("not percent-encoded")
	}
	return canonicalChain([]byte(s))
}

// canonicalChain puts a chain of certificates in PEM into its one form: lines
// of 64 characters that LF ends, and nothing between or around certificates.
func canonicalChain(text []byte) ([]byte, error) {
	if len(text) > dcap.MaxChainSize {
		return nil, fmt.Errorf("more than %d bytes", dcap.MaxChainSize)
	}
	// Chains from Intel's C libraries end in a zero byte.
	rest := bytes.TrimSpace(bytes.TrimRight(text, "\x00"))
	if len(rest) == 0 {
		return nil, errors.New("empty")
	}
	var out bytes.Buffer
	for n := 1; len(rest) > 0; n++ {
		if n > dcap.MaxChainLength {
			return nil, fmt.Errorf("more than %d certificates", dcap.MaxChainLength)
		}
		// Decode skips what it cannot read, so this says what it may read.
		end := []byte("-----END " + pemCertificate + "-----")
		i := bytes.Index(rest, end)
		if !bytes.HasPrefix(rest, []byte("-----BEGIN "+pemCertificate+"-----")) || i < 0 {
			return nil, fmt.Errorf("certificate %d is not PEM", n)
		}
		i += len(end)
		block, after := pem.Decode(rest[:i])
		if block == nil || len(block.Headers) > 0 || len(after) > 0 || block.Type != pemCertificate || len(block.Bytes) == 0 {
			return nil, fmt.Errorf("certificate %d is not PEM", n)
		}
		if len(block.Bytes) > dcap.MaxCertificateSize {
			return nil, fmt.Errorf("certificate %d: more than %d bytes", n, dcap.MaxCertificateSize)
		}
		if err := pem.Encode(&out, block); err != nil {
			return nil, err
		}
		rest = bytes.TrimSpace(rest[i:])
	}
	if out.Len() > dcap.MaxChainSize {
		return nil, fmt.Errorf("more than %d bytes", dcap.MaxChainSize)
	}
	return out.Bytes(), nil
}

// ofSandbox reports whether a chain, in PEM, is of Intel's sandbox, which its
// certificates name as the place of their CRL.
func ofSandbox(chain []byte) bool {
	for {
		var block *pem.Block
		if block, chain = pem.Decode(chain); block == nil {
			return false
		}
		if bytes.Contains(block.Bytes, []byte("//sbx-certificates.trustedservices.intel.com")) {
			return true
		}
	}
}
