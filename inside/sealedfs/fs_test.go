package sealedfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/feidi-dev/feidi/seal"
)

func TestOperations(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet", "there")
	f, err := Open(dir, sealer, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := tree{".": "/"}
	for i, op := range operations {
		before := f.Generation()
		if err := op.do(f); err != nil {
			t.Fatalf("%s: %v", op.name, err)
		}
		op.to(want)
		if op.name != "reseal" && f.Generation() != before+1 {
			t.Errorf("%s: generation %d after %d", op.name, f.Generation(), before)
		}
		if got, err := read(f); err != nil || !equal(got, want) {
			t.Fatalf("%s:%v, %v, want%v", op.name, got, err, want)
		}
		if i%2 == 0 {
			continue
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if f, err = Open(dir, sealer, &Options{Exist: true, NoSync: true, MinGeneration: f.Generation()}); err != nil {
			t.Fatalf("%s: %v", op.name, err)
		}
		if got, err := read(f); err != nil || !equal(got, want) {
			t.Fatalf("%s, opened again:%v, %v, want%v", op.name, got, err, want)
		}
	}
	if err := f.Check(); err != nil {
		t.Error(err)
	}
	// Nothing superfluous is left, and nothing tells the names.
	names, err := osDisk{dir}.list()
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, data := range want {
		if data != "/" {
			files++
		}
	}
	if len(names) != files+3 {
		t.Errorf("%d files in %v", files, names)
	}
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil || bytes.Contains(b, []byte("made")) || bytes.Contains(b, []byte(text(1, 16))) {
			t.Errorf("%s: readable, %v", n, err)
		}
	}
}

func TestIsAnFS(t *testing.T) {
	f, err := Open(t.TempDir(), sealer, &Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := fstest.TestFS(f); err != nil {
		t.Error("empty:", err)
	}
	var names []string
	for _, name := range []string{"a", "a-b", "a.d/x", "a.d/y/z", "a0", "ä/ö", "big", "zero", "a.d-/q"} {
		if dir, _, ok := strings.Cut(name, "/"); ok {
			if err := f.MkdirAll(name[:strings.LastIndexByte(name, '/')]); err != nil {
				t.Fatal(dir, err)
			}
		}
		size := map[string]int{"big": 3*chunkSize + 1, "zero": 0}
		n, ok := size[name]
		if !ok {
			n = 1000
		}
		if err := f.WriteFile(name, []byte(text(len(name), n))); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := fstest.TestFS(f, names...); err != nil {
		t.Error(err)
	}
	sub, err := fs.Sub(f, "a.d")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(sub, "x", "y/z"); err != nil {
		t.Error(err)
	}
}

// Directories list like those of a map that is searched from end to end.
func TestListing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	f := mustOpen(t, newMemDisk())
	want := fstest.MapFS{}
	for range 300 {
		var parts []string
		for range 1 + rng.IntN(4) {
			parts = append(parts, string("ab-0."[rng.IntN(5)])+string("/!0a"[1+rng.IntN(3)]))
		}
		name := strings.Join(parts, "/")
		if _, err := f.Stat(name); err == nil {
			continue
		}
		dir := "."
		if len(parts) > 1 {
			dir = strings.Join(parts[:len(parts)-1], "/")
		}
		if err := f.MkdirAll(dir); err != nil {
			if !errors.Is(err, errNotDir) {
				t.Fatal(err)
			}
			continue
		}
		if err := f.WriteFile(name, nil); err != nil {
			t.Fatal(err)
		}
		want[name] = &fstest.MapFile{}
	}
	if len(want) < 100 {
		t.Fatal("too few files:", len(want))
	}
	listing := func(fsys fs.FS) (all []string) {
		_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			all = append(all, fmt.Sprint(name, d.IsDir(), err))
			return nil
		})
		return all
	}
	if a, b := listing(f), listing(want); !slices.Equal(a, b) {
		t.Errorf("%q, want %q", a, b)
	}
}

func TestRefusals(t *testing.T) {
	f := mustOpen(t, newMemDisk())
	for _, op := range []operation{
		write("file", "1"), {"", func(f *FS) error { return f.MkdirAll("dir/sub") }, nil}, write("dir/file", "2"),
		{"", func(f *FS) error { return f.MkdirAll("dir/sub") }, nil}, // is there
		{"", func(f *FS) error { return f.MkdirAll(".") }, nil},
		{"", func(f *FS) error { return f.RemoveAll("none") }, nil},
		{"", func(f *FS) error { return f.Rename("file", "file") }, nil},
	} {
		if err := op.do(f); err != nil {
			t.Fatal(err)
		}
	}
	before, err := read(f)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", maxPath+1)
	dup := func(f *FS, name string) error { _, err := f.Create(name); return err }
	for _, c := range []struct {
		name string
		do   func() error
		want error
	}{
		{"write file/x", func() error { return f.WriteFile("file/x", nil) }, errNotDir},
		{"write none/x", func() error { return f.WriteFile("none/x", nil) }, fs.ErrNotExist},
		{"write dir", func() error { return f.WriteFile("dir", nil) }, errIsDir},
		{"write .", func() error { return f.WriteFile(".", nil) }, fs.ErrInvalid},
		{"write ../x", func() error { return f.WriteFile("../x", nil) }, fs.ErrInvalid},
		{"write a backslash", func() error { return f.WriteFile(`a\b`, nil) }, fs.ErrInvalid},
		{"write long", func() error { return f.WriteFile(long, nil) }, errTooLong},
		{"create dir", func() error { return dup(f, "dir") }, errIsDir},
		{"read dir", func() error { _, err := f.ReadFile("dir"); return err }, errIsDir},
		{"read none", func() error { _, err := f.ReadFile("none"); return err }, fs.ErrNotExist},
		{"read /file", func() error { _, err := f.ReadFile("/file"); return err }, fs.ErrInvalid},
		{"readdir file", func() error { _, err := f.ReadDir("file"); return err }, errNotDir},
		{"readdir none", func() error { _, err := f.ReadDir("none"); return err }, fs.ErrNotExist},
		{"stat none", func() error { _, err := f.Stat("none"); return err }, fs.ErrNotExist},
		{"open none", func() error { _, err := f.Open("none"); return err }, fs.ErrNotExist},
		{"mkdir file", func() error { return f.Mkdir("file") }, fs.ErrExist},
		{"mkdir dir", func() error { return f.Mkdir("dir") }, fs.ErrExist},
		{"mkdir none/x", func() error { return f.Mkdir("none/x") }, fs.ErrNotExist},
		{"mkdir x/../y", func() error { return f.Mkdir("x/../y") }, fs.ErrInvalid},
		{"mkdirall file", func() error { return f.MkdirAll("file") }, errNotDir},
		{"mkdirall file/x", func() error { return f.MkdirAll("file/x") }, errNotDir},
		{"mkdirall empty", func() error { return f.MkdirAll("") }, fs.ErrInvalid},
		{"remove dir", func() error { return f.Remove("dir") }, errNotEmpty},
		{"remove none", func() error { return f.Remove("none") }, fs.ErrNotExist},
		{"remove .", func() error { return f.Remove(".") }, fs.ErrInvalid},
		{"removeall .", func() error { return f.RemoveAll(".") }, fs.ErrInvalid},
		{"rename none", func() error { return f.Rename("none", "x") }, fs.ErrNotExist},
		{"rename onto dir", func() error { return f.Rename("file", "dir") }, fs.ErrExist},
		{"rename dir onto file", func() error { return f.Rename("dir", "file") }, fs.ErrExist},
		{"rename into itself", func() error { return f.Rename("dir", "dir/sub/dir") }, fs.ErrInvalid},
		{"rename into none", func() error { return f.Rename("file", "none/x") }, fs.ErrNotExist},
		{"rename into file", func() error { return f.Rename("dir", "file/x") }, errNotDir},
		{"rename .", func() error { return f.Rename(".", "x") }, fs.ErrInvalid},
		{"rename to .", func() error { return f.Rename("file", ".") }, fs.ErrInvalid},
		{"rename to long", func() error { return f.Rename("dir", long[:maxPath-2]) }, errTooLong},
	} {
		err := c.do()
		var p *fs.PathError
		if !errors.Is(err, c.want) || !errors.As(err, &p) || p.Path == "" && c.name != "mkdirall empty" {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if after, err := read(f); err != nil || !equal(before, after) {
		t.Errorf("a refusal changed %v to %v, %v", before, after, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f.master != [masterSize]byte{} {
		t.Error("Close leaves the key in memory")
	}
	_, err = f.ReadFile("file")
	_, serr := f.Stat("file")
	for _, err := range []error{err, serr, f.WriteFile("x", nil), f.Mkdir("x"), f.Check(), f.Close(), f.Reseal(sealer)} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestReader(t *testing.T) {
	f := mustOpen(t, newMemDisk())
	rng := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 77} {
		want := text(size, size)
		if err := f.WriteFile("f", []byte(want)); err != nil {
			t.Fatal(err)
		}
		file, err := f.Open("f")
		if err != nil {
			t.Fatal(err)
		}
		// The open file keeps its content, whatever becomes of the name.
		if err := f.WriteFile("f", []byte("other")); err != nil {
			t.Fatal(err)
		}
		r := file.(*File)
		for range 300 {
			p := make([]byte, rng.IntN(2*chunkSize))
			off := rng.IntN(size + 10)
			n, err := r.ReadAt(p, int64(off))
			k := max(0, min(size-off, len(p)))
			if n != k || string(p[:n]) != want[min(off, size):min(off, size)+k] || (err == io.EOF) != (k < len(p)) || err != nil && err != io.EOF {
				t.Fatalf("%d bytes at %d of %d: %d, %v", len(p), off, size, n, err)
			}
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Fatalf("ReadAll of %d: %d bytes, %v", size, len(got), err)
		}
		if off, err := r.Seek(-1, io.SeekEnd); size > 0 && (off != int64(size-1) || err != nil) {
			t.Fatal(off, err)
		}
		if _, err := r.Seek(-1, io.SeekStart); !errors.Is(err, fs.ErrInvalid) {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
			t.Fatal(err)
		}
	}
}

func TestWriter(t *testing.T) {
	d := newMemDisk()
	f := mustOpen(t, d)
	if err := f.WriteFile("f", []byte("old")); err != nil {
		t.Fatal(err)
	}
	is := func(want string) {
		t.Helper()
		if got, err := f.ReadFile("f"); err != nil || string(got) != want {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize} {
		for _, step := range []int{1000, chunkSize, 3 * chunkSize} {
			w, err := f.Create("f")
			if err != nil {
				t.Fatal(err)
			}
			want := text(size+step, size)
			for rest := want; len(rest) > 0; {
				n, err := w.Write([]byte(rest[:min(step, len(rest))]))
				if err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			before, _ := f.ReadFile("f")
			is(string(before)) // not yet
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			is(want)
			w.Abort()
			is(want)
			_, werr := w.Write(nil)
			if err := w.Close(); !errors.Is(err, fs.ErrClosed) || !errors.Is(werr, fs.ErrClosed) {
				t.Fatal(err, werr)
			}
		}
	}
	// What is given up leaves nothing, nor does what loses its directory.
	if err := f.Mkdir("d"); err != nil {
		t.Fatal(err)
	}
	before := d.content()
	w, err := f.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if err := w.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Fatal(err)
	}
	if !maps.Equal(d.content(), before) {
		t.Error("Abort leaves something")
	}
	if w, err = f.Create("d/x"); err != nil {
		t.Fatal(err)
	}
	if err := f.Remove("d"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if len(d.content()) != len(before) {
		t.Error("a failed Close leaves something")
	}
	if w, err = f.Create("f"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Fatal(err)
	}
}

func TestOpenRefusals(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir, sealer, &Options{Exist: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Error("nothing there:", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Error("Exist leaves something:", names, err)
	}
	if _, err := Open(filepath.Join(dir, "none"), sealer, &Options{Exist: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Error("not even a directory:", err)
	}
	if _, err := Open(dir, sealer, &Options{MinGeneration: 1}); !errors.Is(err, ErrRolledBack) {
		t.Error("emptied:", err)
	}
	f, err := Open(dir, sealer, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, sealer, nil); !errors.Is(err, ErrLocked) {
		t.Error("opened twice:", err)
	}
	if err := f.WriteFile("x", nil); err != nil {
		t.Fatal(err)
	}
	g := f.Generation()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, sealer, &Options{MinGeneration: g + 1}); !errors.Is(err, ErrRolledBack) {
		t.Error("too old:", err)
	}
	if _, err := Open(dir, enclave("other"), nil); !errors.Is(err, seal.ErrAuth) {
		t.Error("another enclave:", err)
	}
	if _, err := Open(filepath.Join(dir, headerName), sealer, nil); err == nil {
		t.Error("opened a file")
	}
	if f, err = Open(dir, sealer, &Options{MinGeneration: g}); err != nil {
		t.Fatal(err)
	}
	// Another enclave can be given access.
	if err := f.Reseal(enclave("other")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, sealer, nil); !errors.Is(err, seal.ErrAuth) {
		t.Error("after Reseal:", err)
	}
	if f, err = Open(dir, enclave("other"), nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A file that is replaced between its being looked up and its being opened is
// not missing: who opens it keeps the change waiting.
func TestReplacedWhileOpened(t *testing.T) {
	d := newMemDisk()
	f := mustOpen(t, d)
	if err := f.WriteFile("f", []byte("old")); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	var opened atomic.Int32
	d.fail = func(op string) fate {
		if op == "open" && opened.Add(1) == 2 { // the index was the first
			go func() { done <- f.WriteFile("f", []byte("new")) }()
			time.Sleep(30 * time.Millisecond) // let it go as far as it can
		}
		return succeeds
	}
	if b, err := f.ReadFile("f"); err != nil || string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if b, err := f.ReadFile("f"); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
}

// Many at a time: every reader sees one whole version of every file.
func TestConcurrent(t *testing.T) {
	f, err := Open(t.TempDir(), sealer, &Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const files = 4
	version := func(v int) []byte { return bytes.Repeat([]byte{byte(v)}, chunkSize+v) }
	for i := range files {
		if err := f.WriteFile(fmt.Sprint(i), version(0)); err != nil {
			t.Fatal(err)
		}
	}
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for i := range files {
		writers.Go(func() {
			for v := range 50 {
				if err := f.WriteFile(fmt.Sprint(i), version(v)); err != nil {
					t.Error(err)
				}
			}
		})
		readers.Go(func() {
			for k := 0; ; k++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprint((i + k) % files)
				b, err := f.ReadFile(name)
				if err != nil || !bytes.Equal(b, version(len(b)-chunkSize)) {
					t.Errorf("%s: %d bytes, %v", name, len(b), err)
					return
				}
				if k%16 == 0 {
					if err := errors.Join(f.Check(), fs.WalkDir(f, ".", func(_ string, _ fs.DirEntry, err error) error { return err })); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	for i := range files {
		if b, err := f.ReadFile(fmt.Sprint(i)); err != nil || !bytes.Equal(b, version(49)) {
			t.Errorf("%d: %d bytes, %v", i, len(b), err)
		}
	}
}
