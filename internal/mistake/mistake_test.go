package mistake_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/feidi-dev/feidi/internal/mistake"
)

var errKind = errors.New("kind")

func TestError(t *testing.T) {
	for want, e := range map[string]mistake.Error{
		"why":                {Reason: "why"},
		"a.b: why":           {Key: "a.b", Reason: "why"},
		"2:7: a.b: why":      {Line: 2, Column: 7, Key: "a.b", Reason: "why"},
		"2: why":             {Line: 2, Reason: "why"},
		"f.toml: a: why":     {File: "f.toml", Key: "a", Reason: "why"},
		"f.toml:2:7: a: why": {File: "f.toml", Line: 2, Column: 7, Key: "a", Reason: "why"},
		":f:2: why":          {File: ":f", Line: 2, Reason: "why"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%+v: %q, want %q", e, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	var errs mistake.Errors
	if err := errs.Err(); err != nil {
		t.Errorf("none: %v", err)
	}
	errs.Add(mistake.Error{Line: 3, Column: 1, Reason: "third"})
	errs.Add(mistake.Error{Line: 1, Column: 9, Kind: errKind, Key: "k\n", Reason: strings.Repeat("x", 1000)})
	errs.Add(mistake.Error{Line: 1, Column: 2, Reason: "first"})
	err := errs.Err()
	if err == nil || err.Error() != "1:2: first (and 2 more)" || !errors.Is(err, errKind) {
		t.Errorf("three: %v", err)
	}
	if s := errs[1].Error(); !strings.HasPrefix(s, "1:9: k : xxx") || len(s) > 420 {
		t.Errorf("a line as the file has it: %q", s)
	}
	for range 2 * mistake.Most {
		errs.Add(mistake.Error{Reason: "again"})
	}
	if len(errs) != mistake.Most {
		t.Errorf("%d errors", len(errs))
	}
}

func TestNested(t *testing.T) {
	for s, want := range map[string]bool{"": false, "[[{": false, "[[{[": true, "[][][][]": false, "]]]][[[": false, "]{{{{": true} {
		if got := mistake.Nested([]byte(s), 3); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestNoTOML(t *testing.T) {
	err := toml.Unmarshal([]byte("a = 1\nb = ]\n"), &map[string]int{})
	line, column, reason := mistake.NoTOML(err)
	if line != 2 || column != 5 || !strings.HasPrefix(reason, "no TOML: ") || strings.Contains(reason, "toml:") {
		t.Errorf("%d:%d: %s", line, column, reason)
	}
	if line, column, reason = mistake.NoTOML(errKind); line != 1 || column != 1 || reason != "no TOML: kind" {
		t.Errorf("%d:%d: %s", line, column, reason)
	}
}
