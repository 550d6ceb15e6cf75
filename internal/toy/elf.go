package toy

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
)

// ELF64 (System V ABI, "Object Files"): sizes of its records and the values
// that are written.
const (
	ehdrSize, phdrSize, shdrSize = 64, 56, 64

	symSize, dynSize, relaSize = 24, 16, 24

	phdrCount = 4  // three PT_LOAD and PT_DYNAMIC
	dynCount  = 10 // entries that .dynamic has room for

	ptLoad, ptDynamic = 1, 2
	pfX, pfW, pfR     = 1, 2, 4

	symGlobal         = 1 << 4
	symObject         = symGlobal | 1
	symFunc           = symGlobal | 2
	relRelative       = 8
	etDyn, machineX86 = 3, 62

	sectionAlign = 8
	metadataRoom = 0x6000 // bytes that the SDK's runtime reserves
)

// Indexes of the sections.
const (
	secNull = iota
	secDynsym
	secDynstr
	secRela
	secRodata
	secText
	secDynamic
	secData
	secBss
	secSymtab
	secStrtab
	secNote
	secShstrtab
	secCount
)

var le = binary.LittleEndian

// strtab builds a string table.
type strtab struct{ b []byte }

func newStrings() *strtab { return &strtab{b: []byte{0}} }

func (s *strtab) add(name string) uint32 {
	at := uint32(len(s.b))
	s.b = append(append(s.b, name...), 0)
	return at
}

func symbol(name uint32, info byte, section uint16, value, size uint64) []byte {
	b := le.AppendUint32(nil, name)
	b = append(b, info, 0)
	b = le.AppendUint16(b, section)
	return le.AppendUint64(le.AppendUint64(b, value), size)
}

// makeDynamic fills .dynamic and .rela.dyn.
func (l *linked) makeDynamic(o *Options) {
	entry := func(tag, value uint64) {
		l.dynamic = le.AppendUint64(le.AppendUint64(l.dynamic, tag), value)
	}
	entry(5, l.at.dynstr)            // DT_STRTAB
	entry(6, l.at.dynsym)            // DT_SYMTAB
	entry(10, uint64(len(l.dynstr))) // DT_STRSZ
	entry(11, symSize)               // DT_SYMENT
	if o.TextRel {
		word, _ := l.text.Address("text_word")
		l.rela = le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, word), relRelative), word)
		entry(7, l.at.rela) // DT_RELA
		entry(8, relaSize)  // DT_RELASZ
		entry(9, relaSize)  // DT_RELAENT
		entry(22, 0)        // DT_TEXTREL
	}
	l.dynamic = append(l.dynamic, make([]byte, dynCount*dynSize-len(l.dynamic))...)
}

// patches are those of the SDK's signing tool: the global data, and the
// header's references to the sections, which the measured file shall not have.
func (l *linked) patches(o *Options) []image.Patch {
	return []image.Patch{
		{Offset: l.global, Data: l.plan.globalData(o)},
		{Offset: 60, Data: make([]byte, 2)}, // e_shnum
		{Offset: 40, Data: make([]byte, 8)}, // e_shoff
		{Offset: 62, Data: make([]byte, 2)}, // e_shstrndx
	}
}

// file returns the whole file, with sig in every metadata block.
func (l *linked) file(o *Options, sig *isa.SigStruct) ([]byte, error) {
	var blocks [][]byte
	for _, v := range o.Versions {
		b, err := l.block(o, v, sig)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, b)
	}
	// There is room for other metadata, so that the file can be signed again.
	room := metadataRoom
	for _, b := range blocks {
		room -= len(b)
	}
	note := image.AppendNote(nil, append(blocks, make([]byte, max(room, 0)))...)
	note = append(note, make([]byte, align(uint64(len(note)), sectionAlign)-uint64(len(note)))...)

	names := newStrings()
	syms := make([]byte, symSize)
	for _, f := range l.text.Funcs {
		syms = append(syms, symbol(names.add(f.Name), symFunc, secText, f.Start, f.Size)...)
	}
	syms = append(syms, symbol(names.add("g_scratch"), symObject, secBss, l.bss, l.bssSize)...)

	w := &writer{}
	const alloc, write, exec = 2, 1, 4
	w.section(secDynsym, ".dynsym", 11, alloc, l.at.dynsym, l.dynsym, secDynstr, symSize)
	w.section(secDynstr, ".dynstr", 3, alloc, l.at.dynstr, l.dynstr, 0, 0)
	w.section(secRela, ".rela.dyn", 4, alloc, l.at.rela, l.rela, secDynsym, relaSize)
	w.section(secRodata, ".rodata", 1, alloc, l.at.rodata, l.rodata.Code, 0, 0)
	w.section(secText, ".text", 1, alloc|exec, l.at.text, l.text.Code, 0, 0)
	w.section(secDynamic, ".dynamic", 6, alloc|write, l.at.dynamic, l.dynamic, secDynstr, dynSize)
	w.section(secData, ".data", 1, alloc|write, l.at.data, l.data.Code, 0, 0)
	dataEnd := uint64(len(w.b))
	w.section(secBss, ".bss", 8, alloc|write, l.bss, nil, 0, 0)
	le.PutUint64(w.headers[secBss*shdrSize+32:], l.bssSize)
	w.append(secSymtab, ".symtab", 2, syms, secStrtab, symSize)
	w.append(secStrtab, ".strtab", 3, names.b, 0, 0)
	w.append(secNote, image.MetadataSection, 7, note, 0, 0)
	w.finish()

	h := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	h = le.AppendUint16(le.AppendUint16(h, etDyn), machineX86)
	h = le.AppendUint64(le.AppendUint32(h, 1), l.entry)
	h = le.AppendUint64(le.AppendUint64(h, ehdrSize), w.shoff)
	h = le.AppendUint16(le.AppendUint32(h, 0), ehdrSize)
	for _, v := range []uint16{phdrSize, phdrCount, shdrSize, secCount, secShstrtab} {
		h = le.AppendUint16(h, v)
	}
	segment := func(kind, flags uint32, start, fileEnd, memEnd uint64) {
		h = le.AppendUint32(le.AppendUint32(h, kind), flags)
		for _, v := range []uint64{start, start, start, fileEnd - start, memEnd - start, isa.PageSize} {
			h = le.AppendUint64(h, v)
		}
	}
	roEnd := l.at.rodata + uint64(len(l.rodata.Code))
	textEnd := l.at.text + uint64(len(l.text.Code))
	dynEnd := l.at.dynamic + uint64(len(l.dynamic))
	segment(ptLoad, pfR, 0, roEnd, roEnd)
	segment(ptLoad, pfR|pfX, l.at.text, textEnd, textEnd)
	segment(ptLoad, pfR|pfW, l.at.dynamic, dataEnd, l.bss+l.bssSize)
	segment(ptDynamic, pfR|pfW, l.at.dynamic, dynEnd, dynEnd)
	copy(w.b, h)
	return w.b, nil
}

// writer lays sections into a file.
type writer struct {
	b       []byte
	headers [secCount * shdrSize]byte
	names   strtab
	shoff   uint64
}

// section puts a section that is loaded at addr, its offset in the file.
func (w *writer) section(i int, name string, kind uint32, flags, addr uint64, content []byte, link uint32, entry uint64) {
	w.header(i, name, kind, flags, addr, addr, uint64(len(content)), link, entry)
	if len(content) > 0 {
		w.pad(addr)
		w.b = append(w.b, content...)
	}
}

// append puts a section that is not loaded.
func (w *writer) append(i int, name string, kind uint32, content []byte, link uint32, entry uint64) {
	w.pad(align(uint64(len(w.b)), sectionAlign))
	w.header(i, name, kind, 0, 0, uint64(len(w.b)), uint64(len(content)), link, entry)
	w.b = append(w.b, content...)
}

func (w *writer) pad(to uint64) { w.b = append(w.b, make([]byte, to-uint64(len(w.b)))...) }

func (w *writer) header(i int, name string, kind uint32, flags, addr, offset, size uint64, link uint32, entry uint64) {
	if w.names.b == nil {
		w.names.b = []byte{0}
	}
	h := le.AppendUint32(le.AppendUint32(nil, w.names.add(name)), kind)
	for _, v := range []uint64{flags, addr, offset, size} {
		h = le.AppendUint64(h, v)
	}
	h = le.AppendUint32(le.AppendUint32(h, link), 0)
	copy(w.headers[i*shdrSize:], le.AppendUint64(le.AppendUint64(h, sectionAlign), entry))
}

// finish puts the section names and headers.
func (w *writer) finish() {
	at := uint64(len(w.b))
	w.header(secShstrtab, ".shstrtab", 3, 0, 0, at, 0, 0, 0)
	le.PutUint64(w.headers[secShstrtab*shdrSize+32:], uint64(len(w.names.b)))
	w.b = append(w.b, w.names.b...)
	w.shoff = align(uint64(len(w.b)), 8)
	w.pad(w.shoff)
	w.b = append(w.b, w.headers[:]...)
}
