package sdk

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/isa"
)

// relocations are the kinds that the enclave's runtime applies.
var relocations = []uint32{
	elf64.RelNone, elf64.Rel64, elf64.RelGlobDat, elf64.RelJumpSlot, elf64.RelRelative,
	elf64.RelDTPMod64, elf64.RelDTPOff64, elf64.RelTPOff64,
}

// checkRelocations checks that the enclave's runtime can apply all
// relocations, and that none changes code.
func (o *object) checkRelocations(f *elf64.File, opts Options) error {
	d := f.Dynamic()
	if v, _ := d.Value(elf64.DynRel); v != 0 {
		return objectErr(d.Offset, "relocations without addends (DT_REL), which x86-64 does not use")
	}
	for _, t := range [...]struct {
		name          string
		address, size int
	}{{"DT_RELA", elf64.DynRela, elf64.DynRelaSz}, {"DT_JMPREL", elf64.DynJmpRel, elf64.DynPltRelSz}} {
		address, ok := d.Value(t.address)
		size, _ := d.Value(t.size)
		if !ok || size == 0 {
			continue
		}
		at, ok := f.Loaded(address, size)
		if !ok {
			return objectErr(d.Offset, "%s, %#x bytes at address %#x, is not in the file", t.name, size, address)
		}
		if err := checkKinds(f.Bytes[at:at+size], at); err != nil {
			return err
		}
	}
	if opts.IgnoreRelocations {
		return nil
	}
	return checkText(f)
}

// checkKinds checks a table of relocations that lies in the file at offset at.
func checkKinds(table []byte, at uint64) error {
	le := binary.LittleEndian
	for i := 0; i+elf64.RelaSize <= len(table); i += elf64.RelaSize {
		if kind := le.Uint32(table[i+8:]); !slices.Contains(relocations, kind) {
			return objectErr(at+uint64(i), "relocation of kind %d at address %#x, which the enclave's runtime does not apply: compile with -fPIC or -fpie", kind, le.Uint64(table[i:]))
		}
	}
	return nil
}

// checkText refuses relocations of code: its pages would be writable for the
// life of the enclave.
func checkText(f *elf64.File) error {
	type span struct{ first, end uint64 }
	var code []span
	for i := range f.Sections {
		if s := &f.Sections[i]; s.Flags&elf64.SectionExec != 0 && s.Size > 0 && s.Address+s.Size > s.Address {
			code = append(code, span{s.Address, s.Address + s.Size})
		}
	}
	slices.SortFunc(code, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	for i := 1; i < len(code); i++ { // so that ends ascend, too
		code[i].end = max(code[i].end, code[i-1].end)
	}
	le := binary.LittleEndian
	left := len(f.Bytes) // tables that do not overlap are no longer than the file
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Kind != elf64.SectionRela {
			continue
		}
		table := f.Data(s)
		if left -= len(table); left < 0 {
			return objectErr(s.Header, "section %d: the tables of relocations overlap", i)
		}
		for i := 0; i+elf64.RelaSize <= len(table); i += elf64.RelaSize {
			target := le.Uint64(table[i:])
			k := sort.Search(len(code), func(k int) bool { return code[k].first > target })
			if k > 0 && target < code[k-1].end {
				return objectErr(s.Offset+uint64(i), "a relocation changes code at address %#x, so that page %#x would be writable: compile with -fPIC or -fpie, or accept it with --ignore-rel-error",
					target, target/isa.PageSize*isa.PageSize)
			}
		}
	}
	return nil
}
