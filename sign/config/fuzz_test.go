package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/sign/config"
)

func FuzzParseXML(f *testing.F) {
	for _, c := range samples() {
		f.Add(c.AppendXML(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) { readAny(t, b, config.ParseXML) })
}

func FuzzParseTOML(f *testing.F) {
	for _, c := range samples() {
		f.Add(c.AppendTOML(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) { readAny(t, b, config.ParseTOML) })
}

// readAny reads b, which may be anything: what is accepted is valid and
// survives writing and reading, what is not is told in lines with positions.
func readAny(t *testing.T, b []byte, read func([]byte) (*config.Config, error)) {
	c, err := read(b)
	if err == nil {
		if err := c.Validate(); err != nil {
			t.Fatalf("read, but not valid: %v", err)
		}
		roundTrip(t, c)
		return
	}
	var errs config.Errors
	if !errors.As(err, &errs) || len(errs) == 0 || len(errs) > 50 {
		t.Fatalf("error %T of %d: %v", err, len(errs), err)
	}
	last := 0
	for _, e := range errs {
		if e.Line < max(last, 1) || e.Column < 1 || e.Reason == "" {
			t.Errorf("no place or reason, or out of order: %+v", e)
		}
		last = e.Line
		if s := e.Error(); strings.ContainsAny(s, "\r\n") || len(s) > 500 {
			t.Errorf("error of several lines, or long: %q", s)
		}
	}
}
