package verify_test

import (
	"encoding/binary"
	"slices"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/dcap/verify"
	"github.com/feidi-dev/feidi/testpki"
)

// bytesOf edits the bytes of a quote after all else.
func bytesOf(f func(k kind, b []byte) []byte) func(*world) {
	return func(w *world) { w.q.EditBytes = func(b []byte) []byte { return f(w.kind, b) } }
}

// bodyEnd is where the body ends: there is the size of the signature data.
func (k kind) bodyEnd() int {
	n := 48 + map[dcap.BodyType]int{1: 384, 2: 584, 3: 648, 4: 885}[k.body]
	if k.version == 5 {
		n += 6
	}
	return n
}

// qeReport is where the QE report begins.
func (k kind) qeReport() int {
	n := k.bodyEnd() + 4 + 64 + 64
	if k.version > 3 {
		n += 6
	}
	return n
}

// add adds to a number of 32 bits.
func add(b []byte, at int, n uint32) {
	binary.LittleEndian.PutUint32(b[at:], binary.LittleEndian.Uint32(b[at:])+n)
}

// authSize is where the size of the QE authentication data is, certSize that of
// the certification data behind it, which here has 32 bytes.
func (k kind) authSize() int { return k.qeReport() + 384 + 64 }
func (k kind) certSize() int { return k.authSize() + 2 + 32 + 2 }

// formatRows are about the form of quotes. What Intel's library finds in two
// steps, to parse and to validate, is one here.
func formatRows() []row {
	refused := verdict{quote: verify.StatusUnsupportedQuoteFormat}
	header := func(f func(h *dcap.QuoteHeader)) func(*world) { return func(w *world) { f(&w.q.Header) } }
	v3, v4, v5 := []kind{sgx3}, []kind{sgx4, tdx4}, []kind{sgx5, tdx5, tdx15, tdx15x}
	late := slices.Concat(v4, v5)
	return []row{
		{from: "P3/1 P4/1 P5/1", name: "two bytes are missing", want: refused, edit: bytesOf(func(k kind, b []byte) []byte { return b[:len(b)-2] })},
		{from: "P3/14 P4/18 P5/27", name: "the last byte is missing", want: refused, edit: bytesOf(func(k kind, b []byte) []byte { return b[:len(b)-1] })},
		{from: "P3/2 P4/2 P5/2", name: "certification data of no bytes",
			want: verdict{pck: verify.StatusMissingParameters, quote: verify.StatusMissingParameters},
			edit: func(w *world) { w.q.EditUnsigned = func(p *testpki.Parts) { p.CertData = nil } }},
		{from: "P3/4 P4/4 P4/11 P4/12 P5/4 P5/11 P5/12 P5/13 P5/14", name: "headers of all kinds",
			edit: header(func(h *dcap.QuoteHeader) { h.UserData, h.QESVN, h.PCESVN = [20]byte{1, 2, 3}, 4, 5 })},
		{from: "P3/5 P4/5 P5/5", name: "attestation key of type 3", want: refused, edit: header(func(h *dcap.QuoteHeader) { h.AttestationKeyType = 3 })},
		{from: "P3/6 P4/6 P5/6", name: "vendor of the quoting enclave not Intel", want: refused, edit: header(func(h *dcap.QuoteHeader) { h.QEVendorID = [16]byte{} })},
		{from: "P3/7 P4/7 P5/7", name: "version 2", want: refused, edit: bytesOf(func(k kind, b []byte) []byte { b[0] = 2; return b })},
		{from: "P5/15", name: "version 6", want: refused, edit: bytesOf(func(k kind, b []byte) []byte { b[0] = 6; return b })},
		{from: "P3/8 P4/8 P5/8", name: "TEE type 3", want: refused, edit: bytesOf(func(k kind, b []byte) []byte { b[4] = 3; return b })},
		{from: "P3/9 P4/9 P5/9", name: "TDX, and the report of an enclave", kinds: sgxKinds, want: refused, edit: bytesOf(func(k kind, b []byte) []byte { b[4] = 0x81; return b })},
		{from: "P4/10 P5/10", name: "SGX, and the report of a TD", kinds: tdxKinds, want: refused, edit: bytesOf(func(k kind, b []byte) []byte { b[4] = 0; return b })},
		{from: "P3/11 P4/15 P5/24", name: "other values in the report of an enclave", kinds: sgxKinds, edit: func(w *world) {
			r := &w.q.Enclave
			r.MiscSelect, r.ISVSVN, r.Attributes.Flags, r.Attributes.XFRM = 5, 300, 0x0807060504030201, 0x100f0e0d0c0b0a09
		}},
		{from: "P3/12 P3/17 P4/16 P4/21 P5/25 P5/30", name: "QE authentication data of 5 bytes", edit: func(w *world) { w.q.AuthData = []byte{1, 2, 3, 4, 5} }},
		{from: "P3/23 P4/28 P5/37 P3/20 P4/24 P5/33", name: "a PCK certificate in place of a chain", edit: func(w *world) {
			w.q.AuthData, w.q.CertType = []byte{0, 0xaa, 0xff}, dcap.CertPCKLeaf
		}},
		{from: "P3/15 P3/18 P4/19 P5/28", name: "size of the signature data too large", want: refused, edit: bytesOf(func(k kind, b []byte) []byte { add(b, k.bodyEnd(), 1); return b })},
		{from: "P3/16 P4/20 P5/29", name: "size of the signature data too small", want: refused, edit: bytesOf(func(k kind, b []byte) []byte { add(b, k.bodyEnd(), ^uint32(0)); return b })},
		{from: "P4/22 P5/31", name: "signature data of one byte more than what is in them", kinds: late, want: refused,
			edit: bytesOf(func(k kind, b []byte) []byte { add(b, k.bodyEnd(), 1); return append(b, 0) })},
		{from: "P3/19 P4/23 P5/32", name: "QE authentication data of a byte more than there is", want: refused,
			edit: bytesOf(func(k kind, b []byte) []byte { b[k.authSize()]++; return b })},
		// Intel's library takes this in version 3: a byte remains that belongs to
		// nothing. It is refused here, as Intel's does in versions 4 and 5.
		{from: "P3/21 P4/25 P5/34", name: "certification data of a byte less than there is", want: refused,
			edit: bytesOf(func(k kind, b []byte) []byte { add(b, k.certSize(), ^uint32(0)); return b })},
		{from: "P3/22 P4/26 P5/35", name: "certification data of a byte more than there is", want: refused,
			edit: bytesOf(func(k kind, b []byte) []byte { add(b, k.certSize(), 1); return b })},
		{from: "P4/27 P5/36", name: "QE authentication data too large, in sizes that match else", kinds: late, want: refused, edit: func(w *world) {
			w.q.AuthData = make([]byte, 32)
			bytesOf(func(k kind, b []byte) []byte { b[k.authSize()] += 4; return b })(w)
		}},
		{from: "P3/24", name: "certification data of type 6", kinds: v3, want: refused, edit: func(w *world) { w.q.EditUnsigned = func(p *testpki.Parts) { p.CertType = 6 } }},
		{from: "P4/29 P5/38", name: "certification data of type 6 within type 6", kinds: late, want: refused,
			edit: func(w *world) { w.q.EditUnsigned = func(p *testpki.Parts) { p.CertType = 6 } }},
		{from: "P4/30 P5/39", name: "certification data of type 5 in place of 6", kinds: late, want: refused,
			edit: func(w *world) { w.q.EditUnsigned = func(p *testpki.Parts) { p.OuterType = 5 } }},
		{from: "P5/16", name: "body type 100", kinds: v5, want: refused, edit: bytesOf(func(k kind, b []byte) []byte { b[48] = 100; return b })},
		{from: "P5/17 P5/18 P5/19 P5/20", name: "body size 0", kinds: v5, want: refused, edit: bytesOf(func(k kind, b []byte) []byte { copy(b[50:54], make([]byte, 4)); return b })},
	}
}
