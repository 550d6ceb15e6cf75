package sealedfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// A disk is the host's side of a directory: a flat set of files. Tests put
// others in the place of osDisk.
type disk interface {
	open(name string) (diskReader, error)
	create(name string) (diskWriter, error) // new or emptied
	rename(from, to string) error           // replaces
	remove(name string) error
	list() ([]string, error)
	sync() error // makes created, renamed and removed names durable
	lock() (io.Closer, error)
}

type diskReader interface {
	io.ReaderAt
	io.Closer
}

type diskWriter interface {
	io.WriteCloser
	Sync() error
}

// osDisk is a directory of the operating system.
type osDisk struct{ dir string }

func (d osDisk) path(name string) string { return filepath.Join(d.dir, name) }

func (d osDisk) open(name string) (diskReader, error) {
	f, err := os.Open(d.path(name))
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d osDisk) create(name string) (diskWriter, error) {
	f, err := os.OpenFile(d.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d osDisk) rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }

func (d osDisk) remove(name string) error { return os.Remove(d.path(name)) }

func (d osDisk) list() ([]string, error) {
	f, err := os.Open(d.dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

func (d osDisk) sync() error {
	if runtime.GOOS == "windows" {
		return nil // has no such operation
	}
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err // EINVAL: a file system without the operation
	}
	return nil
}

func (d osDisk) lock() (io.Closer, error) {
	f, err := os.OpenFile(d.path(lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// makeDir makes a directory and those that it is in, durably as far as their
// permissions let the parents be opened.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	_ = osDisk{parent}.sync()
	return nil
}

// Names on the host.
const (
	headerName = "header"
	indexName  = "index"
	lockName   = "lock"
	tmpSuffix  = ".tmp"
	dataSuffix = ".data"
)

// prepare writes what is to replace a host file: afterwards name.tmp is
// complete and, if durable, on the disk.
func prepare(d disk, name string, content []byte, durable bool) error {
	w, err := d.create(name + tmpSuffix)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	if err == nil && durable {
		err = w.Sync()
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return err
}

// slurp reads a host file of at most limit bytes.
func slurp(d disk, name string, limit int64) ([]byte, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, hostError(name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, limit+1))
	if err != nil {
		return nil, hostError(name, err)
	}
	if int64(len(b)) > limit {
		return nil, tampered(name, "more than %d bytes", limit)
	}
	return b, nil
}
