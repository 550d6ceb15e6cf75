package image

import (
	"encoding/binary"
	"sort"
	"strings"
)

// What this package needs of ELF64 (System V ABI, "Object Files").
const (
	elfHeaderSize = 64
	elfPhdrSize   = 56
	elfShdrSize   = 64
	elfSymSize    = 24
	elfDynSize    = 16
	elfRelaSize   = 24
	elfTypeDyn    = 3
	elfMachineAMD = 62
	segLoad       = 1
	segDynamic    = 2
	segX          = 1
	segW          = 2
	segR          = 4
	secSymtab     = 2
	secNobits     = 8
	secDynsym     = 11
	secFlagAlloc  = 2
	secFlagExec   = 4
	symFunc       = 2
	dynPltRelSz   = 2
	dynRela       = 7
	dynRelaSz     = 8
	dynTextRel    = 22
	dynJmpRel     = 23
	relNone       = 0
	maxSymbolName = 1024
)

type elfSegment struct {
	header        uint64 // file offset of the program header
	kind, flags   uint32
	offset, vaddr uint64
	filesz, memsz uint64
}

type elfSection struct {
	header       uint64 // file offset of the section header
	name         string
	kind         uint32
	flags        uint64
	addr, offset uint64
	size         uint64
	link         uint32
}

// elfFile is a 64-bit little-endian x86 shared object whose tables lie within
// its bytes.
type elfFile struct {
	b        []byte
	segments []elfSegment
	sections []elfSection
}

// within reports whether [off, off+n) lies in a range of size bytes.
func within(off, n, size uint64) bool { return off <= size && n <= size-off }

func parseELF(b []byte) (*elfFile, error) {
	le := binary.LittleEndian
	if len(b) < elfHeaderSize {
		return nil, malformed(0, "ELF header is cut short: %d bytes", len(b))
	}
	if string(b[:4]) != "\x7fELF" {
		return nil, malformed(0, "no ELF magic")
	}
	if b[4] != 2 || b[5] != 1 {
		return nil, formatErr(ErrUnsupported, 4, "ELF class %d, data encoding %d; only 64-bit little-endian files are read", b[4], b[5])
	}
	if m := le.Uint16(b[18:]); m != elfMachineAMD {
		return nil, formatErr(ErrUnsupported, 18, "ELF machine %d is not x86-64", m)
	}
	if t := le.Uint16(b[16:]); t != elfTypeDyn {
		return nil, formatErr(ErrNotEnclave, 16, "ELF type %d is not a shared object", t)
	}
	f := &elfFile{b: b}
	size := uint64(len(b))

	phoff, phnum := le.Uint64(b[32:]), uint64(le.Uint16(b[56:]))
	if phnum > 0 && le.Uint16(b[54:]) != elfPhdrSize {
		return nil, malformed(54, "program headers of %d bytes, not %d", le.Uint16(b[54:]), elfPhdrSize)
	}
	if !within(phoff, phnum*elfPhdrSize, size) {
		return nil, malformed(32, "%d program headers at %#x lie outside the file of %#x bytes", phnum, phoff, size)
	}
	for i := range phnum {
		at := phoff + i*elfPhdrSize
		p := b[at:]
		s := elfSegment{
			header: at, kind: le.Uint32(p), flags: le.Uint32(p[4:]),
			offset: le.Uint64(p[8:]), vaddr: le.Uint64(p[16:]), filesz: le.Uint64(p[32:]), memsz: le.Uint64(p[40:]),
		}
		if !within(s.offset, s.filesz, size) {
			return nil, malformed(at, "segment %d, %#x bytes at %#x, lies outside the file of %#x bytes", i, s.filesz, s.offset, size)
		}
		f.segments = append(f.segments, s)
	}
	return f, f.parseSections()
}

func (f *elfFile) parseSections() error {
	le, b, size := binary.LittleEndian, f.b, uint64(len(f.b))
	shoff, shnum, shstrndx := le.Uint64(b[40:]), uint64(le.Uint16(b[60:])), uint64(le.Uint16(b[62:]))
	if shoff == 0 || shnum == 0 {
		return nil
	}
	if le.Uint16(b[58:]) != elfShdrSize {
		return malformed(58, "section headers of %d bytes, not %d", le.Uint16(b[58:]), elfShdrSize)
	}
	if !within(shoff, shnum*elfShdrSize, size) {
		return malformed(40, "%d section headers at %#x lie outside the file of %#x bytes", shnum, shoff, size)
	}
	f.sections = make([]elfSection, shnum)
	for i := range f.sections {
		at := shoff + uint64(i)*elfShdrSize
		p := b[at:]
		s := elfSection{
			header: at, kind: le.Uint32(p[4:]), flags: le.Uint64(p[8:]),
			addr: le.Uint64(p[16:]), offset: le.Uint64(p[24:]), size: le.Uint64(p[32:]), link: le.Uint32(p[40:]),
		}
		if s.kind != secNobits && !within(s.offset, s.size, size) {
			return malformed(at, "section %d, %#x bytes at %#x, lies outside the file of %#x bytes", i, s.size, s.offset, size)
		}
		f.sections[i] = s
	}
	if shstrndx >= shnum {
		return malformed(62, "section name table %d of %d", shstrndx, shnum)
	}
	names := string(f.data(&f.sections[shstrndx]))
	for i := range f.sections {
		f.sections[i].name = cString(names, le.Uint32(b[f.sections[i].header:]))
	}
	return nil
}

// cString returns the NUL-terminated string at off, cut at maxSymbolName. It
// shares the table's memory, so that names that overlap cost nothing.
func cString(table string, off uint32) string {
	if uint64(off) >= uint64(len(table)) {
		return ""
	}
	s := table[off:]
	s = s[:min(len(s), maxSymbolName)]
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	return s
}

func (f *elfFile) data(s *elfSection) []byte {
	if s.kind == secNobits {
		return nil
	}
	return f.b[s.offset : s.offset+s.size]
}

func (f *elfFile) section(name string) *elfSection {
	for i := range f.sections {
		if f.sections[i].name == name {
			return &f.sections[i]
		}
	}
	return nil
}

// at returns the n bytes of the file that are loaded at vaddr, or nil.
func (f *elfFile) at(vaddr, n uint64) []byte {
	for i := range f.segments {
		s := &f.segments[i]
		if s.kind == segLoad && vaddr >= s.vaddr && within(vaddr-s.vaddr, n, s.filesz) {
			off := s.offset + vaddr - s.vaddr
			return f.b[off : off+n]
		}
	}
	return nil
}

// symbols calls visit for the defined symbols of the first table of a kind
// and reports whether there is such a table.
func (f *elfFile) symbols(kind uint32, visit func(name string, info byte, value, size uint64)) bool {
	for i := range f.sections {
		s := &f.sections[i]
		if s.kind != kind {
			continue
		}
		var names string
		if int(s.link) < len(f.sections) {
			names = string(f.data(&f.sections[s.link]))
		}
		le := binary.LittleEndian
		for t := f.data(s); len(t) >= elfSymSize; t = t[elfSymSize:] {
			if le.Uint16(t[6:]) == 0 { // SHN_UNDEF
				continue
			}
			visit(cString(names, le.Uint32(t)), t[4], le.Uint64(t[8:]), le.Uint64(t[16:]))
		}
		return true
	}
	return false
}

// exports reports whether .dynsym defines name.
func (f *elfFile) exports(name string) (found bool) {
	f.symbols(secDynsym, func(n string, _ byte, _, _ uint64) { found = found || n == name })
	return found
}

// functions returns the functions of .symtab, or of .dynsym if the file was
// stripped, that lie below limit.
func (f *elfFile) functions(limit uint64) []Symbol {
	var out []Symbol
	add := func(name string, info byte, value, size uint64) {
		if info&0xF == symFunc && value != 0 && value < limit && name != "" {
			out = append(out, Symbol{Name: name, Offset: value, Size: size})
		}
	}
	if !f.symbols(secSymtab, add) || len(out) == 0 {
		out = nil
		f.symbols(secDynsym, add)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Offset < out[j].Offset })
	return out
}

// code returns the ranges of the loaded executable sections that lie below
// limit, sorted.
func (f *elfFile) code(limit uint64) []Range {
	var out []Range
	for i := range f.sections {
		s := &f.sections[i]
		if s.flags&(secFlagExec|secFlagAlloc) == secFlagExec|secFlagAlloc && s.size > 0 && within(s.addr, s.size, limit) {
			out = append(out, Range{s.addr, s.addr + s.size})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Start < out[j].Start })
	return out
}
