package cli

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeFile writes a file whole or not at all: readers see the old one or the
// new one. What is there and is no regular file, as a pipe, is written to.
func writeFile(path string, perm os.FileMode, write func(io.Writer) error) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // what a link points to is replaced, not the link
	}
	flags, temp := os.O_WRONLY|os.O_CREATE|os.O_EXCL, path+"."+rand.Text()[:8]+".tmp"
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		flags, temp = os.O_WRONLY, path
	}
	f, err := os.OpenFile(temp, flags, perm)
	if err != nil {
		return cannot(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = write(w)
	if err = errors.Join(err, w.Flush(), f.Close()); temp == path {
		if err != nil {
			return cannot(err)
		}
		return nil
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return cannot(errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(temp)))
	}
	return nil
}

// writeBytes writes b as a file.
func writeBytes(path string, b []byte) error {
	return writeFile(path, 0o666, func(w io.Writer) error { _, err := w.Write(b); return err })
}
