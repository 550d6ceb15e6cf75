package platform

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/qe"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/pcs"
)

// retry is how long a machine goes on with what it has after a service gave it
// nothing new.
const retry = time.Minute

// pck is a PCK certificate: at which TCB the PCE is to certify the attestation key,
// and what goes into quotes.
type pck struct {
	cpuSVN  [16]byte
	pceSVN  uint16
	chain   []byte            // PEM; nil if there is no certificate, and the TCB is the machine's own
	leaf    *dcap.Certificate // of the chain
	fetched time.Time
	again   time.Time // when to ask for a newer one
}

// newPCK reads a chain, which is good for a TCB. Whether its root is one to believe
// is not the machine's to say, but a damaged one is of no use to anybody.
func newPCK(cpuSVN [16]byte, pceSVN uint16, chain []byte, fetched time.Time) (*pck, error) {
	certs, err := dcap.ParseChain(chain)
	if err != nil {
		return nil, err
	}
	if certs[0].SGX == nil {
		return nil, errors.New("the first certificate is not a PCK certificate")
	}
	for i, c := range certs {
		if issuer := certs[min(i+1, len(certs)-1)]; !signed(&issuer.PublicKey, c.RawTBS, &c.Signature) {
			return nil, fmt.Errorf("certificate %d of the chain is not signed by its issuer", i+1)
		}
	}
	if n := len(chain) + 1; n > qe.MaxCertData {
		return nil, fmt.Errorf("a chain of %d bytes has no room in a quote, which has %d", n, qe.MaxCertData)
	}
	return &pck{cpuSVN: cpuSVN, pceSVN: pceSVN, chain: chain, leaf: certs[0], fetched: fetched}, nil
}

// certData is what the QE puts into quotes as certification data: type, size, and
// the chain with a zero byte, as Intel's provider library has it.
func (c *pck) certData() []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(dcap.CertPCKChain))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(c.chain)+1))
	return append(append(b, c.chain...), 0)
}

// pck returns the PCK certificate of the machine: the one that is kept, or if that
// is old or must not be used, the service's.
func (p *Platform) pck(ctx context.Context, id *ID, mayKeep bool) (c *pck, kept bool, err error) {
	now := p.cfg.Now()
	if mayKeep {
		c = p.keptPCK(id, now)
	}
	if c != nil && now.Before(c.again) {
		return c, true, nil
	}
	fresh, err := p.askPCK(ctx, id)
	switch {
	case err == nil:
		fresh.again = now.Add(p.cfg.Refresh)
		return fresh, false, nil
	case c != nil:
		p.cfg.Log.Warn("no newer PCK certificate is to be had; the old one is used on", "fetched", c.fetched, "error", err)
		c.again = now.Add(retry)
		return c, true, nil
	case p.cfg.CertType == dcap.CertPPIDRSA3072:
		if p.cfg.PCK != nil {
			p.cfg.Log.Warn("no PCK certificate is to be had; the key is certified at the machine's own TCB", "error", err)
		}
		return &pck{cpuSVN: id.CPUSVN, pceSVN: id.PCESVN, again: now.Add(retry)}, false, nil
	}
	return nil, false, err
}

// askPCK asks the service.
func (p *Platform) askPCK(ctx context.Context, id *ID) (*pck, error) {
	if p.cfg.PCK == nil {
		return nil, &Error{Doing: "getting the PCK certificate", Code: aesm.ErrPlatformLib, Err: errors.New("there is no provisioning service to ask"), Advice: "configure one"}
	}
	got, err := p.cfg.PCK.PCKCert(ctx, id.Request())
	if err != nil {
		return nil, pckError(err)
	}
	fetched := got.Source.Fetched
	if fetched.IsZero() {
		fetched = p.cfg.Now()
	}
	c, err := newPCK(got.CPUSVN, got.PCESVN, got.Chain, fetched)
	if err != nil {
		return nil, pckError(fmt.Errorf("%w: %w", pcs.ErrBadReply, err))
	}
	if !p.cfg.Now().Before(c.leaf.NotAfter) {
		return nil, pckError(fmt.Errorf("%w: the certificate has expired on %s", pcs.ErrBadReply, c.leaf.NotAfter.Format(time.DateOnly)))
	}
	return c, nil
}

// keptPCK returns the certificate that is in use, or in its file, if it is for the
// machine as it is now.
func (p *Platform) keptPCK(id *ID, now time.Time) *pck {
	var c *pck
	if k := p.key.Load(); k != nil && k.pck.chain != nil {
		inUse := *k.pck
		c = &inUse
	} else {
		c = p.loadPCK(id)
	}
	if c == nil || !now.Before(c.leaf.NotAfter) {
		return nil
	}
	if c.again.IsZero() && !c.fetched.After(now) {
		c.again = c.fetched.Add(p.cfg.Refresh)
	}
	return c
}
