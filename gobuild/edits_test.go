package gobuild

import (
	"errors"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goroot makes a copy of the files of GOROOT that are edited.
func goroot(t *testing.T) string {
	t.Helper()
	tc := toolchain(t, t.TempDir())
	dir := t.TempDir()
	for _, e := range edits {
		b, err := os.ReadFile(filepath.Join(tc.goroot, "src", e.file))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, "src", e.file)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEdits(t *testing.T) {
	root := goroot(t)
	files, err := overlay(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		b, err := os.ReadFile(filepath.Join(root, "src", e.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), e.old); n != 1 {
			t.Errorf("%s has %d places of %q", e.file, n, e.old)
		}
		if after := string(files[e.file]); strings.Count(after, e.old) != strings.Count(e.new, e.old) || !strings.Contains(after, e.new) {
			t.Errorf("%s: %q is not replaced by %q", e.file, e.old, e.new)
		}
		if e.why == "" || e.old == e.new {
			t.Errorf("%s: %q has no reason or no effect", e.file, e.old)
		}
	}
	for name, b := range files {
		if strings.HasSuffix(name, ".go") {
			if _, err := format.Source(b); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if strings.HasPrefix(filepath.Base(name), "zencl_") && !strings.Contains(string(b), "//go:build feidi\n") {
			t.Errorf("%s has no build tag", name)
		}
	}
}

// A Go whose files are others stops the build, with a word of which and where.
func TestEditsOfAnotherGo(t *testing.T) {
	for i, e := range edits {
		doctor := func(change func(string) string) error {
			root := goroot(t)
			path := filepath.Join(root, "src", e.file)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(change(string(b))), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err = writeOverlay(t.TempDir(), root)
			return err
		}
		text := strings.TrimSpace(e.old)[:12]
		for places, change := range map[string]func(string) string{
			"0 places": func(s string) string { return strings.Replace(s, e.old, "", 1) },
			"2 places": func(s string) string { return s + e.old },
		} {
			err := doctor(change)
			if !errors.Is(err, ErrToolchain) || !strings.Contains(err.Error(), "src/"+e.file+" has "+places) || strings.Contains(err.Error(), "\n") {
				t.Errorf("edit %d, %s: %v", i, places, err)
				continue
			}
			if !strings.Contains(strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\"`, `"`).Replace(err.Error()), text) {
				t.Errorf("edit %d: %v does not have the text %q", i, err, text)
			}
		}
	}
	root := goroot(t)
	if err := os.Remove(filepath.Join(root, "src", edits[0].file)); err != nil {
		t.Fatal(err)
	}
	if _, err := writeOverlay(t.TempDir(), root); !errors.Is(err, ErrToolchain) || !strings.Contains(err.Error(), "malloc.go") {
		t.Errorf("a missing file: %v", err)
	}
}
