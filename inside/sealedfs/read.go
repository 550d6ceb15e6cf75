package sealedfs

import (
	"errors"
	"io"
	"io/fs"
	"math"
)

// FS is all that package fs knows of reading.
var (
	_ fs.FS         = (*FS)(nil)
	_ fs.ReadFileFS = (*FS)(nil)
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ io.ReaderAt   = (*File)(nil)
	_ io.ReadSeeker = (*File)(nil)
)

// find looks a name up in the present state, after a check of the host's. The
// caller holds mu.
func (f *FS) find(name string) (*entry, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.index.lookup(name)
}

// Stat returns the description of a file or directory.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	e, err := f.find(name)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return info{e}, nil
}

// ReadDir returns the files and directories in a directory, by name.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	e, err := f.find(name)
	if err == nil && !e.dir {
		err = errNotDir
	}
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	return f.index.list(name), nil
}

func (x *index) list(dir string) []fs.DirEntry {
	children := x.children(dir)
	list := make([]fs.DirEntry, len(children))
	for i, c := range children {
		list[i] = fs.FileInfoToDirEntry(info{c})
	}
	return list
}

// Open opens a file, as a *File, or a directory. What is open shows the
// content that it had at that time, whatever becomes of the name.
func (f *FS) Open(name string) (fs.File, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	e, err := f.find(name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	if e.dir {
		return &dirFile{e: e, list: f.index.list(name)}, nil
	}
	file, err := f.open(e)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return file, nil
}

// open opens the data of a file. The caller holds mu, so that the data is not
// yet removed if the index names it.
func (f *FS) open(e *entry) (*File, error) {
	aead, err := derive(&f.master, infoFile, e.id[:])
	if err != nil {
		return nil, err
	}
	r, err := f.disk.open(e.id.host())
	if err != nil {
		return nil, hostError(e.id.host(), err)
	}
	return &File{e: e, r: r, aead: aead, have: -1}, nil
}

// ReadFile returns the content of a file.
func (f *FS) ReadFile(name string) ([]byte, error) {
	b, err := f.readFile(name)
	if err != nil {
		return nil, pathError("read", name, err)
	}
	return b, nil
}

func (f *FS) readFile(name string) ([]byte, error) {
	f.mu.RLock()
	e, err := f.find(name)
	if err == nil && e.dir {
		err = errIsDir
	}
	var file *File
	if err == nil {
		file, err = f.open(e)
	}
	f.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	defer file.r.Close()
	if e.size > math.MaxInt {
		return nil, errors.New("too large for this machine")
	}
	b := make([]byte, e.size)
	for n := range lastChunk(e.size) + 1 {
		if err := file.chunk(b[n*chunkSize:], n); err != nil {
			return nil, err
		}
	}
	return b, nil
}
