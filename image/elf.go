package image

import (
	"errors"
	"sort"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// within reports whether [off, off+n) lies in a range of size bytes.
func within(off, n, size uint64) bool { return elf64.Within(off, n, size) }

// elfFile is a 64-bit little-endian x86 shared object.
type elfFile struct{ *elf64.File }

func parseELF(b []byte) (*elfFile, error) {
	f, err := elf64.Parse(b)
	if err != nil {
		var e *elf64.Error
		switch {
		case !errors.As(err, &e):
			return nil, malformed(0, "%v", err)
		case errors.Is(err, elf64.ErrClass):
			return nil, formatErr(ErrUnsupported, e.Offset, "%s", e.Reason)
		}
		return nil, malformed(e.Offset, "%s", e.Reason)
	}
	if f.Machine != elf64.MachineAMD64 {
		return nil, formatErr(ErrUnsupported, elf64.OffMachine, "ELF machine %d is not x86-64", f.Machine)
	}
	if f.Type != elf64.TypeDyn {
		return nil, formatErr(ErrNotEnclave, elf64.OffType, "ELF type %d is not a shared object", f.Type)
	}
	return &elfFile{f}, nil
}

// exports reports whether .dynsym defines name.
func (f *elfFile) exports(name string) bool {
	symbols, _ := f.Symbols(elf64.SectionDynsym)
	for s := range symbols {
		if s.Name == name && s.Section != elf64.SectionUndef {
			return true
		}
	}
	return false
}

// functions returns the functions of .symtab, or of .dynsym if the file was
// stripped, that lie below limit.
func (f *elfFile) functions(limit uint64) []Symbol {
	var out []Symbol
	for _, kind := range [...]uint32{elf64.SectionSymtab, elf64.SectionDynsym} {
		symbols, _ := f.Symbols(kind)
		for s := range symbols {
			if s.Section != elf64.SectionUndef && s.Kind() == elf64.SymbolFunc && s.Value != 0 && s.Value < limit && s.Name != "" {
				out = append(out, Symbol{Name: s.Name, Offset: s.Value, Size: s.Size})
			}
		}
		if len(out) > 0 {
			break
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Offset < out[j].Offset })
	return out
}

// code returns the ranges of the loaded executable sections that lie below
// limit, sorted.
func (f *elfFile) code(limit uint64) []Range {
	var out []Range
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Flags&(elf64.SectionExec|elf64.SectionAlloc) == elf64.SectionExec|elf64.SectionAlloc && s.Size > 0 && within(s.Address, s.Size, limit) {
			out = append(out, Range{s.Address, s.Address + s.Size})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Start < out[j].Start })
	return out
}
