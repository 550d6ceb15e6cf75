package wire

import (
	"encoding/hex"
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
)

// Judge makes answers of the results of verifications.
type Judge struct {
	Policy      *policy.Policy
	Name        string // of the policy, for answers
	AnyIdentity bool   // the policy does not look at whose enclave or TD it is
}

// Default judges where nobody said how: Intel must call the platform UpToDate,
// nothing may be out of its time, and the enclave or TD must not be under
// debug. Whose it is, is not looked at. The root must be one of the given ones,
// or Intel's if there are none.
func Default(roots []*dcap.Certificate) (*Judge, error) {
	options := []policy.Option{policy.AnyIdentity()}
	for _, c := range roots {
		options = append(options, policy.Roots((&verify.Root{Key: c.PublicKey}).Fingerprint()))
	}
	p, err := policy.New(options...)
	if err != nil {
		return nil, err
	}
	return &Judge{p, "default", true}, nil
}

// Answer says what was found, and whether it is accepted. If reportData is not
// nil, the quote's must be the same, whatever the policy says.
func (j *Judge) Answer(r *verify.Result, reportData *[64]byte) *Answer {
	v := *j.Policy.Check(r)
	if f := checkReportData(r, reportData); f != nil {
		v.Accepted, v.Failures = false, append(v.Failures, f)
	}
	a := &Answer{
		Accepted: v.Accepted, Status: r.Status, Authentic: r.Authentic(), Expired: r.Expired(), At: r.At,
		Steps:    Steps{step(r.Steps.PCKChain), step(r.Steps.TCBInfo), step(r.Steps.QEIdentity), step(r.Steps.Quote)},
		Policy:   Policy{j.Name, j.AnyIdentity, &v},
		Warnings: warnings(r, j.AnyIdentity),
	}
	a.Reason, a.CollateralAtFault = reason(r, &v)
	if a.Authentic {
		a.Facts = newFacts(r)
	} else {
		a.Unverified = newFacts(r)
	}
	return a
}

func checkReportData(r *verify.Result, want *[64]byte) *policy.Failure {
	if want == nil {
		return nil
	}
	found := "no quote"
	if r.Quote != nil {
		data := r.Quote.ReportData()
		if data == *want {
			return nil
		}
		found = hex.EncodeToString(data[:])
	}
	return &policy.Failure{Rule: "request.report_data", Wanted: hex.EncodeToString(want[:]), Found: found, Advice: "the quote was made for another nonce or key: ask for a new one"}
}

// reason is the verdict in one line, and whether only the collateral is at fault.
func reason(r *verify.Result, v *policy.Verdict) (line string, collateral bool) {
	if !r.Authentic() {
		err, collateral := cause(r)
		if collateral {
			return "could not be authenticated with this collateral: " + err.Error(), true
		}
		return "not authentic: " + err.Error(), false
	}
	if len(v.Failures) > 0 {
		f := v.Failures[0]
		s := fmt.Sprintf("genuine, but %s: wanted %s, found %s", f.Rule, f.Wanted, f.Found)
		if more := len(v.Failures) - 1; more > 0 {
			s += fmt.Sprintf(" (and %d more)", more)
		}
		return s, false
	}
	whose := "Intel calls"
	if !r.Root.Intel {
		whose = "its root, which is not Intel's, calls"
	}
	return fmt.Sprintf("a genuine quote of %s, on a platform that %s %v", subject(r), whose, r.TCBStatus), false
}

func subject(r *verify.Result) string {
	if r.Quote.TDReport() != nil {
		return "a TDX guest"
	}
	return "an SGX enclave"
}

// warnings are what somebody who accepts the quote should know.
func warnings(r *verify.Result, anyIdentity bool) (w []string) {
	if r.Quote == nil {
		return nil
	}
	if underDebug(r.Quote) {
		w = append(w, "it is under debug: whoever runs it can read and change all that is in it")
	}
	if !r.Authentic() {
		return w
	}
	if anyIdentity {
		w = append(w, "the policy does not look at whose enclave or TD this is: compare that and the report data yourself, or name them in a policy")
	}
	if !r.Root.Intel {
		w = append(w, fmt.Sprintf("the root of trust is not Intel's but %q: hardware of Intel's need not be behind this", r.Root.Subject.CommonName))
	}
	return w
}
