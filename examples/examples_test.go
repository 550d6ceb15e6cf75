// Package examples has programs for enclaves, each in a folder, and the tests
// that they work.
package examples

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/cli"
)

// asCommand has the test program be the command feidi.
const asCommand = "FEIDI_EXAMPLES_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(cli.Main(cli.Args(os.Args), os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(inPlace(m))
}

// inPlace runs the tests with a place of their own for keys, machines and what
// is built. The go command keeps its cache, so that the standard library is not
// compiled again.
func inPlace(m *testing.M) int {
	dir, err := os.MkdirTemp("", "feidi-examples-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if cache, err := exec.Command("go", "env", "GOCACHE").Output(); err == nil {
		os.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
	}
	os.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	os.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	return m.Run()
}

// needs skips a test where programs cannot be built or run.
func needs(t *testing.T) {
	t.Helper()
	m, err := enclave.PowerOn(enclave.MachineConfig{})
	if errors.Is(err, enclave.ErrNoEngine) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
}

// feidi is the command with some arguments, in a folder. It is killed when the
// test is over.
func feidi(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCommand+"=1")
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// output runs a command and returns what it writes to standard output and
// standard error, and its exit code.
func output(t *testing.T, cmd *exec.Cmd, stdin string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// build makes an enclave of an example and returns its file.
func build(t *testing.T, dir, pkg string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "enclave.signed.so")
	if out, errs, code := output(t, feidi(t, dir, "build", "-o", file, pkg), ""); code != 0 {
		t.Fatalf("building %s: exit code %d\n%s%s", pkg, code, out, errs)
	}
	return file
}

func TestHello(t *testing.T) {
	needs(t)
	out, errs, code := output(t, feidi(t, "", "run", "./hello"), "")
	if code != 0 || !regexp.MustCompile(`^Hello, world, from the enclave with MRENCLAVE [0-9a-f]{64}\.\n$`).MatchString(out) {
		t.Errorf("run: exit code %d\n%s%s", code, out, errs)
	}
	if !strings.Contains(errs, "nothing inside this enclave is protected") {
		t.Errorf("no warning: %q", errs)
	}
	file := build(t, "", "./hello")
	out2, _, _ := output(t, feidi(t, "", "run", file), "")
	if out2 != out {
		t.Errorf("from a file: %q, from the package: %q", out2, out)
	}

	out, errs, code = output(t, exec.CommandContext(t.Context(), "go", "run", "./hello/host", file, "Alice", "Bob"), "")
	want := "Hello, Alice. You are number 1.\nThe enclave has greeted 1\nHello, Bob. You are number 2.\nThe enclave has greeted 2\n"
	if code != 0 || out != want {
		t.Errorf("host: exit code %d\n%s%s", code, out, errs)
	}
	out, errs, code = output(t, exec.CommandContext(t.Context(), "go", "run", "./hello"), "")
	if code != 0 || !strings.Contains(out, "not in an enclave") {
		t.Errorf("outside: exit code %d\n%s%s", code, out, errs)
	}
}

// The code of the border is what the generator makes of the EDL.
func TestGenerated(t *testing.T) {
	dir := t.TempDir()
	args := []string{"edl", "gen", "hello.edl", "--lang", "go", "--package", "edge", "--trusted-dir", dir, "--untrusted-dir", dir}
	if out, errs, code := output(t, feidi(t, filepath.Join("hello", "edge"), args...), ""); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("hello", "edge", f.Name()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run go generate ./examples/hello/edge (%v)", f.Name(), err)
		}
	}
}

func TestVault(t *testing.T) {
	needs(t)
	file, state := build(t, "", "./vault"), filepath.Join(t.TempDir(), "vault")
	vault := func(stdin string, args ...string) (stdout, stderr string, code int) {
		t.Helper()
		return output(t, feidi(t, "", append([]string{"run", "-q", file, "-state", state}, args...)...), stdin)
	}
	for _, c := range []struct {
		stdin, args  string
		stdout, errs string // patterns
		code         int
	}{
		{"", "list", `^$`, `^$`, 0},
		{"hunter2", "put mail", `^$`, `^$`, 0},
		{"correct horse", "put bank", `^$`, `^$`, 0},
		{"", "get mail", `^hunter2$`, `^$`, 0},
		{"new", "put mail", `^$`, `^$`, 0},
		{"", "get mail", `^new$`, `^$`, 0},
		{"", "list", `^bank\t[-0-9]+ [0-9:]+\nmail\t`, `^$`, 0},
		{"", "get nothing", `^$`, `^vault: read nothing: file does not exist\n$`, 1},
		{"", "put empty", `^$`, `^vault: a password has 1 to`, 1},
		{"", "remove mail", `^$`, `^$`, 0},
		{"", "get mail", `^$`, `does not exist`, 1},
		{"", "check", `^$`, `^$`, 0},
		{"", "get", `^$`, `^usage: `, 2},
		{"", "", `^$`, `^usage: `, 2},
	} {
		out, errs, code := vault(c.stdin, strings.Fields(c.args)...)
		if code != c.code || !regexp.MustCompile(c.stdout).MatchString(out) || !regexp.MustCompile(c.errs).MatchString(errs) {
			t.Errorf("vault %s: exit code %d, %q, %q", c.args, code, out, errs)
		}
	}

	// The host has nothing to read, and what it changes is noticed.
	files, err := os.ReadDir(state)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join(state, f.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("correct horse")) || bytes.Contains(b, []byte("bank")) {
			t.Errorf("%s has something to read", f.Name())
		}
		if len(b) == 0 || f.Name() == "lock" {
			continue
		}
		if err := os.WriteFile(path, append(b[:len(b)-1:len(b)-1], b[len(b)-1]^1), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, errs, code := vault("", "get", "bank"); code != 1 || out != "" {
			t.Errorf("with another %s: exit code %d, %q, %q", f.Name(), code, out, errs)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Another machine has another seal key.
	out, errs, code := output(t, feidi(t, "", "run", "-q", "--machine", "other", file, "-state", state, "get", "bank"), "")
	if code != 1 || out != "" {
		t.Errorf("on another machine: exit code %d, %q, %q", code, out, errs)
	}
	if out, errs, code := vault("", "get", "bank"); code != 0 || out != "correct horse" {
		t.Errorf("put back: exit code %d, %q, %q", code, out, errs)
	}
}

func TestModules(t *testing.T) {
	needs(t)
	dir := "modules"
	download := exec.CommandContext(t.Context(), "go", "mod", "download")
	download.Dir = dir
	if out, err := download.CombinedOutput(); err != nil {
		t.Skipf("the modules cannot be had: %v\n%s", err, out)
	}
	file := build(t, dir, ".")
	text := strings.Repeat("a text that compresses well. ", 10000)
	packed, errs, code := output(t, feidi(t, dir, "run", "-q", file, "-password", "secret"), text)
	if code != 0 || len(packed) > len(text)/50 {
		t.Fatalf("exit code %d, %d bytes\n%s", code, len(packed), errs)
	}
	if out, errs, code := output(t, feidi(t, dir, "run", "-q", file, "-password", "secret", "-open"), packed); code != 0 || out != text {
		t.Errorf("open: exit code %d, %d bytes\n%s", code, len(out), errs)
	}
	if out, errs, code := output(t, feidi(t, dir, "run", "-q", file, "-password", "other", "-open"), packed); code != 1 || out != "" || !strings.Contains(errs, "another password") {
		t.Errorf("with another password: exit code %d, %d bytes, %q", code, len(out), errs)
	}
	// Outside it is the same program.
	outside := exec.CommandContext(t.Context(), "go", "run", ".", "-password", "secret", "-open")
	outside.Dir = dir
	if out, errs, code := output(t, outside, packed); code != 0 || out != text {
		t.Errorf("outside: exit code %d, %d bytes\n%s", code, len(out), errs)
	}
}

// within is a context for what takes no longer than a few seconds.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
