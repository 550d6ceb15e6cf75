package dcap

import (
	"encoding/binary"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// MaxQuoteSize is the largest quote that is read. Real ones have 4 to 6 KB.
const MaxQuoteSize = 128 << 10

// Versions of quotes.
const (
	QuoteV3 = 3 // SGX
	QuoteV4 = 4 // SGX and TDX 1.0
	QuoteV5 = 5 // SGX, TDX 1.0 and 1.5, with a body descriptor
)

// TEEType says what a quote is about.
type TEEType uint32

// TEE types.
const (
	TEESGX TEEType = 0
	TEETDX TEEType = 0x81
)

// String returns "SGX" or "TDX".
func (t TEEType) String() string {
	switch t {
	case TEESGX:
		return "SGX"
	case TEETDX:
		return "TDX"
	}
	return fmt.Sprintf("TEE type %#x", uint32(t))
}

// AttestationKeyType is the algorithm of the attestation key.
type AttestationKeyType uint16

// Attestation key types. Only the first is in use.
const (
	ECDSAP256 AttestationKeyType = 2 // ECDSA-256 with curve P-256
	ECDSAP384 AttestationKeyType = 3
)

// IntelQEVendorID is the vendor ID of Intel's quoting enclaves.
var IntelQEVendorID = [16]byte{0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07}

// Sizes of parts of a quote in bytes.
const (
	QuoteHeaderSize    = 48
	bodyDescriptorSize = 6
	signatureSize      = 64
	certificationSize  = 6 // type and size of certification data
)

// QuoteHeader is how every quote begins, 48 bytes.
type QuoteHeader struct {
	Version            uint16
	AttestationKeyType AttestationKeyType
	TEEType            TEEType
	QESVN              uint16 // version 3; reserved since
	PCESVN             uint16 // version 3; reserved since
	QEVendorID         [16]byte
	UserData           [20]byte // the first 16 bytes are the QE ID of the platform
}

// Quote is an ECDSA quote. Slices point into the bytes that it was read from.
type Quote struct {
	Raw     []byte // the whole, without padding
	Padding int    // zero bytes that followed it
	Signed  []byte // header, body descriptor and body: what the attestation key signed

	Header QuoteHeader
	Body   Body // *EnclaveReport, *TDReport10, *TDReport15 or *TDReport15Ex

	Signature         [64]byte // by the attestation key over Signed: R and S, big endian
	AttestationKey    [64]byte // X and Y, big endian
	QEReport          isa.ReportBody
	RawQEReport       []byte   // its 384 bytes: what the PCK signed
	QEReportSignature [64]byte // by the PCK
	QEAuthData        []byte   // bound to the attestation key by the QE report
	Certification     CertificationData
}

// EnclaveReport returns the body if it is an enclave's, else nil.
func (q *Quote) EnclaveReport() *EnclaveReport {
	r, _ := q.Body.(*EnclaveReport)
	return r
}

// TDReport returns what all bodies of TDs have in common, or nil if the quote
// is of an enclave.
func (q *Quote) TDReport() *TDReport10 {
	switch b := q.Body.(type) {
	case *TDReport10:
		return b
	case *TDReport15:
		return &b.TDReport10
	case *TDReport15Ex:
		return &b.TDReport10
	}
	return nil
}

// TDReport15 returns what the bodies of TDX 1.5 have in common, or nil.
func (q *Quote) TDReport15() *TDReport15 {
	switch b := q.Body.(type) {
	case *TDReport15:
		return b
	case *TDReport15Ex:
		return &b.TDReport15
	}
	return nil
}

// ReportData returns the 64 bytes that the enclave or TD had put into its
// report.
func (q *Quote) ReportData() [64]byte {
	if td := q.TDReport(); td != nil {
		return td.ReportData
	}
	return q.EnclaveReport().ReportData
}

// A result of ParseQuote is one allocation, which holds the quote and its body.
type (
	quoteSGX struct {
		Quote
		body EnclaveReport
		cert certifications
	}
	quoteTD10 struct {
		Quote
		body TDReport10
		cert certifications
	}
	quoteTD15 struct {
		Quote
		body TDReport15
		cert certifications
	}
	quoteTD15Ex struct {
		Quote
		body TDReport15Ex
		cert certifications
	}
)

// ParseQuote reads a quote of version 3, 4 or 5. Zero bytes after its end are
// padding, which buffers of quotes have; anything else is ErrTrailing.
func ParseQuote(b []byte) (*Quote, error) {
	if len(b) > MaxQuoteSize {
		return nil, quoteError(MaxQuoteSize, ErrTooLarge, "a quote has at most %d bytes, this has %d", MaxQuoteSize, len(b))
	}
	r := quoteReader{b: b}
	var h QuoteHeader
	r.header(&h)
	if r.err == nil {
		r.err = checkHeader(&h)
	}
	kind := BodySGX
	if h.TEEType == TEETDX {
		kind = BodyTD10
	}
	if r.err == nil && h.Version == QuoteV5 {
		kind = r.bodyDescriptor(h.TEEType)
	}
	if r.err != nil {
		return nil, r.err
	}
	var q *Quote
	var certs *certifications
	switch kind {
	case BodySGX:
		all := new(quoteSGX)
		q, certs, all.Body = &all.Quote, &all.cert, &all.body
	case BodyTD10:
		all := new(quoteTD10)
		q, certs, all.Body = &all.Quote, &all.cert, &all.body
	case BodyTD15:
		all := new(quoteTD15)
		q, certs, all.Body = &all.Quote, &all.cert, &all.body
	case BodyTD15Ex:
		all := new(quoteTD15Ex)
		q, certs, all.Body = &all.Quote, &all.cert, &all.body
	}
	q.Header = h
	if body := r.take(q.Body.Size(), "body"); body != nil {
		q.Body.decode(body)
	}
	q.Signed = b[:r.pos:r.pos]
	r.authData(q, certs)
	if r.err != nil {
		return nil, r.err
	}
	q.Raw = b[:r.pos:r.pos]
	for i, c := range b[r.pos:] {
		if c != 0 {
			return nil, quoteError(r.pos+i, ErrTrailing, "the quote ends at %d, and what follows is not padding with zeros", r.pos)
		}
	}
	q.Padding = len(b) - r.pos
	return q, nil
}

func checkHeader(h *QuoteHeader) error {
	switch {
	case h.Version < QuoteV3 || h.Version > QuoteV5:
		return quoteError(0, ErrVersion, "version %d; versions 3, 4 and 5 are known", h.Version)
	case h.AttestationKeyType != ECDSAP256:
		return quoteError(2, ErrKind, "attestation key type %d; only 2, ECDSA with P-256, is known", h.AttestationKeyType)
	case h.TEEType != TEESGX && h.TEEType != TEETDX:
		return quoteError(4, ErrKind, "TEE type %#x is neither SGX (0) nor TDX (0x81)", uint32(h.TEEType))
	case h.Version == QuoteV3 && h.TEEType != TEESGX:
		return quoteError(4, ErrKind, "quotes of version 3 are of SGX only")
	}
	return nil
}

// AppendBinary appends the quote as its fields are, with all sizes and the
// types of body and certification data filled in. Raw, Signed, RawQEReport and
// Padding are not looked at.
func (q *Quote) AppendBinary(b []byte) ([]byte, error) {
	if q.Body == nil || q.Certification == nil {
		return nil, fmt.Errorf("dcap: a quote needs a body and certification data")
	}
	b = q.AppendSigned(b)
	le := binary.LittleEndian
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = append(append(b, q.Signature[:]...), q.AttestationKey[:]...)
	outer := len(b)
	if q.Header.Version >= QuoteV4 {
		b = append(le.AppendUint16(b, uint16(CertQEReport)), 0, 0, 0, 0)
	}
	b, err := q.QEReport.AppendBinary(b)
	if err != nil {
		return nil, err
	}
	b = append(b, q.QEReportSignature[:]...)
	if len(q.QEAuthData) > 0xffff {
		return nil, fmt.Errorf("dcap: QE authentication data has at most 65535 bytes, not %d", len(q.QEAuthData))
	}
	b = append(le.AppendUint16(b, uint16(len(q.QEAuthData))), q.QEAuthData...)
	b = le.AppendUint16(b, uint16(q.Certification.Type()))
	b = append(b, 0, 0, 0, 0)
	inner := len(b)
	b = q.Certification.append(b)
	le.PutUint32(b[inner-4:], uint32(len(b)-inner))
	if q.Header.Version >= QuoteV4 {
		le.PutUint32(b[outer+2:], uint32(len(b)-outer-certificationSize))
	}
	le.PutUint32(b[start:], uint32(len(b)-start-4))
	return b, nil
}

// AppendSigned appends header, body descriptor (version 5) and body: what the
// attestation key signs.
func (q *Quote) AppendSigned(b []byte) []byte {
	le := binary.LittleEndian
	h := &q.Header
	b = le.AppendUint16(b, h.Version)
	b = le.AppendUint16(b, uint16(h.AttestationKeyType))
	b = le.AppendUint32(b, uint32(h.TEEType))
	b = le.AppendUint16(b, h.QESVN)
	b = le.AppendUint16(b, h.PCESVN)
	b = append(append(b, h.QEVendorID[:]...), h.UserData[:]...)
	if h.Version >= QuoteV5 {
		b = le.AppendUint16(b, uint16(q.Body.Type()))
		b = le.AppendUint32(b, uint32(q.Body.Size()))
	}
	return q.Body.append(b)
}
