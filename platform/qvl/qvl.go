// Package qvl has quotes verified by the quote verification enclave (QvE) of a
// machine, for an enclave on that machine that does not believe its host: what
// Intel's libsgx_dcap_quoteverify does when it is asked for a report. The enclave
// checks what comes back with package attest/tvl.
//
// Who needs no REPORT has no use for a QvE: package dcap/verify is the same
// verification without one.
package qvl

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/pcs"
)

// Source is where collateral comes from. A *pcs.Client is one.
type Source interface {
	Collateral(context.Context, pcs.Request) (*dcap.Collateral, pcs.Report, error)
}

// Verifier has a QvE verify quotes. It is safe for concurrent use.
type Verifier struct {
	qve    edl.QveECalls
	source Source
}

// New returns a verifier that calls a QvE, mostly an *edl.Qve. The source may be nil
// if every request has collateral.
func New(q edl.QveECalls, source Source) *Verifier { return &Verifier{q, source} }

// Request is a quote to verify.
type Request struct {
	Quote      []byte
	Collateral *dcap.Collateral // nil: the source is asked
	At         time.Time        // zero: now

	// Target is the enclave that is to rely on the verdict, and Nonce what it
	// drew for this. Without a target no REPORT is made.
	Target *isa.TargetInfo
	Nonce  [16]byte
}

// Response is what the QvE says: the verdict, and the REPORT of it if one was asked
// for. The host has to pass on both.
type Response struct {
	tvl.Verdict
	Report *isa.Report
}

// Verify has a quote verified. The error wraps a tvl.Code if the QvE refuses the
// quote or its collateral; a platform that is merely out of date is no error, but a
// matter of Response.Result.
func (v *Verifier) Verify(ctx context.Context, r *Request) (*Response, error) {
	quote, err := dcap.ParseQuote(r.Quote)
	if err != nil {
		return nil, fmt.Errorf("qvl: %w: %w", tvl.QuoteFormatUnsupported, err)
	}
	collateral, err := v.collateral(ctx, r, quote)
	if err != nil {
		return nil, err
	}
	at := r.At
	if at.IsZero() {
		at = time.Now()
	}
	var info *edl.SgxQlQeReportInfoT
	if r.Target != nil {
		info = &edl.SgxQlQeReportInfoT{Nonce: r.Nonce, AppEnclaveTargetInfo: *r.Target}
	}
	supplemental := make([]byte, tvl.SupplementalSize)
	binary.LittleEndian.PutUint16(supplemental, tvl.SupplementalMajor)
	binary.LittleEndian.PutUint16(supplemental[2:], tvl.SupplementalMinor)
	ret, expired, result, err := v.qve.SgxQveVerifyQuote(ctx, r.Quote, qve.NewCollateral(collateral, quote.Header.TEEType), at.Unix(), info, supplemental)
	if err != nil {
		return nil, fmt.Errorf("qvl: the QvE does not answer: %w", err)
	}
	if err := tvl.Code(ret).Err(); err != nil {
		return nil, fmt.Errorf("qvl: the QvE refuses the quote: %w", err)
	}
	out := &Response{Verdict: tvl.Verdict{
		At: time.Unix(at.Unix(), 0).UTC(), Expired: expired != 0, Result: tvl.Result(result), Supplemental: supplemental,
	}}
	if info != nil {
		out.Report = &info.QeReport
	}
	return out, nil
}

// collateral returns that of the request, or asks for it.
func (v *Verifier) collateral(ctx context.Context, r *Request, quote *dcap.Quote) (*dcap.Collateral, error) {
	if r.Collateral != nil {
		return r.Collateral, nil
	}
	if v.source == nil {
		return nil, fmt.Errorf("qvl: %w: there is neither collateral nor where to ask for it", tvl.InvalidParameter)
	}
	request, err := pcs.RequestFor(quote)
	if err != nil {
		return nil, fmt.Errorf("qvl: %w", err)
	}
	c, _, err := v.source.Collateral(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("qvl: collateral: %w", err)
	}
	return c, nil
}
