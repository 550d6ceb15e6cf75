package sdk

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/elf64"
	"github.com/feidi-dev/feidi/isa"
)

// Symbols that every enclave of the SDK defines.
const (
	symEntry      = "enclave_entry"
	symGlobalData = "g_global_data"
)

// noteName is the name of the note that holds the metadata; there is no
// padding after it.
const (
	noteName       = "sgx_metadata\x00"
	noteHeaderSize = 12 + len(noteName)
)

// object is an enclave's file, checked.
type object struct {
	file []byte

	segments []segment // PT_LOAD, in the order of the program headers
	tlsSize  uint64    // bytes of thread-local data, rounded up to their alignment
	hasTLS   bool
	entry    uint64 // address of enclave_entry

	globalDataAt uint64 // file offset of g_global_data
	globalData   []byte // as it is in the file

	noteAt          uint64 // file offset of the metadata
	note            []byte // room for the metadata
	metadataVersion uint64 // of the first block that is there, or 0
}

type segment struct{ address, size uint64 }

// imageSize is the number of bytes that the segments take, in pages.
func (o *object) imageSize() uint64 {
	last := o.last()
	return roundUp(last.address + last.size)
}

// last is the segment with the highest address.
func (o *object) last() segment {
	return slices.MaxFunc(o.segments, func(s, t segment) int { return cmp.Compare(s.address, t.address) })
}

func roundUp(n uint64) uint64 { return alignUp(n, isa.PageSize) }

// alignUp rounds n up to a multiple of align, a power of two.
func alignUp(n, align uint64) uint64 { return (n + align - 1) &^ (align - 1) }

// readObject checks a file as the signing tool does before it signs.
func readObject(file []byte, opts Options) (*object, error) {
	f, err := elf64.Parse(file)
	if err != nil {
		var e *elf64.Error
		if errors.As(err, &e) {
			return nil, objectErr(e.Offset, "%s", e.Reason)
		}
		return nil, objectErr(0, "%v", err)
	}
	switch {
	case file[elf64.OffVersion] != 1:
		return nil, objectErr(elf64.OffVersion, "ELF version %d, and 1 is the current one", file[elf64.OffVersion])
	case f.Machine != elf64.MachineAMD64:
		return nil, objectErr(elf64.OffMachine, "ELF machine %d, not x86-64: compile with -m64 for x86", f.Machine)
	case f.Type != elf64.TypeDyn:
		return nil, objectErr(elf64.OffType, "ELF type %d, not a shared object: link with -shared or -pie", f.Type)
	}
	o := &object{file: file}
	for _, check := range []func(*elf64.File, Options) error{
		o.readSegments, o.readSymbols, o.checkRelocations, o.checkSections, o.readNote,
	} {
		if err := check(f, opts); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// readSegments checks the program headers.
func (o *object) readSegments(f *elf64.File, _ Options) error {
	type span struct{ header, first, last uint64 }
	var spans []span
	for i := range f.Segments {
		p := &f.Segments[i]
		if p.Kind != elf64.SegmentLoad && p.Kind != elf64.SegmentTLS {
			continue
		}
		if p.Perms&(elf64.PermR|elf64.PermW|elf64.PermX) == 0 {
			return objectErr(p.Header, "segment %d has no permissions: no page may be added for it", i)
		}
		if p.Kind == elf64.SegmentTLS {
			align := max(p.Align, 1)
			if p.Size > image.MaxSize || align > image.MaxSize || align&(align-1) != 0 {
				return objectErr(p.Header, "thread-local data of %#x bytes, aligned to %#x, does not fit into an enclave", p.Size, p.Align)
			}
			o.tlsSize, o.hasTLS = alignUp(p.Size, align), true
			continue
		}
		align := p.Align
		switch {
		case align%isa.PageSize != 0 || align&(align-1) != 0 || align > image.MaxSize:
			return objectErr(p.Header, "segment %d is aligned to %#x bytes, not to pages: link with -z max-page-size=4096", i, align)
		case p.Size < p.FileSize || !elf64.Within(p.Address, p.Size, image.MaxSize):
			return objectErr(p.Header, "segment %d, %#x bytes (%#x in the file) at address %#x, does not fit into an enclave", i, p.Size, p.FileSize, p.Address)
		}
		spans = append(spans, span{p.Header, p.Address, alignUp(p.Address+max(p.Size, 1), max(align, 1)) - 1})
		o.segments = append(o.segments, segment{p.Address, p.Size})
	}
	switch {
	case len(o.segments) == 0:
		return objectErr(elf64.OffSegments, "the file has no segment to load")
	case o.imageSize() == 0:
		return objectErr(elf64.OffSegments, "the segments to load are empty")
	case f.Dynamic() == nil:
		return objectErr(elf64.OffSegments, "the file has no dynamic segment: link with -shared or -pie")
	}
	slices.SortFunc(spans, func(s, t span) int { return cmp.Compare(s.first, t.first) })
	for i := 1; i < len(spans); i++ {
		if spans[i].first <= spans[i-1].last {
			return objectErr(spans[i].header, "the segment at address %#x overlaps the one at %#x, in units of its alignment: check the linker script", spans[i].first, spans[i-1].first)
		}
	}
	return nil
}

// readSymbols finds what the runtime exports, and what the enclave lacks.
func (o *object) readSymbols(f *elf64.File, _ Options) error {
	symbols, ok := f.Symbols(elf64.SectionDynsym)
	if !ok {
		return objectErr(elf64.OffSections, "no dynamic symbols: link with -shared or -pie, and do not strip section headers")
	}
	const some = 8
	var undefined []string
	more := 0
	var global elf64.Symbol
	o.entry = f.Entry
	for s := range symbols {
		switch {
		case s.Name == "":
		case s.Section == elf64.SectionUndef:
			if s.Binding() == elf64.SymbolWeak {
			} else if len(undefined) < some {
				undefined = append(undefined, strings.Trim(strconv.QuoteToASCII(s.Name[:min(len(s.Name), 128)]), `"`))
			} else {
				more++
			}
		case s.Name == symEntry:
			o.entry = s.Value
		case s.Name == symGlobalData:
			global = s
		}
	}
	at, loaded := f.Loaded(global.Value, global.Size)
	switch {
	case len(undefined) > 0:
		names := strings.Join(undefined, ", ")
		if more > 0 {
			names += ", …"
		}
		return objectErr(elf64.OffSections, "%d undefined symbols (%s): link the trusted libraries that define them, or do without: an enclave has no dynamic linker", len(undefined)+more, names)
	case global.Name == "":
		return objectErr(elf64.OffSections, "no dynamic symbol %s: link the trusted runtime with --whole-archive -lsgx_trts, and let the version script export the symbol", symGlobalData)
	case o.entry == 0:
		return objectErr(elf64.OffEntry, "no dynamic symbol %s and no entry point: let the version script export the symbol, or link with -e %[1]s", symEntry)
	case !loaded || global.Size == 0:
		return objectErr(elf64.OffSections, "%s, %d bytes at address %#x, is not in the file: it must be initialized data", symGlobalData, global.Size, global.Value)
	}
	o.globalDataAt, o.globalData = at, f.Bytes[at:at+global.Size:at+global.Size]
	return nil
}

// checkSections refuses initialization code that the runtime does not run.
func (o *object) checkSections(f *elf64.File, opts Options) error {
	if s := f.Section(".ctors"); s != nil {
		return objectErr(s.Header, "section .ctors: the runtime calls constructors in .init_array only; use a compiler that puts them there")
	}
	if s := f.Section(".init"); s != nil && !opts.IgnoreInit {
		return objectErr(s.Header, "section .init is never run: link with -nostartfiles, or accept it with --ignore-init-sec-error")
	}
	return nil
}

// readNote finds the room for the metadata.
func (o *object) readNote(f *elf64.File, opts Options) error {
	le := binary.LittleEndian
	s := f.Section(image.MetadataSection)
	if s == nil {
		return objectErr(elf64.OffSections, "no section %s: link the SDK's trusted runtime, and keep the section when stripping", image.MetadataSection)
	}
	b := f.Data(s)
	if len(b) < noteHeaderSize || le.Uint32(b) != uint32(len(noteName)) || string(b[12:noteHeaderSize]) != noteName {
		return objectErr(s.Offset, "section %s holds no note named sgx_metadata: nothing else may be put there", image.MetadataSection)
	}
	desc, align := uint64(le.Uint32(b[4:])), max(s.Align, 1)
	if align&(align-1) != 0 || align > isa.PageSize || alignUp(uint64(noteHeaderSize)+desc, align) != s.Size {
		return objectErr(s.Offset+4, "section %s has %#x bytes, aligned to %#x, for a note of %#x: nothing else may be put there", image.MetadataSection, s.Size, s.Align, desc)
	}
	o.noteAt = s.Offset + uint64(noteHeaderSize)
	o.note = f.Bytes[o.noteAt : o.noteAt+desc : o.noteAt+desc]
	for i := range f.Segments {
		if p := &f.Segments[i]; p.Kind == elf64.SegmentLoad && p.Offset < o.noteAt+desc && o.noteAt < p.Offset+p.FileSize {
			return objectErr(p.Header, "segment %d loads section %s, whose content depends on the measurement: the section must not have the flag ALLOC", i, image.MetadataSection)
		}
	}
	if len(o.note) >= 16 && le.Uint64(o.note) == image.MetadataMagic {
		if !opts.Resign {
			return &ObjectError{Kind: ErrSigned, Offset: o.noteAt, Reason: "sign the file that the linker made"}
		}
		o.metadataVersion = le.Uint64(o.note[8:])
	}
	return nil
}
