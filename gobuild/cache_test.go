package gobuild

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// only returns the only file below dir.
func only(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v: want one file", files, err)
	}
	return files[0]
}

func TestLinkCached(t *testing.T) {
	cache := t.TempDir()
	program, o := newFake().build(), options()
	first, err := LinkCached(cache, program, o)
	if err != nil {
		t.Fatal(err)
	}
	check(t, first, o)
	path := only(t, filepath.Join(cache, "enclaves"))

	// What is in the cache is what comes: a day later the date is still the
	// old one, which Link would not make.
	later := o
	later.Date = later.Date.AddDate(0, 0, 1)
	if again, err := LinkCached(cache, program, later); err != nil || !bytes.Equal(again, first) {
		t.Errorf("made again, though in the cache: %v", err)
	}
	// A file that is broken is made again.
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{
		"empty": {}, "cut short": whole[:len(whole)-100], "only a digest": whole[len(whole)-32:],
		"a bit": append(bytes.Clone(whole[:5000]), append([]byte{whole[5000] ^ 1}, whole[5001:]...)...),
	} {
		if err := os.WriteFile(path, broken, 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := LinkCached(cache, program, later)
		if err != nil {
			t.Fatal(err)
		}
		check(t, b, later)
		if now, err := os.ReadFile(path); err != nil || bytes.Equal(now, broken) {
			t.Errorf("%s: the file was left as it was: %v", name, err)
		}
	}
	// Each option that the enclave depends on has its own file.
	for i, change := range []func(*Options){
		func(o *Options) { o.Heap += pageSize }, func(o *Options) { o.Threads++ }, func(o *Options) { o.ISVProdID++ }, func(o *Options) { o.ISVSVN++ },
		func(o *Options) { o.Debug = true }, func(o *Options) { o.DebugEnv = true }, func(o *Options) { o.Key = testKeys()[1] }, func(o *Options) { o.Attributes = 1 << 4 },
	} {
		c := o
		change(&c)
		b, err := LinkCached(cache, program, c)
		if err != nil {
			t.Fatal(err)
		}
		check(t, b, c)
		if files, _ := filepath.Glob(filepath.Join(cache, "enclaves", "*")); len(files) != i+2 {
			t.Errorf("%d files after %d changes of options", len(files), i+1)
		}
	}
	// A cache that cannot be written to is no reason to fail.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := LinkCached(file, program, o); err != nil || !bytes.Equal(b, first) {
		t.Errorf("with a cache that is a file: %v", err)
	}
}

func TestLinkCachedAtOnce(t *testing.T) {
	cache, program := t.TempDir(), newFake().build()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			o := options()
			b, err := LinkCached(cache, program, o)
			if err != nil {
				t.Error(err)
				return
			}
			check(t, b, o)
		})
	}
	wait.Wait()
	only(t, filepath.Join(cache, "enclaves"))
}

// TestPrune keeps the files that were written last.
func TestPrune(t *testing.T) {
	dir := t.TempDir()
	for i := range cacheFiles + 5 {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	writeCached(filepath.Join(dir, "new"), []byte("content"))
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != cacheFiles {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	if b, ok := readCached(filepath.Join(dir, "new")); !ok || string(b) != "content" {
		t.Error("the new file is gone")
	}
	if _, err := os.Stat(filepath.Join(dir, "5")); err == nil {
		t.Error("an old file is there, and a newer one is not")
	}
}
