// Package elf64 reads the tables of 64-bit little-endian ELF files (System V
// ABI, "Object Files") in place: nothing of the file is copied but tables of
// names, and no table of it can make the reader use more memory than the
// file is long. It judges no more than that tables lie within the file.
package elf64

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Sizes of ELF structures in bytes.
const (
	HeaderSize        = 64
	SegmentHeaderSize = 56
	SectionHeaderSize = 64
	SymbolSize        = 24
	DynamicSize       = 16
	RelaSize          = 24
)

// Offsets in the ELF header.
const (
	OffVersion    = 6
	OffType       = 16
	OffMachine    = 18
	OffEntry      = 24
	OffSegments   = 32
	OffSections   = 40
	OffSectionNum = 60
	OffSectionStr = 62
)

// Values of header fields.
const (
	TypeDyn      = 3
	MachineAMD64 = 62
)

// Kinds and permissions of segments.
const (
	SegmentLoad    = 1
	SegmentDynamic = 2
	SegmentTLS     = 7

	PermX = 1
	PermW = 2
	PermR = 4
)

// Kinds and flags of sections.
const (
	SectionSymtab = 2
	SectionRela   = 4
	SectionNobits = 8
	SectionDynsym = 11

	SectionAlloc = 2
	SectionExec  = 4
)

// maxName bounds the names of sections and symbols, in bytes.
const maxName = 1024

// ErrClass is wrapped by the error of an ELF file that is not 64-bit and
// little-endian.
var ErrClass = errors.New("only 64-bit little-endian files are read")

// Error says what is wrong with a file, and at which offset.
type Error struct {
	Offset uint64
	Reason string
	Err    error // ErrClass or nil
}

// Error returns one line.
func (e *Error) Error() string { return fmt.Sprintf("elf: %s (at offset %#x)", e.Reason, e.Offset) }

// Unwrap returns ErrClass if that is the reason.
func (e *Error) Unwrap() error { return e.Err }

func bad(offset uint64, format string, args ...any) error {
	return &Error{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// File is an ELF file whose tables lie within its bytes.
type File struct {
	Bytes    []byte
	Type     uint16
	Machine  uint16
	Entry    uint64
	Segments []Segment
	Sections []Section
}

// Segment is a program header. Its bytes lie within the file.
type Segment struct {
	Header   uint64 // file offset of the program header
	Kind     uint32
	Perms    uint32
	Offset   uint64 // of its bytes in the file
	Address  uint64
	FileSize uint64
	Size     uint64 // in memory
	Align    uint64
}

// Section is a section header. Its bytes lie within the file, unless it is of
// SectionNobits.
type Section struct {
	Header  uint64 // file offset of the section header
	Name    string
	Kind    uint32
	Flags   uint64
	Address uint64
	Offset  uint64
	Size    uint64
	Link    uint32
	Align   uint64
}

// Within reports whether [off, off+n) lies in a range of size bytes.
func Within(off, n, size uint64) bool { return off <= size && n <= size-off }

// Parse reads the headers of b, which the result keeps.
func Parse(b []byte) (*File, error) {
	le := binary.LittleEndian
	if len(b) < HeaderSize {
		return nil, bad(0, "ELF header is cut short: %d bytes", len(b))
	}
	if string(b[:4]) != "\x7fELF" {
		return nil, bad(0, "no ELF magic")
	}
	if b[4] != 2 || b[5] != 1 {
		return nil, &Error{4, fmt.Sprintf("ELF class %d, data encoding %d; %v", b[4], b[5], ErrClass), ErrClass}
	}
	f := &File{Bytes: b, Type: le.Uint16(b[OffType:]), Machine: le.Uint16(b[OffMachine:]), Entry: le.Uint64(b[OffEntry:])}
	size := uint64(len(b))
	offset, n := le.Uint64(b[OffSegments:]), uint64(le.Uint16(b[56:]))
	if n > 0 && le.Uint16(b[54:]) != SegmentHeaderSize {
		return nil, bad(54, "program headers of %d bytes, not %d", le.Uint16(b[54:]), SegmentHeaderSize)
	}
	if !Within(offset, n*SegmentHeaderSize, size) {
		return nil, bad(OffSegments, "%d program headers at %#x lie outside the file of %#x bytes", n, offset, size)
	}
	for i := range n {
		at := offset + i*SegmentHeaderSize
		p := b[at:]
		s := Segment{
			Header: at, Kind: le.Uint32(p), Perms: le.Uint32(p[4:]), Offset: le.Uint64(p[8:]), Address: le.Uint64(p[16:]),
			FileSize: le.Uint64(p[32:]), Size: le.Uint64(p[40:]), Align: le.Uint64(p[48:]),
		}
		if !Within(s.Offset, s.FileSize, size) {
			return nil, bad(at, "segment %d, %#x bytes at %#x, lies outside the file of %#x bytes", i, s.FileSize, s.Offset, size)
		}
		f.Segments = append(f.Segments, s)
	}
	return f, f.parseSections()
}

func (f *File) parseSections() error {
	le, b, size := binary.LittleEndian, f.Bytes, uint64(len(f.Bytes))
	offset, n, names := le.Uint64(b[OffSections:]), uint64(le.Uint16(b[OffSectionNum:])), uint64(le.Uint16(b[OffSectionStr:]))
	if offset == 0 || n == 0 {
		return nil
	}
	if le.Uint16(b[58:]) != SectionHeaderSize {
		return bad(58, "section headers of %d bytes, not %d", le.Uint16(b[58:]), SectionHeaderSize)
	}
	if !Within(offset, n*SectionHeaderSize, size) {
		return bad(OffSections, "%d section headers at %#x lie outside the file of %#x bytes", n, offset, size)
	}
	f.Sections = make([]Section, n)
	for i := range f.Sections {
		at := offset + uint64(i)*SectionHeaderSize
		p := b[at:]
		s := Section{
			Header: at, Kind: le.Uint32(p[4:]), Flags: le.Uint64(p[8:]), Address: le.Uint64(p[16:]),
			Offset: le.Uint64(p[24:]), Size: le.Uint64(p[32:]), Link: le.Uint32(p[40:]), Align: le.Uint64(p[48:]),
		}
		if s.Kind != SectionNobits && !Within(s.Offset, s.Size, size) {
			return bad(at, "section %d, %#x bytes at %#x, lies outside the file of %#x bytes", i, s.Size, s.Offset, size)
		}
		f.Sections[i] = s
	}
	if names >= n {
		return bad(OffSectionStr, "section name table %d of %d", names, n)
	}
	table := string(f.Data(&f.Sections[names]))
	for i := range f.Sections {
		f.Sections[i].Name = cString(table, le.Uint32(b[f.Sections[i].Header:]))
	}
	return nil
}

// cString returns the NUL-terminated string at off, cut at maxName. It shares
// the table's memory, so that names that overlap cost nothing.
func cString(table string, off uint32) string {
	if uint64(off) >= uint64(len(table)) {
		return ""
	}
	s := table[off:]
	s = s[:min(len(s), maxName)]
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	return s
}

// Data returns the bytes of a section, nil if it has none in the file.
func (f *File) Data(s *Section) []byte {
	if s.Kind == SectionNobits {
		return nil
	}
	return f.Bytes[s.Offset : s.Offset+s.Size]
}

// Section returns the first section with a name, or nil.
func (f *File) Section(name string) *Section {
	for i := range f.Sections {
		if f.Sections[i].Name == name {
			return &f.Sections[i]
		}
	}
	return nil
}

// Loaded returns where the n bytes that are loaded at address lie in the
// file, and whether they do.
func (f *File) Loaded(address, n uint64) (offset uint64, ok bool) {
	for i := range f.Segments {
		s := &f.Segments[i]
		if s.Kind == SegmentLoad && address >= s.Address && Within(address-s.Address, n, s.FileSize) {
			return s.Offset + address - s.Address, true
		}
	}
	return 0, false
}
