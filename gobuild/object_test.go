package gobuild

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// object is a relocatable object with one global function, as a C compiler
// would make it.
func object(name string, code []byte) []byte {
	le := binary.LittleEndian
	strings := "\x00" + name + "\x00"
	sections := "\x00.text\x00.symtab\x00.strtab\x00.shstrtab\x00"
	b := make([]byte, 64)
	add := func(data []byte) (at, n uint64) {
		for len(b)%16 != 0 {
			b = append(b, 0)
		}
		at = uint64(len(b))
		b = append(b, data...)
		return at, uint64(len(data))
	}
	symbols := make([]byte, elf64.SymbolSize, 2*elf64.SymbolSize)
	symbols = le.AppendUint32(symbols, 1)
	symbols = append(symbols, 1<<4|elf64.SymbolFunc, 0, 1, 0) // global, in section 1
	symbols = le.AppendUint64(le.AppendUint64(symbols, 0), uint64(len(code)))

	text, textSize := add(code)
	symtab, symtabSize := add(symbols)
	strtab, strtabSize := add([]byte(strings))
	shstrtab, shstrtabSize := add([]byte(sections))
	headers, _ := add(nil)
	for _, s := range [][9]uint64{ // name, kind, flags, offset, size, link, info, alignment, entry
		{},
		{1, 1, 6, text, textSize, 0, 0, 16},
		{7, elf64.SectionSymtab, 0, symtab, symtabSize, 3, 1, 8, elf64.SymbolSize},
		{15, 3, 0, strtab, strtabSize, 0, 0, 1},
		{23, 3, 0, shstrtab, shstrtabSize, 0, 0, 1},
	} {
		b = le.AppendUint32(le.AppendUint32(b, uint32(s[0])), uint32(s[1]))
		for _, v := range []uint64{s[2], 0, s[3], s[4]} {
			b = le.AppendUint64(b, v)
		}
		b = le.AppendUint32(le.AppendUint32(b, uint32(s[5])), uint32(s[6]))
		b = le.AppendUint64(le.AppendUint64(b, s[7]), s[8])
	}
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], 1) // relocatable
	le.PutUint16(b[18:], elf64.MachineAMD64)
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[40:], headers)
	for i, v := range []uint16{64, 0, 0, 64, 5, 4} {
		le.PutUint16(b[52+2*i:], v)
	}
	return b
}
