package pcs

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// maxEntry is the size of the largest file of a copy: a CRL in base64, a
// chain and the rest.
const maxEntry = dcap.MaxCRLSize*4/3 + 4*dcap.MaxChainSize + 64<<10

// cache is a directory of copies, one file each. Files are written whole or
// not at all, so that any number of processes may share it.
type cache struct {
	dir  string
	most int64 // bytes of all files
}

const entrySuffix = ".json"

func (c *cache) file(url string) string {
	sum := sha256.Sum256([]byte(url))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:])+entrySuffix)
}

// load returns the copy of a document, or nil. What is no copy is removed.
func (c *cache) load(url string) *entry {
	name := c.file(url)
	b, err := atomicfile.Read(name, maxEntry)
	if os.IsNotExist(err) {
		return nil
	}
	if err == nil {
		var e *entry
		if e, err = parseEntry(b); err == nil && e.URL == url {
			return e
		}
	}
	_ = os.Remove(name)
	return nil
}

// store keeps a copy, and makes room for it.
func (c *cache) store(e *entry) error {
	b, err := e.marshal()
	if err != nil {
		return err
	}
	if len(b) > maxEntry {
		return fmt.Errorf("a copy of %d bytes is too large", len(b))
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	name := c.file(e.URL)
	if err := atomicfile.WriteCache(name, b, 0o644); err != nil {
		return err
	}
	return c.prune(name)
}

// prune removes the oldest copies, but not the file newest, until what is left
// is within bounds; and what writers left behind who were killed.
func (c *cache) prune(newest string) error {
	atomicfile.Clean(c.dir, time.Hour)
	dir, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	type file struct {
		name string
		size int64
		at   time.Time
	}
	var files []file
	var size int64
	for _, d := range dir {
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // another process was faster
		}
		name := filepath.Join(c.dir, d.Name())
		if len(d.Name()) != 2*sha256.Size+len(entrySuffix) || !strings.HasSuffix(name, entrySuffix) {
			continue
		}
		size += info.Size()
		if name != newest {
			files = append(files, file{name, info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(files, func(a, b file) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.name, b.name))
	})
	for _, f := range files {
		if size <= c.most {
			break
		}
		if err := os.Remove(f.name); err != nil && !os.IsNotExist(err) {
			return err
		}
		size -= f.size
	}
	return nil
}
