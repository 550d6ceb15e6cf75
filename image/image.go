// Package image turns the bytes of an enclave file into a pure description of
// the enclave: the list of pages to add, in measurement order, and the
// attributes it was built for. It reads Intel SDK shared objects (hardware
// and simulation builds, signed and unsigned, every metadata version in use)
// and Fortanix SGXS streams.
//
// An Image is a value. It holds no file and no memory of a machine; package
// measure hashes it and package enclave loads it. Pages are kept as runs, so
// that a heap of gigabytes costs one entry.
package image

import "github.com/feidi-dev/feidi/isa"

// Format is the kind of file an image was read from.
type Format string

// Formats.
const (
	FormatIntel Format = "intel-sdk" // ELF with .note.sgxmeta
	FormatSGXS  Format = "sgxs"      // Fortanix SGX stream
)

// Mode says what the file was built for.
type Mode string

// Modes.
const (
	ModeHardware   Mode = "hardware"   // signed, for the processor
	ModeSimulation Mode = "simulation" // linked with the SDK's simulation runtime: cannot run here
	ModeUnsigned   Mode = "unsigned"   // an SDK enclave that was not signed, or a stream without its SIGSTRUCT
)

// ThreadPolicy is how host threads are bound to TCSs.
type ThreadPolicy uint32

// Thread policies, with the metadata's values.
const (
	PolicyBind   ThreadPolicy = 0 // a host thread keeps its TCS for life
	PolicyUnbind ThreadPolicy = 1 // a TCS is taken for each root ECALL
)

// Image describes an enclave before it is loaded.
type Image struct {
	Format Format
	Mode   Mode

	// Version is the metadata version used (major<<32 | minor), zero for
	// SGXS; Versions are all that the file holds, in file order.
	Version  uint64
	Versions []uint64
	// SDK is the SDK version that the file names, or "".
	SDK string

	Size         uint64 // ELRANGE in bytes, a power of two
	Base         uint64 // absolute base that the image demands, or 0
	SSAFrameSize uint32 // pages
	Attributes   isa.Attributes
	MiscSelect   isa.MiscSelect
	ThreadPolicy ThreadPolicy
	TCSMinPool   uint32 // TCSs that the runtime keeps ready, with dynamic memory

	// SigStruct is nil if the file carries none.
	SigStruct *isa.SigStruct

	// Runs are the pages in the order in which they are added and measured.
	Runs []Run
	// Threads are the TCSs, in the order in which they are added.
	Threads []Thread
	// HeapSize is the number of bytes that the runtime zeroes at INIT (heap
	// and reserved memory), zero if unknown.
	HeapSize uint64

	// Symbols are the defined functions, sorted by offset; empty if stripped.
	Symbols []Symbol
	// Code are the ranges of the file's own executable sections.
	Code []Range
}

// Run is a run of pages of one kind, added in ascending order.
type Run struct {
	Offset uint64 // of the first page, from the base of ELRANGE
	Pages  uint64
	Flags  isa.SecInfoFlags // SECINFO.FLAGS of each page

	// Data are the run's bytes; pages beyond it are zeros. If Data is nil,
	// every 32-bit little-endian word of the run is Fill.
	Data []byte
	Fill uint32

	// Measured says that each page is followed by its sixteen EEXTENDs.
	// Otherwise Chunks are the 256-byte chunks of the run's single page that
	// are measured, in that order, by their index (0 to 15).
	Measured bool
	Chunks   []uint8
}

// Thread is a TCS of an image.
type Thread struct {
	Offset uint64
	// Usable is false for a TCS that is added and measured and then removed
	// (EREMOVE in the layout), so that no call may use it.
	Usable bool
}

// Symbol is a function of an image.
type Symbol struct {
	Name   string
	Offset uint64
	Size   uint64
}

// Range is a range of offsets, [Start, End).
type Range struct{ Start, End uint64 }

// Page copies the content of page n of the run into dst, which must be
// isa.PageSize bytes, and reports whether the page is all zeros because
// nothing fills it (dst is zeroed then, too).
func (r *Run) Page(n uint64, dst []byte) (zero bool) {
	if r.Data == nil && r.Fill != 0 {
		for i := 0; i < len(dst); i += 4 {
			dst[i], dst[i+1], dst[i+2], dst[i+3] = byte(r.Fill), byte(r.Fill>>8), byte(r.Fill>>16), byte(r.Fill>>24)
		}
		return false
	}
	off := n * isa.PageSize
	if off >= uint64(len(r.Data)) {
		clear(dst)
		return true
	}
	clear(dst[copy(dst, r.Data[off:]):])
	return false
}

// Symbol returns the function that contains offset, or the nearest one before
// it, and how far offset is from its start.
func (m *Image) Symbol(offset uint64) (name string, plus uint64, ok bool) {
	lo, hi := 0, len(m.Symbols)
	for lo < hi {
		if mid := (lo + hi) / 2; m.Symbols[mid].Offset <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return "", 0, false
	}
	s := m.Symbols[lo-1]
	return s.Name, offset - s.Offset, true
}
