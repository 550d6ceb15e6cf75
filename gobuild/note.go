package gobuild

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
)

// withNote returns the file with an additional section that holds the encoded
// metadata. The section headers move to the end.
func withNote(file, metadata []byte) ([]byte, error) {
	le := binary.LittleEndian
	shoff, num, str := le.Uint64(file[elf64.OffSections:]), int(le.Uint16(file[elf64.OffSectionNum:])), int(le.Uint16(file[elf64.OffSectionStr:]))
	const reserved = 0xFF00 // SHN_LORESERVE: from here on, numbers mean something else
	if !elf64.Within(shoff, uint64(num)*elf64.SectionHeaderSize, uint64(len(file))) || str >= num || num+1 >= reserved {
		return nil, errors.New("gobuild: the program has no section headers, or too many")
	}
	headers := bytes.Clone(file[shoff : shoff+uint64(num)*elf64.SectionHeaderSize])
	const offOffset, offSize = 24, 32
	strh := headers[str*elf64.SectionHeaderSize:]
	namesOff, namesSize := le.Uint64(strh[offOffset:]), le.Uint64(strh[offSize:])
	if !elf64.Within(namesOff, namesSize, uint64(len(file))) {
		return nil, errors.New("gobuild: the names of the program's sections are cut short")
	}
	names := append(bytes.Clone(file[namesOff:namesOff+namesSize]), image.MetadataSection+"\x00"...)

	out := bytes.Clone(file)
	pad := func(to int) {
		for len(out)%to != 0 {
			out = append(out, 0)
		}
	}
	pad(16)
	noteOff := uint64(len(out))
	out = image.AppendNote(out, metadata)
	noteSize := uint64(len(out)) - noteOff
	pad(16)
	le.PutUint64(strh[offOffset:], uint64(len(out)))
	le.PutUint64(strh[offSize:], uint64(len(names)))
	out = append(out, names...)
	pad(16)
	const note = 7 // SHT_NOTE
	h := le.AppendUint32(le.AppendUint32(nil, uint32(namesSize)), note)
	for _, v := range []uint64{0, 0, noteOff, noteSize, 0, 4, 0} { // flags, address, offset, size, link and info, alignment, entry
		h = le.AppendUint64(h, v)
	}
	le.PutUint64(out[elf64.OffSections:], uint64(len(out)))
	le.PutUint16(out[elf64.OffSectionNum:], uint16(num+1))
	return append(append(out, headers...), h...), nil
}
