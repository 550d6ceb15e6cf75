//go:build unix

package images

import (
	"os"
	"path/filepath"
	"testing"
)

// Source that everybody may write is not built.
func TestOurs(t *testing.T) {
	dir := t.TempDir()
	mod := filepath.Join(dir, "go.mod")
	if err := os.WriteFile(mod, []byte("module "+module+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "arch", "images", "source.go")
	for _, c := range []struct {
		dir, mod os.FileMode
		want     bool
	}{{0o755, 0o644, true}, {0o775, 0o664, true}, {0o777, 0o644, false}, {0o755, 0o666, false}} {
		if err := os.Chmod(dir, c.dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(mod, c.mod); err != nil {
			t.Fatal(err)
		}
		if _, ok := root(file); ok != c.want {
			t.Errorf("folder %o, go.mod %o: %v", c.dir, c.mod, ok)
		}
	}
	t.Chdir(dir)
	if _, ok := root(file); !ok {
		t.Error("not even for who works there")
	}
}
