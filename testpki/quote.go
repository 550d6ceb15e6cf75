package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

// Quote is a quote before it is signed. Version, body type and certification
// data may be combined as one likes, also to what no verifier takes.
type Quote struct {
	Platform *Platform

	// Header.Version says how the quote is laid out: 3 has its certification
	// data at the end, all others have them within data of type 6, and from
	// 5 on there is a body descriptor.
	Header   dcap.QuoteHeader
	BodyType dcap.BodyType     // BodySGX means Enclave, all others TD
	Enclave  isa.ReportBody    // what the quote of an enclave says
	TD       dcap.TDReport15Ex // what the quote of a TD says; earlier types are the beginning of it

	// QEReport is the quoting enclave's, which is at the first level of its
	// identity. Its report data are set when the quote is made, and bind the
	// attestation key and AuthData.
	QEReport isa.ReportBody
	AuthData []byte

	CertType dcap.CertificationType
	CertData []byte // if nil, what belongs to CertType

	AttestationKey *ecdsa.PrivateKey
	Signer         crypto.Signer // of the quote; if nil, AttestationKey
	QEReportSigner crypto.Signer // if nil, the key of the PCK certificate

	// Edits of bytes, in the order in which they are made; each may be nil.
	EditUnsigned func(*Parts) // report data are bound, nothing is signed
	EditSigned   func(*Parts)
	EditBytes    func([]byte) []byte
}

// Parts are the bytes of a quote before they are put together. Sizes are
// written of what is there.
type Parts struct {
	Header     []byte // 48 bytes
	Descriptor []byte // body type and size, 6 bytes; empty below version 5
	Body       []byte

	Signature []byte // by the attestation key over the above: R and S, 64 bytes
	PublicKey []byte // the attestation key: X and Y, 64 bytes
	OuterType uint16 // 6; not in version 3

	QEReport          []byte // 384 bytes
	QEReportSignature []byte // by the PCK over QEReport, 64 bytes
	AuthData          []byte
	CertType          uint16
	CertData          []byte
}

// SGXQuote returns a quote of an enclave, version 3, with the PCK certificate
// chain in it.
func (m *Platform) SGXQuote(edits ...func(*Quote)) *Quote {
	q := m.quote(dcap.TEESGX, 3)
	q.BodyType = dcap.BodySGX
	q.Header.QESVN, q.Header.PCESVN = q.QEReport.ISVSVN, m.SGX.PCESVN
	return q.edit(edits)
}

// TDXQuote returns a quote of a TD, version 4. For TDX 1.5 set Header.Version
// to 5 and BodyType to BodyTD15 or BodyTD15Ex.
func (m *Platform) TDXQuote(edits ...func(*Quote)) *Quote {
	q := m.quote(dcap.TEETDX, 4)
	q.BodyType = dcap.BodyTD10
	return q.edit(edits)
}

func (q *Quote) edit(edits []func(*Quote)) *Quote {
	for _, e := range edits {
		e(q)
	}
	return q
}

// quote fills in what does not depend on the kind of quote.
func (m *Platform) quote(tee dcap.TEEType, version uint16) *Quote {
	p := m.PKI
	q := &Quote{
		Platform: m,
		Header:   dcap.QuoteHeader{Version: version, AttestationKeyType: 2, TEEType: tee, QEVendorID: vendorID},
		AuthData: make([]byte, 32), CertType: dcap.CertPCKChain, AttestationKey: m.AttestationKey,
	}
	copy(q.Header.UserData[:], m.QEID[:])
	for i := range q.AuthData {
		q.AuthData[i] = byte(i) // as Intel's quoting enclaves do
	}

	q.Enclave = isa.ReportBody{
		CPUSVN: m.SGX.CPUSVN, Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit, XFRM: 0xe7},
		MREnclave: p.derive("MRENCLAVE"), MRSigner: p.derive("MRSIGNER"), ISVProdID: 1, ISVSVN: 1,
	}
	td := &q.TD
	td.TEETCBSVN, td.TEETCBSVN2 = m.TEETCBSVN, m.TEETCBSVN
	td.TDAttributes, td.XFAM = 1<<28, 0x602e7 // SEPT_VE_DISABLE
	p.fill(td.MRSEAM[:], "MRSEAM")
	p.fill(td.MRTD[:], "MRTD")
	for i := range td.RTMR {
		p.fill(td.RTMR[i][:], fmt.Sprintf("RTMR%d", i))
	}

	id := p.identity(tee)
	q.QEReport = isa.ReportBody{
		CPUSVN: m.SGX.CPUSVN, MiscSelect: isa.MiscSelect(id.MiscSelect),
		Attributes: isa.Attributes{
			Flags: isa.AttributeFlags(binary.LittleEndian.Uint64(id.Attributes[:])) | isa.AttrMode64Bit,
			XFRM:  0xe7,
		},
		MREnclave: p.derive(id.ID), MRSigner: id.MRSigner, ISVProdID: id.ISVProdID,
	}
	if len(id.Levels) > 0 {
		q.QEReport.ISVSVN = id.Levels[0].ISVSVN
	}
	return q
}

// vendorID is that of Intel's quoting enclaves.
var vendorID = [16]byte{0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07}

// Collateral returns what a verifier needs for this quote.
func (q *Quote) Collateral() *dcap.Collateral { return q.Platform.Collateral(q.Header.TEEType) }

// Bytes makes the quote: two signatures. It may be called again after changes.
func (q *Quote) Bytes() []byte {
	p := q.parts()
	if q.EditUnsigned != nil {
		q.EditUnsigned(p)
	}
	signer := q.Signer
	if signer == nil {
		signer = q.AttestationKey
	}
	qeSigner := q.QEReportSigner
	if qeSigner == nil {
		qeSigner = q.Platform.PCK.Key()
	}
	p.Signature = signRaw(signer, p.Signed())
	p.QEReportSignature = signRaw(qeSigner, p.QEReport)
	if q.EditSigned != nil {
		q.EditSigned(p)
	}
	return edit(q.EditBytes, p.assemble(q.Header.Version == 3))
}

// Signed returns what the attestation key signs.
func (p *Parts) Signed() []byte { return join(p.Header, p.Descriptor, p.Body) }

func (q *Quote) parts() *Parts {
	p := &Parts{
		Header: encodeHeader(&q.Header), Body: q.body(), PublicKey: point(q.AttestationKey),
		OuterType: uint16(dcap.CertQEReport), AuthData: q.AuthData, CertType: uint16(q.CertType), CertData: q.CertData,
	}
	if q.Header.Version >= 5 {
		p.Descriptor = binary.LittleEndian.AppendUint16(nil, uint16(q.BodyType))
		p.Descriptor = binary.LittleEndian.AppendUint32(p.Descriptor, uint32(len(p.Body)))
	}
	report := q.QEReport
	bound := sha256.Sum256(join(p.PublicKey, p.AuthData))
	report.ReportData = [64]byte{}
	copy(report.ReportData[:], bound[:])
	p.QEReport = encodeEnclaveReport(&report)
	if p.CertData == nil {
		p.CertData = q.certificationData()
	}
	return p
}

// certificationData returns what belongs to the type. The forms of PPIDs are
// those that Intel's library is built with: only type 3 says the PCE ID.
func (q *Quote) certificationData() []byte {
	m := q.Platform
	svns := binary.LittleEndian.AppendUint16(m.SGX.CPUSVN[:], m.SGX.PCESVN)
	switch q.CertType {
	case dcap.CertPPIDClear:
		return join(m.SGX.PPID[:], svns)
	case dcap.CertPPIDRSA2048:
		return join(m.EncryptedPPID[:256], svns)
	case dcap.CertPPIDRSA3072:
		return join(m.EncryptedPPID[:], svns, m.SGX.PCEID[:])
	case dcap.CertPCKLeaf:
		return m.PCK.PEM()
	case dcap.CertPCKChain:
		return append(m.ChainPEM(), 0) // with the zero that quotes have
	}
	b := make([]byte, 512) // a platform manifest, as opaque as Intel's
	m.PKI.fill(b, "manifest")
	return b
}

// assemble writes sizes and puts the parts together.
func (p *Parts) assemble(version3 bool) []byte {
	inner := join(p.QEReport, p.QEReportSignature,
		binary.LittleEndian.AppendUint16(nil, uint16(len(p.AuthData))), p.AuthData,
		certified(p.CertType, p.CertData))
	if !version3 {
		inner = certified(p.OuterType, inner)
	}
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(p.Signature)+len(p.PublicKey)+len(inner)))
	return join(p.Signed(), size, p.Signature, p.PublicKey, inner)
}

// certified puts type and size before certification data.
func certified(kind uint16, data []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, kind)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(data))), data...)
}
