package sealedfs

import (
	"io"
	"io/fs"
	"path"
	"sync"
	"time"
)

// info is the fs.FileInfo of an entry.
type info struct{ e *entry }

func (i info) Name() string       { return path.Base(i.e.name) }
func (i info) Size() int64        { return i.e.size }
func (i info) ModTime() time.Time { return time.Unix(0, i.e.mtime) }
func (i info) IsDir() bool        { return i.e.dir }
func (i info) Sys() any           { return nil }
func (i info) String() string     { return fs.FormatFileInfo(i) }

// Mode is that of a private file or directory; there are no permissions.
func (i info) Mode() fs.FileMode {
	if i.e.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}

// dirFile is an open directory.
type dirFile struct {
	e    *entry
	mu   sync.Mutex
	list []fs.DirEntry // what ReadDir has not yet returned
}

func (d *dirFile) Stat() (fs.FileInfo, error) { return info{d.e}, nil }

func (d *dirFile) Read([]byte) (int, error) { return 0, pathError("read", d.e.name, errIsDir) }

func (d *dirFile) Close() error { return nil }

func (d *dirFile) ReadDir(n int) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n > 0 && len(d.list) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.list) {
		n = len(d.list)
	}
	list := d.list[:n:n]
	d.list = d.list[n:]
	return list, nil
}
