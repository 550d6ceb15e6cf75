// Package qve is the quote verification enclave: it verifies a quote where the host
// cannot change the outcome, and makes a REPORT of it for an enclave on the same
// machine. What the verdict says and how it is checked is package attest/tvl; how
// quotes are verified is dcap/verify, which does not know that it runs in an
// enclave.
//
// It does what Intel's QvE does, with the same functions, structures and errors, but
// for the tokens of the quote appraisal, and where package verify is stricter. The
// time of the verification is the caller's to say, as an enclave has no clock.
//
// Intel's QvE has Intel's root key built in, and so has this one. To trust another
// root in its place it needs the word of its own signer (SignRoot); the
// supplemental data say which root it was. Package arch/qve/enclave is the program.
//
// Sources: QuoteVerification/QvE of Intel's DCAP, of which no code is used.
package qve

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/attest/tvl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// Sizes in bytes: the least of a quote that is looked at, and of what is returned of
// one.
const (
	MinQuoteSize = 1020
	FMSPCSize    = 6
	CASize       = 10 // "processor" and a zero byte
)

// cacheSize is how much is remembered of each kind of document, in bytes: the
// heap of an enclave is small. Documents of a platform have about 40 KiB together.
const cacheSize = 1 << 20

// lastDate is the end of the year 9999, up to which certificates can say a time.
const lastDate = 253402300799

// QvE serves the ECALLs of the enclave. It may be used concurrently.
type QvE struct {
	processor leaf.Processor
	verifier  *verify.Verifier

	// busy has an entry for each verification. More than there are processors
	// would not be faster, and a document may become ten times as large when it
	// is read.
	busy chan struct{}
}

var _ edl.QveECalls = (*QvE)(nil)

// New returns the QvE of a processor. It trusts the roots (DER), and without any
// Intel's.
func New(p leaf.Processor, roots ...[]byte) (*QvE, error) {
	options := []verify.Option{verify.WithCache(cacheSize)}
	if len(roots) > 0 {
		options = append(options, verify.WithRoots(roots...))
	}
	v, err := verify.New(options...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	return &QvE{p, v, make(chan struct{}, runtime.GOMAXPROCS(0))}, nil
}

// GetFmspcCaFromQuote implements [edl.QveECalls]: 6 bytes, and "processor" or
// "platform". Nothing of the quote is verified.
func (q *QvE) GetFmspcCaFromQuote(_ context.Context, quote []byte, fmspcSize, caSize uint32) (ret uint32, fmspc, ca []byte, err error) {
	fail := func(c tvl.Code) (uint32, []byte, []byte, error) { return uint32(c), nil, nil, nil }
	if len(quote) < MinQuoteSize || fmspcSize < FMSPCSize || caSize < CASize {
		return fail(tvl.InvalidParameter)
	}
	parsed, err := dcap.ParseQuote(quote)
	if err != nil {
		return fail(tvl.QuoteFormatUnsupported)
	}
	pem, ok := parsed.Certification.(*dcap.PCKChain)
	if !ok {
		return fail(tvl.CertificationDataUnsupported)
	}
	chain, err := dcap.ParseChain(pem.PEM)
	if err != nil || len(chain) != 3 {
		return fail(tvl.PCKCertUnsupportedFormat)
	}
	for _, c := range chain {
		if c.SGX == nil {
			continue
		}
		for _, ca := range []verify.CA{verify.ProcessorCA, verify.PlatformCA} {
			if strings.Contains(strings.ToLower(c.Issuer.CommonName), string(ca)) {
				return uint32(tvl.Success), c.SGX.FMSPC[:], []byte(ca), nil
			}
		}
	}
	return fail(tvl.PCKCertUnsupportedFormat)
}

// SgxQveGetQuoteSupplementalDataSize implements [edl.QveECalls].
func (q *QvE) SgxQveGetQuoteSupplementalDataSize(context.Context) (ret, size uint32, err error) {
	return uint32(tvl.Success), tvl.SupplementalSize, nil
}

// SgxQveGetQuoteSupplementalDataVersion implements [edl.QveECalls]: the latest, with
// the minor version in the upper half.
func (q *QvE) SgxQveGetQuoteSupplementalDataVersion(context.Context) (ret, version uint32, err error) {
	return uint32(tvl.Success), tvl.SupplementalMinor<<16 | tvl.SupplementalMajor, nil
}

// SgxQveVerifyQuote implements [edl.QveECalls]. The date is in seconds since 1970. If
// it fails nothing is changed, and the result is tvl.Unspecified.
func (q *QvE) SgxQveVerifyQuote(_ context.Context, quote []byte, collateral *edl.SgxQlQveCollateralT, date int64, info *edl.SgxQlQeReportInfoT, supplemental []byte) (ret, expired, result uint32, err error) {
	q.busy <- struct{}{}
	v, code := q.verify(quote, collateral, date, supplemental)
	<-q.busy
	if code == tvl.Success && info != nil {
		code = q.report(v, quote, info)
	}
	if code != tvl.Success {
		v.Result = tvl.Unspecified
	} else {
		copy(supplemental, v.Supplemental)
	}
	if v.Expired {
		expired = 1
	}
	return uint32(code), expired, uint32(v.Result), nil
}

// report makes the REPORT of a verdict.
func (q *QvE) report(v *tvl.Verdict, quote []byte, info *edl.SgxQlQeReportInfoT) tvl.Code {
	t := &info.AppEnclaveTargetInfo
	if t.Reserved1 != 0 || t.Reserved2 != [8]byte{} || t.Reserved3 != [384]byte{} {
		return tvl.NoReport
	}
	r, err := q.processor.Report(t, v.ReportData(info.Nonce, quote))
	if err != nil {
		return tvl.NoReport
	}
	info.QeReport = *r
	return tvl.Success
}

// verify verifies a quote. The supplemental data are those that the caller gives,
// with a version; those of the verdict are as long. A code other than Success says
// that there is no verdict.
func (q *QvE) verify(quote []byte, collateral *edl.SgxQlQveCollateralT, date int64, supplemental []byte) (v *tvl.Verdict, code tvl.Code) {
	v = &tvl.Verdict{Expired: true}
	if len(quote) < MinQuoteSize || date <= 0 || date > lastDate || len(supplemental) != 0 && len(supplemental) != tvl.SupplementalSize {
		return v, tvl.InvalidParameter
	}
	var major, minor uint16
	if len(supplemental) != 0 {
		if major, minor, code = supplementalVersion(supplemental); code != tvl.Success {
			return v, code
		}
	}
	c, code := readCollateral(collateral)
	if code != tvl.Success {
		return v, code
	}
	v.At = time.Unix(date, 0)
	r, _ := q.verifier.Verify(quote, c, v.At) // what is wrong, its steps say
	if code = unreadable(r); code != tvl.Success {
		return v, code
	}
	all, qe, ok := dates(r, c)
	if !ok {
		return v, tvl.PCKCertChainError
	}
	v.Expired = r.Expired() || !all.earliestExpiration.After(v.At)
	for _, step := range []verify.Step{r.Steps.PCKChain, r.Steps.TCBInfo, r.Steps.QEIdentity} {
		if step.Status != verify.StatusOK && !step.Status.Expired() {
			return v, codeOf(step.Status)
		}
	}
	if v.Result = resultOf(r.Steps.Quote.Status); !v.Result.Genuine() || !r.Authentic() {
		return v, codeOf(r.Steps.Quote.Status)
	}
	if len(supplemental) != 0 {
		v.Supplemental, code = supplementalOf(r, all, qe, major, minor)
	}
	return v, code
}

// unreadable finds what cannot be read, in the order in which Intel's QvE reads.
func unreadable(r *verify.Result) tvl.Code {
	switch {
	case r.Quote == nil || r.Steps.Quote.Status == verify.StatusUnsupportedQuoteFormat:
		return tvl.QuoteFormatUnsupported
	case r.Quote.Certification.Type() != dcap.CertPCKChain:
		return tvl.CertificationDataUnsupported
	case r.TCBInfo == nil:
		return tvl.TCBInfoUnsupportedFormat
	case r.PCK == nil || r.PCK.SGX == nil:
		return tvl.PCKCertChainError
	case r.QEIdentity == nil:
		return tvl.QEIdentityUnsupportedFormat
	}
	return tvl.Success
}
