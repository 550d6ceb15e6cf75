package sdk

import (
	"encoding/binary"
	"slices"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/isa"
)

// Offsets and sizes in a metadata block.
const (
	metaOffSigStruct = 64
	metaOffDirs      = metaOffSigStruct + isa.SigStructSize
	metaDirSize      = 8
	metaExtendSize   = 16

	dirPatch, dirLayout, dirELRange, dirExtend = 0, 1, 2, 3
)

// maxSaveBuffer is what metadata before SDK 2.18 says of the XSAVE area, in
// bytes.
const maxSaveBuffer = 2632

// versions are the versions of the metadata blocks of a release: for machines
// that add pages to a running enclave, a copy of that for early loaders, and
// for machines that do not.
func (p *plan) versions() (dynamic, early, static uint64) {
	minor := func(low uint32, since ...release) uint32 {
		for _, r := range since {
			if p.sdk >= r {
				low++
			}
		}
		return low
	}
	static = image.MakeVersion(1, minor(4, sdk2_24))
	switch {
	case p.sdk < sdk2_0:
		return 0, 0, image.MakeVersion(1, minor(3, sdk1_9))
	case p.sdk < sdk2_18:
		dynamic = image.MakeVersion(2, minor(1, sdk2_1, sdk2_1_3, sdk2_4))
		if p.sdk >= sdk2_1 && p.ELRange == nil {
			early = image.MakeVersion(2, 1)
		}
	default:
		dynamic = image.MakeVersion(3, minor(0, sdk2_22, sdk2_24, sdk2_26))
	}
	if p.ELRange != nil {
		const major10 = 10 << 32 // a range of addresses is a major version of its own
		dynamic, static = dynamic+major10, static+major10
	}
	return dynamic, early, static
}

// block is a metadata block. Its parts stand where the signing tool puts
// them, so that its offsets are part of the measurement.
type block struct {
	image.Metadata
	dirs     [4][2]uint32
	data     []byte // from the directories on
	dataAt   uint32
	tcsAt    uint32
	layoutAt uint32
	fipsAt   uint32 // of the key and signature of IPP FIPS, or 0
}

// alloc reserves n bytes of the block and returns their offset.
func (b *block) alloc(n int) uint32 {
	at := b.dataAt + uint32(len(b.data))
	b.data = append(b.data, make([]byte, n)...)
	return at
}

func (b *block) put(data []byte) uint32 {
	at := b.alloc(len(data))
	copy(b.data[at-b.dataAt:], data)
	return at
}

// newBlock returns the block that the enclave is measured with.
func (p *plan) newBlock(version, enclaveSize uint64, module *image.Extend) (*block, error) {
	b := &block{Metadata: image.Metadata{
		Version: version, TCSPolicy: p.policy(), SSAFrameSize: p.ssaPages,
		MaxSaveBufferSize: maxSaveBuffer, TCSMinPool: p.TCSMinPool, EnclaveSize: enclaveSize,
	}}
	if p.sdk < sdk2_0 {
		b.TCSMinPool = 0
	}
	if p.sdk >= sdk2_18 {
		b.MaxSaveBufferSize = p.xsave
	}
	if p.sdk >= sdk2_22 {
		b.DesiredMiscSelect = isa.MiscSelect(p.MiscSelect)
	}
	b.dataAt = metaOffDirs + 2*metaDirSize
	if p.sdk >= sdk2_24 {
		b.dataAt = metaOffDirs + 4*metaDirSize
	}
	b.placeELRange(p)
	b.placeExtends(p, module)

	b.tcsAt = b.alloc(tcsTemplateSize)
	tcs := p.appendTCS(nil)
	copy(b.data[b.tcsAt-b.dataAt:], tcs)
	for i := range p.table {
		if e := &p.table[i]; !e.IsGroup() && e.Flags == isa.MakeSecInfoFlags(0, isa.PTTCS) {
			e.Content = tcs
		}
	}
	b.Layout = p.table
	if p.sdk < sdk2_0 {
		b.placeLayout()
	}

	global, err := p.appendGlobalData(nil, enclaveSize, b.tcsAt)
	if err != nil {
		return nil, err
	}
	const longest = 8 // of the zeros that follow, in bytes
	globalAt, zeroAt := b.put(global), b.alloc(longest)
	zero := make([]byte, longest)
	le := binary.LittleEndian
	var patches []byte
	patch := func(offset uint64, from uint32, data []byte) {
		b.Patches = append(b.Patches, image.Patch{Offset: offset, Data: data})
		patches = le.AppendUint64(patches, offset)
		patches = le.AppendUint32(le.AppendUint32(patches, from), uint32(len(data)))
		patches = append(patches, make([]byte, 16)...)
	}
	patch(p.object.globalDataAt, globalAt, global)
	// Section headers are not loaded, so that stripping keeps the measurement.
	patch(elf64.OffSectionNum, zeroAt, zero[:2])
	patch(elf64.OffSections, zeroAt, zero[:8])
	patch(elf64.OffSectionStr, zeroAt, zero[:2])
	b.dirs[dirPatch] = [2]uint32{b.put(patches), uint32(len(patches))}
	if p.sdk >= sdk2_0 {
		b.placeLayout()
	}
	return b, nil
}

func (b *block) placeELRange(p *plan) {
	r := p.ELRange
	if r == nil {
		return
	}
	b.ELRange = &image.ELRange{Image: r.ImageAddress, Start: r.Start, Size: r.Size}
	if p.sdk < sdk2_24 { // the directory is the first data, where later blocks have it, too
		b.alloc(metaDirSize)
	}
	le := binary.LittleEndian
	at := b.put(le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, r.ImageAddress), r.Start), r.Size))
	if p.sdk < sdk2_24 {
		le.PutUint32(b.data, at)
		le.PutUint32(b.data[4:], 24)
	} else {
		b.dirs[dirELRange] = [2]uint32{at, 24}
	}
}

// placeExtends adds room for a signature over the SIGSTRUCT, if the crypto
// library wants one, and a shared object that the loader adds.
func (b *block) placeExtends(p *plan, module *image.Extend) {
	if p.EnableIPPFIPS {
		b.Extends = append(b.Extends, image.Extend{ID: image.ExtendFIPSSignature, Data: make([]byte, fipsSignatureSize)})
	}
	if module != nil {
		b.Extends = append(b.Extends, *module)
	}
	if len(b.Extends) == 0 {
		return
	}
	n := len(b.Extends) * metaExtendSize
	table := b.alloc(n)
	b.dirs[dirExtend] = [2]uint32{table, uint32(n)}
	le := binary.LittleEndian
	for i, x := range b.Extends {
		at := b.put(x.Data)
		if x.ID == image.ExtendFIPSSignature {
			b.fipsAt = at
		}
		t := b.data[table-b.dataAt+uint32(i)*metaExtendSize:]
		le.PutUint32(t, x.ID)
		le.PutUint32(t[4:], uint32(len(x.Data)))
		le.PutUint32(t[8:], at)
	}
}

func (b *block) placeLayout() {
	b.layoutAt = b.alloc(0)
	for i := range b.Layout {
		b.data = appendEntry(b.data, &b.Layout[i], b.tcsAt)
	}
	b.dirs[dirLayout] = [2]uint32{b.layoutAt, uint32(len(b.Layout) * layoutEntrySize)}
}

// size is the size of the encoded block in bytes.
func (b *block) size() uint32 { return b.dataAt + uint32(len(b.data)) }

// as returns a copy of the block with another version.
func (b *block) as(version uint64) *block {
	c := *b
	c.Version = version
	return &c
}

// static returns the block for machines that add no pages to a running
// enclave: all threads from the start, and nothing that grows. It must come
// last in the block, behind which its layout ends. What is measured does not
// change.
func (b *block) static(p *plan, version uint64) *block {
	c := b.as(version)
	table := slices.Clone(b.Layout)
	end := slices.IndexFunc(table, func(e image.LayoutEntry) bool { return e.ID == image.LayoutTD }) + 1
	rsrv := slices.IndexFunc(table, func(e image.LayoutEntry) bool { return e.ID == image.LayoutRsrvMin })
	dynamic := slices.ContainsFunc(table, func(e image.LayoutEntry) bool { return e.ID == image.LayoutStackMin+layoutDynThread })
	switch {
	case p.sdk < sdk2_3 && !dynamic: // these releases leave such a layout as it is
		return c
	case p.sdk < sdk2_3 && p.TCSNum == 1:
		table = table[:end]
	case end < len(table) && end != rsrv:
		var reserved []image.LayoutEntry
		for _, e := range table {
			if e.ID == image.LayoutRsrvMin || e.ID == image.LayoutRsrvInit || e.ID == layoutRsrvMax {
				reserved = append(reserved, e)
			}
		}
		group := image.LayoutEntry{ID: image.LayoutThreadGroup, Entries: uint16(p.threadLen), Times: p.TCSNum - 1}
		for _, e := range table[end-p.threadLen : end] {
			group.Step += uint64(e.Pages) * isa.PageSize
		}
		table = append(append(table[:end:end], group), reserved...)
	}
	stack := false
	for i := range table {
		switch e := &table[i]; e.ID {
		case image.LayoutHeapMax, layoutRsrvMax:
			e.Flags = 0
			e.Attributes &^= image.LayoutPostAdd
		case image.LayoutHeapInit, image.LayoutRsrvInit:
			e.Attributes &^= image.LayoutPostAdd
		case image.LayoutStackMax:
			if !stack {
				e.Attributes &^= image.LayoutPostAdd
			}
			stack = true
		}
	}
	c.Layout = table
	c.data = slices.Clone(b.data[:b.layoutAt-b.dataAt])
	c.placeLayout()
	return c
}

// encode appends the block with a SIGSTRUCT.
func (b *block) encode(out []byte, s *isa.SigStruct) ([]byte, error) {
	le := binary.LittleEndian
	out = le.AppendUint64(out, image.MetadataMagic)
	out = le.AppendUint64(out, b.Version)
	for _, v := range [...]uint32{b.size(), uint32(b.TCSPolicy), b.SSAFrameSize, b.MaxSaveBufferSize, uint32(b.DesiredMiscSelect), b.TCSMinPool} {
		out = le.AppendUint32(out, v)
	}
	out = le.AppendUint64(out, b.EnclaveSize)
	a := loaderAttributes(s)
	out, err := a.AppendBinary(out)
	if err != nil {
		return nil, err
	}
	if out, err = s.AppendBinary(out); err != nil {
		return nil, err
	}
	for _, d := range b.dirs[:(b.dataAt-metaOffDirs)/metaDirSize] {
		out = le.AppendUint32(le.AppendUint32(out, d[0]), d[1])
	}
	return append(out, b.data...), nil
}
