// Package measure computes MRENCLAVE, the SHA-256 over what was done to build
// an enclave (SDM Vol. 3D, "Enclave Measurement"): step by step as the
// processor does, with Hash, or for a whole file, with Image.
package measure

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
)

// Names that begin the measured records, as little-endian integers.
const (
	tagECREATE = 0x0045544145524345
	tagEADD    = 0x0000000044444145
	tagEEXTEND = 0x00444E4554584545
)

const (
	recordSize  = 64
	chunkSize   = 256
	pageChunks  = isa.PageSize / chunkSize
	extendSize  = recordSize + chunkSize
	pageRecords = recordSize + pageChunks*extendSize
)

// A Hash is a measurement in progress. Records are gathered and hashed many
// at a time; no method but New allocates.
type Hash struct {
	sha hash.Hash
	n   int // bytes gathered
	buf [pageRecords]byte
	sum [sha256.Size]byte
}

// New begins the measurement of an enclave of size bytes whose SSA frames
// have ssaFrameSize pages: the ECREATE record.
func New(size uint64, ssaFrameSize uint32) *Hash {
	h := &Hash{sha: sha256.New()}
	r := h.record(recordSize)
	clear(r)
	binary.LittleEndian.PutUint64(r, tagECREATE)
	binary.LittleEndian.PutUint32(r[8:], ssaFrameSize)
	binary.LittleEndian.PutUint64(r[12:], size)
	return h
}

// EADD measures the adding of the page at offset from the enclave's base. Of
// SECINFO the first 48 bytes count.
func (h *Hash) EADD(offset uint64, si isa.SecInfo) {
	r := h.record(recordSize)
	binary.LittleEndian.PutUint64(r, tagEADD)
	binary.LittleEndian.PutUint64(r[8:], offset)
	binary.LittleEndian.PutUint64(r[16:], uint64(si.Flags))
	copy(r[24:], si.Reserved[:recordSize-24])
}

// EEXTEND measures the 256 bytes of chunk, which lie at offset. It panics if
// chunk is shorter.
func (h *Hash) EEXTEND(offset uint64, chunk []byte) {
	r := h.record(extendSize)
	extendHeader(r, offset)
	copy(r[recordSize:], chunk[:chunkSize])
}

// Sum returns the measurement so far, as EINIT finalizes it. More may be
// added afterwards.
func (h *Hash) Sum() [sha256.Size]byte {
	h.flush()
	h.sha.Sum(h.sum[:0])
	return h.sum
}

// record returns the next n bytes of the buffer.
func (h *Hash) record(n int) []byte {
	if len(h.buf)-h.n < n {
		h.flush()
	}
	h.n += n
	return h.buf[h.n-n : h.n]
}

func (h *Hash) flush() {
	h.sha.Write(h.buf[:h.n])
	h.n = 0
}

func extendHeader(r []byte, offset uint64) {
	clear(r[:recordSize])
	binary.LittleEndian.PutUint64(r, tagEEXTEND)
	binary.LittleEndian.PutUint64(r[8:], offset)
}

// Image returns the MRENCLAVE of an enclave built from m.
func Image(m *image.Image) [sha256.Size]byte {
	h := New(m.Size, m.SSAFrameSize)
	for i := range m.Runs {
		h.run(&m.Runs[i])
	}
	return h.Sum()
}

func (h *Hash) run(r *image.Run) {
	si := isa.SecInfo{Flags: r.Flags}
	if r.Measured {
		h.pages(r, si)
		return
	}
	for n := range r.Pages {
		h.EADD(r.Offset+n*isa.PageSize, si)
	}
	if len(r.Chunks) > 0 {
		var page [isa.PageSize]byte
		r.Page(0, page[:])
		for _, c := range r.Chunks {
			at := uint64(c) * chunkSize
			h.EEXTEND(r.Offset+at, page[at:])
		}
	}
}

// pages measures whole pages. The records of a page are laid out once; from
// page to page only the offsets change, and the content where it differs.
func (h *Hash) pages(r *image.Run, si isa.SecInfo) {
	h.flush()
	var page [isa.PageSize]byte
	r.Page(0, page[:])
	h.EADD(r.Offset, si)
	for c := range pageChunks {
		h.EEXTEND(0, page[c*chunkSize:])
	}
	rest := r.Data[min(len(r.Data), isa.PageSize):]
	stale := len(r.Data) > 0 // the buffer's content is not the next page's
	for n := range r.Pages {
		if n > 0 && stale {
			stale = len(rest) > 0
			rest = rest[h.content(rest):]
		}
		h.offsets(r.Offset + n*isa.PageSize)
		h.sha.Write(h.buf[:])
	}
	h.n = 0
}

// content puts a page of data, padded with zeros, into the buffered chunks
// and returns how many bytes it took.
func (h *Hash) content(data []byte) int {
	taken := 0
	for c := range pageChunks {
		chunk := h.buf[recordSize+c*extendSize+recordSize:][:chunkSize]
		n := copy(chunk, data[taken:])
		clear(chunk[n:])
		taken += n
	}
	return taken
}

// offsets moves the buffered records to the page at offset.
func (h *Hash) offsets(offset uint64) {
	binary.LittleEndian.PutUint64(h.buf[8:], offset)
	for c := range uint64(pageChunks) {
		binary.LittleEndian.PutUint64(h.buf[recordSize+c*extendSize+8:], offset+c*chunkSize)
	}
}
