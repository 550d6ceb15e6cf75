package policy

import (
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// missed is when a platform could first have been newer than it is: the date
// of the oldest newer level of what is out of date, be it platform, quoting
// enclave or TDX module. It is zero if there is none with a later date.
func missed(e *verify.Evaluation, r *verify.Result) time.Time {
	if e.Platform == nil {
		return time.Time{}
	}
	var all []time.Time
	if p := e.Platform; p.Status == dcap.OutOfDate || p.Status == dcap.OutOfDateConfigurationNeeded {
		var newer []time.Time
		for i := range min(e.Index, len(r.TCBInfo.Levels)) {
			newer = append(newer, r.TCBInfo.Levels[i].Date)
		}
		all = append(all, after(p.Date, newer))
	}
	if q := e.QE; q != nil && q.Status == dcap.OutOfDate {
		var newer []time.Time
		for _, l := range r.QEIdentity.Levels {
			if l.ISVSVN > q.ISVSVN {
				newer = append(newer, l.Date)
			}
		}
		all = append(all, after(q.Date, newer))
	}
	if m := e.ModuleLevel; m != nil && m.Status == dcap.OutOfDate {
		var newer []time.Time
		if e.Module != nil {
			for _, l := range e.Module.Levels {
				if l.ISVSVN > m.ISVSVN {
					newer = append(newer, l.Date)
				}
			}
		}
		all = append(all, after(m.Date, newer))
	}
	var first time.Time
	for i, t := range all {
		if t.IsZero() {
			return t // one of them cannot be dated
		}
		if i == 0 || t.Before(first) {
			first = t
		}
	}
	return first
}

// after is the earliest of some dates that is after t, or zero.
func after(t time.Time, dates []time.Time) (first time.Time) {
	for _, d := range dates {
		if d.After(t) && (first.IsZero() || d.Before(first)) {
			first = d
		}
	}
	return first
}
