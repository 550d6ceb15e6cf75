package ordinary

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	// Larger than one request of the enclave.
	content := make([]byte, 300_000)
	for i := range content {
		content[i] = byte(i * i >> 7)
	}
	if err := os.WriteFile(path, content, 0o640); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// pread and pwrite, with the offset of the descriptor as it was.
	part := make([]byte, 100_000)
	if n, err := f.ReadAt(part, 150_000); n != len(part) || err != nil || !bytes.Equal(part, content[150_000:250_000]) {
		t.Errorf("ReadAt: %d, %v", n, err)
	}
	if n, err := f.ReadAt(part, 250_000); n != 50_000 || err != io.EOF {
		t.Errorf("ReadAt over the end: %d, %v", n, err)
	}
	for i := range part {
		part[i] = ^content[i]
	}
	if n, err := f.WriteAt(part, 0); n != len(part) || err != nil {
		t.Errorf("WriteAt: %d, %v", n, err)
	}
	if at, err := f.Seek(0, io.SeekCurrent); at != 0 || err != nil {
		t.Errorf("the offset is %d, %v", at, err)
	}
	got, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(got[:100_000], part) || !bytes.Equal(got[100_000:], content[100_000:]) {
		t.Errorf("after WriteAt: %d bytes, %v", len(got), err)
	}
	if at, err := f.Seek(-10, io.SeekEnd); at != 299_990 || err != nil {
		t.Errorf("Seek: %d, %v", at, err)
	}
	if err := errors.Join(f.Truncate(12345), f.Sync(), f.Chmod(0o600)); err != nil {
		t.Error(err)
	}
	info, err := f.Stat()
	if err != nil || info.Size() != 12345 || info.Mode() != 0o600 || time.Since(info.ModTime()).Abs() > time.Minute || info.IsDir() {
		t.Errorf("Stat: %v, %v", info, err)
	}
	old := time.Unix(1_000_000_000, 123_000_000)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(old) {
		t.Errorf("Chtimes: %v, %v", info.ModTime(), err)
	}
	if _, err := os.Stat(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v", err)
	}
	if _, err := os.Open(filepath.Join(dir, strings.Repeat("x", 5000))); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("a long name: %v", err)
	}
	if _, err := os.Open("a\x00b"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a name with a NUL: %v", err)
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if wd, err := os.Getwd(); err != nil || wd != dir {
		t.Errorf("Getwd: %s, %v", wd, err)
	}
	if err := os.WriteFile("a", []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink("a", "symbolic"), os.Link("a", "hard"), os.Symlink("nowhere", "dangling")); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink("symbolic"); to != "a" || err != nil {
		t.Errorf("Readlink: %q, %v", to, err)
	}
	for _, name := range []string{"symbolic", "hard", filepath.Join(dir, "symbolic")} {
		if b, err := os.ReadFile(name); err != nil || string(b) != "a" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if info, err := os.Lstat("symbolic"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("Lstat: %v, %v", info, err)
	}
	if _, err := os.Stat("dangling"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to nowhere: %v", err)
	}
	if err := errors.Join(os.Rename("hard", "moved"), os.Remove("a")); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile("moved"); err != nil || string(b) != "a" {
		t.Errorf("after Rename and Remove: %q, %v", b, err)
	}
	if real, err := filepath.EvalSymlinks(filepath.Join(dir, "moved")); err != nil || filepath.Base(real) != "moved" {
		t.Errorf("EvalSymlinks: %s, %v", real, err)
	}
}

func TestDirectories(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i := range 1500 { // more than one getdents
		name := fmt.Sprintf("a file with a name of some length %04d", i)
		want = append(want, name)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
	deep := filepath.Join(dir, "d", "e", "f")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = filepath.WalkDir(dir, func(string, fs.DirEntry, error) error { n++; return nil })
	if err != nil || n != 1504 {
		t.Errorf("WalkDir: %d, %v", n, err)
	}
	if err := os.Remove(filepath.Join(dir, "d")); err == nil {
		t.Error("a directory that is not empty was removed")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after RemoveAll: %v", err)
	}
}

// A file that is mapped privately is as it was when it was mapped; what is
// written there does not reach it.
func TestMapping(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mapped")
	content := bytes.Repeat([]byte("0123456789abcdef"), 2000) // no whole pages
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, off := range []int64{0, 8192} {
		b, err := syscall.Mmap(int(f.Fd()), off, len(content)-int(off), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, content[off:]) {
			t.Errorf("mapped at %d, it is not the file", off)
		}
		for _, v := range b[len(b):cap(b)] {
			if v != 0 {
				t.Error("behind the file, the page is not zero")
			}
		}
		b[0] = 'X'
		if err := syscall.Munmap(b); err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file has changed: %v", err)
	}
	// Memory of no file, large and small.
	for _, n := range []int{1, 4096, 1 << 20, 10 << 20} {
		b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			if b[i] != 0 {
				t.Fatalf("byte %d of new memory is %#x", i, b[i])
			}
			b[i] = 0xAA
		}
		if err := syscall.Munmap(b); err != nil {
			t.Error(err)
		}
	}
}

func TestPipes(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("over the pipe "), 50_000)
	go func() {
		_, _ = w.Write(content)
		w.Close()
	}()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	r.Close()
	r, w, err = os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	begin := time.Now()
	if err := r.SetReadDeadline(begin.Add(30 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) < 30*time.Millisecond {
		t.Errorf("a read until a deadline: %v after %v", err, time.Since(begin))
	}
	r.Close()
	if _, err := w.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a write that nobody reads: %v", err)
	}
}
