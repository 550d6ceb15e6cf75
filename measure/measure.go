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

// A Hash is a measurement in progress. No method but New allocates.
type Hash struct {
	sha hash.Hash
	rec [recordSize]byte
	sum [sha256.Size]byte
}

// New begins the measurement of an enclave of size bytes whose SSA frames
// have ssaFrameSize pages: the ECREATE record.
func New(size uint64, ssaFrameSize uint32) *Hash {
	h := &Hash{sha: sha256.New()}
	binary.LittleEndian.PutUint64(h.rec[0:], tagECREATE)
	binary.LittleEndian.PutUint32(h.rec[8:], ssaFrameSize)
	binary.LittleEndian.PutUint64(h.rec[12:], size)
	h.sha.Write(h.rec[:])
	return h
}

// EADD measures the adding of the page at offset from the enclave's base. Of
// SECINFO the first 48 bytes count.
func (h *Hash) EADD(offset uint64, si isa.SecInfo) {
	eaddRecord(h.rec[:], offset, si)
	h.sha.Write(h.rec[:])
}

// EEXTEND measures the 256 bytes of chunk, which lie at offset. It panics if
// chunk is shorter.
func (h *Hash) EEXTEND(offset uint64, chunk []byte) {
	extendRecord(h.rec[:], offset)
	h.sha.Write(h.rec[:])
	h.sha.Write(chunk[:chunkSize])
}

// Sum returns the measurement so far, as EINIT finalizes it. More may be
// added afterwards.
func (h *Hash) Sum() [sha256.Size]byte {
	h.sha.Sum(h.sum[:0])
	return h.sum
}

func eaddRecord(r []byte, offset uint64, si isa.SecInfo) {
	binary.LittleEndian.PutUint64(r[0:], tagEADD)
	binary.LittleEndian.PutUint64(r[8:], offset)
	binary.LittleEndian.PutUint64(r[16:], uint64(si.Flags))
	copy(r[24:recordSize], si.Reserved[:])
}

func extendRecord(r []byte, offset uint64) {
	binary.LittleEndian.PutUint64(r[0:], tagEEXTEND)
	binary.LittleEndian.PutUint64(r[8:], offset)
	clear(r[16:recordSize])
}

// Length returns how many bytes Image hashes, and thereby how long it takes: a
// small file can ask for any number of pages.
func Length(m *image.Image) uint64 {
	n := uint64(recordSize)
	for i := range m.Runs {
		r := &m.Runs[i]
		chunks := uint64(len(r.Chunks))
		if r.Measured {
			chunks = r.Pages * pageChunks
		}
		n += r.Pages*recordSize + chunks*extendSize
	}
	return n
}

// Image returns the MRENCLAVE of an enclave built from m.
func Image(m *image.Image) [sha256.Size]byte {
	h := New(m.Size, m.SSAFrameSize)
	var scratch [pageRecords]byte
	for i := range m.Runs {
		h.run(&m.Runs[i], scratch[:])
	}
	return h.Sum()
}

func (h *Hash) run(r *image.Run, scratch []byte) {
	si := isa.SecInfo{Flags: r.Flags}
	page := scratch[:isa.PageSize]
	if !r.Measured {
		for n := range r.Pages {
			h.EADD(r.Offset+n*isa.PageSize, si)
		}
		if len(r.Chunks) > 0 {
			r.Page(0, page)
			h.extend(r.Offset, page, r.Chunks...)
		}
		return
	}
	// Whole pages of data are hashed where they are, a page that ends short
	// from a padded copy, and all after it are equal.
	n := uint64(0)
	for ; n < r.Pages && n < uint64(len(r.Data)+isa.PageSize-1)/isa.PageSize; n++ {
		data := r.Data[n*isa.PageSize:]
		if len(data) < isa.PageSize {
			r.Page(n, page)
			data = page
		}
		h.EADD(r.Offset+n*isa.PageSize, si)
		h.extend(r.Offset+n*isa.PageSize, data, allChunks[:]...)
	}
	if n < r.Pages {
		h.equalPages(r, n, si, scratch)
	}
}

var allChunks = [pageChunks]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// extend measures chunks of the page at offset.
func (h *Hash) extend(offset uint64, page []byte, chunks ...uint8) {
	for _, c := range chunks {
		at := uint64(c) * chunkSize
		h.EEXTEND(offset+at, page[at:])
	}
}

// equalPages measures the pages of r from first on, which have the same
// content. Their records are laid out once; only the offsets change.
func (h *Hash) equalPages(r *image.Run, first uint64, si isa.SecInfo, scratch []byte) {
	var page [isa.PageSize]byte
	r.Page(first, page[:])
	eaddRecord(scratch, 0, si)
	for c := range pageChunks {
		rec := scratch[recordSize+c*extendSize:][:extendSize]
		extendRecord(rec, 0)
		copy(rec[recordSize:], page[c*chunkSize:])
	}
	for n := first; n < r.Pages; n++ {
		offset := r.Offset + n*isa.PageSize
		binary.LittleEndian.PutUint64(scratch[8:], offset)
		for c := range uint64(pageChunks) {
			binary.LittleEndian.PutUint64(scratch[recordSize+c*extendSize+8:], offset+c*chunkSize)
		}
		h.sha.Write(scratch[:pageRecords])
	}
}
