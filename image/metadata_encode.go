package image

import (
	"encoding/binary"
	"fmt"
)

// AppendBinary appends the encoded block. Equal contents are stored once.
func (m *Metadata) AppendBinary(b []byte) ([]byte, error) {
	if !knownVersion(m.Version) {
		return nil, fmt.Errorf("image: metadata version %d.%d: %w", m.Version>>32, uint32(m.Version), ErrUnsupported)
	}
	if hasELRange(m.Version) != (m.ELRange != nil) {
		return nil, fmt.Errorf("image: metadata version %d.%d and ELRange disagree", m.Version>>32, uint32(m.Version))
	}
	if len(m.Extends) > 0 && !hasExtend(m.Version) {
		return nil, fmt.Errorf("image: metadata version %d.%d has no EXTEND directory", m.Version>>32, uint32(m.Version))
	}
	e := metadataEncoder{seen: map[string]uint32{}}
	e.dirs = 2
	if hasELRange(m.Version) || hasExtend(m.Version) {
		e.dirs = 4
	}
	if err := e.encode(m); err != nil {
		return nil, err
	}
	return append(b, e.block...), nil
}

type metadataEncoder struct {
	block []byte
	dirs  int
	seen  map[string]uint32 // content -> offset
}

func (e *metadataEncoder) encode(m *Metadata) error {
	le := binary.LittleEndian
	e.block = make([]byte, metaOffDirs+e.dirs*metaDirSize, 4096)
	var tables [4][]byte
	for _, p := range m.Patches {
		off, err := e.content(p.Data)
		if err != nil {
			return err
		}
		t := le.AppendUint64(tables[dirPatch], p.Offset)
		t = le.AppendUint32(le.AppendUint32(t, off), uint32(len(p.Data)))
		tables[dirPatch] = append(t, make([]byte, 16)...)
	}
	for i := range m.Layout {
		l := &m.Layout[i]
		t := le.AppendUint16(tables[dirLayout], l.ID)
		if l.IsGroup() {
			t = le.AppendUint32(le.AppendUint16(t, l.Entries), l.Times)
			tables[dirLayout] = append(le.AppendUint64(t, l.Step), make([]byte, 16)...)
			continue
		}
		t = le.AppendUint64(le.AppendUint32(le.AppendUint16(t, l.Attributes), l.Pages), l.RVA)
		if l.Content == nil {
			t = le.AppendUint64(t, uint64(l.Fill))
		} else {
			off, err := e.content(l.Content)
			if err != nil {
				return err
			}
			t = le.AppendUint32(le.AppendUint32(t, uint32(len(l.Content))), off)
		}
		tables[dirLayout] = le.AppendUint64(t, uint64(l.Flags))
	}
	if r := m.ELRange; r != nil {
		tables[dirELRange] = le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, r.Image), r.Start), r.Size)
	}
	for _, x := range m.Extends {
		off, err := e.content(x.Data)
		if err != nil {
			return err
		}
		t := le.AppendUint32(le.AppendUint32(tables[dirExtend], x.ID), uint32(len(x.Data)))
		tables[dirExtend] = le.AppendUint32(le.AppendUint32(t, off), 0)
	}
	for i, t := range tables[:e.dirs] {
		if len(t) == 0 {
			continue
		}
		off, err := e.add(t)
		if err != nil {
			return err
		}
		le.PutUint32(e.block[metaOffDirs+i*metaDirSize:], off)
		le.PutUint32(e.block[metaOffDirs+i*metaDirSize+4:], uint32(len(t)))
	}
	return e.finish(m)
}

// content stores c, or finds it stored, and returns its offset.
func (e *metadataEncoder) content(c []byte) (uint32, error) {
	if off, ok := e.seen[string(c)]; ok {
		return off, nil
	}
	off, err := e.add(c)
	e.seen[string(c)] = off
	return off, err
}

// add stores c at an aligned offset.
func (e *metadataEncoder) add(c []byte) (uint32, error) {
	for len(e.block)%8 != 0 {
		e.block = append(e.block, 0)
	}
	off := len(e.block)
	if off+len(c) > MaxMetadataSize {
		return 0, fmt.Errorf("image: metadata exceeds %#x bytes", MaxMetadataSize)
	}
	e.block = append(e.block, c...)
	return uint32(off), nil
}

// finish pads the block and writes its fixed fields.
func (e *metadataEncoder) finish(m *Metadata) error {
	for len(e.block)%8 != 0 {
		e.block = append(e.block, 0)
	}
	size := m.Size
	if size == 0 {
		size = uint32(len(e.block))
	}
	if int64(size) < int64(len(e.block)) || size > MaxMetadataSize {
		return fmt.Errorf("image: metadata needs %#x bytes; the block is to have %#x of at most %#x", len(e.block), size, MaxMetadataSize)
	}
	e.block = append(e.block, make([]byte, int(size)-len(e.block))...)
	le, b := binary.LittleEndian, e.block
	le.PutUint64(b, MetadataMagic)
	le.PutUint64(b[8:], m.Version)
	le.PutUint32(b[16:], size)
	le.PutUint32(b[20:], uint32(m.TCSPolicy))
	le.PutUint32(b[24:], m.SSAFrameSize)
	le.PutUint32(b[28:], m.MaxSaveBufferSize)
	le.PutUint32(b[32:], uint32(m.DesiredMiscSelect))
	le.PutUint32(b[36:], m.TCSMinPool)
	le.PutUint64(b[40:], m.EnclaveSize)
	le.PutUint64(b[48:], uint64(m.Attributes.Flags))
	le.PutUint64(b[56:], uint64(m.Attributes.XFRM))
	_, err := m.SigStruct.AppendBinary(b[:metaOffSigStruct])
	return err
}

// AppendNote appends the content of MetadataSection: an ELF note that holds
// the encoded blocks.
func AppendNote(b []byte, blocks ...[]byte) []byte {
	le := binary.LittleEndian
	total := 0
	for _, k := range blocks {
		total += len(k)
	}
	b = le.AppendUint32(b, uint32(len(metadataNote)))
	b = le.AppendUint32(b, uint32(total))
	b = append(le.AppendUint32(b, 1), metadataNote...)
	for _, k := range blocks {
		b = append(b, k...)
	}
	return b
}
