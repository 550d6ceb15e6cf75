package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// What cannot be written is no success.
func TestOutputFails(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"version", "--json"}, {"sign", "config"}, {"help"}} {
		var errs bytes.Buffer
		if code := Main(args, strings.NewReader(""), full{}, &errs); code != exitCannot || strings.Count(errs.String(), "no space left") != 1 {
			t.Errorf("%q: exit code %d, %q", args, code, &errs)
		}
	}
}

// Names of files are anybody's.
func TestErrorsArePrintable(t *testing.T) {
	var out, errs bytes.Buffer
	if code := Main([]string{"inspect", "none\x1b[31m\u202e\u009b.so"}, strings.NewReader(""), &out, &errs); code != exitCannot {
		t.Errorf("exit code %d", code)
	}
	if s := errs.String(); strings.ContainsAny(s, "\x1b\u202e\u009b") || !strings.Contains(s, "none?[31m??.so") {
		t.Errorf("%q", s)
	}
}

// What an enclave says does not reach a terminal as commands: text has question
// marks in their place, and JSON escapes.
func TestOutputIsPrintable(t *testing.T) {
	const hostile = "\x1b]0;title\a\u009b2J\x7f\u202egnp.exe\t飛\n"
	var out bytes.Buffer
	a := &app{out: &output{w: &out}}
	a.printf("%s", hostile)
	if want := "?]0;title??2J??gnp.exe\t飛\n"; out.String() != want {
		t.Errorf("%q, want %q", &out, want)
	}
	out.Reset()
	if err := a.writeJSON(hostile); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\a\u009b\x7f\u202e") || !strings.Contains(out.String(), "飛") {
		t.Errorf("%q", &out)
	}
	var back string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != hostile {
		t.Errorf("%q is read back as %q, %v", &out, back, err)
	}
}
