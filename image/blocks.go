package image

import (
	"bytes"
	"encoding/binary"
)

// Blocks returns the metadata blocks of a signed enclave of the SDK, in file
// order; there is at least one. Their slices lie in b. Every error is a
// *FormatError.
func Blocks(b []byte) ([]*Metadata, error) {
	if !bytes.HasPrefix(b, []byte("\x7fELF")) {
		return nil, formatErr(ErrNotEnclave, 0, "not an ELF file")
	}
	f, err := parseELF(b)
	if err != nil {
		return nil, err
	}
	blocks, at, err := f.metadata()
	if err != nil {
		return nil, err
	}
	var out []*Metadata
	for _, b := range blocks {
		m, err := ParseMetadata(b)
		if err != nil {
			return nil, rebase(err, at)
		}
		out = append(out, m)
		at += uint64(len(b))
	}
	return out, nil
}

func blockVersion(block []byte) uint64 { return binary.LittleEndian.Uint64(block[8:]) }

// metadata returns the blocks of the file, at least one, each as long as it
// says, and the offset of the first.
func (f *elfFile) metadata() (blocks [][]byte, base uint64, err error) {
	s := f.Section(MetadataSection)
	if s == nil {
		if f.exports(symGlobalData) || f.exports(symGlobalDataSim) || f.exports(symEnclaveEntry) {
			return nil, 0, formatErr(ErrUnsigned, 0, "SDK symbols but no section %s; sign the file first", MetadataSection)
		}
		return nil, 0, formatErr(ErrNotEnclave, 0, "ELF file without section %s", MetadataSection)
	}
	le, note := binary.LittleEndian, f.Data(s)
	if len(note) < noteHeaderSize || le.Uint32(note) != uint32(len(metadataNote)) || string(note[12:noteHeaderSize]) != metadataNote {
		return nil, 0, malformed(s.Offset, "section %s holds no note named sgx_metadata", MetadataSection)
	}
	rest := note[noteHeaderSize:]
	base = s.Offset + uint64(noteHeaderSize)
	for at := base; len(rest) >= metaMinSize && le.Uint64(rest) == MetadataMagic; {
		size := le.Uint32(rest[16:])
		if size < metaMinSize || uint64(size) > uint64(len(rest)) {
			return nil, 0, malformed(at+16, "metadata block of %#x bytes, %#x available", size, len(rest))
		}
		blocks = append(blocks, rest[:size])
		rest, at = rest[size:], at+uint64(size)
	}
	if len(blocks) == 0 {
		return nil, 0, formatErr(ErrUnsigned, base, "section %s holds no metadata; sign the file first", MetadataSection)
	}
	return blocks, base, nil
}
