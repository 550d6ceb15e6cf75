package sealedfs

import (
	"io/fs"
	"slices"
	"strings"
)

// place returns where put inserts or replaces a file.
func (x *index) place(name string) (int, error) {
	if err := x.parent(name); err != nil {
		return 0, err
	}
	i, ok := x.at(name)
	if ok && x.entries[i].dir {
		return 0, errIsDir
	}
	return i, nil
}

// put returns a state with an entry more, or with a file replaced.
func (x *index) put(e entry) (*index, []fileID, error) {
	i, err := x.place(e.name)
	if err != nil {
		return nil, nil, err
	}
	var dropped []fileID
	end := i
	if i < len(x.entries) && x.entries[i].name == e.name {
		dropped, end = []fileID{x.entries[i].id}, i+1
	}
	return &index{entries: slices.Concat(x.entries[:i], []entry{e}, x.entries[end:])}, dropped, nil
}

// cut returns a state without two ranges of entries, the first not after the
// second.
func (x *index) cut(from, to, from2, to2 int) (*index, []fileID, error) {
	var dropped []fileID
	for _, e := range slices.Concat(x.entries[from:to], x.entries[max(to, from2):max(to, to2)]) {
		if !e.dir {
			dropped = append(dropped, e.id)
		}
	}
	return &index{entries: slices.Concat(x.entries[:from], x.entries[to:max(to, from2)], x.entries[max(to, to2):])}, dropped, nil
}

// rename returns a state in which from, and all below it, has another name.
func (x *index) rename(from, to string) (*index, []fileID, error) {
	e, err := x.lookup(from)
	switch {
	case err != nil:
		return nil, nil, err
	case from == to:
		return x, nil, nil
	case strings.HasPrefix(to, from+"/"):
		return nil, nil, fs.ErrInvalid // into itself
	}
	if err := x.parent(to); err != nil {
		return nil, nil, err
	}
	var dropped []fileID
	if target, err := x.lookup(to); err == nil {
		if target.dir || e.dir {
			return nil, nil, fs.ErrExist
		}
		dropped = []fileID{target.id}
	}
	entries := make([]entry, 0, len(x.entries))
	for _, e := range x.entries {
		switch {
		case e.name == to:
			continue // is replaced
		case e.name == from || strings.HasPrefix(e.name, from+"/"):
			e.name = to + e.name[len(from):]
			if len(e.name) > maxPath {
				return nil, nil, errTooLong
			}
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return &index{entries: entries}, dropped, nil
}
