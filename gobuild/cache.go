package gobuild

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// A file of the cache ends with the SHA-256 of what it holds: one that a full
// disk or a crash has cut short is made again.

// readCached reads a file of the cache, if it is there and whole.
func readCached(path string) (b []byte, ok bool) {
	b, err := os.ReadFile(path)
	if err != nil || len(b) < sha256.Size {
		return nil, false
	}
	n := len(b) - sha256.Size
	if sum := sha256.Sum256(b[:n]); !bytes.Equal(sum[:], b[n:]) {
		return nil, false
	}
	return b[:n:n], true
}

// writeCached writes a file of the cache. That it cannot is no error: the next
// time takes as long as this one.
func writeCached(path string, b []byte) {
	sum := sha256.Sum256(b)
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err == nil {
		_ = atomicfile.WriteCache(path, append(b[:len(b):len(b)], sum[:]...), 0o644)
		prune(dir)
	}
}

// cacheFiles is how many files a directory of the cache keeps, 10 MB or so each.
const cacheFiles = 64

// prune removes the files of a directory that were written the longest ago.
func prune(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= cacheFiles {
		return
	}
	written := func(e os.DirEntry) time.Time {
		info, err := e.Info()
		if err != nil {
			return time.Time{} // somebody else removes it
		}
		return info.ModTime()
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return written(b).Compare(written(a)) })
	for _, e := range entries[cacheFiles:] {
		_ = os.Remove(filepath.Join(dir, e.Name()))
	}
}

// ensureFile writes a file unless it is there with these contents.
func ensureFile(path string, b []byte) error {
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, b) {
		return nil
	}
	return atomicfile.WriteCache(path, b, 0o644)
}
