package image

import (
	"encoding/binary"
	"slices"

	"github.com/feidi-dev/feidi/isa"
)

// textRelocations returns the numbers of the pages that the enclave's runtime
// will relocate, sorted, if the file has DT_TEXTREL: pages of read-only
// segments among them are added writable.
func (f *elfFile) textRelocations() ([]uint64, error) {
	le := binary.LittleEndian
	var dyn [dynJmpRel + 1]uint64
	var seen [dynJmpRel + 1]bool
	var at uint64
	for i := range f.segments {
		s := &f.segments[i]
		if s.kind != segDynamic {
			continue
		}
		at = s.offset
		for t := f.b[s.offset : s.offset+s.filesz]; len(t) >= elfDynSize; t = t[elfDynSize:] {
			tag := le.Uint64(t)
			if tag == 0 {
				break
			}
			if tag < uint64(len(dyn)) {
				dyn[tag], seen[tag] = le.Uint64(t[8:]), true
			}
		}
		break
	}
	if !seen[dynTextRel] {
		return nil, nil
	}
	var pages []uint64
	for _, table := range [...]struct{ addr, size int }{{dynRela, dynRelaSz}, {dynJmpRel, dynPltRelSz}} {
		if !seen[table.addr] || dyn[table.size] == 0 {
			continue
		}
		rel := f.at(dyn[table.addr], dyn[table.size])
		if rel == nil {
			return nil, malformed(at, "relocation table of %#x bytes at address %#x is in no segment", dyn[table.size], dyn[table.addr])
		}
		for ; len(rel) >= elfRelaSize; rel = rel[elfRelaSize:] {
			if le.Uint32(rel[8:]) == relNone {
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
