// Package std runs tests of the standard library in an enclave, by the command
// `feidi test`, and says which of them do not pass there, and why.
//
// By itself it runs a part of them. FEIDI_STD=all has it run all that a program
// in an enclave may depend on, which takes minutes, and FEIDI_STD=long without
// -short. FEIDI_STD=none runs nothing.
package std

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native"   // the engine, where there is one
	_ "github.com/feidi-dev/feidi/internal/cli" // what is tested: its result is kept only as long as that is the same
)

// Packages of which all tests run, and a selection of slower ones.
var (
	part = []string{
		"bytes", "strings", "sort", "maps", "strconv", "encoding/json", "reflect", "sync", "sync/atomic", "context",
		"crypto/sha256", "crypto/aes",
	}
	chosen = map[string]string{
		"net": "TCP|Unix|Pipe|Buffers|Sendfile|Deadline", "os": "Read|Write|Pipe|Stat|Remove|Dir|Chdir|Symlink", "time": "Timer|Ticker|Sleep|After|Parse",
	}
	all = []string{
		"bytes", "strings", "sort", "maps", "strconv", "encoding/json", "encoding/gob", "compress/flate", "math/big", "time", "reflect", "sync",
		"sync/atomic", "context", "crypto/aes", "crypto/sha256", "crypto/ecdsa", "crypto/rsa", "crypto/ed25519", "crypto/mlkem", "crypto/tls",
		"crypto/x509", "net", "net/http", "os",
	}
)

func TestStandardLibrary(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs tests of the standard library")
	}
	if len(cpu.Engines()) == 0 {
		t.Skip("no engine")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	inside := enclosed(t)
	var got results
	short := []string{"-short"}
	list := all
	switch mode := os.Getenv("FEIDI_STD"); mode {
	case "none":
		t.Skip("FEIDI_STD=none")
	case "":
		list = append(slices.Clone(part), slices.Sorted(maps.Keys(chosen))...)
		got = inside(t, part, short)
		for _, p := range slices.Sorted(maps.Keys(chosen)) {
			maps.Copy(got, inside(t, []string{p}, append(short, "-run="+chosen[p])))
		}
	case "long":
		short = nil
		fallthrough
	case "all":
		got = inside(t, all, short)
	default:
		t.Fatalf("FEIDI_STD=%s: empty, none, all or long", mode)
	}

	table := []string{fmt.Sprintf("%-16s %6s %6s %7s  %s", "package", "passed", "failed", "skipped", "reason")}
	for _, p := range list {
		r := got[p]
		if r == nil || r.tests["pass"] == nil {
			t.Errorf("%s: nothing passed: %s", p, r.text())
			continue
		}
		passed, failed, skipped := r.tests["pass"], r.tests["fail"], r.tests["skip"]
		table = append(table, fmt.Sprintf("%-16s %6d %6d %7d  %s", p, len(passed), len(failed), len(skipped), reasons(skipped)))
		if len(failed) == 0 && r.err == "" {
			continue
		}
		// What fails outside, too, is not the enclave's fault.
		native := outside(t, p, short)
		for _, name := range slices.Sorted(maps.Keys(failed)) {
			why := "only in an enclave"
			process := classes[0].pattern.MatchString(failed[name].String())
			switch {
			case native.tests["fail"][name] != nil:
				why = "outside, too"
			case process:
				why = "for it starts a process"
			}
			table = append(table, fmt.Sprintf("    %s fails %s: %s", name, why, brief(failed[name].String())))
			if !process && (native.tests["pass"][name] != nil || native.tests["skip"][name] != nil) {
				t.Errorf("%s: %s fails only in an enclave:\n%s", p, name, failed[name])
			}
		}
		if len(failed) == 0 && native.err == "" {
			t.Errorf("%s: %s", p, r.text())
		}
	}
	t.Logf("tests of the standard library in an enclave:\n%s", strings.Join(table, "\n"))
}

// classes are reasons for which tests are skipped. The first is the enclave's,
// the others are the machine's and the tests' own.
var classes = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"starts processes", regexp.MustCompile(`cannot exec subprocess|'go build' unavailable|function not implemented`)},
	{"external network", regexp.MustCompile(`external network|no external`)},
	{"GOMAXPROCS", regexp.MustCompile(`GOMAXPROCS>1`)},
	{"-short", regexp.MustCompile(`(?i)short|avoiding time\.Sleep`)},
	{"raw socket", regexp.MustCompile(`operation not permitted`)},
	{"terminal", regexp.MustCompile(`pty open failed|/dev/tty`)},
	{"runs as root", regexp.MustCompile(`(?i)root`)},
	{"IPv6 or wildcard", regexp.MustCompile(`IPv6|not testable|skipping udp|[:.]0<-|link-local|multicast`)},
	{"other platform", regexp.MustCompile(`(?i)windows|darwin|32-bit|linux|on this|cgo|case sensitive`)},
	{"known or by flag", regexp.MustCompile(`(?i)flaky|go\.dev/issue|golang\.org/issue|enable|disabled|inconsistency|non-hermetic`)},
}

// reasons counts why tests were skipped.
func reasons(skipped map[string]*strings.Builder) string {
	count := map[string]int{}
	for _, out := range skipped {
		class := "other: " + brief(out.String())
		for _, c := range classes {
			if c.pattern.MatchString(out.String()) {
				class = c.name
				break
			}
		}
		count[class]++
	}
	var words []string
	for _, c := range slices.Sorted(maps.Keys(count)) {
		words = append(words, fmt.Sprintf("%d %s", count[c], c))
	}
	return strings.Join(words, ", ")
}

// brief is the first line of what a test wrote that says something.
func brief(out string) string {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "feidi: ") {
			return line[:min(len(line), 120)]
		}
	}
	return ""
}

// result is what tests of a package did.
type result struct {
	tests  map[string]map[string]*strings.Builder // outputs by action and name
	output map[string]*strings.Builder            // by name
	err    string                                 // if the package failed
}

func (r *result) text() string {
	if r == nil {
		return "no output"
	}
	return r.err
}

// results are the results of packages.
type results map[string]*result

// parse reads what `go test -json` writes.
func parse(in io.Reader) (results, error) {
	all := results{}
	for d := json.NewDecoder(in); ; {
		var e struct{ Action, Package, Test, Output string }
		if err := d.Decode(&e); err == io.EOF {
			return all, nil
		} else if err != nil {
			return all, err
		}
		if e.Package == "" {
			continue
		}
		r := all[e.Package]
		if r == nil {
			r = &result{tests: map[string]map[string]*strings.Builder{}, output: map[string]*strings.Builder{}}
			all[e.Package] = r
		}
		out := r.output[e.Test]
		if out == nil {
			out = new(strings.Builder)
			r.output[e.Test] = out
		}
		switch e.Action {
		case "output":
			out.WriteString(e.Output)
		case "pass", "fail", "skip":
			if e.Test == "" {
				if e.Action == "fail" {
					r.err = "failed: " + out.String()
				}
				continue
			}
			if r.tests[e.Action] == nil {
				r.tests[e.Action] = map[string]*strings.Builder{}
			}
			r.tests[e.Action][e.Test] = out
		}
	}
}

// enclosed builds the command and returns a function that runs tests of
// packages in an enclave with it.
func enclosed(t *testing.T) func(t *testing.T, packages, flags []string) results {
	t.Helper()
	dir := t.TempDir()
	command := filepath.Join(dir, "feidi")
	if out, err := exec.Command("go", "build", "-o", command, "../../cmd/feidi").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	gocache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	// The command's own files are not the user's; those of the go command are.
	env := append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(dir, "state"), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "GOCACHE="+strings.TrimSpace(string(gocache)))
	return func(t *testing.T, packages, flags []string) results {
		t.Helper()
		args := append([]string{"test", "--heap", "1G", "--threads", "64"}, packages...)
		args = append(append(args, "--", "-json", "-count=1", "-timeout=20m"), flags...)
		return test(t, exec.Command(command, args...), env)
	}
}

// outside runs the tests of a package in no enclave.
func outside(t *testing.T, pkg string, flags []string) *result {
	t.Helper()
	got := test(t, exec.Command("go", append(append([]string{"test", "-json", "-vet=off"}, flags...), pkg)...), os.Environ())
	if got[pkg] == nil {
		t.Fatalf("%s: no results outside", pkg)
	}
	return got[pkg]
}

// test runs a command that runs tests; that some fail is no error.
func test(t *testing.T, cmd *exec.Cmd, env []string) results {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = append(env, "CGO_ENABLED=0"), &stderr
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	got, err := parse(bytes.NewReader(out))
	if err != nil || len(got) == 0 {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	return got
}
