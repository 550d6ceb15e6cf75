// Package epidqe is the quoting enclave of EPID: it turns the REPORT of an enclave,
// which only its own machine can check, into a quote of version 2 (package
// epid/quote), signed by the machine as a member of a group. The provisioning
// enclave (package arch/pve) makes the machine a member, and seals the key into a
// blob that the host stores.
//
// It does what Intel's does, with the same functions, errors and quotes. Blobs have
// the same fields, but nothing that was computed before. A SigRL and a quote are
// copied in and out as a whole, so that the enclave's memory bounds their sizes.
//
// The blob is all the state that there is. Package arch/epidqe/enclave is the
// program. Source: psw/ae/qe of Intel's SGX SDK, of which no code is used.
package epidqe

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync/atomic"

	"github.com/feidi-dev/feidi/arch/epidqe/edl"
	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/epid"
	"github.com/feidi-dev/feidi/epid/quote"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/seal"
)

// Sign types of quotes.
const (
	Unlinkable uint32 = 0
	Linkable   uint32 = 1
)

// QE serves the ECALLs of the enclave. It may be used concurrently.
type QE struct {
	processor leaf.Processor
	last      atomic.Pointer[member]
}

var _ edl.EpidQeECalls = (*QE)(nil)

// New returns the QE of a processor.
func New(p leaf.Processor) *QE { return &QE{processor: p} }

// VerifyBlob implements [edl.EpidQeECalls]. The CPUSVN is the machine's own.
func (q *QE) VerifyBlob(_ context.Context, blob []byte) (ret uint32, resealed uint8, cpuSVN edl.SgxCpuSvnT, err error) {
	if len(blob) != BlobSize {
		return ParameterError, 0, cpuSVN, nil
	}
	o, ret := q.open(blob)
	if ret != Success {
		return ret, 0, cpuSVN, nil
	}
	if o.resealed {
		resealed = 1
	}
	return Success, resealed, o.self.CPUSVN, nil
}

// GetQuote implements [edl.EpidQeECalls]: a quote of the enclave whose REPORT, made
// for the QE, app is. The SigRL is the issuer's signed file, or empty. With a nonce
// there is a REPORT for the enclave, whose data are SHA-256(nonce || quote).
func (q *QE) GetQuote(_ context.Context, blob []byte, app *isa.Report, kind uint32, spid *edl.SgxSpidT, nonce *edl.SgxQuoteNonceT, sigRL []byte, room uint32, pceSVN uint16) (ret uint32, report isa.Report, raw []byte, err error) {
	if len(blob) != BlobSize || app == nil || spid == nil || room == 0 || kind != Unlinkable && kind != Linkable {
		return ParameterError, report, nil, nil
	}
	if q.processor.VerifyReport(app) != nil {
		return ParameterError, report, nil, nil
	}
	m, ret := q.member(blob)
	if ret != Success {
		return ret, report, nil, nil
	}
	l, ret := m.sigRL(sigRL)
	if ret != Success {
		return ret, report, nil, nil
	}
	entries := 0
	if l != nil {
		entries = len(l.Entries)
	}
	if uint64(room) < uint64(quote.Size(entries)) {
		return ParameterError, report, nil, nil
	}
	if raw, ret = m.quote(app, kind, *spid, l, pceSVN); ret != Success {
		return ret, report, nil, nil
	}
	if nonce != nil {
		h := sha256.New()
		h.Write(nonce[:])
		h.Write(raw)
		var data [64]byte
		h.Sum(data[:0])
		target := isa.TargetInfo{Measurement: app.MREnclave, Attributes: app.Attributes, MiscSelect: app.MiscSelect}
		r, err := q.processor.Report(&target, data)
		if err != nil {
			return ParameterError, report, nil, nil
		}
		report = *r
	}
	return Success, report, raw, nil
}

// opened is what a blob has.
type opened struct {
	data     *Data
	key      epid.PrivateKey
	self     *isa.Report // the QE's own
	resealed bool
}

// open opens a blob. What was sealed at other SVNs is sealed anew, and changes the
// blob.
func (q *QE) open(blob []byte) (*opened, uint32) {
	sealed, err := seal.Parse(blob)
	if err != nil || sealed.PlaintextLen() != epid.PrivateKeySize || sealed.AdditionalLen() != DataSize {
		return nil, BlobError
	}
	o := new(opened)
	if o.self, err = q.processor.Report(nil, [64]byte{}); err != nil {
		return nil, UnexpectedError
	}
	request := sealed.Request()
	if seal.NeedsKSS(&request) && o.self.Attributes.Flags&isa.AttrKSS == 0 {
		return nil, BlobError // EGETKEY would be a fault
	}
	key, err := q.processor.Key(&request)
	if err != nil {
		return nil, BlobError
	}
	plain, text, err := sealed.Open(key)
	if err != nil {
		return nil, BlobError
	}
	o.data = new(Data)
	if err := o.data.UnmarshalBinary(text); err != nil {
		return nil, BlobError
	}
	if o.key, err = epid.ParsePrivateKey(plain); err != nil {
		return nil, BlobError
	}
	if request.CPUSVN != o.self.CPUSVN || request.ISVSVN != o.self.ISVSVN {
		b, err := Seal(q.processor, o.self, o.data, o.key)
		if err != nil || copy(blob, b) != BlobSize {
			return nil, UnexpectedError
		}
		o.resealed = true
	}
	return o, Success
}

// member is a blob's member of the group, ready to sign. It is not changed.
type member struct {
	*epid.Member
	blob []byte
	data *Data
	svn  uint16 // the QE's ISVSVN
}

// member opens a blob for quotes. The last one is remembered, which saves four
// pairings and changes no answer: no SVN changes while an enclave runs.
func (q *QE) member(blob []byte) (*member, uint32) {
	if m := q.last.Load(); m != nil && bytes.Equal(m.blob, blob) {
		return m, Success
	}
	o, ret := q.open(blob)
	if ret != Success {
		return nil, ret
	}
	g, err := epid.NewGroup(o.data.Group)
	if err != nil {
		return nil, UnexpectedError
	}
	m := &member{blob: bytes.Clone(blob), data: o.data, svn: o.self.ISVSVN}
	if m.Member, err = g.NewMember(o.key, epid.SHA256); err != nil {
		return nil, UnexpectedError
	}
	q.last.Store(m)
	return m, Success
}

// Sizes of a SigRL's file in bytes: without entries, and of an entry.
const (
	sigRLOverhead = 4 + 12 + 64
	sigRLEntry    = 128
)

// sigRL reads a SigRL's file; nil is none.
func (m *member) sigRL(file []byte) (*epid.SigRL, uint32) {
	if len(file) == 0 {
		return nil, Success
	}
	if n := len(file) - sigRLOverhead; n < 0 || n%sigRLEntry != 0 {
		return nil, ParameterError
	}
	body, err := epid.OpenFile(m.data.SigningKey, epid.FileSigRL, file)
	if errors.Is(err, epid.ErrSignature) {
		return nil, SigRLError
	} else if err != nil {
		return nil, ParameterError
	}
	l, err := epid.ParseSigRL(body)
	if err != nil || l.GID != m.data.Group.GID {
		return nil, ParameterError
	}
	return l, Success
}

// quote signs.
func (m *member) quote(app *isa.Report, kind uint32, spid [16]byte, l *epid.SigRL, pceSVN uint16) ([]byte, uint32) {
	var random [16]byte
	if kind == Unlinkable {
		if _, err := rand.Read(random[:]); err != nil {
			return nil, UnexpectedError
		}
	}
	qt := &quote.Quote{
		Linkable: kind == Linkable, GID: m.data.Group.GID, QESVN: m.svn, PCESVN: pceSVN, XEID: m.data.XEID,
		Basename: quote.Basename(spid, random), Body: app.ReportBody,
	}
	s, err := m.Sign(nil, qt.AppendSigned(nil), qt.Basename[:], l)
	if errors.Is(err, epid.ErrSignatureRevoked) {
		return nil, RevokedError
	} else if err != nil {
		return nil, UnexpectedError
	}
	if qt.Signature, err = epid.SealSignature(nil, m.data.Service, s); err != nil {
		return nil, UnexpectedError
	}
	return qt.Bytes(), Success
}
