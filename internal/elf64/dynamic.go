package elf64

import (
	"encoding/binary"
	"iter"
)

// Tags of the dynamic segment.
const (
	DynPltRelSz = 2
	DynRela     = 7
	DynRelaSz   = 8
	DynRel      = 17
	DynTextRel  = 22
	DynJmpRel   = 23
	dynTags     = 24
)

// Kinds of relocations (x86-64 psABI, "Relocation Types").
const (
	RelNone     = 0
	Rel64       = 1
	RelGlobDat  = 6
	RelJumpSlot = 7
	RelRelative = 8
	RelDTPMod64 = 16
	RelDTPOff64 = 17
	RelTPOff64  = 18
)

// Dynamic are the entries of the dynamic segment that this package knows.
type Dynamic struct {
	Offset uint64 // of the segment in the file
	value  [dynTags]uint64
	has    [dynTags]bool
}

// Value returns the last value of a tag, and whether there is one.
func (d *Dynamic) Value(tag int) (uint64, bool) { return d.value[tag], d.has[tag] }

// Dynamic reads the first dynamic segment; without one, the result is nil.
func (f *File) Dynamic() *Dynamic {
	le := binary.LittleEndian
	for i := range f.Segments {
		s := &f.Segments[i]
		if s.Kind != SegmentDynamic {
			continue
		}
		d := &Dynamic{Offset: s.Offset}
		for t := f.Bytes[s.Offset:][:s.FileSize]; len(t) >= DynamicSize; t = t[DynamicSize:] {
			tag := le.Uint64(t)
			if tag == 0 {
				break
			}
			if tag < dynTags {
				d.value[tag], d.has[tag] = le.Uint64(t[8:]), true
			}
		}
		return d
	}
	return nil
}

// Symbol is an entry of a symbol table.
type Symbol struct {
	Name    string
	Info    byte // kind in the low half, binding in the high half
	Section uint16
	Value   uint64
	Size    uint64
}

// Values of symbol fields.
const (
	SymbolFunc = 2
	SymbolWeak = 2 // binding

	SectionUndef = 0
)

// Kind and Binding are the halves of Info.
func (s *Symbol) Kind() byte    { return s.Info & 0xF }
func (s *Symbol) Binding() byte { return s.Info >> 4 }

// Symbols returns the entries of the first symbol table of a kind
// (SectionSymtab or SectionDynsym), and whether there is one.
func (f *File) Symbols(kind uint32) (iter.Seq[Symbol], bool) {
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Kind != kind {
			continue
		}
		var names string
		if int64(s.Link) < int64(len(f.Sections)) {
			names = string(f.Data(&f.Sections[s.Link]))
		}
		le := binary.LittleEndian
		return func(yield func(Symbol) bool) {
			for t := f.Data(s); len(t) >= SymbolSize; t = t[SymbolSize:] {
				if !yield(Symbol{
					Name: cString(names, le.Uint32(t)), Info: t[4], Section: le.Uint16(t[6:]),
					Value: le.Uint64(t[8:]), Size: le.Uint64(t[16:]),
				}) {
					return
				}
			}
		}, true
	}
	return func(func(Symbol) bool) {}, false
}
