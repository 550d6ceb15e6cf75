package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// Verifier verifies quotes. It remembers the certificates and documents that
// it found to be good, so that a later quote of the same platform costs two
// signatures and not nine. It is safe for concurrent use.
type Verifier struct {
	anchors []*anchor

	// Nil without a cache.
	chains       *cache[*chain]
	certificates *cache[*certificate]
	crls         *cache[*revocations]
	tcbInfos     *cache[*tcbInfo]
	identities   *cache[*identity]
}

// Option is an option of New.
type Option func(*Verifier) error

// DefaultCache is the default of WithCache.
const DefaultCache = 16 << 20

// New returns a Verifier that trusts Intel's root, and nothing else, and has a
// cache of DefaultCache bytes.
func New(options ...Option) (*Verifier, error) {
	v := &Verifier{}
	_ = WithCache(DefaultCache)(v)
	for _, o := range options {
		if err := o(v); err != nil {
			return nil, err
		}
	}
	if len(v.anchors) == 0 {
		v.anchors = intelAnchors()
	}
	return v, nil
}

// WithRoots trusts the given root certificates (DER) in place of Intel's. Roots
// are matched by their public key. To trust Intel's beside others, give its
// certificate, too. A certificate that is not self-issued is taken, and makes
// every chain StatusTrustedRootCAInvalid, as in Intel's library.
func WithRoots(der ...[]byte) Option {
	return func(v *Verifier) error {
		if len(der) == 0 {
			return errors.New("verify: no root to trust was given; for Intel's leave the option out")
		}
		for i, raw := range der {
			c, err := readCertificate(bytes.Clone(raw))
			if err != nil {
				return fmt.Errorf("verify: root %d: %w", i+1, err)
			}
			if c.SelfIssued() && !c.signedBy(c.key) {
				return fmt.Errorf("verify: root %d, %q, is not signed with its own key", i+1, c.Subject.CommonName)
			}
			v.anchors = append(v.anchors, newAnchor(c))
		}
		return nil
	}
}

// WithCache bounds what is remembered: so many bytes each of certificate
// chains, certificates, revocation lists, TCB infos and identities. Zero is
// none.
func WithCache(bytes int) Option {
	return func(v *Verifier) error {
		v.chains, v.certificates, v.crls, v.tcbInfos, v.identities = nil, nil, nil, nil, nil
		if bytes > 0 {
			v.chains, v.certificates, v.crls = newCache[*chain](bytes), newCache[*certificate](bytes), newCache[*revocations](bytes)
			v.tcbInfos, v.identities = newCache[*tcbInfo](bytes), newCache[*identity](bytes)
		}
		return nil
	}
}

// Verify verifies a quote as of a time. The result is never nil; the error is
// nil if its Status is StatusOK, else its Err.
//
// An error is not always the end: a caller who accepts, say, platforms that
// need software hardening looks at the result; see package dcap/policy. And no
// error is not yet acceptance: whose enclave it is, and that it is not under
// debug, is for the caller to judge.
//
// The result points into quote, which must not be changed while it is in use.
func (v *Verifier) Verify(quote []byte, c *dcap.Collateral, at time.Time) (*Result, error) {
	if c == nil {
		c = &dcap.Collateral{}
	}
	s := session{v: v, c: c, at: at.UTC().Truncate(time.Second)}
	r := &s.result
	r.At = s.at
	s.read(quote)
	if at.IsZero() {
		none := func() *Error { return fail(StatusInvalidParameter, "no time was given to verify at") }
		r.Steps = Steps{step("PCK chain", none()), step("TCB info", none()), step("QE identity", none()), step("quote", none())}
		r.Status = StatusInvalidParameter
		return r, r.Err()
	}
	r.Steps.PCKChain = step("PCK chain", s.verifyPCKChain())
	r.Steps.TCBInfo = step("TCB info", s.verifyTCBInfo())
	r.Steps.QEIdentity = step("QE identity", s.verifyIdentity())
	r.Steps.Quote = step("quote", s.verifyQuote())
	s.dates()
	r.Status = r.Steps.worst().Status
	if !r.Authentic() {
		r.TCBStatus = dcap.TCBUnknown
	}
	return r, r.Err()
}

// step makes an outcome of what a function returned.
func step(name string, err *Error) Step {
	if err == nil {
		return Step{}
	}
	err.Step = name
	return Step{err.Status, err}
}

// fail is how the functions of the steps say no.
func fail(s Status, format string, args ...any) *Error {
	return &Error{Status: s, Err: fmt.Errorf(format, args...)}
}

// Input is a quote to verify.
type Input struct {
	Quote      []byte
	Collateral *dcap.Collateral
	At         time.Time
}

// Outcome is what Verify returns.
type Outcome struct {
	Result *Result
	Err    error
}

// VerifyAll verifies many quotes on all processors. Outcomes are in the order
// of the inputs. Once ctx is done no more is begun; those that were not have
// no Result and the context's error.
func (v *Verifier) VerifyAll(ctx context.Context, inputs []Input) []Outcome {
	out := make([]Outcome, len(inputs))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(inputs)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(inputs); i = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					out[i].Err = err
					continue
				}
				in := &inputs[i]
				out[i].Result, out[i].Err = v.Verify(in.Quote, in.Collateral, in.At)
			}
		})
	}
	wg.Wait()
	return out
}

// session is one verification.
type session struct {
	v      *Verifier
	c      *dcap.Collateral
	at     time.Time
	lone   bool // it is of one document: revocation lists may be missing
	result Result

	quoteErr error
	pckPEM   [2][]byte // where the PCK chain is; the second may be nil
	seen     []*certificate
	signer   parsedChain // of the signer that was read last
	root     *anchor     // that the chains end in

	pck      *chain
	pckErr   *Error // of reading it
	rootCRL  *revocations
	rootErr  error
	pckCRL   *revocations
	crlErr   error
	tcb      *tcbInfo
	tcbErr   error
	identity *identity
	idErr    error
}

type parsedChain struct {
	pem   []byte
	chain *chain
	err   *Error
}

var errMissing = errors.New("the collateral does not have it")

// read reads the quote and all of the collateral, each document once.
func (s *session) read(quote []byte) {
	r, c := &s.result, s.c
	r.Quote, s.quoteErr = dcap.ParseQuote(quote)
	s.findPCK()
	s.pck, s.pckErr = s.readChain(s.pckPEM[0], s.pckPEM[1])
	if s.pck != nil && s.pck.pck != nil {
		r.PCK = s.pck.pck.Certificate
	}
	s.rootCRL, s.rootErr = load(s.v.crls, c.RootCRL, readCRL)
	s.pckCRL, s.crlErr = load(s.v.crls, c.PCKCRL, readCRL)
	if s.tcb, s.tcbErr = load(s.v.tcbInfos, c.TCBInfo, readTCBInfo); s.tcb != nil {
		r.TCBInfo = &s.tcb.TCBInfo
	}
	if s.identity, s.idErr = load(s.v.identities, c.QEIdentity, readIdentity); s.identity != nil {
		r.QEIdentity = &s.identity.EnclaveIdentity
	}
}

// load returns a document from a cache, or reads it. What is read with a cache
// is a copy, since the caller may use his buffer again.
func load[T any](c *cache[*T], raw []byte, read func([]byte) (*T, error)) (*T, error) {
	if len(raw) == 0 {
		return nil, errMissing
	}
	if v, ok := c.get(raw); ok {
		return v, nil
	}
	if c != nil {
		raw = bytes.Clone(raw)
	}
	return read(raw)
}

// findPCK finds the chain of the PCK certificate.
func (s *session) findPCK() {
	if s.result.Quote == nil {
		s.pckPEM[0] = s.c.PCKChain
		return
	}
	switch c := s.result.Quote.Certification.(type) {
	case *dcap.PCKChain:
		s.pckPEM[0] = c.PEM
	case *dcap.PCKLeaf:
		s.pckPEM = [2][]byte{c.PEM, s.c.PCKCRLChain}
	default:
		s.pckPEM[0] = s.c.PCKChain
	}
}
