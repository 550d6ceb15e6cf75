package scan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// A function is a range of addresses, with a name, that runs from its start.
type function struct {
	name       string
	start, end uint64
	foreign    bool // the linker only copied it
}

// functions returns the functions of a program by address. None overlaps the
// next one. The function table says which there are; a symbol table, if the
// linker was not told to strip it, adds where they end before their padding,
// and functions that the table lacks.
func functions(f *elf64.File) ([]function, error) {
	text, err := textStart(f)
	if err != nil {
		return nil, err
	}
	all, err := pclntab(f, text)
	if err != nil {
		return nil, err
	}
	known := len(all)
	symbols, _ := f.Symbols(elf64.SectionSymtab)
	for s := range symbols {
		// Of size 0 or 1 are the linker's marks of where text begins and ends.
		if s.Kind() != elf64.SymbolFunc || s.Section == elf64.SectionUndef || s.Size <= 1 || s.Value+s.Size < s.Value {
			continue
		}
		all = append(all, function{strings.TrimSuffix(s.Name, ".abi0"), s.Value, s.Value + s.Size, true})
	}
	// Of several that start together, the one of the table comes first, and
	// the shortest one ends them.
	slices.SortStableFunc(all, func(a, b function) int { return cmp.Compare(a.start, b.start) })
	if len(all) == known {
		return all, nil
	}
	merged := all[:0]
	for _, fn := range all {
		last := len(merged) - 1
		switch {
		case last >= 0 && merged[last].start == fn.start:
			merged[last].end = min(merged[last].end, fn.end)
			continue
		case last >= 0 && merged[last].end > fn.start:
			merged[last].end = fn.start
		}
		merged = append(merged, fn)
	}
	return merged, nil
}

// textStart is the address that the offsets of the function table are
// relative to: the symbol runtime.text, or else the first byte of .text, where
// the Go linker puts it unless it leaves the linking to another one.
func textStart(f *elf64.File) (uint64, error) {
	s := f.Section(".text")
	if s == nil {
		return 0, bad(0, "no .text section: this is no program of the Go linker")
	}
	symbols, _ := f.Symbols(elf64.SectionSymtab)
	for sym := range symbols {
		if sym.Name == "runtime.text" {
			return sym.Value, nil
		}
	}
	return s.Address, nil
}
