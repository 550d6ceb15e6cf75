package world_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/feidi-dev/feidi/internal/cli" // so that go test knows what the command is made of
	"github.com/feidi-dev/feidi/world"
)

var seed = flag.Uint64("seed", 0, "of what the tests that kill do at random; 0 draws one")

// built is where what the tests share is: the command, and the cache of builds.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "feidi-world-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// environment are the command and what it is run with, built when first used.
var environment = sync.OnceValues(func() (command string, err error) {
	command = filepath.Join(built, "feidi")
	cmd := exec.Command("go", "build", "-o", command, "./cmd/feidi")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	// Its enclaves are built into the tests' own cache, by a go command that
	// finds what it compiled before.
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return "", err
	}
	return command, errors.Join(
		os.Setenv("GOCACHE", strings.TrimSpace(string(goCache))),
		os.Setenv("XDG_CACHE_HOME", filepath.Join(built, "cache")),
	)
})

// home is a user's: what the command keeps for them.
type home struct {
	testing.TB
	command string
	dir     string // $XDG_STATE_HOME
}

// newHome returns the home of a user who has no world yet.
func newHome(t testing.TB) *home {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the command and runs daemons")
	}
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	command, err := environment()
	if err != nil {
		t.Fatal(err)
	}
	return &home{t, command, t.TempDir()}
}

// newWorld returns the home of a user who has a world, and machines of those
// names.
func newWorld(t testing.TB, machines ...string) *home {
	t.Helper()
	h := newHome(t)
	h.run("world", "init")
	for _, name := range machines {
		h.run("machine", "new", name)
	}
	return h
}

// state is where the command keeps the files of the world.
func (h *home) state(path ...string) string {
	return filepath.Join(append([]string{h.dir, "feidi"}, path...)...)
}

// world opens the world as another process of the user does.
func (h *home) world() *world.World {
	h.Helper()
	w, err := world.Open(h.state(), world.Options{})
	if err != nil {
		h.Fatal(err)
	}
	return w
}

// root returns a file with the world's root certificate.
func (h *home) root() string {
	h.Helper()
	path := filepath.Join(h.dir, "root.pem")
	h.write(path, []byte(h.run("world", "root")))
	return path
}

func (h *home) cmd(args ...string) *exec.Cmd {
	cmd := exec.Command(h.command, args...)
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+h.dir)
	return cmd
}

// result is what a verb did that has ended.
type result struct {
	args   []string
	code   int
	stdout string
	stderr string
}

func (r *result) String() string {
	return fmt.Sprintf("feidi %s: exit code %d\n%s%s", strings.Join(r.args, " "), r.code, r.stdout, r.stderr)
}

// verbTime is the longest that a verb may take that has nothing to build.
const verbTime = time.Minute

// try runs a verb to its end.
func (h *home) try(args ...string) *result {
	h.Helper()
	cmd := h.cmd(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	late := time.AfterFunc(verbTime, func() { _ = cmd.Process.Kill() }) // the exit code tells
	defer late.Stop()
	_ = cmd.Wait() // as does the exit code
	return &result{args, cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// run runs a verb that works, and returns what it wrote.
func (h *home) run(args ...string) string {
	h.Helper()
	r := h.try(args...)
	if r.code != 0 {
		h.Fatal(r)
	}
	return r.stdout
}

// refuses runs a verb that does not work, and checks with which exit code and that
// it says why.
func (h *home) refuses(code int, why string, args ...string) {
	h.Helper()
	r := h.try(args...)
	if r.code != code || !strings.Contains(r.stderr, why) {
		h.Errorf("%s\nwant exit code %d and %q", r, code, why)
	}
}

func (h *home) read(path string) []byte {
	h.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		h.Fatal(err)
	}
	return b
}

func (h *home) write(path string, b []byte) {
	h.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		h.Fatal(err)
	}
}

// within is the context of what a test waits for.
func (h *home) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(h.Context(), d)
	h.Cleanup(cancel)
	return ctx
}
