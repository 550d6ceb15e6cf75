package gobuild

import (
	"bytes"
	"debug/elf"
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
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("gobuild: what the Go linker made: %w", err)
	}
	defer f.Close()
	if f.Type != elf.ET_DYN || f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("gobuild: the Go linker made %v for %v, no position-independent x86-64 program", f.Type, f.Machine)
	}
	l := &linked{file: bytes.Clone(file), entry: f.Entry}
	var data, dataEnd, imageEnd uint64
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		imageEnd = max(imageEnd, p.Vaddr+p.Memsz)
		if p.Flags&elf.PF_W != 0 {
			if data == 0 {
				data = p.Vaddr
			}
			dataEnd = max(dataEnd, p.Vaddr+p.Filesz)
		}
	}
	rela, relaNum, err := relocations(f)
	if err != nil {
		return nil, err
	}
	l.heap = roundUp(imageEnd, heapAlign)
	threads := l.heap + roundUp(o.Heap, pageSize)
	l.tcs = threads + tcsOffset
	l.end = threads + threadStep*uint64(o.Threads)
	l.size = uint64(1) << bits.Len64(l.end-1)
	if l.size > maxELRange {
		return nil, fmt.Errorf("gobuild: the enclave needs %d GB, and Go's heap has indexes for %d: use a smaller --heap", l.end>>30+1, maxELRange>>30)
	}
	at, link, err := params(f, l.file)
	if err != nil {
		return nil, err
	}
	put := func(i int, v uint64) { binary.LittleEndian.PutUint64(l.file[at+8*i:], v) }
	put(paramLink, link)
	put(paramRela, rela)
	put(paramRelaNum, relaNum)
	put(paramData, data)
	put(paramDataEnd, dataEnd)
	put(paramSize, l.size)
	put(paramHeap, l.heap)
	put(paramHeapSize, roundUp(o.Heap, pageSize))
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

// params finds the runtime's parameters: their offset in the file, and the
// address that the linker gave them.
func params(f *elf.File, file []byte) (at int, link uint64, err error) {
	magic := goabi.Magic[:]
	at = bytes.Index(file, magic)
	if at < 0 || bytes.Contains(file[at+1:], magic) || at+8*paramCount > len(file) {
		return 0, 0, errors.New("gobuild: the program was not linked with the enclave's runtime: was -overlay or -ldflags given, in GOFLAGS perhaps?")
	}
	for _, p := range f.Progs {
		if off := uint64(at); p.Type == elf.PT_LOAD && p.Flags&elf.PF_W != 0 && off >= p.Off && off-p.Off < p.Filesz {
			return at, p.Vaddr + off - p.Off, nil
		}
	}
	return 0, 0, errors.New("gobuild: the runtime's parameters are not in a writable segment")
}

// relocations returns the address and the number of the relocations. All of
// them must be of the kind that the runtime applies.
func relocations(f *elf.File) (address, count uint64, err error) {
	for _, s := range f.Sections {
		if s.Type != elf.SHT_RELA || s.Flags&elf.SHF_ALLOC == 0 || s.Size == 0 {
			continue
		}
		b, err := s.Data()
		if err != nil {
			return 0, 0, fmt.Errorf("gobuild: %s: %w", s.Name, err)
		}
		for i := 0; i+elf64.RelaSize <= len(b); i += elf64.RelaSize {
			info := binary.LittleEndian.Uint64(b[i+8:])
			if t := elf.R_X86_64(info); info>>32 != 0 || t != elf.R_X86_64_RELATIVE {
				return 0, 0, fmt.Errorf("gobuild: relocation %v at %#x: the program needs a dynamic linker, which an enclave has not (cgo, or a plug-in?)", t, binary.LittleEndian.Uint64(b[i:]))
			}
		}
		if count > 0 {
			return 0, 0, errors.New("gobuild: two tables of relocations")
		}
		address, count = s.Addr, s.Size/elf64.RelaSize
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

// withNote returns the file with an additional section that holds the encoded
// metadata. The section headers move to the end.
func withNote(file, metadata []byte) ([]byte, error) {
	le := binary.LittleEndian
	shoff, num, str := le.Uint64(file[elf64.OffSections:]), int(le.Uint16(file[elf64.OffSectionNum:])), int(le.Uint16(file[elf64.OffSectionStr:]))
	if !elf64.Within(shoff, uint64(num)*elf64.SectionHeaderSize, uint64(len(file))) || str >= num {
		return nil, errors.New("gobuild: the program has no section headers")
	}
	headers := bytes.Clone(file[shoff : shoff+uint64(num)*elf64.SectionHeaderSize])
	const offOffset, offSize = 24, 32
	strh := headers[str*elf64.SectionHeaderSize:]
	namesOff, namesSize := le.Uint64(strh[offOffset:]), le.Uint64(strh[offSize:])
	if !elf64.Within(namesOff, namesSize, uint64(len(file))) {
		return nil, errors.New("gobuild: the names of the program's sections are cut short")
	}
	names := append(bytes.Clone(file[namesOff:namesOff+namesSize]), image.MetadataSection+"\x00"...)

	out := bytes.Clone(file)
	pad := func(to int) {
		for len(out)%to != 0 {
			out = append(out, 0)
		}
	}
	pad(16)
	noteOff := uint64(len(out))
	out = image.AppendNote(out, metadata)
	noteSize := uint64(len(out)) - noteOff
	pad(16)
	le.PutUint64(strh[offOffset:], uint64(len(out)))
	le.PutUint64(strh[offSize:], uint64(len(names)))
	out = append(out, names...)
	pad(16)
	const note = 7 // SHT_NOTE
	h := le.AppendUint32(le.AppendUint32(nil, uint32(namesSize)), note)
	for _, v := range []uint64{0, 0, noteOff, noteSize, 0, 4, 0} { // flags, address, offset, size, link and info, alignment, entry
		h = le.AppendUint64(h, v)
	}
	le.PutUint64(out[elf64.OffSections:], uint64(len(out)))
	le.PutUint16(out[elf64.OffSectionNum:], uint16(num+1))
	return append(append(out, headers...), h...), nil
}
