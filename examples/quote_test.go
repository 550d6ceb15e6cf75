package examples

import (
	"crypto/sha256"
	"os"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

// A quote from a world's machine, as the README of the example says.
func TestQuote(t *testing.T) {
	needs(t)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	if out, errs, code := output(t, feidi(t, "", "run", "--attest", "./quote"), ""); code != 3 || !strings.Contains(errs, "feidi world init") {
		t.Errorf("without a world: exit code %d\n%s%s", code, out, errs)
	}
	if out, errs, code := output(t, feidi(t, "", "world", "init"), ""); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	out, errs, code := output(t, feidi(t, "", "run", "-q", "--attest", "./quote", "-data", "any text"), "")
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	q, err := dcap.ParseQuote([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256([]byte("any text")); [32]byte(q.EnclaveReport().ReportData[:32]) != want {
		t.Errorf("report data %x", q.EnclaveReport().ReportData)
	}
	file := t.TempDir() + "/quote.bin"
	if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, code := output(t, feidi(t, "", "quote", "show", file), ""); code != 0 || !strings.Contains(out, "SOFTWARE - NOT HARDWARE") {
		t.Errorf("quote show: exit code %d\n%s", code, out)
	}
}
