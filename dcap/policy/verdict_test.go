package policy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/policy"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/isa"
)

// TestNotAuthentic has results that no policy accepts, and of which nothing
// else is said.
func TestNotAuthentic(t *testing.T) {
	p, err := policy.New(policy.AnyIdentity())
	if err != nil {
		t.Fatal(err)
	}
	forged := &verify.Error{Step: "quote", Status: verify.StatusInvalidQuoteSignature}
	for name, change := range map[string]func(*verify.Result){
		"signature":   func(r *verify.Result) { r.Steps.Quote = verify.Step{Status: forged.Status, Err: forged} },
		"PCK revoked": func(r *verify.Result) { r.Steps.PCKChain.Status = verify.StatusSGXPCKRevoked },
		"TCB info":    func(r *verify.Result) { r.Steps.TCBInfo.Status = verify.StatusTCBInfoInvalidSignature },
		"QE identity": func(r *verify.Result) { r.Steps.QEIdentity.Status = verify.StatusSGXQEIdentityInvalidSignature },
		"all":         func(r *verify.Result) { *r = verify.Result{Steps: r.Steps} },
		"quote":       func(r *verify.Result) { r.Quote = nil },
		"body":        func(r *verify.Result) { r.Quote.Body = nil },
		"PCK":         func(r *verify.Result) { r.PCK = nil },
		"extension":   func(r *verify.Result) { r.PCK.SGX = nil },
		"info":        func(r *verify.Result) { r.TCBInfo = nil },
		"identity":    func(r *verify.Result) { r.QEIdentity = nil },
		"launch":      func(r *verify.Result) { r.Launch = nil },
		"time":        func(r *verify.Result) { r.At = r.At.AddDate(-3000, 0, 0).Truncate(0); r.At = verify.Result{}.At },
	} {
		r := sgxResult()
		change(r)
		if v := p.Check(r); v.Accepted || strings.Join(rules(v), " ") != "authentic" || v.Err() == nil || v.Failures[0].Err == nil {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if v := p.Check(nil); v.Accepted || v.Err() == nil {
		t.Error("nothing is accepted")
	}
	if v := (&policy.Policy{}).Check(sgxResult()); strings.Join(rules(v), " ") != "tee" {
		t.Errorf("an empty policy: %+v", v)
	}

	r := sgxResult()
	r.Steps.Quote = verify.Step{Status: forged.Status, Err: forged}
	v := p.Check(r)
	var inner *verify.Error
	if !errors.As(v.Err(), &inner) || inner != forged || !errors.Is(v.Err(), policy.ErrRejected) {
		t.Errorf("%v does not wrap the error of the verification", v.Err())
	}
}

// TestVerdict looks at a verdict as a caller gets it.
func TestVerdict(t *testing.T) {
	p := parse(t, "[[sgx]]\nname = \"old\"\nmrenclave = "+hexes("0a", 32)+"\nmin_isvsvn = 9\n[[sgx]]\nmrsigner = "+hexes("02", 32)+"\nisvprodid = 7\nmin_isvsvn = 4\n[[sgx]]\nname = \"new\"\nmrsigner = "+hexes("02", 32)+"\nmin_isvsvn = 5\n")
	r := sgxResult()

	// The quote matches the second and third as soon as its SVN does.
	v := p.Check(r)
	if v.Identity != "sgx[1]" || strings.Join(rules(v), " ") != "sgx.min_isvsvn" {
		t.Errorf("the nearest is %s, with %v", v.Identity, rules(v))
	}
	want := "rejected by policy: sgx.min_isvsvn: wanted 4 or more, found 3: update the enclave"
	if got := v.Err().Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var f *policy.Failure
	if !errors.As(v.Err(), &f) || f.Rule != "sgx.min_isvsvn" {
		t.Errorf("%v wraps no Failure", v.Err())
	}
	status(r, dcap.OutOfDate)
	if got := p.Check(r).Err().Error(); !strings.HasPrefix(got, "rejected by policy: tcb.accept: wanted UpToDate, found OutOfDate: update ") || !strings.HasSuffix(got, " (and sgx.min_isvsvn)") {
		t.Errorf("got %s", got)
	}
	b, err := json.Marshal(p.Check(r))
	if want := `{"accepted":false,"identity":"sgx[1]","failures":[{"rule":"tcb.accept","wanted":"UpToDate","found":"OutOfDate","advice":"`; err != nil || !strings.HasPrefix(string(b), want) {
		t.Errorf("%v\ngot  %s\nwant %s", err, b, want)
	}
	status(r, dcap.UpToDate)
	for svn, identity := range map[uint16]string{4: "sgx[1]", 5: "sgx[1]"} {
		sgxBody(r).ISVSVN = svn
		if v := p.Check(r); !v.Accepted || v.Identity != identity || v.Err() != nil {
			t.Errorf("SVN %d: %+v", svn, v)
		}
	}
	sgxBody(r).ISVProdID, sgxBody(r).ISVSVN = 8, 5
	if v := p.Check(r); !v.Accepted || v.Identity != "new" {
		t.Errorf("%+v", v)
	}
	if b, err := json.Marshal(p.Check(r)); err != nil || string(b) != `{"accepted":true,"identity":"new","failures":[]}` {
		t.Errorf("%s, %v", b, err)
	}
	// Debug is for the enclave that has it allowed, and for no other.
	p = parse(t, "[[sgx]]\nmrenclave = "+hexes("01", 32)+"\n[[sgx]]\nname = \"test\"\nmrenclave = "+hexes("0a", 32)+"\nallow_debug = true\n")
	sgxBody(r).Attributes.Flags |= isa.AttrDebug
	if v := p.Check(r); v.Accepted {
		t.Error("debug of an enclave passes for that of another")
	}
	sgxBody(r).MREnclave = fill32(0x0a)
	if v := p.Check(r); !v.Accepted || v.Identity != "test" {
		t.Errorf("%+v", v)
	}
}

// TestAdvice has the advice that depends on what is found.
func TestAdvice(t *testing.T) {
	p, err := policy.New(policy.AnyIdentity())
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[dcap.TCBStatus]string{
		dcap.Revoked: "no policy accepts it", dcap.TCBUnknown: "no level for this platform", dcap.OutOfDate: "update BIOS",
		dcap.SWHardeningNeeded: "accept SWHardeningNeeded if", dcap.RelaunchAdvised: "launch the TD again",
	} {
		r := sgxResult()
		status(r, s, "INTEL-SA-00001")
		if v := p.Check(r); len(v.Failures) != 1 || !strings.Contains(v.Failures[0].Advice, want) || v.Failures[0].Found != s.String()+" (INTEL-SA-00001)" {
			t.Errorf("%v: %v", s, v.Err())
		}
	}
}

// TestMessages has what is said of lists.
func TestMessages(t *testing.T) {
	a, b, c, d := hexes("0a", 32), hexes("0b", 32), hexes("0c", 32), hexes("0d", 32)
	plain := func(s string) string { return strings.ReplaceAll(s, `"`, "") }
	advised := func(r *verify.Result) { status(r, dcap.UpToDate, "INTEL-SA-00001", "INTEL-SA-00002") }
	for _, x := range []struct {
		policy string
		change func(*verify.Result)
		wanted string
	}{
		{"[[sgx]]\nmrenclave = [" + strings.Join([]string{a, b, c}, ", ") + "]", asIs, plain(a + " or " + b + " or " + c)},
		{"[[sgx]]\nmrenclave = [" + strings.Join([]string{a, b, c, d}, ", ") + "]", asIs, plain(a + ", " + b + ", " + c + ", or one of 1 more")},
		{"[tcb]\naccept = [\"SWHardeningNeeded\"]\n" + anySGX, withStatus(dcap.OutOfDate), "UpToDate or SWHardeningNeeded"},
		{"[tcb]\naccept = [\"SWHardeningNeeded\", \"UpToDate\"]\n" + anySGX, withStatus(dcap.OutOfDate), "SWHardeningNeeded or UpToDate"},
		{"[tcb]\nallowed_advisories = []\n" + anySGX, advised, "none"},
		{"[tcb]\nallowed_advisories = \"INTEL-SA-00002\"\n" + anySGX, advised, "none but INTEL-SA-00002"},
	} {
		r := sgxResult()
		x.change(r)
		if v := parse(t, x.policy).Check(r); len(v.Failures) != 1 || v.Failures[0].Wanted != x.wanted {
			t.Errorf("%v, want %q", v.Err(), x.wanted)
		}
	}
	for _, x := range []struct {
		policy, want string
		r            *verify.Result
	}{
		{anySGX, "tee: wanted SGX, found TDX: the policy has no section [[tdx]]", tdResult()},
		{anyTDX, "tee: wanted TDX, found SGX: the policy has no section [[sgx]]", sgxResult()},
	} {
		if v := parse(t, x.policy).Check(x.r); len(v.Failures) != 1 || v.Failures[0].Error() != x.want {
			t.Errorf("%v, want %q", v.Err(), x.want)
		}
	}
}
