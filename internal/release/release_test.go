package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// copyTree copies what a build of the module reads.
func copyTree(t *testing.T, to string) {
	t.Helper()
	tree := os.DirFS("../..")
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, path), 0o755)
		}
		if !d.Type().IsRegular() || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/fuzz/") {
			return nil
		}
		b, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), b, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// makeIn makes a release, of a command that shows what the enclaves measure, in a
// copy of the module, and returns its folder.
func makeIn(t *testing.T, tree string, env ...string) string {
	t.Helper()
	if err := os.MkdirAll(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	copyTree(t, tree)
	out := t.TempDir()
	cmd := exec.Command("go", "run", "./internal/release", "-o", out, "-pkg", "./arch/images/testdata/show", "-platforms", "linux/amd64")
	cmd.Dir, cmd.Env = tree, append(os.Environ(), env...)
	if log, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return out
}

// A release has the same bytes wherever it is made, and its enclaves measure what
// those do that are built from source, on a machine without Go. With FEIDI_RELEASE,
// the second one is compiled anew, and not taken from Go's cache.
func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("builds enclaves, twice")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	var env []string
	if os.Getenv("FEIDI_RELEASE") != "" {
		settings := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(settings, []byte("GOFLAGS=-gcflags=-l\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		env = []string{"GOCACHE=" + t.TempDir(), "GOAMD64=v2", "GOENV=" + settings}
	}
	tmp := t.TempDir()
	first := makeIn(t, filepath.Join(tmp, "a"))
	second := makeIn(t, filepath.Join(tmp, "another", "folder"), env...)
	files := map[string][]byte{}
	for _, name := range []string{"show-linux-amd64", "MRENCLAVE", "SHA256SUMS"} {
		b, err := os.ReadFile(filepath.Join(first, name))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := os.ReadFile(filepath.Join(second, name)); err != nil || !bytes.Equal(b, again) {
			t.Errorf("%s differs: %v", name, err)
		}
		if bytes.Contains(b, []byte(tmp)) {
			t.Errorf("%s has a folder's name in it", name)
		}
		files[name] = b
	}
	if bytes.Count(files["SHA256SUMS"], []byte("\n")) != 2 {
		t.Errorf("sums:\n%s", files["SHA256SUMS"])
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return
	}
	// MRENCLAVE is of what was built; the command has it embedded.
	args := []string{t.TempDir()}
	for line := range strings.Lines(string(files["MRENCLAVE"])) {
		args = append(args, strings.Fields(line)[1])
	}
	if len(args) != 1+len(enclaves) {
		t.Fatalf("MRENCLAVE of %q", args[1:])
	}
	cmd := exec.Command(filepath.Join(first, "show-linux-amd64"), args...)
	cmd.Env = []string{"PATH=" + t.TempDir()}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if out, err := cmd.Output(); err != nil || !bytes.Equal(out, files["MRENCLAVE"]) {
		t.Errorf("%v\n%s\n%s, want\n%s", err, &stderr, out, files["MRENCLAVE"])
	}
	t.Logf("without Go:\n%s", &stderr)
}

func TestNoFolder(t *testing.T) {
	if err := run(context.Background(), release{}); err == nil || !strings.Contains(err.Error(), "-o") {
		t.Error(err)
	}
}
