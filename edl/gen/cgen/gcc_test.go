package cgen

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// compiler finds gcc. Otherwise it says why there is none to test with: the
// layouts are those of x86-64 Linux.
var compiler = sync.OnceValues(func() (path, missing string) {
	path, err := exec.LookPath("gcc")
	if err != nil {
		return "", "no gcc"
	}
	out, _ := exec.Command(path, "-dumpmachine").Output()
	target := strings.TrimSpace(string(out))
	if !strings.HasPrefix(target, "x86_64-") || !strings.Contains(target, "linux") {
		return "", "gcc is for " + target
	}
	return path, ""
})

// gcc compiles without a warning, or the test fails.
func gcc(t *testing.T, args ...string) {
	t.Helper()
	path, missing := compiler()
	if missing != "" {
		t.Skip(missing)
	}
	args = append([]string{"-Wall", "-Wextra", "-Werror", "-Itestdata", "-Itestdata/sdk"}, args...)
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Calls go through generated code on both sides: what comes back is right,
// and what a hostile host does is refused. The checks are in C, in host.c and
// enclave.c.
func TestLoop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFiles(t, dir, loadPlan(t, "loop.edl"), Options{})
	in := func(name string) string { return filepath.Join(dir, name) }
	gcc(t, "-fPIC", "-shared", "-Wl,-Bsymbolic", "-Dmalloc=enclave_malloc", "-Dfree=enclave_free", "-I"+dir,
		in("loop_t.c"), "testdata/enclave.c", "-o", in("enclave.so"))
	gcc(t, "-rdynamic", "-I"+dir, in("loop_u.c"), "testdata/host.c", "testdata/runtime.c", in("enclave.so"),
		"-Wl,-rpath,"+dir, "-o", in("loop"))
	out, err := exec.Command(in("loop")).CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), " 0 failures\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The golden files compile: with what gcc finds out when it optimizes, as C99,
// and for an SDK without VERW.
func TestCompile(t *testing.T) {
	for _, c := range []struct {
		name, file string
		args       []string
	}{
		{"trusted", "sample_t.c", []string{"-O2", "-c"}},
		{"untrusted", "sample_u.c", []string{"-O2", "-c"}},
		{"trusted C99", "sample_t.c", []string{"-std=c99", "-fsyntax-only"}},
		{"untrusted C99", "sample_u.c", []string{"-std=c99", "-fsyntax-only"}},
		{"without VERW", "sample_t.c", []string{"-DEDGE_WITHOUT_VERW", "-fsyntax-only"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			gcc(t, append(c.args, "-o", os.DevNull, filepath.Join("testdata/golden", c.file))...)
		})
	}
}
