package state

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// private has the state in a directory of the test's own.
func private(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	return filepath.Join(dir, "feidi")
}

// secret checks that nobody else can read a file.
func secret(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%s: mode %v", path, info.Mode())
	}
}

func TestDevelopmentKey(t *testing.T) {
	dir := private(t)
	first, path, err := DevelopmentKey()
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(path) != dir {
		t.Errorf("the key is in %s", path)
	}
	secret(t, path)
	if again, _, err := DevelopmentKey(); err != nil || !again.Equal(first) {
		t.Errorf("another key the second time, %v", err)
	}
	for _, damage := range []string{"", "no key", "-----BEGIN X-----\nAAAA\n-----END X-----\n"} {
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := DevelopmentKey(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", damage, err)
		}
	}
}

// Of many that want the key for the first time, one draws it.
func TestAtOnce(t *testing.T) {
	dir := private(t)
	var wait sync.WaitGroup
	kept := make([]string, 16)
	for i := range kept {
		wait.Go(func() {
			b, _, err := keep("new", func() ([]byte, error) { return []byte{byte(i)}, nil })
			if err != nil {
				t.Error(err)
			}
			kept[i] = string(b)
		})
	}
	wait.Wait()
	for _, k := range kept {
		if k != kept[0] {
			t.Fatal("two have different contents of one file")
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
}
