package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// names returns what is in a directory.
func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// holds checks that a file has a content and a mode, and nothing is beside it.
func holds(t *testing.T, path, content string, perm fs.FileMode) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || string(b) != content {
		t.Fatalf("%q, %v: want %q", b, err, content)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode() != perm {
		t.Errorf("mode %v, want %v", info.Mode(), perm)
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("there are %q", got)
	}
}

func TestWrite(t *testing.T) {
	for name, write := range map[string]func(string, []byte, fs.FileMode) error{"Write": Write, "WriteCache": WriteCache} {
		path := filepath.Join(t.TempDir(), "file")
		for _, step := range []struct {
			content string
			perm    fs.FileMode
		}{{"a secret", 0o600}, {"", 0o400}, {"for the user's group", 0o640}} {
			if err := write(path, []byte(step.content), step.perm); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			holds(t, path, step.content, step.perm)
		}
	}
}

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := Create(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("second"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	holds(t, path, "first", 0o600)
}

// Of many that create a file, one does, and it is that one's.
func TestCreateAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var wait sync.WaitGroup
	made := make(chan string, 16)
	for i := range cap(made) {
		wait.Go(func() {
			content := fmt.Sprint(i)
			if err := Create(path, []byte(content), 0o600); err == nil {
				made <- content
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	close(made)
	if len(made) != 1 {
		t.Fatalf("%d have made it", len(made))
	}
	holds(t, path, <-made, 0o600)
}

// What cannot be written leaves nothing, and the error names what was to be.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{
		"no directory": filepath.Join(dir, "none", "file"),
		"a directory":  filepath.Join(dir, "folder"),
	} {
		for _, write := range []func(string, []byte, fs.FileMode) error{Write, Create, WriteCache} {
			if err := write(path, []byte("x"), 0o600); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("there are %q", got)
	}
}

func TestClean(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"file", Temporary + "new", Temporary + "old", "file" + Temporary} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, Temporary+"folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, Temporary+"old"), before, before); err != nil {
		t.Fatal(err)
	}
	Clean(dir, time.Hour)
	if got, want := fmt.Sprint(names(t, dir)), "[.tmp-folder .tmp-new file file.tmp-]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	Clean(dir, 0)
	if got, want := fmt.Sprint(names(t, dir)), "[.tmp-folder file file.tmp-]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	Clean(filepath.Join(dir, "none"), 0)
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := Read(path, 5); err != nil || !bytes.Equal(b, []byte("12345")) {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := Read(path, 4); !errors.Is(err, ErrTooLarge) || b != nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := Read(path+"x", 4); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
