package image

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// elfSpec describes a synthetic shared object; build assembles it. Segments
// are placed in the file at offsets congruent to their addresses.
type elfSpec struct {
	segments []testSegment
	dynamic  []uint64 // tag, value pairs for PT_DYNAMIC
	dynsym   []string // defined names in .dynsym
	symtab   []Symbol // functions in .symtab
	text     []Range  // executable sections
	note     []byte   // content of .note.sgxmeta, nil for none
	tail     []byte   // anything, appended to the file at a page boundary
	edit     func([]byte)
}

type testSegment struct {
	vaddr uint64
	flags uint32
	data  []byte
	memsz uint64 // 0 means len(data)
}

// built is a file and where its parts are.
type built struct {
	file     []byte
	segments []uint64 // file offsets of their data
	note     uint64   // file offset of .note.sgxmeta
	tail     uint64
}

func (s elfSpec) build() built {
	le := binary.LittleEndian
	phnum := len(s.segments)
	if s.dynamic != nil {
		phnum++
	}
	b := make([]byte, elf64.HeaderSize+phnum*elf64.SegmentHeaderSize)
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], elf64.TypeDyn)
	le.PutUint16(b[18:], elf64.MachineAMD64)
	le.PutUint64(b[32:], elf64.HeaderSize)
	le.PutUint16(b[54:], elf64.SegmentHeaderSize)
	le.PutUint16(b[56:], uint16(phnum))
	le.PutUint16(b[58:], elf64.SectionHeaderSize)
	var out built
	phdr := func(i int, kind, flags uint32, off, vaddr, filesz, memsz uint64) {
		p := b[elf64.HeaderSize+i*elf64.SegmentHeaderSize:]
		le.PutUint32(p, kind)
		le.PutUint32(p[4:], flags)
		for k, v := range []uint64{off, vaddr, vaddr, filesz, memsz, 4096} {
			le.PutUint64(p[8+8*k:], v)
		}
	}
	align := func(n, rem int) {
		for len(b)%n != rem {
			b = append(b, 0xEE)
		}
	}
	for i, g := range s.segments {
		align(4096, int(g.vaddr%4096))
		out.segments = append(out.segments, uint64(len(b)))
		phdr(i, elf64.SegmentLoad, g.flags, uint64(len(b)), g.vaddr, uint64(len(g.data)), max(g.memsz, uint64(len(g.data))))
		b = append(b, g.data...)
	}
	if s.dynamic != nil {
		align(8, 0)
		phdr(len(s.segments), elf64.SegmentDynamic, elf64.PermR, uint64(len(b)), 0, uint64(8*len(s.dynamic)), 0)
		for _, v := range s.dynamic {
			b = le.AppendUint64(b, v)
		}
	}

	// Sections: null, then each with its name, the name table last.
	type section struct {
		name        string
		kind        uint32
		flags, addr uint64
		data        []byte
		size        uint64
		link        uint32
	}
	sections := []section{{}}
	table := func(names []string, values []Symbol) (syms, strs []byte) {
		syms, strs = make([]byte, elf64.SymbolSize), []byte{0}
		for i, n := range names {
			sym := make([]byte, elf64.SymbolSize)
			le.PutUint32(sym, uint32(len(strs)))
			sym[4] = 0x10 | elf64.SymbolFunc
			le.PutUint16(sym[6:], 1)
			le.PutUint64(sym[8:], values[i].Offset)
			le.PutUint64(sym[16:], values[i].Size)
			syms, strs = append(syms, sym...), append(append(strs, n...), 0)
		}
		return syms, strs
	}
	if s.dynsym != nil {
		values := make([]Symbol, len(s.dynsym))
		for i := range values {
			values[i].Offset = uint64(0x100 + i)
		}
		syms, strs := table(s.dynsym, values)
		sections = append(sections, section{name: ".dynsym", kind: elf64.SectionDynsym, data: syms, link: uint32(len(sections) + 1)}, section{name: ".dynstr", kind: 3, data: strs})
	}
	if s.symtab != nil {
		var names []string
		for _, v := range s.symtab {
			names = append(names, v.Name)
		}
		syms, strs := table(names, s.symtab)
		sections = append(sections, section{name: ".symtab", kind: elf64.SectionSymtab, data: syms, link: uint32(len(sections) + 1)}, section{name: ".strtab", kind: 3, data: strs})
	}
	for _, r := range s.text {
		sections = append(sections, section{name: ".text", kind: elf64.SectionNobits, flags: elf64.SectionAlloc | elf64.SectionExec, addr: r.Start, size: r.End - r.Start})
	}
	if s.note != nil {
		sections = append(sections, section{name: MetadataSection, kind: 7, data: s.note})
	}
	sections = append(sections, section{name: ".shstrtab", kind: 3})
	var names bytes.Buffer
	for _, c := range sections {
		names.WriteString(c.name + "\x00")
	}
	sections[len(sections)-1].data = names.Bytes()
	var headers []byte
	for i, c := range sections {
		align(8, 0)
		if c.name == MetadataSection {
			out.note = uint64(len(b))
		}
		h := make([]byte, elf64.SectionHeaderSize)
		name := 0
		for _, p := range sections[:i] {
			name += len(p.name) + 1
		}
		le.PutUint32(h, uint32(name))
		le.PutUint32(h[4:], c.kind)
		le.PutUint32(h[40:], c.link)
		for k, v := range []uint64{c.flags, c.addr, uint64(len(b)), max(c.size, uint64(len(c.data)))} {
			le.PutUint64(h[8+8*k:], v)
		}
		headers = append(headers, h...)
		b = append(b, c.data...)
	}
	align(8, 0)
	le.PutUint64(b[40:], uint64(len(b)))
	le.PutUint16(b[60:], uint16(len(sections)))
	le.PutUint16(b[62:], uint16(len(sections)-1))
	b = append(b, headers...)
	if s.tail != nil {
		align(4096, 0)
		out.tail = uint64(len(b))
		b = append(b, s.tail...)
	}
	if s.edit != nil {
		s.edit(b)
	}
	out.file = b
	return out
}

// pattern returns n bytes that differ from page to page.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seed + i + i>>8)
	}
	return b
}

// rela returns a RELA table with one relocation of type 8 at each offset, and
// one of type NONE at skip.
func rela(skip uint64, offsets ...uint64) []byte {
	var b []byte
	le := binary.LittleEndian
	for _, o := range offsets {
		b = le.AppendUint64(le.AppendUint64(le.AppendUint64(b, o), 8), 0)
	}
	return le.AppendUint64(le.AppendUint64(le.AppendUint64(b, skip), elf64.RelNone), 0)
}

func oneLine(err error) bool { return err != nil && !strings.Contains(err.Error(), "\n") }
