package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/verifyd/wire"
)

// show shows a verdict for people: first what it is.
func (j *judged) show(a *app) {
	word := "Rejected"
	if j.Accepted {
		word = "Accepted"
	}
	a.printf("%s: %s\n", word, j.Reason)
	for _, w := range j.Warnings {
		a.printf("WARNING: %s\n", w)
	}
	var t table
	t.add("Status", j.Status.String())
	for _, s := range []struct {
		name string
		step wire.Step
	}{{"PCK chain", j.Steps.PCKChain}, {"TCB info", j.Steps.TCBInfo}, {"QE identity", j.Steps.QEIdentity}, {"Quote", j.Steps.Quote}} {
		t.add("  "+s.name, s.step.Status.String())
	}
	t.add("As of", j.At.Format(time.RFC3339))
	t.add("Collateral", j.Collateral)
	facts, title := j.Facts, ""
	if facts == nil {
		facts, title = j.Unverified, "What it says, of which nothing is established"
	}
	add := func(name, value string) {
		if value != "" {
			t.add(name, value)
		}
	}
	if title != "" {
		t.write(a, "  ")
		a.printf("%s\n", title)
		t = table{}
	}
	showPlatform(facts, add)
	showIdentity(facts, add)
	t.write(a, "  ")
	j.showPolicy(a)
	for _, h := range j.hints {
		a.printf("Hint: %s\n", h)
	}
	if j.Explanation != "" {
		a.printf("Explanation\n  %s\n", strings.ReplaceAll(strings.TrimRight(j.Explanation, "\n"), "\n", "\n  "))
	}
}

func (j *judged) showPolicy(a *app) {
	p := &j.Policy
	switch {
	case !j.Authentic:
		a.printf("Policy %s: not met, whatever it is: the quote is not shown to be genuine\n", p.Name)
		return
	case p.Accepted:
		a.printf("Policy %s: met\n", p.Name)
		return
	}
	a.printf("Policy %s: not met\n", p.Name)
	said := ""
	for _, r := range p.Failures {
		a.printf("  %s: wanted %s, found %s\n", r.Rule, r.Wanted, r.Found)
		if r.Advice != "" && r.Advice != said {
			a.printf("    %s\n", r.Advice)
		}
		said = r.Advice
	}
}

// showPlatform adds what is known of the platform.
func showPlatform(f *wire.Facts, add func(name, value string)) {
	tcb := f.TCBStatus
	if tcb != "" && f.TCBDate != nil {
		tcb += ", TCB date " + f.TCBDate.Format(time.DateOnly)
	}
	if tcb != "" && f.EvaluationDataNumber != nil {
		tcb += fmt.Sprintf(", evaluation %d", *f.EvaluationDataNumber)
	}
	add("TCB", tcb)
	if f.Current != nil && f.Launch != nil && f.Current.Status != f.Launch.Status {
		add("  at launch", orWord(f.Launch.Status, "not supported"))
		add("  now", orWord(f.Current.Status, "not supported"))
	}
	if f.AdvisoryIDs != nil {
		add("Advisories", orWord(strings.Join(f.AdvisoryIDs, " "), "none"))
	}
	if f.QEStatus != "" {
		add("Quoting enclave", fmt.Sprintf("%s, SVN %d", f.QEStatus, *f.QEISVSVN))
	}
	if f.FMSPC != "" {
		platform := "FMSPC " + f.FMSPC
		if f.CA != "" {
			platform += ", " + f.CA + " CA"
		}
		add("Platform", platform)
	}
	root := f.Root
	if root == "intel" {
		root = "Intel's"
	}
	add("Root", root)
	if f.Expires != nil {
		add("Expires", f.Expires.Format(time.RFC3339))
	}
}

// showIdentity adds what is known of the enclave or TD.
func showIdentity(f *wire.Facts, add func(name, value string)) {
	if f.TEE != "" {
		add("Quote", fmt.Sprintf("version %d, %s", f.QuoteVersion, f.BodyType))
	}
	add("MRENCLAVE", f.MREnclave)
	add("MRSIGNER", f.MRSigner)
	if f.ISVProdID != nil {
		add("Product", fmt.Sprintf("id %d, SVN %d", *f.ISVProdID, *f.ISVSVN))
	}
	if f.ConfigSVN != nil {
		add("Extended product id", f.ISVExtProdID)
		add("Family id", f.ISVFamilyID)
		add("CONFIGID", f.ConfigID)
		add("CONFIGSVN", fmt.Sprint(*f.ConfigSVN))
	}
	add("MRTD", f.MRTD)
	for i, v := range f.RTMR {
		add(fmt.Sprintf("RTMR%d", i), v)
	}
	for _, v := range [][2]string{{"MRCONFIGID", f.MRConfigID}, {"MROWNER", f.MROwner}, {"MROWNERCONFIG", f.MROwnerConfig}, {"MRSERVICETD", f.MRServiceTD}} {
		if !zeros(v[1]) {
			add(v[0], v[1])
		}
	}
	if f.Debug != nil {
		add("Debug", yesNo(*f.Debug))
	}
	add("Report data", f.ReportData)
}
