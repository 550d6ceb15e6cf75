package cli

import (
	"bytes"
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
