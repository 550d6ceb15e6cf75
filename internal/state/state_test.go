package state

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
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

func TestMachine(t *testing.T) {
	dir := private(t)
	a, err := Machine("a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Machine("b")
	if err != nil {
		t.Fatal(err)
	}
	if a.Fuses == (cpu.Fuses{}) || a.Fuses == b.Fuses {
		t.Error("two machines have the same fuses, or none")
	}
	if again, err := Machine("a"); err != nil || again.Fuses != a.Fuses {
		t.Errorf("other fuses the second time, %v", err)
	}
	secret(t, filepath.Join(dir, "machines", "a.json"))
	for _, name := range []string{"", ".", "..", "../a", "a/b", "-a", strings.Repeat("a", 65)} {
		if _, err := Machine(name); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	path := filepath.Join(dir, "machines", "a.json")
	for _, damage := range []string{"", "{", "{}", `{"root_seal_key": "AAAA"}`} {
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Machine("a"); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", damage, err)
		}
	}
}

// Of many that want a machine for the first time, one draws its fuses.
func TestMachineAtOnce(t *testing.T) {
	dir := private(t)
	var wait sync.WaitGroup
	fuses := make([]cpu.Fuses, 16)
	for i := range fuses {
		wait.Go(func() {
			c, err := Machine("new")
			if err != nil {
				t.Error(err)
			}
			fuses[i] = c.Fuses
		})
	}
	wait.Wait()
	for _, f := range fuses {
		if f != fuses[0] {
			t.Fatal("two have different fuses for one machine")
		}
	}
	if files, err := os.ReadDir(filepath.Join(dir, "machines")); err != nil || len(files) != 1 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
}
