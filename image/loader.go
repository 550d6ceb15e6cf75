package image

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"sort"

	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/isa"
)

// Bounds on what a file may ask for, far above what real ones do.
const (
	maxRuns        = 1 << 18
	maxLayoutSteps = 1 << 20
)

// Offsets in a TCS that the layout leaves relative to its page.
var tcsRelative = [...]int{16, 48, 56} // OSSA, OFSBASGX, OGSBASGX

// loader collects the runs of an SDK image.
type loader struct {
	image   *Image
	file    []byte
	patches []Patch // of file, later ones over earlier ones
	limit   uint64  // bytes of the image
	origin  []uint64
	steps   int
}

// load adds all pages: the segments of the file, then the layout of the block
// at metaAt. Pages in writable get W if they hold file bytes.
func (l *loader) load(f *elfFile, meta *Metadata, metaAt uint64, writable []uint64) error {
	if err := l.segments(f, meta, metaAt, writable); err != nil {
		return err
	}
	if err := l.layout(meta, metaAt); err != nil {
		return err
	}
	if r := meta.ELRange; r != nil {
		l.image.Base, l.image.Size = r.Start, r.Size
		l.image.shift(r.Image - r.Start)
	}
	return l.checkOverlap()
}

// add appends a run; at is the offset in the file of what asks for it.
func (l *loader) add(at uint64, r Run) error {
	if r.Pages == 0 {
		return nil
	}
	if r.Offset%isa.PageSize != 0 {
		return malformed(at, "page offset %#x is not aligned", r.Offset)
	}
	if r.Pages > MaxSize/isa.PageSize || !within(r.Offset, r.Pages*isa.PageSize, l.limit) {
		return malformed(at, "%#x pages at offset %#x exceed the enclave's %#x bytes", r.Pages, r.Offset, l.limit)
	}
	if err := checkFlags(at, r.Flags); err != nil {
		return err
	}
	if len(l.image.Runs) >= maxRuns {
		return malformed(at, "more than %d runs of pages", maxRuns)
	}
	l.image.Runs = append(l.image.Runs, r)
	l.origin = append(l.origin, at)
	return nil
}

// checkFlags checks that SECINFO.FLAGS is of a page that EADD can add.
func checkFlags(at uint64, f isa.SecInfoFlags) error {
	switch f.PageType() {
	case isa.PTTCS, isa.PTREG, isa.PTSSFirst, isa.PTSSRest:
	default:
		return malformed(at, "page type %v cannot be added", f.PageType())
	}
	if f&(isa.SecInfoReserved|isa.SecInfoPending|isa.SecInfoModified|isa.SecInfoPR) != 0 {
		return malformed(at, "SECINFO.FLAGS %#x has bits that EADD refuses", uint64(f))
	}
	return nil
}

// checkOverlap checks that no page is added twice.
func (l *loader) checkOverlap() error {
	runs := l.image.Runs
	order := make([]int, len(runs))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return runs[order[i]].Offset < runs[order[j]].Offset })
	for i := 1; i < len(order); i++ {
		prev, next := &runs[order[i-1]], &runs[order[i]]
		if prev.Offset+prev.Pages*isa.PageSize > next.Offset {
			return malformed(l.origin[order[i]], "page at offset %#x is added twice", next.Offset)
		}
	}
	return nil
}

// elfPart is an ELF file in the enclave's file: the file itself, or one
// appended to it.
type elfPart struct {
	*elfFile
	file uint64 // where it begins
	bias uint64 // where it is loaded
}

// segments adds the PT_LOAD segments of the file and of the shared objects
// that the metadata names. Pages in writable get W if they hold file bytes.
func (l *loader) segments(f *elfFile, meta *Metadata, metaAt uint64, writable []uint64) error {
	parts := []elfPart{{elfFile: f}}
	for _, x := range meta.Extends {
		if x.ID != ExtendSharedObject {
			continue
		}
		p, err := l.sharedObject(x.Data, metaAt)
		if err != nil {
			return err
		}
		parts = append(parts, p)
		break // the SDK's loader takes the first
	}
	var last *elf64.Segment // the highest so far, for the quirk of version 1.3
	for _, p := range parts {
		for i := range p.Segments {
			s := p.Segments[i]
			if s.Kind != elf64.SegmentLoad || s.Size == 0 {
				continue
			}
			s.Header, s.Offset = s.Header+p.file, s.Offset+p.file
			if s.FileSize > s.Size || !within(p.bias, s.Address, l.limit) || !within(p.bias+s.Address, s.Size, l.limit) {
				return malformed(s.Header, "segment of %#x bytes at address %#x exceeds the enclave's %#x bytes", s.Size, s.Address, l.limit)
			}
			s.Address += p.bias
			if meta.Version == Version1_3 {
				if err := l.zeroPage(last, s.Address/isa.PageSize*isa.PageSize); err != nil {
					return err
				}
				if last == nil || s.Address > last.Address {
					last = &s
				}
			}
			if err := l.segment(&s, writable); err != nil {
				return err
			}
		}
	}
	if meta.Version == Version1_3 {
		return l.zeroPage(last, math.MaxUint64)
	}
	return nil
}

// sharedObject reads the ELF file that an ExtendSharedObject entry names.
func (l *loader) sharedObject(entry []byte, metaAt uint64) (elfPart, error) {
	at := metaAt + metaOffDirs + dirExtend*metaDirSize
	le := binary.LittleEndian
	if len(entry) < 24 {
		return elfPart{}, malformed(at, "shared object entry of %d bytes", len(entry))
	}
	off, bias, size := le.Uint64(entry), le.Uint64(entry[8:]), le.Uint64(entry[16:])
	if !within(off, size, uint64(len(l.file))) {
		return elfPart{}, malformed(at, "shared object of %#x bytes at %#x lies outside the file of %#x bytes", size, off, len(l.file))
	}
	f, err := parseELF(l.file[off : off+size])
	return elfPart{elfFile: f, file: off, bias: bias}, rebase(err, off)
}

// zeroPage adds the page that the loader of metadata 1.3 inserts after a
// segment whose size was rounded up before its unaligned start was added,
// unless the page at before comes first.
func (l *loader) zeroPage(s *elf64.Segment, before uint64) error {
	if s == nil {
		return nil
	}
	end := roundUp(s.Address + s.Size)
	if end >= roundUp(roundUp(s.Size)+s.Address) || end >= before {
		return nil
	}
	return l.add(s.Header, Run{Offset: end, Pages: 1, Flags: segmentFlags(s.Perms), Measured: true})
}

func roundUp(n uint64) uint64 { return (n + isa.PageSize - 1) / isa.PageSize * isa.PageSize }

func segmentFlags(pf uint32) isa.SecInfoFlags {
	f := isa.MakeSecInfoFlags(0, isa.PTREG)
	if pf&elf64.PermR != 0 {
		f |= isa.SecInfoR
	}
	if pf&elf64.PermW != 0 {
		f |= isa.SecInfoW
	}
	if pf&elf64.PermX != 0 {
		f |= isa.SecInfoX
	}
	return f
}

// segment adds one segment: pages that hold file bytes, zero-padded, then
// zero pages.
func (l *loader) segment(s *elf64.Segment, writable []uint64) error {
	flags := segmentFlags(s.Perms)
	if flags&isa.SecInfoRWX == 0 {
		return malformed(s.Header, "segment at address %#x has no permissions", s.Address)
	}
	at, n := s.Offset, s.FileSize // what is left of the segment's bytes
	head := s.Address % isa.PageSize
	if head != 0 && n == 0 {
		return malformed(s.Header, "segment at address %#x has no file bytes and is not page-aligned", s.Address)
	}
	next := s.Address - head
	if head != 0 { // the first page begins with zeros that are not in the file
		k := min(n, isa.PageSize-head)
		page := append(make([]byte, head, head+k), l.bytes(at, k)...)
		if err := l.data(s.Header, next, page, flags, writable); err != nil {
			return err
		}
		at, n, next = at+k, n-k, next+isa.PageSize
	}
	for n > 0 {
		k := l.uniform(at, n)
		if err := l.data(s.Header, next, l.bytes(at, k), flags, writable); err != nil {
			return err
		}
		at, n, next = at+k, n-k, next+roundUp(k)
	}
	end := roundUp(s.Address + s.Size)
	return l.add(s.Header, Run{Offset: next, Pages: (end - next) / isa.PageSize, Flags: flags, Measured: true})
}

// uniform returns how many of the n bytes of the file at off can be taken
// together: whole pages that no patch changes, or that patches change, or all.
func (l *loader) uniform(off, n uint64) uint64 {
	end := off + n
	first, last := end, end // of the lowest patch
	for _, p := range l.patches {
		from, to := max(p.Offset, off), min(p.Offset+uint64(len(p.Data)), end)
		if from < to && from < first {
			first, last = from, to
		}
	}
	if clean := (first - off) / isa.PageSize * isa.PageSize; first < end && clean > 0 {
		return clean
	}
	return min(roundUp(last-off), n)
}

// bytes returns n bytes of the patched file at off: of its own memory if no
// patch changes them, and a copy otherwise.
func (l *loader) bytes(off, n uint64) []byte {
	b := l.file[off : off+n : off+n]
	shared := true
	for _, p := range l.patches {
		from, to := max(p.Offset, off), min(p.Offset+uint64(len(p.Data)), off+n)
		if from >= to {
			continue
		}
		if shared {
			b, shared = bytes.Clone(b), false
		}
		copy(b[from-off:to-off], p.Data[from-p.Offset:])
	}
	return b
}

// data adds the pages that hold b, with W where writable says so.
func (l *loader) data(at, offset uint64, b []byte, flags isa.SecInfoFlags, writable []uint64) error {
	pages := roundUp(uint64(len(b))) / isa.PageSize
	if flags&isa.SecInfoW != 0 {
		writable = nil
	}
	first := offset / isa.PageSize
	i, _ := slices.BinarySearch(writable, first)
	for done := uint64(0); done < pages; {
		// A run ends where the next page differs.
		w := i < len(writable) && writable[i] == first+done
		n := uint64(1)
		if w {
			for i++; i < len(writable) && writable[i] == first+done+n && done+n < pages; i++ {
				n++
			}
		} else {
			n = pages - done
			if i < len(writable) {
				n = min(n, writable[i]-first-done)
			}
		}
		r := Run{Offset: offset + done*isa.PageSize, Pages: n, Flags: flags, Measured: true}
		r.Data = b[done*isa.PageSize : min((done+n)*isa.PageSize, uint64(len(b)))]
		if w {
			r.Flags |= isa.SecInfoW
		}
		if err := l.add(at, r); err != nil {
			return err
		}
		done += n
	}
	return nil
}

// layout adds the pages of the layout table of the block at metaAt.
func (l *loader) layout(meta *Metadata, metaAt uint64) error {
	at := metaAt + metaOffDirs + dirLayout*metaDirSize
	table := meta.Layout
	for i := range table {
		e := &table[i]
		if !e.IsGroup() {
			if err := l.entry(meta, at, e, 0); err != nil {
				return err
			}
			continue
		}
		if int(e.Entries) > i {
			return malformed(at, "layout group %d repeats %d entries of %d before it", i, e.Entries, i)
		}
		for k := range uint64(e.Times) {
			if e.Entries == 0 {
				break
			}
			if e.Step > l.limit || (k+1)*e.Step > l.limit {
				return malformed(at, "layout group %d leaves the enclave after %d repetitions", i, k)
			}
			for j := i - int(e.Entries); j < i; j++ {
				if table[j].IsGroup() {
					return malformed(at, "layout group %d repeats group %d", i, j)
				}
				if err := l.entry(meta, at, &table[j], (k+1)*e.Step); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// entry adds the pages of one layout entry, shifted by step.
func (l *loader) entry(meta *Metadata, at uint64, e *LayoutEntry, step uint64) error {
	if l.steps++; l.steps > maxLayoutSteps {
		return malformed(at, "layout groups expand to more than %d entries", maxLayoutSteps)
	}
	size := uint64(e.Pages) * isa.PageSize
	if e.RVA%isa.PageSize != 0 || !within(e.RVA, step, l.limit) || !within(e.RVA+step, size, l.limit) {
		return malformed(at, "layout entry %d, %#x pages at %#x+%#x, exceeds the enclave's %#x bytes or is not aligned", e.ID, e.Pages, e.RVA, step, l.limit)
	}
	if e.Attributes&LayoutEADD == 0 || e.Content == nil && e.Flags == 0 {
		return nil
	}
	r := Run{
		Offset: e.RVA + step, Pages: uint64(e.Pages), Flags: e.Flags,
		Measured: e.Attributes&LayoutEEXTEND != 0, Fill: e.Fill,
	}
	if uint64(len(e.Content)) > size {
		return malformed(at, "layout entry %d has %#x bytes for %#x pages", e.ID, len(e.Content), e.Pages)
	}
	if e.Content != nil {
		if e.Flags == isa.MakeSecInfoFlags(0, isa.PTTCS) {
			if e.Pages != 1 {
				return malformed(at, "TCS of %d pages", e.Pages)
			}
			r.Data = tcs(e.Content, r.Offset)
			l.image.Threads = append(l.image.Threads, Thread{Offset: r.Offset, Usable: e.Attributes&LayoutEREMOVE == 0})
		} else {
			r.Data, r.Measured = bytes.Clone(e.Content), true
		}
	}
	if isHeap(meta.Version, e.ID) {
		l.image.HeapSize += size
	}
	return l.add(at, r)
}

// isHeap reports whether a layout entry is memory that INIT zeroes.
func isHeap(version uint64, id uint16) bool {
	if version == Version1_3 { // its ids above 1 mean other things
		return id == LayoutHeapMin
	}
	return id == LayoutHeapMin || id == LayoutHeapInit || id == LayoutRsrvMin || id == LayoutRsrvInit
}

// tcs completes a TCS template for the page at offset.
func tcs(template []byte, offset uint64) []byte {
	le := binary.LittleEndian
	page := make([]byte, max(len(template), tcsRelative[len(tcsRelative)-1]+8))
	copy(page, template)
	for _, at := range tcsRelative {
		le.PutUint64(page[at:], le.Uint64(page[at:])+offset)
	}
	return page
}
