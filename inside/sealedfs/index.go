package sealedfs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// An entry is a file or directory of the index.
type entry struct {
	name  string // full path, valid for package fs, not "."
	dir   bool
	mtime int64  // nanoseconds since 1970
	size  int64  // of a file, in bytes
	id    fileID // of a file
}

// An index is a state of the directory. It is never changed: readers hold on
// to it while a change makes the next one.
type index struct {
	generation uint64
	entries    []entry // by name, in the order of bytes; parents are there
}

// root stands for the directory itself, which has no entry.
var root = entry{name: ".", dir: true}

// at returns the place of a name among the entries, and whether it is there.
func (x *index) at(name string) (int, bool) {
	return slices.BinarySearchFunc(x.entries, name, func(e entry, name string) int { return cmp.Compare(e.name, name) })
}

// lookup returns the entry of a name, or fs.ErrNotExist.
func (x *index) lookup(name string) (*entry, error) {
	if name == "." {
		return &root, nil
	}
	i, ok := x.at(name)
	if !ok {
		return nil, fs.ErrNotExist
	}
	return &x.entries[i], nil
}

// parent returns nil if a name's parent is a directory.
func (x *index) parent(name string) error {
	e, err := x.lookup(path.Dir(name))
	if err == nil && !e.dir {
		err = errNotDir
	}
	return err
}

// below returns the range of the entries that are below a directory, at any
// depth: all that begin with its name and a slash.
func (x *index) below(dir string) (from, to int) {
	if dir == "." {
		return 0, len(x.entries)
	}
	from, _ = x.at(dir + "/")
	to, _ = x.at(dir + "0") // the byte after the slash
	return from, to
}

// children returns the entries in a directory, by name.
func (x *index) children(dir string) []*entry {
	var c []*entry
	skip := len(dir) + 1
	if dir == "." {
		skip = 0
	}
	i, end := x.below(dir)
	for i < end {
		e := &x.entries[i]
		if slash := strings.IndexByte(e.name[skip:], '/'); slash >= 0 {
			_, i = x.below(e.name[:skip+slash])
			continue
		}
		c = append(c, e)
		i++
	}
	return c
}

// errNotDir and the like have no counterpart in package fs.
var (
	errNotDir   = errors.New("not a directory")
	errIsDir    = errors.New("is a directory")
	errNotEmpty = errors.New("directory not empty")
	errTooLong  = fmt.Errorf("%w: name has more than %d bytes", fs.ErrInvalid, maxPath)
)
