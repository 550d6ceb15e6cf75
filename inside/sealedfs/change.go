package sealedfs

import (
	"io/fs"
	"strings"
	"time"
)

// An edit makes the next state out of the present one, which it leaves as it
// is, and says which data files are then no longer needed. It may return the
// present state if there is nothing to do.
type edit func(x *index) (next *index, dropped []fileID, err error)

// commit makes a change in the order that keeps it whole at any crash:
//
//  1. What the new index names is on the disk already; so is, after this step,
//     the new index, under a temporary name.
//  2. The names of both are made durable.
//  3. The new index replaces the old one. This is the change.
//  4. The replacement is made durable.
//  5. What only the old index names is removed.
//
// undone says that the change was certainly not made.
func (f *FS) commit(do edit) (undone bool, err error) {
	f.change.Lock()
	defer f.change.Unlock()
	f.mu.RLock()
	err = f.check()
	old := f.index // stays, since the caller holds change
	f.mu.RUnlock()
	if err != nil {
		return true, err
	}
	next, dropped, err := do(old)
	if err != nil || next == old {
		return true, err
	}
	next.generation = old.generation + 1
	file, err := sealIndex(&f.master, next)
	if err != nil {
		return true, err
	}
	if err = prepare(f.disk, indexName, file, f.sync); err == nil {
		err = f.flush()
	}
	if err != nil {
		_ = f.disk.remove(indexName + tmpSuffix)
		return true, hostError(indexName, err)
	}
	if undone, err = f.swap(next, stamp(file)); err != nil {
		return undone, err
	}
	if err := f.flush(); err != nil {
		return false, hostError(indexName, err) // the old index may come back, and needs its files
	}
	for _, id := range dropped {
		_ = f.disk.remove(id.host()) // else Open removes it
	}
	return false, nil
}

// swap puts the new index in place, on the host and here. If the host says
// that it could not, the host's index tells whether that is true.
func (f *FS) swap(next *index, s stamp) (undone bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err = f.disk.rename(indexName+tmpSuffix, indexName); err != nil {
		err = hostError(indexName, err)
		found, rerr := readStamp(f.disk)
		if rerr != nil || found != s {
			return rerr == nil && found == f.stamp, err
		}
	}
	f.index, f.stamp = next, s
	return false, err
}

// modify is commit for changes that need no data files.
func (f *FS) modify(op, name string, do edit) error {
	_, err := f.commit(do)
	return pathError(op, name, err)
}

// Mkdir makes a directory in one that exists.
func (f *FS) Mkdir(name string) error {
	return f.modify("mkdir", name, func(x *index) (*index, []fileID, error) {
		if err := checkName(name); err != nil {
			return nil, nil, err
		}
		if _, err := x.lookup(name); err == nil {
			return nil, nil, fs.ErrExist
		}
		return x.put(entry{name: name, dir: true, mtime: time.Now().UnixNano()})
	})
}

// MkdirAll makes a directory and those that it is in, unless they exist.
func (f *FS) MkdirAll(name string) error {
	return f.modify("mkdir", name, func(x *index) (*index, []fileID, error) {
		if name == "." {
			return x, nil, nil
		}
		if err := checkName(name); err != nil {
			return nil, nil, err
		}
		now := time.Now().UnixNano()
		for i := 0; i < len(name); {
			if k := strings.IndexByte(name[i+1:], '/'); k >= 0 {
				i += 1 + k
			} else {
				i = len(name)
			}
			e, err := x.lookup(name[:i])
			if err == nil && e.dir {
				continue
			}
			if err == nil {
				return nil, nil, errNotDir
			}
			if x, _, err = x.put(entry{name: name[:i], dir: true, mtime: now}); err != nil {
				return nil, nil, err
			}
		}
		return x, nil, nil
	})
}

// Remove removes a file or an empty directory.
func (f *FS) Remove(name string) error {
	return f.modify("remove", name, func(x *index) (*index, []fileID, error) {
		if err := checkName(name); err != nil {
			return nil, nil, err
		}
		if from, to := x.below(name); from < to {
			return nil, nil, errNotEmpty
		}
		i, ok := x.at(name)
		if !ok {
			return nil, nil, fs.ErrNotExist
		}
		return x.cut(i, i+1, i, i)
	})
}

// RemoveAll removes a file, or a directory and all in it, at once. That there
// is none is no error.
func (f *FS) RemoveAll(name string) error {
	return f.modify("remove", name, func(x *index) (*index, []fileID, error) {
		if err := checkName(name); err != nil {
			return nil, nil, err
		}
		i, ok := x.at(name)
		if !ok {
			return x, nil, nil
		}
		from, to := x.below(name)
		return x.cut(i, i+1, from, to)
	})
}

// Rename gives a file or directory another name, at once. A file replaces a
// file of that name; anything else that has the name is fs.ErrExist.
func (f *FS) Rename(from, to string) error {
	return f.modify("rename", from, func(x *index) (*index, []fileID, error) {
		if err := checkName(from); err != nil {
			return nil, nil, err
		}
		if err := checkName(to); err != nil {
			return nil, nil, err
		}
		return x.rename(from, to)
	})
}
