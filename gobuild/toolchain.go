package gobuild

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/feidi-dev/feidi/internal/goabi"
)

// Toolchain is a Go toolchain that can build enclaves.
type Toolchain struct {
	// Go is the go command.
	Go string
	// Version is its version, such as go1.26.8.
	Version string
	goroot  string
	cache   string // a directory for the overlay
}

// FindToolchain finds the go command, and checks that it is one that the
// enclave's runtime is made for. cache is a directory that it may write to.
func FindToolchain(ctx context.Context, cache string) (*Toolchain, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("%w: no go command in PATH: install %s (https://go.dev/dl)", ErrToolchain, GoVersion)
	}
	cmd := exec.CommandContext(ctx, path, "env", "-json", "GOROOT", "GOVERSION")
	cmd.Env = Environment()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: go env: %w", ErrToolchain, explain(err))
	}
	var env struct{ GOROOT, GOVERSION string }
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("%w: go env: %w", ErrToolchain, err)
	}
	if env.GOVERSION != GoVersion && !strings.HasPrefix(env.GOVERSION, GoVersion+".") {
		return nil, fmt.Errorf("%w is %s, and the enclave's runtime is made for %s: put that first in PATH, or set GOTOOLCHAIN=%s.8", ErrToolchain, env.GOVERSION, GoVersion, GoVersion)
	}
	return &Toolchain{Go: path, Version: env.GOVERSION, goroot: env.GOROOT, cache: cache}, nil
}

// Environment is the environment of the go command: the caller's, for a program
// without cgo on linux/amd64.
func Environment() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
}

// explain is an error of a command with what it wrote.
func explain(err error) error {
	var e *exec.ExitError
	if errors.As(err, &e) && len(e.Stderr) > 0 {
		return errors.New(strings.TrimSpace(string(e.Stderr)))
	}
	return err
}

// Tag is the build tag that is set in an enclave.
const Tag = "feidi"

// Flags returns the flags of `go build` and `go test` that link a program with
// the enclave's runtime. tags are further build tags.
func (t *Toolchain) Flags(tags []string) ([]string, error) {
	list, err := writeOverlay(t.cache, t.goroot)
	if err != nil {
		return nil, err
	}
	macro := func(name, function string) string { return fmt.Sprintf(`-D "%s=CALL runtime·%s(SB)"`, name, function) }
	return []string{
		"-overlay=" + list,
		"-buildmode=pie",
		"-trimpath",
		"-buildvcs=false",
		"-tags=" + strings.Join(append([]string{Tag}, tags...), ","),
		// The macros reach the assembly of every package, of the module and of
		// others.
		"-asmflags=all=" + strings.Join([]string{
			macro("SYSCALL", "enclgate"), macro("CPUID", "enclcpuid"), macro("RDTSC", "enclrdtsc"), macro("RDTSCP", "enclrdtscp"),
		}, " "),
	}, nil
}

// LinkerFlags are what -ldflags needs.
const LinkerFlags = "-E runtime.enclentry"

// Compile builds a main package, as the go command in dir names it, into a
// program for Link. log gets what the command writes; it may be nil.
func (t *Toolchain) Compile(ctx context.Context, dir, pkg string, tags []string, log io.Writer) ([]byte, error) {
	flags, err := t.Flags(tags)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "feidi-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	// The go command links nothing that is there and up to date.
	out, kept := filepath.Join(tmp, "program"), t.programPath(dir, pkg, flags)
	before, ok := readCached(kept)
	if ok && os.WriteFile(out, before, 0o755) != nil {
		_ = os.Remove(out)
	}
	args := append([]string{"build"}, flags...)
	args = append(args, "-ldflags="+LinkerFlags, "-o", out, "--", pkg)
	if err := t.run(ctx, dir, args, log); err != nil {
		return nil, t.withCgo(ctx, dir, pkg, flags, err)
	}
	b, err := os.ReadFile(out)
	if err != nil || !goabi.IsGo(b) {
		return nil, fmt.Errorf("%w: %s is no main package", ErrCompile, pkg)
	}
	if err := checkPlugins(b, pkg); err != nil {
		return nil, err
	}
	if !bytes.Equal(b, before) {
		writeCached(kept, b)
	}
	return b, nil
}

// programPath is where the program is kept that a command has built.
func (t *Toolchain) programPath(dir, pkg string, flags []string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	h := sha256.Sum256([]byte(strings.Join(append([]string{dir, pkg}, flags...), "\x00")))
	return filepath.Join(t.cache, "programs", hex.EncodeToString(h[:16]))
}

// run runs the go command.
func (t *Toolchain) run(ctx context.Context, dir string, args []string, log io.Writer) error {
	cmd := exec.CommandContext(ctx, t.Go, args...)
	cmd.Dir, cmd.Env = dir, Environment()
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stderr, &stderr
	if log != nil {
		cmd.Stdout, cmd.Stderr = log, io.MultiWriter(log, &stderr)
	}
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(stderr.String()); text != "" {
			return fmt.Errorf("%w: %s", ErrCompile, text)
		}
		return fmt.Errorf("%w: %w", ErrCompile, err)
	}
	return nil
}
