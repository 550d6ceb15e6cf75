package pcs

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strconv"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// CA is which of Intel's two CAs issued a PCK certificate.
type CA = verify.CA

// The CAs.
const (
	Processor = verify.ProcessorCA // for platforms of one package
	Platform  = verify.PlatformCA  // for those of several, and all that were registered
)

// Names of headers with issuer chains. Version 3 of the interface has another
// for TCB infos.
var (
	chainTCBInfo  = []string{"TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"}
	chainIdentity = []string{"SGX-Enclave-Identity-Issuer-Chain"}
	chainCRL      = []string{"SGX-PCK-CRL-Issuer-Chain"}
	chainPCK      = []string{"SGX-PCK-Certificate-Issuer-Chain"}
	chainNumbers  = []string{"TCB-Evaluation-Data-Numbers-Issuer-Chain"}
)

// TCBInfo gets the TCB info of the platforms with an FMSPC, which is JSON.
func (c *Client) TCBInfo(ctx context.Context, tee dcap.TEEType, fmspc [6]byte) (*Document, error) {
	what := fmt.Sprintf("TCB info (%v) of FMSPC %X", tee, fmspc)
	if err := c.serves(tee, what); err != nil {
		return nil, err
	}
	query := c.query("fmspc", fmt.Sprintf("%X", fmspc))
	c.choose(query)
	return c.get(ctx, &request{
		what: what, service: c.service, url: c.service.url(tee, "tcb", query),
		chain: chainTCBInfo, most: dcap.MaxJSONSize, maxAge: c.cfg.MaxAge, read: readTCBInfo(tee, fmspc),
	})
}

// QEIdentity gets the identity of the quoting enclave for SGX or TDX, which is
// JSON.
func (c *Client) QEIdentity(ctx context.Context, tee dcap.TEEType) (*Document, error) {
	id := dcap.IdentityQE
	if tee == dcap.TEETDX {
		id = dcap.IdentityTDQE
	}
	return c.identity(ctx, tee, "qe/identity", id)
}

// QVEIdentity gets the identity of Intel's quote verification enclave, which
// is JSON. Only those who let that enclave verify need it.
func (c *Client) QVEIdentity(ctx context.Context) (*Document, error) {
	return c.identity(ctx, dcap.TEESGX, "qve/identity", dcap.IdentityQVE)
}

func (c *Client) identity(ctx context.Context, tee dcap.TEEType, path, id string) (*Document, error) {
	what := "identity of enclave " + id
	if err := c.serves(tee, what); err != nil {
		return nil, err
	}
	query := c.query()
	c.choose(query)
	return c.get(ctx, &request{
		what: what, service: c.service, url: c.service.url(tee, path, query),
		chain: chainIdentity, most: dcap.MaxJSONSize, maxAge: c.cfg.MaxAge, read: readIdentity(id),
	})
}

// PCKCRL gets the CRL of one of the CAs that issue PCK certificates, in DER.
func (c *Client) PCKCRL(ctx context.Context, ca CA) (*Document, error) {
	what := fmt.Sprintf("PCK CRL of the %s CA", ca)
	if ca != Processor && ca != Platform {
		return nil, &Error{Document: "PCK CRL", Kind: ErrBadRequest, Reason: fmt.Sprintf("CA %.40q: it is %q or %q", string(ca), Processor, Platform)}
	}
	return c.get(ctx, &request{
		what: what, service: c.service, url: c.service.url(dcap.TEESGX, "pckcrl", c.query("ca", string(ca), "encoding", "der")),
		chain: chainCRL, most: maxCRLReply, maxAge: c.cfg.MaxAge, read: readCRL,
	})
}

// RootCRL gets the CRL of Intel's root CA, in DER.
func (c *Client) RootCRL(ctx context.Context) (*Document, error) {
	return c.get(ctx, &request{what: "root CRL", service: c.service, url: c.rootCRL, most: maxCRLReply, maxAge: c.cfg.MaxAge, read: readCRL})
}

// serves reports an error if the interface has nothing for a TEE.
func (c *Client) serves(tee dcap.TEEType, what string) error {
	switch {
	case tee != dcap.TEESGX && tee != dcap.TEETDX:
		return &Error{Document: what, Kind: ErrBadRequest, Reason: "there is collateral for SGX and TDX"}
	case tee == dcap.TEETDX && c.service.version == 3:
		return &Error{Document: what, Kind: ErrBadRequest, Reason: "version 3 of the interface has nothing for TDX", Advice: "ask for version 4"}
	case c.cfg.EvaluationDataNumber != 0 && c.service.version == 3:
		return &Error{Document: what, Kind: ErrBadRequest, Reason: "version 3 of the interface takes no evaluation data number", Advice: "ask for version 4"}
	}
	return nil
}

// query returns parameters, given as names and values, and the caller's own.
func (c *Client) query(pairs ...string) url.Values {
	v := url.Values{}
	maps.Copy(v, c.cfg.Params)
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// choose adds which of several documents is wanted.
func (c *Client) choose(query url.Values) {
	switch {
	case c.cfg.EvaluationDataNumber != 0:
		query.Set("tcbEvaluationDataNumber", strconv.FormatUint(uint64(c.cfg.EvaluationDataNumber), 10))
	case c.cfg.Update != "":
		query.Set("update", string(c.cfg.Update))
	}
}
