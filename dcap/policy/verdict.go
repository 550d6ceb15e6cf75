package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// Verdict is what a policy says of a result.
type Verdict struct {
	Accepted bool `json:"accepted"`

	// Identity is the enclave or TD of the policy that the quote matches: its
	// name, or its place, such as "sgx[0]", if it has none. If it matches
	// none, it is the one whose rules are among the failures, which is that
	// of which the fewest fail.
	Identity string `json:"identity,omitempty"`

	Failures []*Failure `json:"failures"` // empty if it is accepted
}

// Failure is a rule that does not hold.
type Failure struct {
	// Rule is the key of a policy file that decides, such as "tcb.accept" or
	// "sgx.mrenclave", or one of those that no key lifts: "authentic" (the
	// verification failed), "not_yet_valid" (the collateral is newer than
	// the time asked about) and "tee" (the policy names no enclave, or no TD).
	Rule   string `json:"rule"`
	Wanted string `json:"wanted"`
	Found  string `json:"found"`
	Advice string `json:"advice"` // what to do, one line

	Err error `json:"-"` // for "authentic" the error of the verification
}

// Error returns one line.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s: wanted %s, found %s: %s", f.Rule, f.Wanted, f.Found, f.Advice)
}

// Unwrap returns Err.
func (f *Failure) Unwrap() error { return f.Err }

// Err returns nil if the verdict is Accepted, else an error that wraps
// ErrRejected and every Failure.
func (v *Verdict) Err() error {
	if v.Accepted {
		return nil
	}
	return &rejection{v.Failures}
}

type rejection struct{ failures []*Failure }

// Error is the first failure, and which other rules fail.
func (r *rejection) Error() string {
	s := ErrRejected.Error()
	var others []string
	for i, f := range r.failures {
		if i == 0 {
			s += ": " + f.Error()
			continue
		}
		others = append(others, f.Rule)
	}
	if others != nil {
		s += " (and " + strings.Join(others, ", ") + ")"
	}
	return s
}

func (r *rejection) Unwrap() []error {
	out := []error{ErrRejected}
	for _, f := range r.failures {
		out = append(out, f)
	}
	return out
}

// Check judges a result. Every rule is looked at, so that the verdict has all
// that is wrong; but of a result that is not authentic nothing else is said.
func (p *Policy) Check(r *verify.Result) *Verdict {
	if f := authentic(r); f != nil {
		return &Verdict{Failures: []*Failure{f}}
	}
	v := &Verdict{Failures: []*Failure{}}
	if f := notYetValid(r); f != nil {
		v.add([]*Failure{f})
	}
	v.add(failures("tcb.", tcbRules, &p.tcb, r))
	v.add(failures("collateral.", collateralRules, &p.collateral, r))
	v.add(failures("platform.", platformRules, &p.platform, r))
	if e := r.Quote.EnclaveReport(); e != nil {
		match(v, dcap.TEESGX, "sgx", p.enclaves, func(e *Enclave) string { return e.Name }, enclaveRules, &e.ReportBody)
	} else {
		match(v, dcap.TEETDX, "tdx", p.tds, func(t *TD) string { return t.Name }, tdRules, r.Quote)
	}
	v.add(failures("", topRules, &p.top, r))
	v.Accepted = len(v.Failures) == 0
	return v
}

func (v *Verdict) add(f []*Failure) { v.Failures = append(v.Failures, f...) }

// failures are the rules of a section that do not hold.
func failures[S, F any](section string, rules []rule[S, F], s *S, f *F) (out []*Failure) {
	for i := range rules {
		r := &rules[i]
		if r.check == nil {
			continue
		}
		failure := r.check(s, f)
		if failure == nil {
			continue
		}
		failure.Rule = section + r.key
		if failure.Advice == "" {
			failure.Advice = r.advice
		}
		out = append(out, failure)
	}
	return out
}

// match finds the first of some identities that a quote matches, or the nearest.
func match[S, F any](v *Verdict, tee dcap.TEEType, section string, all []S, name func(*S) string, rules []rule[S, F], f *F) {
	if len(all) == 0 {
		other := dcap.TEESGX
		if tee == other {
			other = dcap.TEETDX
		}
		v.add([]*Failure{{Rule: "tee", Wanted: other.String(), Found: tee.String(), Advice: "the policy has no section [[" + section + "]]"}})
		return
	}
	var least []*Failure
	for i := range all {
		fails := failures(section+".", rules, &all[i], f)
		if i > 0 && len(fails) >= len(least) {
			continue
		}
		least = fails
		if v.Identity = name(&all[i]); v.Identity == "" {
			v.Identity = fmt.Sprintf("%s[%d]", section, i)
		}
		if len(fails) == 0 {
			return
		}
	}
	v.add(least)
}

// errIncomplete: a result claims to be authentic, and facts are missing.
var errIncomplete = errors.New("the result is not complete")

// authentic fails for results of which nothing is to be believed. One that
// claims to be authentic and lacks a fact was not made by package verify.
func authentic(r *verify.Result) *Failure {
	f := &Failure{Rule: "authentic", Wanted: "a quote that is genuine", Advice: "do not use the quote; if collateral is missing or of another platform, get it again"}
	switch {
	case r == nil:
		f.Err = errIncomplete
	case !r.Authentic():
		if f.Err = r.Err(); f.Err == nil {
			f.Err = errIncomplete
		}
	case r.Quote == nil || r.Quote.EnclaveReport() == nil && r.Quote.TDReport() == nil || r.PCK == nil || r.PCK.SGX == nil ||
		r.TCBInfo == nil || r.QEIdentity == nil || r.Launch == nil || r.At.IsZero():
		f.Err = errIncomplete
	default:
		return nil
	}
	f.Found = f.Err.Error()
	return f
}
