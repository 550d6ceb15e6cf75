package elf64_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// object is a file with one loaded segment, a dynamic segment, and sections
// for names and symbols.
func object() []byte {
	le := binary.LittleEndian
	b := make([]byte, elf64.HeaderSize+2*elf64.SegmentHeaderSize)
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[elf64.OffType:], elf64.TypeDyn)
	le.PutUint16(b[elf64.OffMachine:], elf64.MachineAMD64)
	le.PutUint64(b[elf64.OffEntry:], 0x1234)
	le.PutUint64(b[elf64.OffSegments:], elf64.HeaderSize)
	le.PutUint16(b[54:], elf64.SegmentHeaderSize)
	le.PutUint16(b[56:], 2)
	le.PutUint16(b[58:], elf64.SectionHeaderSize)
	segment := func(i int, words ...uint64) {
		p := b[elf64.HeaderSize+i*elf64.SegmentHeaderSize:]
		for k, w := range words {
			le.PutUint64(p[8*k:], w)
		}
	}
	add := func(data ...uint64) uint64 {
		at := uint64(len(b))
		for _, w := range data {
			b = le.AppendUint64(b, w)
		}
		return at
	}
	dynamic := add(elf64.DynRela, 0x1000, elf64.DynRelaSz, 48, 99, 1, elf64.DynRela, 0x2000, 0, 0, elf64.DynTextRel, 7)
	segment(0, elf64.SegmentLoad|elf64.PermR<<32, 0, 0x10000, 0, uint64(len(b)), 0x3000, 0x1000)
	segment(1, elf64.SegmentDynamic, dynamic, 0, 0, uint64(len(b))-dynamic, 0, 8)

	names := uint64(len(b))
	b = append(b, "\x00.names\x00.dynsym\x00first\x00"...)
	symbols := uint64(len(b))
	b = append(b, make([]byte, 2*elf64.SymbolSize)...)
	sym := b[symbols+elf64.SymbolSize:]
	le.PutUint32(sym, 16)
	sym[4], sym[6] = 1<<4|elf64.SymbolFunc, 3
	le.PutUint64(sym[8:], 0x1111)
	le.PutUint64(sym[16:], 22)

	sections := uint64(len(b))
	section := func(name, kind uint32, offset, size uint64, link uint32) {
		s := make([]byte, elf64.SectionHeaderSize)
		le.PutUint32(s, name)
		le.PutUint32(s[4:], kind)
		le.PutUint64(s[24:], offset)
		le.PutUint64(s[32:], size)
		le.PutUint32(s[40:], link)
		b = append(b, s...)
	}
	section(0, 0, 0, 0, 0)
	section(1, 3, names, symbols-names, 0)
	section(8, elf64.SectionDynsym, symbols, 2*elf64.SymbolSize, 1)
	section(1<<31, elf64.SectionNobits, 1<<40, 1<<40, 0)
	le.PutUint64(b[elf64.OffSections:], sections)
	le.PutUint16(b[elf64.OffSectionNum:], 4)
	le.PutUint16(b[elf64.OffSectionStr:], 1)
	return b
}

func TestParse(t *testing.T) {
	f, err := elf64.Parse(object())
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != elf64.TypeDyn || f.Machine != elf64.MachineAMD64 || f.Entry != 0x1234 {
		t.Errorf("header: %d %d %#x", f.Type, f.Machine, f.Entry)
	}
	if len(f.Segments) != 2 || len(f.Sections) != 4 {
		t.Fatalf("%d segments, %d sections", len(f.Segments), len(f.Sections))
	}
	s := f.Segments[0]
	if s.Kind != elf64.SegmentLoad || s.Perms != elf64.PermR || s.Address != 0x10000 || s.Size != 0x3000 || s.Align != 0x1000 {
		t.Errorf("segment %+v", s)
	}
	if at, ok := f.Loaded(0x10010, 8); !ok || at != 0x10 {
		t.Errorf("address 0x10010 is at %#x, %t", at, ok)
	}
	if _, ok := f.Loaded(0x10010, 1<<40); ok {
		t.Error("bytes beyond the segment are loaded")
	}
	if d := f.Section(".dynsym"); d == nil || len(f.Data(d)) != 2*elf64.SymbolSize {
		t.Errorf("section .dynsym: %+v", d)
	}
	if f.Section(".none") != nil || f.Data(&f.Sections[3]) != nil {
		t.Error("sections that are not there")
	}

	d := f.Dynamic()
	if v, ok := d.Value(elf64.DynRela); !ok || v != 0x2000 {
		t.Errorf("DT_RELA %#x, %t; the last one counts", v, ok)
	}
	if v, ok := d.Value(elf64.DynRelaSz); !ok || v != 48 {
		t.Errorf("DT_RELASZ %d, %t", v, ok)
	}
	if _, ok := d.Value(elf64.DynTextRel); ok {
		t.Error("an entry after the end counts")
	}

	symbols, ok := f.Symbols(elf64.SectionDynsym)
	var last elf64.Symbol
	n := 0
	for s := range symbols {
		last, n = s, n+1
	}
	want := elf64.Symbol{Name: "first", Info: 0x12, Section: 3, Value: 0x1111, Size: 22}
	if !ok || n != 2 || last != want || last.Kind() != elf64.SymbolFunc || last.Binding() != 1 {
		t.Errorf("%d symbols, the last is %+v", n, last)
	}
	if _, ok := f.Symbols(elf64.SectionSymtab); ok {
		t.Error("a symbol table that is not there")
	}
}

func TestParseErrors(t *testing.T) {
	le := binary.LittleEndian
	for _, c := range []struct {
		name string
		edit func(b []byte) []byte
		text string
		at   uint64
	}{
		{"short", func(b []byte) []byte { return b[:63] }, "cut short", 0},
		{"magic", func(b []byte) []byte { b[0] = 0; return b }, "magic", 0},
		{"class", func(b []byte) []byte { b[4] = 1; return b }, "64-bit little-endian", 4},
		{"segments", func(b []byte) []byte { le.PutUint64(b[32:], 1<<62); return b }, "program headers at", 32},
		{"segment size", func(b []byte) []byte { b[54] = 1; return b }, "program headers of 1 bytes", 54},
		{"segment outside", func(b []byte) []byte { le.PutUint64(b[64+32:], 1<<62); return b }, "segment 0", 64},
		{"sections", func(b []byte) []byte { le.PutUint64(b[40:], 1<<62); return b }, "section headers at", 40},
		{"section size", func(b []byte) []byte { b[58] = 1; return b }, "section headers of 1 bytes", 58},
		{"section names", func(b []byte) []byte { b[62] = 9; return b }, "name table 9 of 4", 62},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := elf64.Parse(c.edit(object()))
			var e *elf64.Error
			if !errors.As(err, &e) || e.Offset != c.at || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want one at %#x with %q", err, c.at, c.text)
			}
			if errors.Is(err, elf64.ErrClass) != (c.name == "class") {
				t.Errorf("error %v and ErrClass", err)
			}
		})
	}
}

// TestNames holds a table of names that overlap to the memory of the file.
func TestNames(t *testing.T) {
	b := object()
	f, err := elf64.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	at := f.Sections[1].Offset
	long := len(b)
	b = append(b, strings.Repeat("x", 1<<20)...)
	binary.LittleEndian.PutUint64(b[f.Sections[1].Header+24:], uint64(long))
	binary.LittleEndian.PutUint64(b[f.Sections[1].Header+32:], 1<<20)
	if f, err = elf64.Parse(b); err != nil {
		t.Fatal(err)
	}
	if n := len(f.Sections[2].Name); n != 1024 {
		t.Errorf("a name of %d bytes (the table was at %#x)", n, at)
	}
}

// FuzzParse reads every table of a file that may be anything.
func FuzzParse(f *testing.F) {
	f.Add(object())
	f.Add(object()[:elf64.HeaderSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := elf64.Parse(b)
		if err != nil {
			return
		}
		for i := range file.Sections {
			if s := &file.Sections[i]; len(s.Name) > 1024 || s.Kind != elf64.SectionNobits && uint64(len(file.Data(s))) != s.Size {
				t.Fatalf("section %+v", s)
			}
		}
		if d := file.Dynamic(); d != nil {
			if address, ok := d.Value(elf64.DynRela); ok {
				if at, ok := file.Loaded(address, 24); ok && at+24 > uint64(len(b)) {
					t.Fatalf("%#x is loaded from %#x", address, at)
				}
			}
		}
		for _, kind := range []uint32{elf64.SectionSymtab, elf64.SectionDynsym} {
			symbols, _ := file.Symbols(kind)
			for s := range symbols {
				if len(s.Name) > 1024 {
					t.Fatal("a long name")
				}
			}
		}
	})
}
