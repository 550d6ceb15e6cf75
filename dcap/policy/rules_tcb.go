package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

const updateAdvice = "update BIOS, microcode, TDX module and quoting enclave of the platform; the verification explains which falls short"

// tcbRules are the section "tcb".
var tcbRules = []rule[tcb, verify.Result]{
	acceptRule(),
	advised(one[tcb, verify.Result]("out_of_date_grace", "how long a platform that is OutOfDate is accepted",
		period, func(t *tcb) *time.Duration { return &t.grace }), updateAdvice, (*tcb).checkGrace),
	one[tcb, verify.Result]("out_of_date_grace_from", "from when: the TCB date of the platform, or the date of the first newer level (`newer_level`)",
		graceStarts, func(t *tcb) *GraceStart { return &t.graceFrom }),
	advised(one[tcb, verify.Result]("qe_up_to_date", "the quoting enclave must be UpToDate, whatever else is accepted",
		toggles, func(t *tcb) *bool { return &t.qeUpToDate }), "update the quoting enclave (the DCAP packages of the host)", (*tcb).checkQE),
	advised(one[tcb, verify.Result]("min_tcb_date", "the TCB date must not be earlier",
		date, func(t *tcb) *time.Time { return &t.minDate }), updateAdvice, (*tcb).checkDate),
	advised(many[tcb, verify.Result]("denied_advisories", "security advisories that must not concern the platform",
		advisory, func(t *tcb) *[]string { return &t.deniedAdvisories }), updateAdvice, (*tcb).checkDenied),
	advised(emptyToo(many[tcb, verify.Result]("allowed_advisories", "the only security advisories that may concern the platform, whatever its status; an empty list allows none",
		advisory, func(t *tcb) *[]string { return &t.allowedAdvisories }), func(t *tcb) bool { return t.allowedAdvisories != nil }),
		updateAdvice+", or allow the advisory, if its demands are met", (*tcb).checkAllowed),
}

func acceptRule() rule[tcb, verify.Result] {
	r := many[tcb, verify.Result]("accept", "statuses that are accepted; `UpToDate` always is", acceptable(), func(t *tcb) *[]dcap.TCBStatus { return &t.accept })
	return advised(r, updateAdvice, (*tcb).checkStatus)
}

// advised gives a rule its check and its advice.
func advised[S, F any](r rule[S, F], advice string, check func(*S, *F) *Failure) rule[S, F] {
	r.advice, r.check = advice, check
	return r
}

// emptyToo lets the list of a key be empty, which is not as if it were absent.
func emptyToo[S, F any](r rule[S, F], isGiven func(*S) bool) rule[S, F] {
	r.empty = true
	write := r.write
	r.write = func(s *S) *node {
		if n := write(s); n != nil || !isGiven(s) {
			return n
		}
		return &node{kind: array}
	}
	return r
}

// evaluations are those of a result, each once.
func evaluations(r *verify.Result) []*verify.Evaluation {
	if r.Current == nil || r.Current == r.Launch {
		return []*verify.Evaluation{r.Launch}
	}
	return []*verify.Evaluation{r.Launch, r.Current}
}

func (t *tcb) accepts(s dcap.TCBStatus) bool {
	return s == dcap.UpToDate || slices.Contains(t.accept, s) && s != dcap.TCBUnknown && s != dcap.Revoked
}

// outOfDate reports whether a status is one that only time made bad.
func outOfDate(s dcap.TCBStatus) bool {
	switch s {
	case dcap.OutOfDate, dcap.OutOfDateConfigurationNeeded, dcap.RelaunchAdvised, dcap.RelaunchAdvisedConfigurationNeeded:
		return true
	}
	return false
}

// unaccepted returns the first status that is not accepted by itself, and what
// it is the status of: the whole, or, for a TD, the module that runs now.
func (t *tcb) unaccepted(r *verify.Result) (dcap.TCBStatus, *verify.Evaluation) {
	if !t.accepts(r.TCBStatus) && !t.graced(r.TCBStatus, r.Launch, r) {
		return r.TCBStatus, r.Launch
	}
	if e := r.Current; e != nil && e != r.Launch && !t.accepts(e.Status) && !t.graced(e.Status, e, r) {
		return e.Status, e
	}
	return dcap.UpToDate, nil
}

// forGrace reports whether a grace period would help: the platform is out of
// date, and nothing else is wrong with it that is not accepted.
func (t *tcb) forGrace(s dcap.TCBStatus, e *verify.Evaluation) bool {
	if t.grace == 0 || !outOfDate(s) || e.Platform == nil {
		return false
	}
	switch s := e.Platform.Status; s {
	case dcap.OutOfDate:
		return true
	case dcap.OutOfDateConfigurationNeeded:
		return t.accepts(dcap.ConfigurationNeeded)
	default: // it is a component that is out of date
		return t.accepts(s)
	}
}

func (t *tcb) graced(s dcap.TCBStatus, e *verify.Evaluation, r *verify.Result) bool {
	since := t.since(e, r)
	return t.forGrace(s, e) && !since.IsZero() && !r.At.After(since.Add(t.grace))
}

// since is when the grace period began, or zero if that cannot be said.
func (t *tcb) since(e *verify.Evaluation, r *verify.Result) time.Time {
	if t.graceFrom == FromNewerLevel {
		return missed(e, r)
	}
	return e.Date
}

// checkStatus fails for statuses that are neither accepted nor of a kind that
// the grace period is for.
func (t *tcb) checkStatus(r *verify.Result) *Failure {
	s, e := t.unaccepted(r)
	if s == dcap.UpToDate || t.forGrace(s, e) {
		return nil
	}
	found := s.String()
	switch {
	case e != r.Launch:
		found += " (with the TDX module that runs now)"
	case len(e.AdvisoryIDs) > 0:
		found += " (" + strings.Join(e.AdvisoryIDs, ", ") + ")"
	}
	accepted := t.accept
	if !slices.Contains(accepted, dcap.UpToDate) {
		accepted = append([]dcap.TCBStatus{dcap.UpToDate}, accepted...)
	}
	f := note(anyOf(accepted, dcap.TCBStatus.String), found)
	switch s {
	case dcap.Revoked:
		f.Advice = "do not trust this platform: no policy accepts it"
	case dcap.TCBUnknown:
		f.Advice = "the TCB info has no level for this platform: use the TCB info of its FMSPC and TEE, or treat it as revoked"
	case dcap.RelaunchAdvised, dcap.RelaunchAdvisedConfigurationNeeded:
		f.Advice = "launch the TD again: the host has a newer TDX module than the one it began on"
	case dcap.ConfigurationNeeded, dcap.SWHardeningNeeded, dcap.ConfigurationAndSWHardeningNeeded:
		f.Advice = "read the advisories; accept " + s.String() + " if their demands are met"
	}
	return f
}

// checkGrace fails for platforms whose grace period is over.
func (t *tcb) checkGrace(r *verify.Result) *Failure {
	s, e := t.unaccepted(r)
	if s == dcap.UpToDate || !t.forGrace(s, e) {
		return nil
	}
	since := t.since(e, r)
	if since.IsZero() {
		return note("a date to count "+period.write(t.grace)+" from", s.String()+", and no newer level with a date")
	}
	return note(fmt.Sprintf("%v for %s at most", s, period.write(t.grace)), fmt.Sprintf("%v, counted from %s, until %s", s, date.write(since), date.write(since.Add(t.grace))))
}

func (t *tcb) checkQE(r *verify.Result) *Failure {
	if s := r.QEStatus(); t.qeUpToDate && s != dcap.UpToDate {
		return note(dcap.UpToDate.String(), s.String())
	}
	return nil
}

func (t *tcb) checkDate(r *verify.Result) *Failure {
	for _, e := range evaluations(r) {
		if e.Date.Before(t.minDate) {
			return note(date.write(t.minDate)+" or later", date.write(e.Date))
		}
	}
	return nil
}

// concerns are the advisories of a result that are in a list, or those that
// are not.
func concerns(r *verify.Result, list []string, in bool) (out []string) {
	for _, e := range evaluations(r) {
		for _, id := range e.AdvisoryIDs {
			if slices.Contains(list, strings.ToUpper(id)) == in && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

func (t *tcb) checkDenied(r *verify.Result) *Failure {
	if bad := concerns(r, t.deniedAdvisories, true); bad != nil {
		return note("none of "+strings.Join(t.deniedAdvisories, ", "), strings.Join(bad, ", "))
	}
	return nil
}

func (t *tcb) checkAllowed(r *verify.Result) *Failure {
	if t.allowedAdvisories == nil {
		return nil
	}
	if bad := concerns(r, t.allowedAdvisories, false); bad != nil {
		wanted := "none"
		if len(t.allowedAdvisories) > 0 {
			wanted = "none but " + strings.Join(t.allowedAdvisories, ", ")
		}
		return note(wanted, strings.Join(bad, ", "))
	}
	return nil
}
