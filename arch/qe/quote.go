package qe

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"

	"github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/p256"
	"github.com/feidi-dev/feidi/isa"
)

// MaxCertData is how large certification data can be, in bytes, without the six
// of their type and size.
const MaxCertData = 3 * 4098

// MaxQuote is how large a quote can be, in bytes.
const MaxQuote = signedSize + 4 + // header, body, size
	2*p256.Size + 6 + isa.ReportBodySize + p256.Size + 2 + AuthDataSize + 6 + MaxCertData

// signedSize is how much of a quote is signed at most, in bytes.
const signedSize = dcap.QuoteHeaderSize + 6 + isa.ReportBodySize

// certDataHeader is the size of type and size of certification data in bytes.
const certDataHeader = 6

// GenQuote implements [edl.Qe3ECalls]: a quote of version 3, see
// [QE.GenQuoteVersion].
func (q *QE) GenQuote(ctx context.Context, blob []byte, app *isa.Report, nonce *edl.SgxQuoteNonceT, target *isa.TargetInfo, quote []byte, pceSVN uint16, certData []byte) (ret uint32, report isa.Report, err error) {
	return q.GenQuoteVersion(ctx, dcap.QuoteV3, blob, app, nonce, target, quote, pceSVN, certData)
}

// GenQuoteVersion implements [edl.Qe3ECalls]: a quote of the enclave whose REPORT,
// made for the QE, app is. It is written to the start of quote; its length is
// known to those who read it.
//
// Certification data are a type and a size, little endian, and so many bytes: of
// type 5, a PCK certificate chain in PEM, or any other that package dcap knows.
// Without, they are the PPID and the SVNs that the blob has.
//
// With a nonce and the target info of an enclave there is a REPORT for that
// enclave, whose data begin with SHA-256(nonce || quote).
func (q *QE) GenQuoteVersion(_ context.Context, version uint16, blob []byte, app *isa.Report, nonce *edl.SgxQuoteNonceT, target *isa.TargetInfo, quote []byte, pceSVN uint16, certData []byte) (ret uint32, report isa.Report, err error) {
	if len(blob) != BlobSize || app == nil || len(quote) == 0 || (nonce == nil) != (target == nil) ||
		version < dcap.QuoteV3 || version > dcap.QuoteV5 {
		return ErrorInvalidParameter, report, nil
	}
	certification, ok := readCertData(certData)
	if !ok {
		return ErrorInvalidParameter, report, nil
	}
	if !q.made(app) {
		return ErrorInvalidReport, report, nil
	}
	k, ret := q.signer(blob)
	if ret != Success {
		return ret, report, nil
	}
	if certification == nil {
		certification = k.data.certification(k.secret)
	}
	raw, ret := k.quote(version, app, pceSVN, certification, min(len(quote), MaxQuote))
	if ret != Success {
		return ret, report, nil
	}
	if len(raw) > len(quote) {
		return ErrorInvalidParameter, report, nil
	}
	if nonce != nil {
		h := sha256.New()
		h.Write(nonce[:])
		h.Write(raw)
		var data [64]byte
		h.Sum(data[:0])
		r, err := q.processor.Report(target, data)
		if err != nil {
			return ErrorQEReport, report, nil
		}
		report = *r
	}
	copy(quote, raw)
	return Success, report, nil
}

// signer is what a blob has that quotes need. It is not changed.
type signer struct {
	blob   []byte
	data   *Data
	secret *secret
	key    *ecdsa.PrivateKey
	svn    uint16 // the QE's ISVSVN
}

// signer opens a blob. The last one is remembered, which halves the cost of a
// quote and changes no answer: no SVN changes while an enclave runs.
func (q *QE) signer(blob []byte) (*signer, uint32) {
	if k := q.last.Load(); k != nil && bytes.Equal(k.blob, blob) {
		return k, Success
	}
	d, s, self, _, ret := q.open(blob)
	if ret != Success {
		return nil, ret
	}
	if [32]byte(d.QEReport.ReportData[:]) != d.KeyID {
		return nil, ErrorWrongState // nobody has certified the key yet
	}
	if d.QEID == [16]byte{} {
		if d.QEID, ret = q.id(); ret != Success {
			return nil, ret
		}
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), s.private[:])
	if err != nil {
		return nil, ErrorUnexpected
	}
	k := &signer{bytes.Clone(blob), d, s, key, self.ISVSVN}
	q.last.Store(k)
	return k, Success
}

// quote signs. A quote of at most room bytes costs no more memory than that.
func (k *signer) quote(version uint16, app *isa.Report, pceSVN uint16, c dcap.CertificationData, room int) ([]byte, uint32) {
	d := k.data
	quote := dcap.Quote{
		Header: dcap.QuoteHeader{
			Version: version, AttestationKeyType: dcap.ECDSAP256, TEEType: dcap.TEESGX,
			QEVendorID: dcap.IntelQEVendorID,
		},
		Body:           &dcap.EnclaveReport{ReportBody: app.ReportBody},
		AttestationKey: d.AttestationKey, QEReport: d.QEReport.ReportBody, QEReportSignature: d.Signature,
		QEAuthData: d.AuthData, Certification: c,
	}
	if version == dcap.QuoteV3 {
		quote.Header.QESVN, quote.Header.PCESVN = k.svn, pceSVN
	}
	copy(quote.Header.UserData[:], d.QEID[:])
	var err error
	if quote.Signature, err = p256.Sign(k.key, quote.AppendSigned(make([]byte, 0, signedSize))); err != nil {
		return nil, ErrorUnexpected
	}
	raw, err := quote.AppendBinary(make([]byte, 0, room))
	if err != nil {
		return nil, ErrorUnexpected
	}
	return raw, Success
}

// certification returns what a PCK certificate is asked for with.
func (d *Data) certification(s *secret) *dcap.PPID {
	p := &dcap.PPID{
		Encryption: dcap.CertPPIDRSA3072, PPID: s.encrypted[:],
		CPUSVN: d.CertCPUSVN, PCESVN: d.CertPCE.ISVSVN, PCEID: binary.LittleEndian.AppendUint16(nil, d.CertPCE.ID),
	}
	if s.clear {
		p.Encryption, p.PPID = dcap.CertPPIDClear, s.ppid[:]
	}
	return p
}

// readCertData reads certification data; none are nil.
func readCertData(b []byte) (_ dcap.CertificationData, ok bool) {
	if len(b) == 0 {
		return nil, true
	}
	if len(b) < certDataHeader || len(b) > certDataHeader+MaxCertData ||
		uint64(binary.LittleEndian.Uint32(b[2:])) != uint64(len(b)-certDataHeader) {
		return nil, false
	}
	kind, b := dcap.CertificationType(binary.LittleEndian.Uint16(b)), b[certDataHeader:]
	switch kind {
	case dcap.CertPCKLeaf:
		return &dcap.PCKLeaf{PEM: b}, true
	case dcap.CertPCKChain:
		return &dcap.PCKChain{PEM: b}, true
	case dcap.CertPlatformManifest:
		return &dcap.PlatformManifest{Manifest: b}, true
	}
	n, ok := map[dcap.CertificationType]int{
		dcap.CertPPIDClear: 16, dcap.CertPPIDRSA2048: 256, dcap.CertPPIDRSA3072: 384,
	}[kind]
	if !ok || len(b) != n+18 && len(b) != n+20 {
		return nil, false
	}
	return &dcap.PPID{
		Encryption: kind, PPID: b[:n], CPUSVN: [16]byte(b[n:]),
		PCESVN: binary.LittleEndian.Uint16(b[n+16:]), PCEID: b[n+18:],
	}, true
}
