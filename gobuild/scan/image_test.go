package scan

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// An image is a program as the Go linker would lay it out: a segment with the
// headers and the code, and a table of functions.
type image struct {
	functions []made
	symbols   bool // a symbol table, too
	plt       []byte
	slack     []byte // after the code, in the segment
	edit      func(b []byte, sections map[string]uint64)
}

// made is a function of an image.
type made struct {
	name    string
	code    []byte
	pad     []byte // after it
	foreign bool
}

// bare reports whether the function is in no table but that of symbols.
func (fn made) bare() bool { return strings.HasPrefix(fn.name, "_") }

const (
	imageBase = 0x400000
	imageText = 0x1000 // offset of the code in the file and in memory
)

type imageSection struct {
	name         string
	kind         uint32
	flags        uint64
	data         []byte
	offset, addr uint64
	link         uint32
}

// build returns the file. Sections tells where the headers of sections lie.
func (im image) build() []byte {
	var text []byte
	var tab, infos, symtab bytes.Buffer
	names, strtab := []byte{0}, []byte{0}
	n := uint32(0)
	for _, fn := range im.functions {
		if !fn.bare() {
			n++
		}
	}
	symtab.Write(make([]byte, 24))
	for _, fn := range im.functions {
		start := uint32(len(text))
		text = append(append(text, fn.code...), fn.pad...)
		if !fn.bare() {
			unit := uint32(0)
			if fn.foreign {
				unit = noUnit
			}
			write32(&tab, start, (n*2+1)*4+uint32(infos.Len()))
			write32(&infos, start, uint32(len(names)), 0, 0, 0, 0, 0, 0, unit, 0, 0)
			names = append(append(names, fn.name...), 0)
		}
		write32(&symtab, uint32(len(strtab)), 2|1<<16)
		write64(&symtab, imageBase+imageText+uint64(start), uint64(len(fn.code)))
		strtab = append(append(strtab, fn.name+".abi0"...), 0)
	}
	write32(&tab, uint32(len(text)))
	var pcln bytes.Buffer
	write32(&pcln, pclnMagic, 0x08010000)
	table := uint64(pclnHeaderSize + len(names))
	write64(&pcln, uint64(n), 0, 0, pclnHeaderSize, 0, 0, 0, table)
	pcln.Write(names)
	pcln.Write(tab.Bytes())
	pcln.Write(infos.Bytes())

	sections := []imageSection{{}, {name: ".text", kind: 1, flags: 6, data: text}}
	if im.plt != nil {
		sections = append(sections, imageSection{name: ".plt", kind: 1, flags: 6, data: im.plt})
	}
	sections = append(sections, imageSection{name: "slack", kind: 0, data: im.slack}, imageSection{name: ".gopclntab", kind: 1, flags: 2, data: pcln.Bytes()})
	if im.symbols {
		sections = append(sections, imageSection{name: ".symtab", kind: 2, data: symtab.Bytes(), link: uint32(len(sections) + 1)}, imageSection{name: ".strtab", kind: 3, data: strtab})
	}
	shstr := []byte{0}
	for _, s := range sections {
		shstr = append(append(shstr, s.name...), 0)
	}
	sections = append(sections, imageSection{name: ".shstrtab", kind: 3, data: append(shstr, ".shstrtab\x00"...)})

	b := make([]byte, imageText)
	code := 0
	headers := map[string]uint64{}
	kept := sections[:0]
	for _, s := range sections {
		s.offset = uint64(len(b))
		if s.flags&2 != 0 {
			s.addr = imageBase + s.offset
		}
		b = append(b, s.data...)
		if s.flags&4 != 0 || s.name == "slack" {
			code = len(b)
		}
		if s.name != "slack" {
			kept = append(kept, s)
		} else {
			shstr = bytes.Replace(shstr, []byte("slack"), []byte("....."), 1)
		}
	}
	at := 120 // the section headers follow the only program header
	for i, s := range kept {
		name := uint32(bytes.Index(kept[len(kept)-1].data, append([]byte(s.name), 0)))
		if i == 0 {
			name = 0
		}
		if s.kind == 2 {
			s.link = uint32(i + 1)
		}
		headers[s.name] = uint64(at)
		le.PutUint32(b[at:], name)
		le.PutUint32(b[at+4:], s.kind)
		le.PutUint64(b[at+8:], s.flags)
		le.PutUint64(b[at+16:], s.addr)
		le.PutUint64(b[at+24:], s.offset)
		le.PutUint64(b[at+32:], uint64(len(s.data)))
		le.PutUint32(b[at+40:], s.link)
		at += 64
	}
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], 3)
	le.PutUint16(b[18:], 62)
	le.PutUint64(b[24:], imageBase+imageText)
	le.PutUint64(b[32:], 64)
	le.PutUint64(b[40:], 120)
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 1)
	le.PutUint16(b[58:], 64)
	le.PutUint16(b[60:], uint16(len(kept)))
	le.PutUint16(b[62:], uint16(len(kept)-1))
	le.PutUint32(b[64:], 1)
	le.PutUint32(b[68:], 5)
	le.PutUint64(b[80:], imageBase)
	le.PutUint64(b[96:], uint64(code))
	le.PutUint64(b[104:], uint64(code))
	if im.edit != nil {
		im.edit(b, headers)
	}
	return b
}

func write32(w *bytes.Buffer, vs ...uint32) { _ = binary.Write(w, le, vs) }
func write64(w *bytes.Buffer, vs ...uint64) { _ = binary.Write(w, le, vs) }
