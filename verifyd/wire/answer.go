package wire

import (
	"time"

	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// Answer is what is said of a quote. Keys that do not apply are absent.
type Answer struct {
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason"` // one line

	Status    verify.Status `json:"status"`    // of the whole verification
	Authentic bool          `json:"authentic"` // every signature and chain holds
	Expired   bool          `json:"expired"`   // a certificate, list or document is out of its time
	At        time.Time     `json:"at"`        // what was asked about
	Steps     Steps         `json:"steps"`
	Policy    Policy        `json:"policy"`

	// Facts of an authentic quote stand beside the rest. Those of one that
	// is not stand apart, so that nobody takes them for established.
	*Facts
	Unverified *Facts `json:"unverified,omitempty"`

	Warnings    []string `json:"warnings,omitempty"`
	Explanation string   `json:"explanation,omitempty"` // for a person, if it was asked for

	// CollateralAtFault is true if the quote is not authentic for no other
	// reason than its collateral, which may be of another platform.
	CollateralAtFault bool `json:"-"`
}

// Steps are the outcomes of the four steps.
type Steps struct {
	PCKChain   Step `json:"pck_chain"`
	TCBInfo    Step `json:"tcb_info"`
	QEIdentity Step `json:"qe_identity"`
	Quote      Step `json:"quote"`
}

// Step is the outcome of a step.
type Step struct {
	Status verify.Status `json:"status"`
	Error  string        `json:"error,omitempty"`
}

// Policy is the judgement.
type Policy struct {
	Name        string `json:"name"`                   // "default", or where it was read
	AnyIdentity bool   `json:"any_identity,omitempty"` // it does not look at whose enclave or TD this is
	*policy.Verdict
}

// Evaluation is what Intel says of one set of SVNs.
type Evaluation struct {
	Status       string     `json:"status"`
	Date         *time.Time `json:"tcb_date,omitempty"`
	AdvisoryIDs  []string   `json:"advisory_ids"`
	Level        *int       `json:"level,omitempty"` // of the TCB info, 0 is the newest; absent if none is met
	Platform     string     `json:"platform_status,omitempty"`
	QE           string     `json:"qe_status,omitempty"`
	Module       string     `json:"tdx_module,omitempty"` // its identity, such as "TDX_03"
	ModuleStatus string     `json:"tdx_module_status,omitempty"`
}

func step(s verify.Step) Step {
	if s.Err == nil {
		return Step{Status: s.Status}
	}
	return Step{s.Status, s.Err.Error()}
}

func evaluation(e *verify.Evaluation) *Evaluation {
	if e == nil {
		return nil
	}
	out := &Evaluation{Status: tcbStatus(e.Status), Date: date(e.Date), AdvisoryIDs: list(e.AdvisoryIDs)}
	if e.Platform != nil {
		out.Level, out.Platform = &e.Index, tcbStatus(e.Platform.Status)
	}
	if e.QE != nil {
		out.QE = tcbStatus(e.QE.Status)
	}
	if e.Module != nil {
		out.Module = e.Module.ID
	}
	if e.ModuleLevel != nil {
		out.ModuleStatus = tcbStatus(e.ModuleLevel.Status)
	}
	return out
}

// date is t, or nil if it was not established.
func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// list is v, but not nil, which is null in JSON.
func list(v []string) []string {
	if v == nil {
		return []string{}
	}
	return v
}
