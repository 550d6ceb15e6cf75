package gobuild

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/isa"
)

// A thread's pages, from the lowest: a guard, the stack of exceptions, a guard,
// the stack of the gate, a guard, the TCS, two SSA frames, and the two pages
// that GS and FS point to. The runtime's assembly has the same numbers.
const (
	pageSize      = isa.PageSize
	exceptPages   = 4
	gatePages     = 8
	ssaFrames     = 2
	threadData    = 2
	pagesBelowTCS = 1 + exceptPages + 1 + gatePages + 1
	pagesPerSlot  = pagesBelowTCS + 1 + ssaFrames + threadData

	tcsOffset  = pagesBelowTCS * pageSize
	threadStep = pagesPerSlot * pageSize
	ssaAfter   = 1 * pageSize                  // of the TCS
	gsAfter    = ssaAfter + ssaFrames*pageSize // what GS points to
	fsAfter    = gsAfter + pageSize            // what FS points to
	heapAlign  = 64 << 10                      // of the heap
	maxELRange = 32 << 30                      // what the runtime's indexes hold
	maxImage   = 1 << 30                       // of code and variables, which are all measured
	metaRoom   = 0x3000                        // for the metadata, so that it can be made again
)

// flagRW are SECINFO.FLAGS of what is read and written.
var flagRW = isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoW, isa.PTREG)

// Indexes of parameters, as package runtime has them.
const (
	paramLink = iota + 2
	paramRela
	paramRelaNum
	paramData
	paramDataEnd
	paramSize
	paramHeap
	paramHeapSize
	paramTCS
	paramStep
	paramThreads
	paramFlags
	paramCount
)

const flagDebugEnv = 1 << 0

// linked is what the Go linker made, with a place for everything.
type linked struct {
	file  []byte
	entry uint64
	heap  uint64 // offset in ELRANGE
	tcs   uint64 // of the first TCS
	end   uint64 // of all that is used
	size  uint64 // of ELRANGE
}

// place lays out the enclave's memory and fills in the runtime's parameters, in
// a copy of the file.
func place(file []byte, o *Options) (*linked, error) {
	f, err := elf64.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("gobuild: what the Go linker made: %w", err)
	}
	if f.Type != elf64.TypeDyn || f.Machine != elf64.MachineAMD64 {
		return nil, fmt.Errorf("gobuild: what the Go linker made is of type %d for machine %d, and no position-independent x86-64 program: was -buildmode or GOARCH given?", f.Type, f.Machine)
	}
	at, link, err := params(f)
	if err != nil {
		return nil, err
	}
	if err := checkGate(f); err != nil {
		return nil, err
	}
	s, err := spans(f)
	if err != nil {
		return nil, err
	}
	rela, relaNum, err := relocations(f, s)
	if err != nil {
		return nil, err
	}
	l := &linked{file: bytes.Clone(file), entry: f.Entry}
	heap := roundUp(o.Heap, pageSize)
	l.heap = roundUp(s.end, heapAlign)
	threads := l.heap + heap
	l.tcs = threads + tcsOffset
	l.end = threads + threadStep*uint64(o.Threads)
	l.size = uint64(1) << bits.Len64(l.end-1)
	if l.size > maxELRange {
		return nil, fmt.Errorf("gobuild: the enclave needs %d GB, and Go's heap has indexes for %d: use a smaller --heap", l.end>>30+1, maxELRange>>30)
	}
	put := func(i int, v uint64) { binary.LittleEndian.PutUint64(l.file[at+8*i:], v) }
	put(paramLink, link)
	put(paramRela, rela)
	put(paramRelaNum, relaNum)
	put(paramData, s.data)
	put(paramDataEnd, s.dataEnd)
	put(paramSize, l.size)
	put(paramHeap, l.heap)
	put(paramHeapSize, heap)
	put(paramTCS, l.tcs)
	put(paramStep, threadStep)
	put(paramThreads, uint64(o.Threads))
	flags := uint64(0)
	if o.DebugEnv {
		flags |= flagDebugEnv
	}
	put(paramFlags, flags)
	return l, nil
}

func roundUp(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }

// span is where the linker has put the program.
type span struct {
	data, dataEnd uint64 // the bytes of the file that are loaded writable
	end           uint64 // of all
}

// spans finds where the segments are.
func spans(f *elf64.File) (s span, err error) {
	for i := range f.Segments {
		p := &f.Segments[i]
		if p.Kind != elf64.SegmentLoad {
			continue
		}
		if p.FileSize > p.Size || !elf64.Within(p.Address, p.Size, maxImage) {
			return s, fmt.Errorf("gobuild: segment %d of the program has %#x bytes at %#x: code and variables of an enclave have %d MB at most; larger arrays are best allocated", i, p.Size, p.Address, maxImage>>20)
		}
		s.end = max(s.end, p.Address+p.Size)
		if p.Perms&elf64.PermW != 0 {
			if s.dataEnd == 0 || p.Address < s.data {
				s.data = p.Address
			}
			s.dataEnd = max(s.dataEnd, p.Address+p.FileSize)
		}
	}
	return s, nil
}

// params finds the runtime's parameters: their offset in the file, and the
// address that the linker gave them.
func params(f *elf64.File) (at int, link uint64, err error) {
	magic := goabi.Magic[:]
	at = bytes.Index(f.Bytes, magic)
	if at < 0 || bytes.Contains(f.Bytes[at+1:], magic) {
		return 0, 0, errors.New("gobuild: the program was not linked with the enclave's runtime: was -overlay or -tags given, in GOFLAGS perhaps?")
	}
	for i := range f.Segments {
		p := &f.Segments[i]
		if off := uint64(at); p.Kind == elf64.SegmentLoad && p.Perms&elf64.PermW != 0 && off >= p.Offset && elf64.Within(off-p.Offset, 8*paramCount, p.FileSize) {
			return at, p.Address + off - p.Offset, nil
		}
	}
	return 0, 0, errors.New("gobuild: the runtime's parameters are not in a writable segment")
}

// relocations returns the address and the number of the relocations. All of
// them must be of the kind that the runtime applies, and of data.
func relocations(f *elf64.File, s span) (address, count uint64, err error) {
	for i := range f.Sections {
		x := &f.Sections[i]
		if x.Kind != elf64.SectionRela || x.Flags&elf64.SectionAlloc == 0 || x.Size == 0 {
			continue
		}
		if off, ok := f.Loaded(x.Address, x.Size); !ok || off != x.Offset || count > 0 {
			return 0, 0, fmt.Errorf("gobuild: the relocations in %.80q are not loaded as they are in the file, or not the only ones", x.Name)
		}
		for b := f.Data(x); len(b) >= elf64.RelaSize; b = b[elf64.RelaSize:] {
			at, info := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
			if info != elf64.RelRelative {
				return 0, 0, fmt.Errorf("gobuild: relocation of kind %d, symbol %d, at %#x: the program needs a dynamic linker, which an enclave has not (cgo, or a plug-in?)", uint32(info), info>>32, at)
			}
			if at < s.data || !elf64.Within(at-s.data, 8, s.dataEnd-s.data) {
				return 0, 0, fmt.Errorf("gobuild: relocation at %#x, which is not in the data from %#x to %#x", at, s.data, s.dataEnd)
			}
		}
		address, count = x.Address, x.Size/elf64.RelaSize
	}
	return address, count, nil
}

// metadata describes the enclave to a loader, but for its SIGSTRUCT.
func (l *linked) metadata(o *Options) *image.Metadata {
	const both = image.LayoutEADD | image.LayoutEEXTEND
	below := l.tcs - tcsOffset
	tcs := isa.TCS{OSSA: ssaAfter, NSSA: ssaFrames, OEntry: l.entry, OFSBasGX: fsAfter, OGSBasGX: gsAfter, FSLimit: 0xFFFFFFFF, GSLimit: 0xFFFFFFFF}
	template, _ := tcs.AppendBinary(nil) // cannot fail
	layout := []image.LayoutEntry{
		// The heap is cleared page by page when the program gets it.
		{ID: image.LayoutUserRegion, Attributes: image.LayoutEADD, Pages: uint32((below - l.heap) / pageSize), RVA: l.heap, Flags: flagRW},
	}
	first := len(layout)
	page := uint64(0)
	add := func(pages uint64, e image.LayoutEntry) {
		e.Pages, e.RVA = uint32(pages), below+page*pageSize
		layout = append(layout, e)
		page += pages
	}
	guard := image.LayoutEntry{ID: image.LayoutGuard}
	// What a stack holds at first is never read, so it is not measured.
	stack := image.LayoutEntry{ID: image.LayoutStackMin, Attributes: image.LayoutEADD, Flags: flagRW}
	add(1, guard)
	add(exceptPages, stack)
	add(1, guard)
	add(gatePages, stack)
	add(1, guard)
	add(1, image.LayoutEntry{ID: image.LayoutTCS, Attributes: both, Content: template[:72], Flags: isa.MakeSecInfoFlags(0, isa.PTTCS)})
	add(ssaFrames, image.LayoutEntry{ID: image.LayoutSSA, Attributes: both, Flags: flagRW})
	add(threadData, image.LayoutEntry{ID: image.LayoutTD, Attributes: both, Flags: flagRW})
	if n := len(layout) - first; o.Threads > 1 {
		layout = append(layout, image.LayoutEntry{ID: image.LayoutThreadGroup, Entries: uint16(n), Times: uint32(o.Threads - 1), Step: threadStep})
	}
	return &image.Metadata{
		Version: image.Version1_4, TCSPolicy: image.PolicyUnbind, SSAFrameSize: 1, MaxSaveBufferSize: 2688,
		DesiredMiscSelect: isa.MiscEXINFO, EnclaveSize: l.size,
		Attributes: isa.Attributes{Flags: isa.AttrMode64Bit | o.Attributes, XFRM: wantedXFRM},
		Layout:     layout,
		// The header's references to the sections are not measured, for they
		// change when the metadata is put into the file.
		Patches: []image.Patch{
			{Offset: elf64.OffSections, Data: make([]byte, 8)},
			{Offset: elf64.OffSectionNum, Data: make([]byte, 2)},
			{Offset: elf64.OffSectionStr, Data: make([]byte, 2)},
		},
	}
}

// wantedXFRM is what fits into an SSA frame of one page. A machine that has
// less of it runs the enclave, too.
const wantedXFRM = isa.XFRMLegacy | isa.XFRMAVX | isa.XFRMOpmask | isa.XFRMZMMHi256 | isa.XFRMHi16ZMM
