package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// writeFile writes a file whole or not at all: readers see the old one or the
// new one, which keeps its permissions. An interrupt leaves the old one and no
// other. What is there and is no regular file, as a pipe, is written to.
func writeFile(path string, perm os.FileMode, write func(io.Writer) error) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // what a link points to is replaced, not the link
	}
	old, err := os.Stat(path)
	if err == nil && !old.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			err = fill(f, write)
		}
		if err != nil {
			return cannot(err)
		}
		return nil
	}
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	temp := path + "." + rand.Text()[:8] + ".tmp"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		var failed *os.PathError
		if errors.As(err, &failed) {
			failed.Path = path // the temporary name says nothing to anybody
		}
		return cannot(err)
	}
	if old != nil {
		_ = f.Chmod(old.Mode().Perm()) // some file systems have none
	}
	err = fill(f, write)
	if err == nil && interrupted.Err() != nil {
		err = errInterrupted
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return cannot(errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(temp)))
	}
	return nil
}

var errInterrupted = errors.New("interrupted")

// fill writes a file and closes it.
func fill(f *os.File, write func(io.Writer) error) error {
	w := bufio.NewWriterSize(f, 1<<20)
	err := write(w)
	return errors.Join(err, w.Flush(), f.Close())
}

// writeBytes writes b as a file.
func writeBytes(path string, b []byte) error {
	return writeFile(path, 0o666, func(w io.Writer) error { _, err := w.Write(b); return err })
}
