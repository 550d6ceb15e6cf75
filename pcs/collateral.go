package pcs

import (
	"context"
	"sync"

	"github.com/feidi-dev/feidi/dcap"
)

// Request says for which platforms collateral is wanted.
type Request struct {
	TEE   dcap.TEEType
	FMSPC [6]byte
	CA    CA

	// PCK is how to get the PCK certificate of a quote that carries none. If
	// it is not nil, FMSPC and CA are taken from the certificate.
	PCK *PCKRequest
}

// Report tells where each document of a collateral is from.
type Report []Source

// Stale returns why an old copy stands in for a document, or nil if none does.
func (r Report) Stale() error {
	for _, s := range r {
		if s.Stale != nil {
			return s.Stale
		}
	}
	return nil
}

// Collateral gets what it takes to verify quotes of a platform: if it is to,
// the PCK certificate; then TCB info, QE identity, PCK CRL and root CRL, all at
// the same time. The error is that of the first of them, in this order, that
// could not be had.
func (c *Client) Collateral(ctx context.Context, r Request) (*dcap.Collateral, Report, error) {
	var report Report
	var pckChain []byte
	if r.PCK != nil {
		cert, err := c.PCKCert(ctx, *r.PCK)
		if err != nil {
			return nil, nil, err
		}
		r.FMSPC, r.CA = cert.FMSPC, cert.CA
		pckChain, report = cert.Chain, append(report, cert.Source)
	}
	parts := []func() (*Document, error){
		func() (*Document, error) { return c.TCBInfo(ctx, r.TEE, r.FMSPC) },
		func() (*Document, error) { return c.QEIdentity(ctx, r.TEE) },
		func() (*Document, error) { return c.PCKCRL(ctx, r.CA) },
		func() (*Document, error) { return c.RootCRL(ctx) },
	}
	docs, errs := make([]*Document, len(parts)), make([]error, len(parts))
	var wg sync.WaitGroup
	for i, get := range parts {
		wg.Go(func() { docs[i], errs[i] = get() })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, nil, err
		}
		report = append(report, docs[i].Source)
	}
	tcb, qe, pck, root := docs[0], docs[1], docs[2], docs[3]
	return &dcap.Collateral{
		PCKChain: pckChain,
		RootCRL:  root.Body,
		PCKCRL:   pck.Body, PCKCRLChain: pck.Chain,
		TCBInfo: tcb.Body, TCBInfoChain: tcb.Chain,
		QEIdentity: qe.Body, QEIdentityChain: qe.Chain,
	}, report, nil
}
