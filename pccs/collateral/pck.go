package collateral

import (
	"fmt"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
)

// CheckPCK verifies the PCK certificates of one platform: their chains up to a
// trusted root, and that they say what is said of them. Whether they are revoked
// is for verifiers to ask. An error is an *Error; it wraps ErrExpired if the
// certificates are genuine.
func (c *Checker) CheckPCK(p *pcs.PCKCerts, at time.Time) error {
	_, err := c.checkPCK(p, nil, at)
	return err
}

const pckCertificates = "PCK certificates"

// checkPCK returns what the first certificate says, or nil if there is none.
func (c *Checker) checkPCK(p *pcs.PCKCerts, rootCRL []byte, at time.Time) (first *dcap.PCKExtension, err error) {
	var expired error
	fail := func(kind, err error, i int) error {
		return &Error{Document: pckCertificates, Kind: kind, Err: fmt.Errorf("certificate %d: %w", i+1, err)}
	}
	type tcb struct {
		cpuSVN [16]byte
		pceSVN uint16
	}
	seen := map[tcb]bool{}
	for i := range p.Levels {
		l := &p.Levels[i]
		if l.Cert == nil {
			continue
		}
		cert, ca, err := c.verifyPCK(slices.Concat(l.Cert, p.Issuers), rootCRL, at)
		switch {
		case cert == nil:
			return nil, fail(kindOf(err), err, i)
		case err != nil && expired == nil:
			expired = fail(ErrExpired, err, i)
		}
		sgx := cert.SGX
		if first == nil {
			first = sgx
		}
		key := tcb{l.CPUSVN, l.PCESVN}
		err = firstOf(
			other(ca != p.CA, "the %s CA issued it and not the %s CA", ca, p.CA),
			other(sgx.FMSPC != p.FMSPC, "it is of FMSPC %X and not of %X", sgx.FMSPC, p.FMSPC),
			other(sgx.PPID != first.PPID || sgx.PCEID != first.PCEID, "it is of another platform than the first"),
			other(sgx.CPUSVN != l.CPUSVN || sgx.PCESVN != l.PCESVN || sgx.TCB != l.TCB, "it is for another TCB than the list says"),
			other(seen[key], "there are two for one TCB"),
		)
		if err != nil {
			return nil, fail(ErrForged, err, i)
		}
		seen[key] = true
	}
	return first, expired
}

// verifyPCK returns a certificate beside an error that wraps ErrExpired only.
func (c *Checker) verifyPCK(chain, rootCRL []byte, at time.Time) (*dcap.Certificate, pcs.CA, error) {
	cert, ca, err := c.verifier.PCK(chain, nil, rootCRL, at)
	if cert != nil && err != nil && rootCRL != nil {
		// Not of interest here is whether the root CRL is in its time.
		return c.verifier.PCK(chain, nil, nil, at)
	}
	return cert, ca, err
}
