// Package atomicfile writes files whole or not at all: who reads one sees the old
// content or the new, and a writer that is killed at any moment leaves one of them.
// It writes beside the file, under a temporary name, and renames. Any number of
// processes may do so at the same time.
//
// It is for files whose names the program chooses. A link is replaced, and not what
// it points to.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Temporary begins the names of files that are being written.
const Temporary = ".tmp-"

// ErrTooLarge is the error of a file that has more bytes than were asked for.
var ErrTooLarge = errors.New("file is too large")

// Write writes a file of b in place of what has its name, and returns when that is
// on the disk. The directory must be there; perm is before the umask.
func Write(path string, b []byte, perm fs.FileMode) error {
	return write(path, b, perm, true, os.Rename)
}

// Create is [Write] for a file that replaces none: the error is fs.ErrExist if there
// is one, and of several that create it at the same time one succeeds.
func Create(path string, b []byte, perm fs.FileMode) error {
	return write(path, b, perm, true, os.Link)
}

// WriteCache is [Write] without the wait for the disk. If the machine crashes, the
// file may be cut short: it is for what shows that when it is read, and can be made
// again.
func WriteCache(path string, b []byte, perm fs.FileMode) error {
	return write(path, b, perm, false, os.Rename)
}

// write writes a temporary file, and has place give it its name.
func write(path string, b []byte, perm fs.FileMode, durable bool, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	temp := filepath.Join(dir, Temporary+rand.Text())
	err := fill(temp, b, perm, durable)
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		failed.Path = path // the temporary name says nothing to anybody
	}
	if err == nil {
		err = place(temp, path)
	}
	_ = os.Remove(temp) // after a rename there is none; else what stays is for Clean
	if err != nil || !durable {
		return err
	}
	return SyncDir(dir)
}

// fill makes a file of b.
func fill(path string, b []byte, perm fs.FileMode, durable bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && durable {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// SyncDir returns when the names in a directory are on the disk, where that takes a
// call.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it has them on the disk when it renames
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // some file systems cannot
		return err
	}
	return nil
}

// Clean removes what writers have left in a directory that were killed: temporary
// files that are older than age. Zero is for who knows that nobody writes. What
// cannot be removed does no harm.
func Clean(dir string, age time.Duration) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), Temporary) || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil && (age == 0 || time.Since(info.ModTime()) > age) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// Read reads a file of at most so many bytes: ErrTooLarge.
func Read(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > most {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", path, ErrTooLarge, most)
	}
	return b, nil
}
