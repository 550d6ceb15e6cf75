package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap"
)

// CA is the certificate authority that issued a PCK certificate.
type CA string

// The two authorities, named as the PCS names them.
const (
	ProcessorCA CA = "processor"
	PlatformCA  CA = "platform"
)

// Step is the outcome of one of the four steps of a verification.
type Step struct {
	Status Status
	Err    error // why, if Status is not StatusOK; an *Error
}

// Steps are the four steps of a verification, which correspond to the
// functions of Intel's library. Each is made whatever the others yield.
type Steps struct {
	PCKChain   Step // sgxAttestationVerifyPCKCertificate
	TCBInfo    Step // sgxAttestationVerifyTCBInfo
	QEIdentity Step // sgxAttestationVerifyEnclaveIdentity
	Quote      Step // sgxAttestationVerifyQuote: signatures, and the level of the TCB
}

// Error says why a quote, or what belongs to it, is not good.
type Error struct {
	Step   string // "PCK chain", "TCB info", "QE identity" or "quote"; or which document was verified alone
	Status Status
	Err    error // what is wrong, in words or a *dcap.ParseError
}

// Error returns one line.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %v", e.Step, e.Status)
	}
	return fmt.Sprintf("%s: %v: %v", e.Step, e.Status, e.Err)
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// Result is everything that a verification established. What it points to is
// shared with other results of the same Verifier and must not be changed.
//
// If Authentic is false, nothing of it is to be believed, and fields may be
// nil; they are there to explain.
type Result struct {
	At     time.Time // the time that was asked about, UTC, in seconds
	Status Status    // of the whole: that of the step that weighs most, see Err
	Steps  Steps

	Quote      *dcap.Quote // as read
	CA         CA
	PCK        *dcap.Certificate // with its SGX extension
	Root       Root              // that the chain of the PCK certificate ends in
	TCBInfo    *dcap.TCBInfo
	QEIdentity *dcap.EnclaveIdentity

	// Launch is the evaluation of the TCB, for a TD with the module that it
	// was launched on. Current is that with the module that runs now, if the
	// quote says it (TDX 1.5), else the same as Launch. Nil if the
	// verification did not come that far.
	Launch, Current *Evaluation

	// TCBStatus is the outcome of the evaluations together. It is
	// dcap.TCBUnknown if no level of the TCB info is met, and if the quote is
	// not authentic.
	TCBStatus dcap.TCBStatus

	Validity Validity
}

// Evaluation is what Intel's documents say of one set of SVNs.
type Evaluation struct {
	Status      dcap.TCBStatus // of platform, QE and module together
	Date        time.Time      // TCB date: the earliest of the three
	AdvisoryIDs []string       // of all three, sorted, each once

	Platform *dcap.TCBLevel // the level that is met; nil if none is
	Index    int            // of Platform in TCBInfo.Levels

	Module      *dcap.TDXModuleIdentity // nil for SGX, and for TDX modules of major version 0
	ModuleLevel *dcap.TDXModuleLevel    // nil if none is met

	QE *dcap.IdentityLevel // nil if none is met
}

// Validity is how long, and since when, the documents say what they say. It
// covers certificates, revocation lists, TCB info and QE identity.
type Validity struct {
	EarliestIssue, LatestIssue           time.Time
	EarliestExpiration, LatestExpiration time.Time

	// TCBInfoNextUpdate and QEIdentityNextUpdate are the ends of these two.
	TCBInfoNextUpdate, QEIdentityNextUpdate time.Time

	// EvaluationDataNumber is the lower of those of TCB info and QE identity.
	EvaluationDataNumber uint32

	RootCRLNumber, PCKCRLNumber []byte // big endian
}

// Authentic reports whether the quote is genuine: every signature, chain,
// revocation list and identity holds, up to a trusted root. Documents may have
// expired (see Expired), and the TCB may be of any status (see TCBStatus),
// even revoked.
func (r *Result) Authentic() bool {
	good := func(s Step) bool { return s.Status == StatusOK || s.Status.Expired() }
	if r.Quote == nil || r.PCK == nil || r.Launch == nil {
		return false
	}
	return good(r.Steps.PCKChain) && good(r.Steps.TCBInfo) && good(r.Steps.QEIdentity) && r.Steps.Quote.Status.TCB()
}

// Expired reports whether a certificate, list or document was out of its time.
func (r *Result) Expired() bool {
	return r.Steps.PCKChain.Status.Expired() || r.Steps.TCBInfo.Status.Expired() || r.Steps.QEIdentity.Status.Expired()
}

// Err returns nil if Status is StatusOK, else the error, an *Error, of the step
// that weighs most: one that is wrong before one whose documents are expired,
// and this before a judgement of the TCB; of several the first. So what is
// expired does not hide what is forged.
func (r *Result) Err() error { return r.Steps.worst().Err }

// worst returns the step that weighs most.
func (s *Steps) worst() *Step {
	steps := s.list()
	return slices.MaxFunc(steps[:], func(a, b *Step) int { return a.weight() - b.weight() })
}

func (s *Step) weight() int {
	switch {
	case s.Status == StatusOK:
		return 0
	case s.Status.TCB():
		return 1
	case s.Status.Expired():
		return 2
	}
	return 3
}

func (s *Steps) list() [4]*Step { return [4]*Step{&s.PCKChain, &s.TCBInfo, &s.QEIdentity, &s.Quote} }

// TCBDate returns the TCB date, that of the evaluation at launch. It is zero if
// the quote is not authentic.
func (r *Result) TCBDate() time.Time {
	if !r.Authentic() {
		return time.Time{}
	}
	return r.Launch.Date
}

// AdvisoryIDs returns the security advisories that concern the platform, by
// the evaluation at launch. It is nil if the quote is not authentic.
func (r *Result) AdvisoryIDs() []string {
	if !r.Authentic() {
		return nil
	}
	return r.Launch.AdvisoryIDs
}

// QEStatus returns what Intel says of the quoting enclave, dcap.TCBUnknown if
// that was not established.
func (r *Result) QEStatus() dcap.TCBStatus {
	if !r.Authentic() || r.Launch.QE == nil {
		return dcap.TCBUnknown
	}
	return r.Launch.QE.Status
}
