package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/text"
)

// Shortfall is a part of a platform whose security version number (SVN) is too
// low for a level of TCB.
type Shortfall struct {
	Component  string // such as "SGX component 1" or "PCESVN"
	Detail     string // what Intel calls it, such as "BIOS, Early Microcode Update"; may be empty
	Have, Need uint16
}

// Shortfalls lists what a platform lacks to meet a level of the TCB info, with
// the TDX module that it was launched on. It is nil without PCK certificate.
func (r *Result) Shortfalls(l *dcap.TCBLevel) []Shortfall {
	if r.PCK == nil || r.PCK.SGX == nil || r.Quote == nil {
		return nil
	}
	sgx := r.PCK.SGX
	var list []Shortfall
	add := func(name string, i int, have, need uint16, c *dcap.TCBComponent) {
		if have >= need {
			return
		}
		s := Shortfall{Component: name, Have: have, Need: need}
		if c != nil {
			s.Component = fmt.Sprintf("%s component %d", name, i+1)
			s.Detail = strings.Join(slices.DeleteFunc([]string{c.Category, c.Type}, func(s string) bool { return s == "" }), ", ")
		}
		list = append(list, s)
	}
	for i := range l.SGX {
		add("SGX", i, uint16(sgx.TCB[i]), uint16(l.SGX[i].SVN), &l.SGX[i])
	}
	add("PCESVN", 0, sgx.PCESVN, l.PCESVN, nil)
	if td := r.Quote.TDReport(); td != nil {
		svn := &td.TEETCBSVN
		for i := firstTDX(svn); i < len(svn); i++ {
			add("TDX", i, uint16(svn[i]), uint16(l.TDX[i].SVN), &l.TDX[i])
		}
	}
	return list
}

// String returns "SGX component 1 (BIOS, Early Microcode Update): SVN 7, needs 11".
func (s Shortfall) String() string {
	detail := ""
	if s.Detail != "" {
		detail = " (" + line(s.Detail) + ")"
	}
	return fmt.Sprintf("%s%s: SVN %d, needs %d", s.Component, detail, s.Have, s.Need)
}

// Better returns the levels of the TCB info that Intel calls better than the
// one that the platform meets, the nearest first.
func (r *Result) Better() []*dcap.TCBLevel {
	if r.TCBInfo == nil || r.Launch == nil {
		return nil
	}
	end, rank := len(r.TCBInfo.Levels), len(ranks)
	if p := r.Launch.Platform; p != nil {
		end, rank = r.Launch.Index, slices.Index(ranks, p.Status)
	}
	var list []*dcap.TCBLevel
	for i := end - 1; i >= 0; i-- {
		if l := &r.TCBInfo.Levels[i]; slices.Index(ranks, l.Status) < rank {
			list = append(list, l)
		}
	}
	return list
}

// next returns the nearest of the better levels or, if what it takes to meet
// that suffices for a higher one, the highest of these: it is what would be met.
func (r *Result) next(better []*dcap.TCBLevel) *dcap.TCBLevel {
	next := better[0]
	need := r.Shortfalls(next)
	for _, l := range better[1:] {
		if slices.EqualFunc(need, r.Shortfalls(l), func(a, b Shortfall) bool { return a.Component == b.Component && a.Need == b.Need }) {
			next = l
		}
	}
	return next
}

// ranks are the statuses of levels, the best first.
var ranks = []dcap.TCBStatus{
	dcap.UpToDate, dcap.SWHardeningNeeded, dcap.ConfigurationNeeded, dcap.ConfigurationAndSWHardeningNeeded,
	dcap.OutOfDate, dcap.OutOfDateConfigurationNeeded, dcap.Revoked,
}

// meanings say what a status asks of whom.
var meanings = map[dcap.TCBStatus]string{
	dcap.UpToDate:                           "the platform has all of Intel's fixes",
	dcap.SWHardeningNeeded:                  "the platform is current, and the enclave has to be built with the mitigations that the advisories ask for: no update of the platform changes this",
	dcap.ConfigurationNeeded:                "the platform is current, and a setting of it (in the BIOS, such as hyper-threading) leaves it open to the advisories",
	dcap.ConfigurationAndSWHardeningNeeded:  "the platform is current; a setting of it leaves it open to the advisories, and the enclave has to be built with mitigations",
	dcap.OutOfDate:                          "the platform lacks fixes that exist",
	dcap.OutOfDateConfigurationNeeded:       "the platform lacks fixes that exist, and a setting of it leaves it open, too",
	dcap.Revoked:                            "Intel has withdrawn its trust in this level: its keys may be known",
	dcap.RelaunchAdvised:                    "the platform was updated since this TD was launched: launch the TD again",
	dcap.RelaunchAdvisedConfigurationNeeded: "the platform was updated since this TD was launched: launch the TD again, and mend the platform's settings",
}

// shortOf is the error of a result whose status is not UpToDate. Its text says
// in one line what that means and how much is lacking; mostly nobody asks.
type shortOf struct {
	r      *Result
	status dcap.TCBStatus // which the result does not have if it is not authentic
}

func (e shortOf) Error() string {
	r := e.r
	s := fmt.Sprintf("%v: %s", e.status, meanings[e.status])
	if e.status == r.Launch.Platform.Status {
		if better := r.Better(); len(better) > 0 {
			next := r.next(better)
			if n := len(r.Shortfalls(next)); n > 0 {
				s += fmt.Sprintf(" (%d short of the level of %s, which is %v)", n, day(next.Date), next.Status)
			}
		}
	}
	return s
}

// line makes what a document says fit to stand in a line: whoever signed it
// might have had a terminal in mind.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if text.Unsafe(r) {
			return '?'
		}
		return r
	}, s)
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// Explain tells a person what was found: whether the quote is genuine, and if
// not, why and what to do; what Intel says of the platform, which components
// fall short and by how much, what Intel calls the levels above, and which
// advisories they would clear. Several lines of text.
func (r *Result) Explain() string {
	var b strings.Builder
	if !r.Authentic() {
		r.explainFailure(&b)
		return b.String()
	}
	what := "an SGX enclave"
	if r.Quote.TDReport() != nil {
		what = "a TDX guest"
	}
	fmt.Fprintf(&b, "The quote is genuine: it is of %s, on a platform with FMSPC %X that %s certified (%s CA).\n", what, r.PCK.SGX.FMSPC, r.certifier(), r.CA)
	r.explainExpired(&b)
	r.explainTCB(&b)
	return b.String()
}

func (r *Result) certifier() string {
	if r.Root.Intel {
		return "Intel"
	}
	return fmt.Sprintf("%s (no root of Intel's; key %.8x...)", name(&r.Root.Subject), r.Root.Fingerprint())
}

func (r *Result) explainFailure(b *strings.Builder) {
	b.WriteString("The quote is not shown to be genuine.\n")
	var advices []string
	for _, s := range r.Steps.list() {
		if s.Err != nil && !s.Status.Expired() && !s.Status.TCB() {
			fmt.Fprintf(b, "  %v\n", s.Err)
			if a := advice(s.Status); a != "" && !slices.Contains(advices, a) {
				advices = append(advices, a)
			}
		}
	}
	for _, a := range advices {
		fmt.Fprintln(b, a)
	}
	r.explainExpired(b)
}

// advice says what to do about a status.
func advice(s Status) string {
	switch s {
	case StatusMissingParameters:
		return "Get the collateral of this platform from Intel's PCS or a PCCS."
	case StatusSGXPCKCertChainUntrusted, StatusSGXTCBSigningCertChainUntrusted:
		return "If this is the root of a software platform or a test that you mean to trust, name it as a root; it will then be trusted in place of Intel's."
	case StatusTrustedRootCAInvalid:
		return "Give a root certificate, whose issuer is itself."
	case StatusTCBInfoMismatch, StatusQEIdentityMismatch, StatusInvalidPCKCRL:
		return "The collateral may be that of another platform, TEE or CA."
	case StatusPCKRevoked, StatusSGXPCKRevoked, StatusSGXIntermediateCARevoked, StatusSGXTCBSigningCertRevoked:
		return "Do not trust the platform: who revoked it says that its key is not to be relied on."
	case StatusInvalidQuoteSignature, StatusInvalidQEReportSignature, StatusInvalidQEReportData:
		return "The quote was changed, damaged or forged after it was made."
	case StatusTDXModuleMismatch:
		return "The TDX module is not one that this TCB info knows: get newer TCB info."
	}
	return ""
}

func (r *Result) explainExpired(b *strings.Builder) {
	if !r.Expired() {
		return
	}
	fmt.Fprintf(b, "As of %s some of the collateral is out of its time:\n", r.At.Format(time.RFC3339))
	for _, s := range r.Steps.list() {
		if s.Status.Expired() {
			fmt.Fprintf(b, "  %v\n", s.Err)
		}
	}
}

func (r *Result) explainTCB(b *strings.Builder) {
	if r.Steps.Quote.Status == StatusTCBNotSupported {
		fmt.Fprintf(b, "Its TCB is not supported: %v.\n", r.Steps.Quote.Err.(*Error).Err)
		r.explainClosest(b)
		return
	}
	who := "Intel"
	if !r.Root.Intel {
		who = "The TCB info"
	}
	fmt.Fprintf(b, "%s calls its TCB %v: %s.\n", who, r.TCBStatus, meanings[r.TCBStatus])
	e := r.Launch
	fmt.Fprintf(b, "It meets level %d of %d, of %s (%v), by evaluation %d.\n", e.Index+1, len(r.TCBInfo.Levels), day(e.Platform.Date), e.Platform.Status, r.Validity.EvaluationDataNumber)
	if len(e.AdvisoryIDs) > 0 {
		fmt.Fprintf(b, "Advisories that concern it: %s.\n", line(strings.Join(e.AdvisoryIDs, ", ")))
	}
	r.explainComponents(b)
	better := r.Better()
	if len(better) == 0 {
		return
	}
	next := r.next(better)
	r.explainLevel(b, next, "The next better level")
	if best := better[len(better)-1]; best != next && best.Status != next.Status {
		r.explainLevel(b, best, "The best level")
	}
}

// explainComponents is about quoting enclave and TDX module.
func (r *Result) explainComponents(b *strings.Builder) {
	e := r.Launch
	if e.QE.Status != dcap.UpToDate {
		fmt.Fprintf(b, "Its quoting enclave has ISVSVN %d, which is %v since %s; ISVSVN %d is %v. A newer quoting enclave comes with the platform software.\n",
			r.Quote.QEReport.ISVSVN, e.QE.Status, day(e.QE.Date), r.QEIdentity.Levels[0].ISVSVN, r.QEIdentity.Levels[0].Status)
	}
	if e.ModuleLevel != nil && e.ModuleLevel.Status != dcap.UpToDate {
		td := r.Quote.TDReport()
		fmt.Fprintf(b, "The TDX module %s that it was launched on has SVN %d, which is %v since %s; SVN %d is %v.\n",
			e.Module.ID, td.TEETCBSVN[0], e.ModuleLevel.Status, day(e.ModuleLevel.Date), e.Module.Levels[0].ISVSVN, e.Module.Levels[0].Status)
	}
	if c := r.Current; c.Status != e.Status {
		fmt.Fprintf(b, "With the TDX module that runs now, the TCB is %v (TCB date %s).\n", c.Status, day(c.Date))
	}
}

// explainShortfalls says what a level is and what the platform lacks of it.
func (r *Result) explainShortfalls(b *strings.Builder, l *dcap.TCBLevel, title string) {
	fmt.Fprintf(b, "%s is of %s (%v). To meet it:\n", title, day(l.Date), l.Status)
	for _, s := range r.Shortfalls(l) {
		fmt.Fprintf(b, "  %v\n", s)
	}
}

// explainLevel says besides which advisories the level would clear.
func (r *Result) explainLevel(b *strings.Builder, l *dcap.TCBLevel, title string) {
	r.explainShortfalls(b, l, title)
	var clears, stay []string
	for _, a := range r.Launch.Platform.AdvisoryIDs {
		if slices.Contains(l.AdvisoryIDs, a) {
			stay = append(stay, a)
		} else {
			clears = append(clears, a)
		}
	}
	if len(clears) > 0 {
		fmt.Fprintf(b, "  This would clear %s", line(strings.Join(clears, ", ")))
		if len(stay) > 0 {
			fmt.Fprintf(b, "; %s would stay", line(strings.Join(stay, ", ")))
		}
		b.WriteString(".\n")
	}
}

// explainClosest is for a platform that meets no level.
func (r *Result) explainClosest(b *strings.Builder) {
	if r.Launch == nil || r.Launch.Platform != nil {
		return
	}
	var closest *dcap.TCBLevel
	for i := range r.TCBInfo.Levels {
		l := &r.TCBInfo.Levels[i]
		if closest == nil || len(r.Shortfalls(l)) <= len(r.Shortfalls(closest)) {
			closest = l
		}
	}
	r.explainShortfalls(b, closest, "The closest level")
}
