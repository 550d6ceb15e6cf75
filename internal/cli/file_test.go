package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestReadFileBounds reads what has no end, or says that it is larger than
// the limit, and looks at the memory that takes.
func TestReadFileBounds(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large")
	f, err := os.Create(large)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("\x7fELF\x02\x01\x01"); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(maxFile + 1); err != nil {
		t.Skip(err) // no sparse files
	}
	for _, c := range []struct{ path, want string }{{large, "larger than the limit of 1 GiB"}, {"/dev/zero", "not an enclave file"}} {
		if _, err := os.Stat(c.path); err != nil {
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readImage(c.path, "")
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.path, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", c.path, n)
		}
	}
}

// TestReadFileWhole compares what is read, around the size of the head.
func TestReadFileWhole(t *testing.T) {
	for _, n := range []int{0, 1, headSize - 1, headSize, headSize + 1, 3 * headSize} {
		want := bytes.Repeat([]byte{byte(n), 1, 2}, n/3+1)[:n]
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readFile(path, 3*headSize, nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: read %d, %v", n, len(got), err)
		}
		if _, err := readFile(path, int64(n)-1, nil); n > headSize && err == nil {
			t.Errorf("%d bytes: read, with a limit of one less", n)
		}
	}
}
