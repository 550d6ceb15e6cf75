package sealedfs

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"slices"
)

// Limits of the format.
const (
	maxPath     = 4096
	maxFileSize = 1 << 50
	maxPlain    = 256 << 20 // of an index before encryption
	indexBlock  = 4 << 10   // an index file is a multiple of this
)

// Sizes of an entry without its name.
const (
	dirEntrySize  = 2 + 1 + 8
	fileEntrySize = dirEntrySize + 8 + 16
)

// Kinds of an entry.
const (
	kindDir  = 0
	kindFile = 1
)

// encode returns the plaintext of an index, integers little-endian:
//
//	0  generation, u64
//	8  number of entries, u32
//	12 entries
//
// of which each is
//
//	0  length of the name, u16
//	2  name
//	   kind, u8: 0 a directory, 1 a file
//	   time of the last change in nanoseconds since 1970, i64
//	   of a file: size, u64, and identifier, 16 bytes
//
// and zeros, with which the index file becomes a multiple of 4 KiB, so that
// its size tells little of the names.
func (x *index) encode() ([]byte, error) {
	size := 12
	for i := range x.entries {
		size += fileEntrySize + len(x.entries[i].name)
	}
	if size > maxPlain {
		return nil, fmt.Errorf("too many files: the index would have %d bytes of at most %d", size, maxPlain)
	}
	b := make([]byte, 0, size+indexBlock)
	b = binary.LittleEndian.AppendUint64(b, x.generation)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(x.entries)))
	for i := range x.entries {
		e := &x.entries[i]
		b = binary.LittleEndian.AppendUint16(b, uint16(len(e.name)))
		b = append(b, e.name...)
		if e.dir {
			b = append(b, kindDir)
			b = binary.LittleEndian.AppendUint64(b, uint64(e.mtime))
			continue
		}
		b = append(b, kindFile)
		b = binary.LittleEndian.AppendUint64(b, uint64(e.mtime))
		b = binary.LittleEndian.AppendUint64(b, uint64(e.size))
		b = append(b, e.id[:]...)
	}
	pad := -(stampSize + len(b)) & (indexBlock - 1)
	return append(b, make([]byte, pad)...), nil
}

// decodeIndex reads what encode wrote, and nothing else. Errors say what is
// wrong at which offset.
func decodeIndex(b []byte) (*index, error) {
	all := len(b)
	bad := func(format string, args ...any) (*index, error) {
		return nil, fmt.Errorf("offset %d: %s", all-len(b), fmt.Sprintf(format, args...))
	}
	if len(b) < 12 || len(b) > maxPlain+indexBlock {
		return bad("an index has 12 to %d bytes", maxPlain+indexBlock)
	}
	x := &index{generation: binary.LittleEndian.Uint64(b)}
	count := int64(binary.LittleEndian.Uint32(b[8:]))
	b = b[12:]
	if count > int64(len(b)/dirEntrySize) {
		return bad("%d entries in %d bytes", count, len(b))
	}
	for range count {
		if len(b) < dirEntrySize {
			return bad("the entry is cut")
		}
		n := int(binary.LittleEndian.Uint16(b))
		if n > maxPath || len(b) < n+dirEntrySize {
			return bad("a name of %d bytes", n)
		}
		e := entry{name: string(b[2 : 2+n]), mtime: int64(binary.LittleEndian.Uint64(b[3+n:]))}
		used := n + dirEntrySize
		switch kind := b[2+n]; kind {
		case kindDir:
			e.dir = true
		case kindFile:
			if used = n + fileEntrySize; len(b) < used {
				return bad("the entry is cut")
			}
			size := binary.LittleEndian.Uint64(b[n+dirEntrySize:])
			if size > maxFileSize {
				return bad("a file of %d bytes", size)
			}
			e.size = int64(size)
			copy(e.id[:], b[n+dirEntrySize+8:])
		default:
			return bad("an entry of kind %d", kind)
		}
		if !fs.ValidPath(e.name) || e.name == "." {
			return bad("%q is no name", e.name)
		}
		if k := len(x.entries); k > 0 && x.entries[k-1].name >= e.name {
			return bad("%q follows %q", e.name, x.entries[k-1].name)
		}
		if err := x.parent(e.name); err != nil {
			return bad("%q has no directory", e.name)
		}
		x.entries = append(x.entries, e)
		b = b[used:]
	}
	if len(b) >= indexBlock || slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
		return bad("something follows the last entry")
	}
	return x, nil
}
