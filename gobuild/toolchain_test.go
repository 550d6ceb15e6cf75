package gobuild

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// toolchain finds the Go toolchain, or skips the test.
func toolchain(t testing.TB, cache string) *Toolchain {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the go command")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	tc, err := FindToolchain(context.Background(), cache)
	if err != nil {
		t.Fatal(err)
	}
	return tc
}

func TestToolchain(t *testing.T) {
	tc := toolchain(t, t.TempDir())
	if !strings.HasPrefix(tc.Version, GoVersion) || !filepath.IsAbs(tc.goroot) {
		t.Errorf("%+v", tc)
	}
	flags, err := tc.Flags([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(flags, "-tags=feidi,a,b") || !slices.Contains(flags, "-buildmode=pie") || !slices.Contains(flags, "-trimpath") {
		t.Errorf("flags %q", flags)
	}
	env := Environment()
	if !slices.Contains(env, "CGO_ENABLED=0") || !slices.Contains(env, "GOARCH=amd64") {
		t.Errorf("environment %q", env)
	}
}

// TestOtherToolchains puts go commands in PATH that are not what they should be.
func TestOtherToolchains(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the go commands are shell scripts")
	}
	for name, c := range map[string]struct{ script, want string }{
		"none":     {"", "install " + GoVersion},
		"older":    {`echo '{"GOROOT":"/go","GOVERSION":"go1.25.3"}'`, "is go1.25.3, and the enclave's runtime is made for go1.26: put that first in PATH, or set GOTOOLCHAIN=go1.26."},
		"newer":    {`echo '{"GOROOT":"/go","GOVERSION":"go1.260"}'`, "is go1.260"},
		"devel":    {`echo '{"GOROOT":"/go","GOVERSION":"devel go1.27-abc"}'`, "is devel go1.27-abc"},
		"fails":    {`echo "go: no such toolchain" >&2; exit 1`, "go env: go: no such toolchain"},
		"nonsense": {`echo hello`, "go env: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.script != "" {
				if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\n"+c.script+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", dir)
			_, err := FindToolchain(t.Context(), dir)
			if !errors.Is(err, ErrToolchain) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
