package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap/policy"
)

func FuzzParseTOML(f *testing.F) {
	f.Add([]byte(everythingTOML))
	for _, c := range append(tomlErrors, onlyTOMLErrors...) {
		if len(c.file) < 1000 {
			f.Add([]byte(c.file))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		readAny(t, b, func(b []byte) (*policy.Policy, error) { return policy.ParseTOML(b) })
	})
}

func FuzzParseJSON(f *testing.F) {
	p, err := policy.New(everything...)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.AppendJSON(nil))
	f.Add([]byte(`{"sgx":[{"any":true}],"tcb":{"accept":"OutOfDate"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		readAny(t, b, func(b []byte) (*policy.Policy, error) { return policy.ParseJSON(b) })
	})
}

// readAny reads b, which may be anything: what is accepted survives writing
// and reading in both languages and judges without a panic, what is not is told
// in lines with positions.
func readAny(t *testing.T, b []byte, read func([]byte) (*policy.Policy, error)) {
	p, err := read(b)
	if err == nil {
		inTOML, err := policy.ParseTOML(p.AppendTOML(nil))
		if err != nil || !policy.Equal(inTOML, p) {
			t.Fatalf("in TOML: %v\n%s", err, p.AppendTOML(nil))
		}
		inJSON, err := policy.ParseJSON(p.AppendJSON(nil))
		if err != nil || !policy.Equal(inJSON, p) {
			t.Fatalf("in JSON: %v\n%s", err, p.AppendJSON(nil))
		}
		if v := p.Check(sgxResult()); v.Accepted != (v.Err() == nil) {
			t.Errorf("%+v", v)
		}
		p.Check(tdResult())
		return
	}
	var errs policy.Errors
	if p != nil || !errors.As(err, &errs) || len(errs) == 0 || len(errs) > 50 {
		t.Fatalf("error %T of %d: %v", err, len(errs), err)
	}
	last := 0
	for _, e := range errs {
		if e.Line < max(last, 1) || e.Column < 1 || e.Reason == "" || !errors.Is(e, policy.ErrInvalid) {
			t.Errorf("no place or reason, or out of order: %+v", e)
		}
		last = e.Line
		if s := e.Error(); strings.ContainsAny(s, "\r\n\x1b") || len(s) > 1000 {
			t.Errorf("error of several lines, or long: %q", s)
		}
	}
}
