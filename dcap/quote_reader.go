package dcap

import (
	"encoding/binary"
	"fmt"
)

func quoteError(offset int, kind error, format string, args ...any) *ParseError {
	return &ParseError{Document: "quote", Offset: offset, Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// A quoteReader reads a quote from its start. After the first error it reads
// nothing more.
type quoteReader struct {
	b   []byte
	pos int
	err error
}

// take returns the next n bytes.
func (r *quoteReader) take(n int, what string) []byte {
	if r.err != nil {
		return nil
	}
	if n > len(r.b)-r.pos {
		r.err = quoteError(r.pos, ErrTruncated, "%s of %d bytes, but %d are left", what, n, len(r.b)-r.pos)
		return nil
	}
	r.pos += n
	return r.b[r.pos-n : r.pos : r.pos]
}

func (r *quoteReader) u16(what string) uint16 {
	if b := r.take(2, what); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *quoteReader) u32(what string) uint32 {
	if b := r.take(4, what); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *quoteReader) header(h *QuoteHeader) {
	b := r.take(QuoteHeaderSize, "header")
	if b == nil {
		return
	}
	le := binary.LittleEndian
	h.Version = le.Uint16(b)
	h.AttestationKeyType = AttestationKeyType(le.Uint16(b[2:]))
	h.TEEType = TEEType(le.Uint32(b[4:]))
	h.QESVN = le.Uint16(b[8:])
	h.PCESVN = le.Uint16(b[10:])
	h.QEVendorID = [16]byte(b[12:])
	h.UserData = [20]byte(b[28:])
}

// bodyDescriptor reads type and size of the body of a version 5 quote.
func (r *quoteReader) bodyDescriptor(tee TEEType) BodyType {
	at := r.pos
	kind := BodyType(r.u16("body type"))
	size := r.u32("body size")
	if r.err != nil {
		return 0
	}
	want := kind.Size()
	switch {
	case want == 0:
		r.err = quoteError(at, ErrKind, "body type %d; types 1 to 4 are known", kind)
	case (kind == BodySGX) != (tee == TEESGX):
		r.err = quoteError(at, ErrInvalid, "a body of type %d (%s) in a quote of %s", kind, kind, tee)
	case size != uint32(want):
		r.err = quoteError(at+2, ErrInvalid, "a body of type %d has %d bytes, this says %d", kind, want, size)
	}
	return kind
}

// authData reads what follows the body: signatures, keys and certification
// data. Each size must be exactly that of what is in it.
func (r *quoteReader) authData(q *Quote, certs *certifications) {
	n := r.u32("size of the signature data")
	end := r.end(n, "signature data")
	copy(q.Signature[:], r.take(signatureSize, "quote signature"))
	copy(q.AttestationKey[:], r.take(64, "attestation key"))
	if q.Header.Version >= QuoteV4 {
		at := r.pos
		kind := CertificationType(r.u16("type of certification data"))
		if r.err == nil && kind != CertQEReport {
			r.err = quoteError(at, ErrKind, "certification data of type %d; in version %d the outer is of type 6", kind, q.Header.Version)
		}
		if inner := r.end(r.u32("size of certification data"), "certification data"); r.err == nil && inner != end {
			r.err = quoteError(at+2, ErrInvalid, "certification data ends at %d, the signature data at %d", inner, end)
		}
	}
	q.RawQEReport = r.take(enclaveReportSize, "QE report")
	if q.RawQEReport != nil {
		r.err = q.QEReport.UnmarshalBinary(q.RawQEReport)
	}
	copy(q.QEReportSignature[:], r.take(signatureSize, "QE report signature"))
	q.QEAuthData = r.take(int(r.u16("size of QE authentication data")), "QE authentication data")
	at := r.pos
	kind := CertificationType(r.u16("type of certification data"))
	size := r.u32("size of certification data")
	last := r.end(size, "certification data")
	data := r.take(last-r.pos, "certification data")
	if r.err != nil {
		return
	}
	if r.pos != end {
		r.err = quoteError(r.pos, ErrInvalid, "certification data ends at %d, the signature data at %d", r.pos, end)
		return
	}
	q.Certification, r.err = certs.decode(kind, data, at)
}

// end returns where something of n bytes that begins here ends.
func (r *quoteReader) end(n uint32, what string) int {
	if r.err == nil && uint64(n) > uint64(len(r.b)-r.pos) {
		r.err = quoteError(r.pos, ErrTruncated, "%s of %d bytes, but %d are left", what, n, len(r.b)-r.pos)
	}
	if r.err != nil {
		return r.pos
	}
	return r.pos + int(n)
}
