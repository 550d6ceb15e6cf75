package policy

import (
	"slices"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// Policy says which results of a verification are accepted. It does not change
// once it is made, and is safe for concurrent use.
type Policy struct {
	top        top
	tcb        tcb
	collateral collateral
	platform   platform
	enclaves   []Enclave
	tds        []TD
}

// The sections of a policy. What is not given has its zero value.
type (
	// top are the keys in no section.
	top struct {
		reportData       string // up to 64 bytes; zeros follow
		reportDataPrefix string // up to 64 bytes; anything may follow
	}
	tcb struct {
		accept            []dcap.TCBStatus // besides UpToDate
		grace             time.Duration
		graceFrom         GraceStart
		qeUpToDate        bool
		minDate           time.Time
		deniedAdvisories  []string
		allowedAdvisories []string // nil: all
	}
	collateral struct {
		expiredGrace  time.Duration
		maxAge        time.Duration
		minEvaluation uint32
	}
	platform struct {
		roots                                  []root // none: Intel's
		versions                               []uint16
		authorities                            []verify.CA
		fmspcs, deniedFMSPCs                   [][6]byte
		sgxTypes                               []dcap.SGXType
		instances, ppids                       [][16]byte
		noDynamicPlatform, noCachedKeys, noSMT bool
	}
)

// GraceStart is where the grace period for platforms that are out of date
// begins.
type GraceStart uint8

const (
	// FromTCBDate begins at the TCB date of the platform, as Intel's quote
	// appraisal does: the day up to which all known faults are mended there.
	FromTCBDate GraceStart = iota
	// FromNewerLevel begins at the date of the oldest level of the TCB info
	// that is newer than that of the platform: the day of the recovery that
	// it has missed. Intel publishes most TCB infos a year after that.
	FromNewerLevel
)

// Option is an option of New: an Enclave, a TD, or what a function below
// returns.
type Option interface{ apply(*Policy) }

type optionFunc func(*Policy)

func (f optionFunc) apply(p *Policy) { f(p) }

func (e Enclave) apply(p *Policy) { p.enclaves = append(p.enclaves, e.clone()) }
func (t TD) apply(p *Policy)      { p.tds = append(p.tds, t.clone()) }

// New makes a policy. Without options it is ErrNoIdentity: give at least one
// Enclave or TD, or AnyIdentity. An error wraps Errors, which has everything
// that is wrong.
func New(options ...Option) (*Policy, error) { return (&Policy{}).With(options...) }

// With returns a policy that has more options: identities and lists grow,
// other options take the place of what was there. A relying party reads its
// policy once, and adds what is different each time:
//
//	p, err := base.With(policy.ReportData(nonce))
func (p *Policy) With(options ...Option) (*Policy, error) {
	q := p.clone()
	for _, o := range options {
		o.apply(q)
	}
	if err := failed(q.validate()); err != nil {
		return nil, err
	}
	return q, nil
}

func (p *Policy) clone() *Policy {
	q := *p
	q.tcb.accept = slices.Clone(p.tcb.accept)
	q.tcb.deniedAdvisories, q.tcb.allowedAdvisories = slices.Clone(p.tcb.deniedAdvisories), slices.Clone(p.tcb.allowedAdvisories)
	f := &q.platform
	f.roots, f.versions, f.authorities = slices.Clone(f.roots), slices.Clone(f.versions), slices.Clone(f.authorities)
	f.fmspcs, f.deniedFMSPCs, f.sgxTypes = slices.Clone(f.fmspcs), slices.Clone(f.deniedFMSPCs), slices.Clone(f.sgxTypes)
	f.instances, f.ppids = slices.Clone(f.instances), slices.Clone(f.ppids)
	q.enclaves, q.tds = nil, nil
	for i := range p.enclaves {
		p.enclaves[i].apply(&q)
	}
	for i := range p.tds {
		p.tds[i].apply(&q)
	}
	return &q
}
