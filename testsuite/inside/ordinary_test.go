package inside

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/internal/cli" // what is tested
)

// feidi returns how to start the command, with a state and a cache of its own.
func feidi(t *testing.T) func(args ...string) *exec.Cmd {
	t.Helper()
	powerOn(t, cpu.Config{}) // or skip
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	dir := t.TempDir()
	command := filepath.Join(dir, "command")
	if out, err := exec.Command("go", "build", "-o", command, "../../cmd/feidi").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	gocache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "XDG_STATE_HOME="+dir, "XDG_CACHE_HOME="+dir, "GOCACHE="+strings.TrimSpace(string(gocache)), "CGO_ENABLED=0")
	return func(args ...string) *exec.Cmd {
		cmd := exec.Command(command, args...)
		cmd.Env = env
		return cmd
	}
}

// TestOrdinary runs the tests of package ordinary in an enclave.
func TestOrdinary(t *testing.T) {
	run := feidi(t)
	out, err := run("test", "./ordinary", "--", "-count=1", "-v").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "--- PASS: "); n < 11 || strings.Contains(string(out), "--- SKIP: ") {
		t.Errorf("%d tests passed:\n%s", n, out)
	}
}

// TestFailing has a test fail in an enclave, and the command say so.
func TestFailing(t *testing.T) {
	run := feidi(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module made.test/m\n\ngo 1.26\n",
		"x_test.go": "package m\n\nimport \"testing\"\n\nfunc TestBad(t *testing.T) { t.Error(\"it is bad\") }\n\nfunc TestCrash(t *testing.T) { var p *int; *p = 1 }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"Bad": "it is bad", "Crash": "nil pointer dereference"} {
		cmd := run("test", ".", "--", "-run", name)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		var failed *exec.ExitError
		if !errors.As(err, &failed) || failed.ExitCode() != 1 || !strings.Contains(string(out), want) || !strings.Contains(string(out), "FAIL") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
