package image

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/isa"
)

// MetadataMagic begins every metadata block.
const MetadataMagic = 0x86A80294635D0E4C

// MaxMetadataSize bounds a metadata block, in bytes. The SDK's are 0x6000.
const MaxMetadataSize = 1 << 20

// MetadataSection is the section that holds the blocks, and metadataNote the
// name of the ELF note in it.
const (
	MetadataSection = ".note.sgxmeta"
	metadataNote    = "sgx_metadata\x00"
	noteHeaderSize  = 12 + len(metadataNote)
)

// Offsets and sizes within a metadata block.
const (
	metaOffSigStruct = 64
	metaOffDirs      = metaOffSigStruct + isa.SigStructSize
	metaDirSize      = 8
	metaMinSize      = metaOffDirs + 2*metaDirSize
	metaPatchSize    = 32
	metaLayoutSize   = 32
	metaELRangeSize  = 24
	metaExtendSize   = 16

	dirPatch, dirLayout, dirELRange, dirExtend = 0, 1, 2, 3
)

// MakeVersion returns the metadata version major<<32 | minor.
func MakeVersion(major, minor uint32) uint64 { return uint64(major)<<32 | uint64(minor) }

// Metadata versions with a meaning of their own.
const (
	Version1_3 uint64 = 1<<32 | 3 // SDK 1.5: other layout ids, the zero-page quirk
	Version1_4 uint64 = 1<<32 | 4 // SGX1 layout
	Version1_5 uint64 = 1<<32 | 5 // the same with the EXTEND directory
	Version2_4 uint64 = 2<<32 | 4 // an early EDMM layout
	Version3_3 uint64 = 3<<32 | 3 // the current EDMM layout
)

// family is the layout that a version implies: 1 static, 2 early EDMM, 3 EDMM.
func family(version uint64) uint64 { return version >> 32 % 10 }

// hasELRange reports whether blocks of the version place the image in an
// ELRANGE of their own.
func hasELRange(version uint64) bool { return version>>32 > 10 }

// hasExtend reports whether blocks of the version have an EXTEND directory.
func hasExtend(version uint64) bool {
	minor := uint32(version)
	return family(version) == 1 && minor >= 5 || family(version) == 3 && minor >= 2
}

// knownVersion reports whether the major version is one in use.
func knownVersion(version uint64) bool {
	switch version >> 32 {
	case 1, 2, 3, 11, 12, 13:
		return true
	}
	return false
}

// Metadata is one metadata block of an Intel SDK enclave: what the signing
// tool tells the loader (linux-sgx, metadata.h).
type Metadata struct {
	Version           uint64
	Size              uint32 // bytes of the block; for encoding, 0 means as many as needed
	TCSPolicy         ThreadPolicy
	SSAFrameSize      uint32 // pages
	MaxSaveBufferSize uint32 // bytes of the XSAVE area the enclave may need
	DesiredMiscSelect isa.MiscSelect
	TCSMinPool        uint32
	EnclaveSize       uint64 // bytes, a power of two
	Attributes        isa.Attributes
	SigStruct         isa.SigStruct

	Patches []Patch
	Layout  []LayoutEntry
	ELRange *ELRange // versions 11 to 13 only
	Extends []Extend // where the version has them
}

// Patch replaces bytes of the file before its segments are read.
type Patch struct {
	Offset uint64 // in the file
	Data   []byte
}

// Attributes of a layout entry.
const (
	LayoutEADD       uint16 = 1 << 0
	LayoutEEXTEND    uint16 = 1 << 1
	LayoutEREMOVE    uint16 = 1 << 2
	LayoutPostAdd    uint16 = 1 << 3
	LayoutPostRemove uint16 = 1 << 4
	LayoutDynThread  uint16 = 1 << 5
	LayoutGrowDown   uint16 = 1 << 6
)

// Identifiers of layout entries, for metadata 1.4 and later. They name what
// an entry is for; how it is loaded depends on its other fields alone.
const (
	LayoutHeapMin     uint16 = 1
	LayoutHeapInit    uint16 = 2
	LayoutHeapMax     uint16 = 3
	LayoutTCS         uint16 = 4
	LayoutTD          uint16 = 5
	LayoutSSA         uint16 = 6
	LayoutStackMax    uint16 = 7
	LayoutStackMin    uint16 = 8
	LayoutThreadGroup uint16 = LayoutGroup | 9
	LayoutGuard       uint16 = 10
	LayoutRsrvMin     uint16 = 20
	LayoutRsrvInit    uint16 = 21
	LayoutUserRegion  uint16 = 23

	// LayoutGroup is the bit of an identifier that marks a group.
	LayoutGroup uint16 = 1 << 12
)

// LayoutEntry is an entry of the layout table: a run of pages, or, if ID has
// LayoutGroup, the repetition of the entries before it.
type LayoutEntry struct {
	ID uint16

	Attributes uint16
	Pages      uint32
	RVA        uint64 // of the first page, from the start of the image
	Flags      isa.SecInfoFlags
	// Content are the first bytes of the pages. If it is nil, Fill is every
	// 32-bit word of them.
	Content []byte
	Fill    uint32

	// A group adds the Entries entries before it again Times times, each
	// time Step bytes further on.
	Entries uint16
	Times   uint32
	Step    uint64
}

// IsGroup reports whether the entry is a group.
func (e *LayoutEntry) IsGroup() bool { return e.ID&LayoutGroup != 0 }

// ELRange places the image in an address range, all in absolute addresses.
type ELRange struct {
	Image uint64 // where the image begins
	Start uint64 // SECS.BASEADDR
	Size  uint64 // SECS.SIZE
}

// Identifiers of Extend entries.
const (
	ExtendFIPSSignature uint32 = 0x1001 // a signature over the crypto library
	ExtendSharedObject  uint32 = 0x1002 // a further ELF file to load: u64 file offset, memory offset, size, 0
)

// Extend is an entry of the EXTEND directory.
type Extend struct {
	ID   uint32
	Data []byte
}

// ParseMetadata reads the block that b begins with; bytes after it are
// ignored. The slices of the result lie in b.
func ParseMetadata(b []byte) (*Metadata, error) {
	le := binary.LittleEndian
	if len(b) < metaMinSize {
		return nil, malformed(0, "metadata is cut short: %d bytes of at least %d", len(b), metaMinSize)
	}
	if le.Uint64(b) != MetadataMagic {
		return nil, malformed(0, "metadata magic is %#x", le.Uint64(b))
	}
	m := &Metadata{
		Version: le.Uint64(b[8:]), Size: le.Uint32(b[16:]), TCSPolicy: ThreadPolicy(le.Uint32(b[20:])),
		SSAFrameSize: le.Uint32(b[24:]), MaxSaveBufferSize: le.Uint32(b[28:]),
		DesiredMiscSelect: isa.MiscSelect(le.Uint32(b[32:])), TCSMinPool: le.Uint32(b[36:]), EnclaveSize: le.Uint64(b[40:]),
		Attributes: isa.Attributes{Flags: isa.AttributeFlags(le.Uint64(b[48:])), XFRM: isa.XFRM(le.Uint64(b[56:]))},
	}
	if !knownVersion(m.Version) {
		return nil, formatErr(ErrUnsupported, 8, "metadata version %d.%d", m.Version>>32, uint32(m.Version))
	}
	if m.Size < metaMinSize || m.Size > MaxMetadataSize || uint64(m.Size) > uint64(len(b)) {
		return nil, malformed(16, "metadata block of %#x bytes, %#x available", m.Size, len(b))
	}
	b = b[:m.Size]
	if err := m.SigStruct.UnmarshalBinary(b[metaOffSigStruct:metaOffDirs]); err != nil {
		return nil, malformed(metaOffSigStruct, "%v", err)
	}
	return m, m.parseDirs(b)
}

func (m *Metadata) parseDirs(b []byte) error {
	le := binary.LittleEndian
	patches, at, err := directory(b, dirPatch, metaPatchSize)
	if err != nil {
		return err
	}
	for ; len(patches) > 0; patches, at = patches[metaPatchSize:], at+metaPatchSize {
		data, err := sub(b, at, le.Uint32(patches[8:]), le.Uint32(patches[12:]))
		if err != nil {
			return err
		}
		m.Patches = append(m.Patches, Patch{le.Uint64(patches), data})
	}

	layout, at, err := directory(b, dirLayout, metaLayoutSize)
	if err != nil {
		return err
	}
	for ; len(layout) > 0; layout, at = layout[metaLayoutSize:], at+metaLayoutSize {
		e := LayoutEntry{ID: le.Uint16(layout)}
		if e.IsGroup() {
			e.Entries, e.Times, e.Step = le.Uint16(layout[2:]), le.Uint32(layout[4:]), le.Uint64(layout[8:])
		} else {
			e.Attributes, e.Pages, e.RVA = le.Uint16(layout[2:]), le.Uint32(layout[4:]), le.Uint64(layout[8:])
			e.Flags = isa.SecInfoFlags(le.Uint64(layout[24:]))
			size, off := le.Uint32(layout[16:]), le.Uint32(layout[20:])
			if off == 0 {
				e.Fill = size
			} else if e.Content, err = sub(b, at, off, size); err != nil {
				return err
			}
		}
		m.Layout = append(m.Layout, e)
	}

	if hasELRange(m.Version) {
		r, at, err := directory(b, dirELRange, metaELRangeSize)
		if err != nil {
			return err
		}
		if len(r) != metaELRangeSize {
			return malformed(at, "ELRANGE configuration of %d bytes, not %d", len(r), metaELRangeSize)
		}
		m.ELRange = &ELRange{Image: le.Uint64(r), Start: le.Uint64(r[8:]), Size: le.Uint64(r[16:])}
	}

	if hasExtend(m.Version) {
		ext, at, err := directory(b, dirExtend, metaExtendSize)
		if err != nil {
			return err
		}
		for ; len(ext) > 0; ext, at = ext[metaExtendSize:], at+metaExtendSize {
			data, err := sub(b, at, le.Uint32(ext[8:]), le.Uint32(ext[4:]))
			if err != nil {
				return err
			}
			m.Extends = append(m.Extends, Extend{le.Uint32(ext), data})
		}
	}
	return nil
}

// directory returns the entries of directory n, each of size bytes, and their
// offset in the block.
func directory(b []byte, n, size int) ([]byte, uint64, error) {
	at := uint64(metaOffDirs + n*metaDirSize)
	if at+metaDirSize > uint64(len(b)) {
		return nil, at, malformed(at, "metadata block of %#x bytes has no directory %d", len(b), n)
	}
	off, length := binary.LittleEndian.Uint32(b[at:]), binary.LittleEndian.Uint32(b[at+4:])
	if length == 0 {
		return nil, at, nil
	}
	if length%uint32(size) != 0 {
		return nil, at, malformed(at, "directory %d has %#x bytes, no multiple of %d", n, length, size)
	}
	d, err := sub(b, at, off, length)
	return d, uint64(off), err
}

// sub returns n bytes of the block at off; at is where the reference stands.
func sub(b []byte, at uint64, off, n uint32) ([]byte, error) {
	if !within(uint64(off), uint64(n), uint64(len(b))) {
		return nil, malformed(at, "%#x bytes at %#x lie outside the metadata block of %#x bytes", n, off, len(b))
	}
	return b[off : off+n : off+n], nil
}
