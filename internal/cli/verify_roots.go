package cli

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
)

// maxRoots is the largest file with certificates to trust that is read.
const maxRoots = 64 << 10

// readRoots reads root certificates.
func readRoots(file string) ([]*dcap.Certificate, error) {
	b, err := readFile(file, maxRoots, nil)
	if err != nil {
		return nil, err
	}
	raw, err := splitRoots(b)
	if err != nil {
		return nil, err
	}
	var certs []*dcap.Certificate
	for _, der := range raw {
		c, err := dcap.ParseCertificate(der)
		switch {
		case err != nil:
			return nil, fmt.Errorf("this is no root certificate in PEM or DER: %w", err)
		case !c.SelfIssued():
			return nil, fmt.Errorf("the certificate of %q is no root: it is issued by %q and not by itself", c.Subject.CommonName, c.Issuer.CommonName)
		}
		certs = append(certs, c)
	}
	return certs, nil
}

// splitRoots returns the certificates of a file, each in DER. One in PEM may
// have nothing else: a quote has certificates in it, too, and nobody means to
// trust those.
func splitRoots(b []byte) (certs [][]byte, err error) {
	begin, end := []byte("-----BEGIN CERTIFICATE-----"), []byte("-----END CERTIFICATE-----")
	if !bytes.Contains(b, begin) {
		return [][]byte{b}, nil
	}
	for rest := bytes.TrimSpace(b); len(rest) > 0; {
		text, after, found := bytes.Cut(rest, end)
		if !found || bytes.LastIndex(text, begin) != 0 { // Decode would pass over what it does not know
			return nil, errors.New("this has something else in it than certificates in PEM")
		}
		block, _ := pem.Decode(rest[:len(text)+len(end)])
		if block == nil {
			return nil, fmt.Errorf("certificate %d is not PEM", len(certs)+1)
		}
		certs, rest = append(certs, block.Bytes), bytes.TrimSpace(after)
	}
	return certs, nil
}
