package image

import (
	"bytes"
	"encoding/binary"

	"github.com/feidi-dev/feidi/isa"
)

// Tags of SGXS records; the first three are the names that the processor
// hashes (SDM Vol. 3D, "Enclave Measurement").
const (
	tagECREATE  = 0x0045544145524345
	tagEADD     = 0x0000000044444145
	tagEEXTEND  = 0x00444E4554584545
	tagUNMEASRD = 0x44525341454D4E55
	tagUNSIZED  = 0x0044455A49534E55

	recordSize = 64
	chunkSize  = 256
	pageChunks = isa.PageSize / chunkSize
)

func isSGXS(tag uint64) bool { return tag == tagECREATE || tag == tagUNSIZED }

// sgxsPage is the page whose records are being read.
type sgxsPage struct {
	at      uint64 // of its EADD in the file
	offset  uint64
	flags   isa.SecInfoFlags
	content [isa.PageSize]byte
	given   uint16 // chunks with content
	length  int    // end of the last of them
	chunks  []uint8
}

// parseSGXS reads an SGX stream: the records of the measurement, in order,
// with the bytes of unmeasured chunks between them. A chunk belongs to the
// page added last.
func parseSGXS(b []byte) (*Image, error) {
	le := binary.LittleEndian
	if len(b) < recordSize {
		return nil, malformed(0, "ECREATE record is cut short: %d bytes", len(b))
	}
	if le.Uint64(b) == tagUNSIZED {
		return nil, formatErr(ErrUnsupported, 0, "unsized SGXS stream has no measurement; give it a size first")
	}
	m := &Image{
		Format: FormatSGXS, Mode: ModeUnsigned,
		SSAFrameSize: le.Uint32(b[8:]), Size: le.Uint64(b[12:]),
		Attributes: isa.Attributes{Flags: isa.AttrMode64Bit, XFRM: isa.XFRMLegacy},
	}
	if m.SSAFrameSize == 0 {
		return nil, malformed(8, "SSA frame of 0 pages")
	}
	if err := checkSize(12, m.Size); err != nil {
		return nil, err
	}
	if !isZero(b[20:recordSize]) {
		return nil, malformed(20, "ECREATE record ends in other bytes than zeros")
	}
	l := loader{image: m, limit: m.Size}
	var page *sgxsPage
	for at := uint64(recordSize); at < uint64(len(b)); {
		r := b[at:]
		if len(r) < recordSize {
			return nil, malformed(at, "record is cut short: %d bytes", len(r))
		}
		tag, offset := le.Uint64(r), le.Uint64(r[8:])
		switch tag {
		case tagEADD:
			if err := l.page(page); err != nil {
				return nil, err
			}
			if !isZero(r[24:recordSize]) {
				return nil, malformed(at+24, "EADD record has reserved SECINFO bytes set")
			}
			if page == nil {
				page = new(sgxsPage)
			}
			*page = sgxsPage{at: at, offset: offset, flags: isa.SecInfoFlags(le.Uint64(r[16:])), chunks: page.chunks[:0]}
			at += recordSize
		case tagEEXTEND, tagUNMEASRD:
			if len(r) < recordSize+chunkSize {
				return nil, malformed(at, "chunk is cut short: %d bytes", len(r)-recordSize)
			}
			if !isZero(r[16:recordSize]) {
				return nil, malformed(at+16, "chunk record ends in other bytes than zeros")
			}
			if page == nil || offset-page.offset >= isa.PageSize || offset%chunkSize != 0 {
				return nil, malformed(at+8, "chunk offset %#x is not in the page added last", offset)
			}
			n := uint8((offset - page.offset) / chunkSize)
			if !page.put(n, r[recordSize:recordSize+chunkSize]) {
				return nil, malformed(at, "chunk at offset %#x is given twice, with different bytes", offset)
			}
			if tag == tagEEXTEND {
				page.chunks = append(page.chunks, n)
			}
			at += recordSize + chunkSize
		default:
			return nil, malformed(at, "unknown record tag %#x", tag)
		}
	}
	if err := l.page(page); err != nil {
		return nil, err
	}
	return m, l.checkOverlap()
}

// put stores chunk n and reports whether it agrees with what was there.
func (p *sgxsPage) put(n uint8, data []byte) bool {
	at := int(n) * chunkSize
	if p.given&(1<<n) != 0 {
		return bytes.Equal(p.content[at:at+chunkSize], data)
	}
	p.given |= 1 << n
	copy(p.content[at:], data)
	p.length = max(p.length, at+chunkSize)
	return true
}

// measured reports whether exactly the sixteen chunks were measured in order.
func (p *sgxsPage) measured() bool {
	if len(p.chunks) != pageChunks {
		return false
	}
	for i, c := range p.chunks {
		if int(c) != i {
			return false
		}
	}
	return true
}

// page adds a page of a stream, to the last run if it continues that.
func (l *loader) page(p *sgxsPage) error {
	if p == nil {
		return nil
	}
	r := Run{Offset: p.offset, Pages: 1, Flags: p.flags, Measured: p.measured()}
	isTCS := p.flags.PageType() == isa.PTTCS
	if !r.Measured && len(p.chunks) > 0 {
		r.Chunks = bytes.Clone(p.chunks)
	}
	if n := len(l.image.Runs); n > 0 && !isTCS && r.Chunks == nil {
		last := &l.image.Runs[n-1]
		full := uint64(len(last.Data)) == last.Pages*isa.PageSize
		if last.Offset+last.Pages*isa.PageSize == r.Offset && r.Offset < l.limit &&
			last.Flags == r.Flags && last.Measured == r.Measured && last.Chunks == nil && (full || p.length == 0) {
			last.Data = append(last.Data, p.content[:p.length]...)
			last.Pages++
			return nil
		}
	}
	if p.length > 0 {
		r.Data = bytes.Clone(p.content[:p.length])
	}
	if isTCS {
		l.image.Threads = append(l.image.Threads, Thread{Offset: p.offset, Usable: true})
	}
	return l.add(p.at, r)
}

func isZero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}

// AppendSGXS appends the image as a canonical SGXS stream. Its size is that
// of the pages: 5184 bytes for each measured one.
func AppendSGXS(b []byte, m *Image) []byte {
	le := binary.LittleEndian
	record := func(tag, v uint64, rest ...byte) {
		b = append(le.AppendUint64(le.AppendUint64(b, tag), v), rest...)
		b = append(b, make([]byte, recordSize-16-len(rest))...)
	}
	// ECREATE has a 32-bit and a 64-bit field where the others have one of 64.
	record(tagECREATE, uint64(m.SSAFrameSize)|m.Size<<32, le.AppendUint32(nil, uint32(m.Size>>32))...)
	var page [isa.PageSize]byte
	all := [pageChunks]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	for i := range m.Runs {
		r := &m.Runs[i]
		chunks := r.Chunks
		if r.Measured {
			chunks = all[:]
		}
		for n := range r.Pages {
			offset := r.Offset + n*isa.PageSize
			record(tagEADD, offset, le.AppendUint64(nil, uint64(r.Flags))...)
			r.Page(n, page[:])
			var done uint16
			for _, c := range chunks {
				record(tagEEXTEND, offset+uint64(c)*chunkSize)
				b = append(b, page[int(c)*chunkSize:][:chunkSize]...)
				done |= 1 << c
			}
			for c := range pageChunks {
				data := page[c*chunkSize:][:chunkSize]
				if done&(1<<c) == 0 && !isZero(data) {
					record(tagUNMEASRD, offset+uint64(c)*chunkSize)
					b = append(b, data...)
				}
			}
		}
	}
	return b
}
