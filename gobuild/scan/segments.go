package scan

import (
	"cmp"
	"slices"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// sectionNote is the kind of sections that hold notes, such as the build ID.
const sectionNote = 7

// segments returns the executable segments. Together they are no longer than
// the file, and none can be written.
func segments(f *elf64.File) (found []*elf64.Segment, err error) {
	total := uint64(0)
	for i := range f.Segments {
		p := &f.Segments[i]
		if p.Kind != elf64.SegmentLoad || p.Perms&elf64.PermX == 0 {
			continue
		}
		if p.Perms&elf64.PermW != 0 {
			return nil, bad(p.Header, "segment %d is writable and executable: its code may not be what the file holds", i)
		}
		if total += p.FileSize; total > uint64(len(f.Bytes)) || len(found) == maxParts {
			return nil, bad(p.Header, "executable segments are longer than the file, or more than %d", maxParts)
		}
		found = append(found, p)
	}
	return found, nil
}

// fillers accounts for the bytes of executable segments that are in no
// executable section: headers, notes and the name of the interpreter, which
// the linker places in front of the code, and zeros up to the end of a page.
func (s *scanner) fillers(f *elf64.File) {
	type span struct{ from, to uint64 } // offsets in the file
	spans := []span{
		{0, elf64.HeaderSize},
		header(f, elf64.OffSegments, uint64(len(f.Segments))*elf64.SegmentHeaderSize),
		header(f, elf64.OffSections, uint64(len(f.Sections))*elf64.SectionHeaderSize),
	}
	for i := range f.Sections {
		x := &f.Sections[i]
		if x.Kind == elf64.SectionNobits {
			continue
		}
		if x.Flags&elf64.SectionExec != 0 || x.Kind == sectionNote || x.Name == ".interp" {
			spans = append(spans, span{x.Offset, x.Offset + x.Size})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for _, p := range s.segments {
		at, end := p.Offset, p.Offset+p.FileSize
		for _, x := range append(spans, span{end, end}) {
			if to := min(x.from, end); to > at {
				s.filler(f.Bytes[at:to], p.Address+at-p.Offset)
			}
			at = max(at, min(x.to, end))
		}
	}
}

func header(f *elf64.File, field int, size uint64) (s struct{ from, to uint64 }) {
	s.from = le.Uint64(f.Bytes[field:])
	s.to = s.from + size
	return s
}

// filler adds a finding unless all bytes are zero or all are padding.
func (s *scanner) filler(b []byte, address uint64) {
	i := slices.IndexFunc(b, func(c byte) bool { return c != 0 })
	if i < 0 || isPadding(b) {
		return
	}
	s.add(Finding{
		Class: Stray, Function: "(no code)", Offset: address + uint64(i), Bytes: b[i:], Instruction: Stray.String(),
		Why: "executable memory that is neither code nor header, and not zero",
	})
}
