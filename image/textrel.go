package image

import (
	"encoding/binary"
	"slices"

	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/isa"
)

// textRelocations returns the numbers of the pages that the enclave's runtime
// will relocate, sorted, if the file has DT_TEXTREL: pages of read-only
// segments among them are added writable.
func (f *elfFile) textRelocations() ([]uint64, error) {
	d := f.Dynamic()
	if d == nil {
		return nil, nil
	}
	if _, ok := d.Value(elf64.DynTextRel); !ok {
		return nil, nil
	}
	le := binary.LittleEndian
	var pages []uint64
	for _, table := range [...]struct{ address, size int }{{elf64.DynRela, elf64.DynRelaSz}, {elf64.DynJmpRel, elf64.DynPltRelSz}} {
		address, ok := d.Value(table.address)
		size, _ := d.Value(table.size)
		if !ok || size == 0 {
			continue
		}
		at, ok := f.Loaded(address, size)
		if !ok {
			return nil, malformed(d.Offset, "relocation table of %#x bytes at address %#x is in no segment", size, address)
		}
		for rel := f.Bytes[at : at+size]; len(rel) >= elf64.RelaSize; rel = rel[elf64.RelaSize:] {
			if le.Uint32(rel[8:]) == elf64.RelNone {
				continue
			}
			offset := le.Uint64(rel)
			pages = append(pages, offset/isa.PageSize)
			if offset%isa.PageSize > isa.PageSize-8 {
				pages = append(pages, offset/isa.PageSize+1)
			}
		}
	}
	slices.Sort(pages)
	return slices.Compact(pages), nil
}
