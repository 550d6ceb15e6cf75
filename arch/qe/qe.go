// Package qe is the quoting enclave: it turns the REPORT of an enclave, which only
// its own machine can check, into a quote, which anybody can. It has the PCE
// certify its attestation key, and keeps the key and the certification in a blob,
// sealed, that the host stores.
//
// It does what Intel's QE3 does, with the same functions, structures and errors,
// and some that QE3 has in its source but not in its binary or not at all:
//
//   - the PPID in the clear (certification data of type 1);
//   - quotes of versions 4 and 5;
//   - a blob that is not certified yet gives no quote, but ErrorWrongState.
//
// The order of calls is GetPceEncryptKey, then get_pc_info of the PCE; GenAttKey,
// then certify_enclave; StoreCertData; and GenQuote as often as one likes. But for
// the key of a PPID in the clear, the blob is all the state that there is. Package
// arch/qe/enclave is the program.
//
// Sources: quote_wrapper/quote/enclave of Intel's DCAP, of which no code is used;
// Intel SGX ECDSA QuoteLibReference API, "Quote Format".
package qe

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/pce"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/internal/p256"
	"github.com/feidi-dev/feidi/isa"
)

// QE serves the ECALLs of the enclave. It may be used concurrently.
type QE struct {
	processor leaf.Processor
	ppidKey   []byte
	last      atomic.Pointer[signer]
	reports   atomic.Pointer[reportKey]

	mu  sync.Mutex
	own *rsa.PrivateKey // for a PPID that is to be in the clear; nil until it is asked for
}

var _ edl.Qe3ECalls = (*QE)(nil)

// New returns the QE of a processor. The key, of ppid.KeySize bytes, is the one
// that PPIDs are encrypted to; without one, they are only to be had in the clear.
func New(p leaf.Processor, ppidKey []byte) *QE {
	return &QE{processor: p, ppidKey: bytes.Clone(ppidKey)}
}

// GetPceEncryptKey implements [edl.Qe3ECalls]. With dcap.CertPPIDRSA3072 the key is
// that of [New]; with dcap.CertPPIDClear the QE makes one, which takes a second
// and is lost when the QE ends.
func (q *QE) GetPceEncryptKey(_ context.Context, target *isa.TargetInfo, suite uint8, kind uint16, size uint32) (ret uint32, report isa.Report, key []byte, err error) {
	if target == nil || suite != pce.SuiteRSAOAEP || size != ppid.KeySize || !ppid.Trusts(target) {
		return ErrorInvalidParameter, report, nil, nil
	}
	switch dcap.CertificationType(kind) {
	case dcap.CertPPIDRSA3072:
		if len(q.ppidKey) != ppid.KeySize {
			return ErrorWrongState, report, nil, nil
		}
		key = q.ppidKey
	case dcap.CertPPIDClear:
		own, err := q.ownKey(true)
		if err != nil {
			return ErrorCrypto, report, nil, nil
		}
		key, _ = pce.AppendPublicKey(nil, &own.PublicKey)
	default:
		return ErrorInvalidParameter, report, nil, nil
	}
	r, err := ppid.Report(q.processor, target, key)
	if err != nil {
		return ErrorUnexpected, report, nil, nil
	}
	return Success, *r, key, nil
}

// ownKey returns the QE's own key, which it draws if it is to.
func (q *QE) ownKey(draw bool) (_ *rsa.PrivateKey, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.own == nil && draw {
		q.own, err = rsa.GenerateKey(rand.Reader, 8*pce.ModulusSize)
	}
	return q.own, err
}

// GenAttKey implements [edl.Qe3ECalls]. The attestation key is the same each time,
// until an SVN of the platform or the QE changes. The REPORT's data begin with
// SHA-256(attestation key || authentication data). What the blob has been does not
// matter.
func (q *QE) GenAttKey(_ context.Context, blob []byte, target *isa.TargetInfo, auth []byte) (ret uint32, report isa.Report, err error) {
	if target == nil || len(blob) != BlobSize || !ppid.Trusts(target) || len(auth) != 0 && len(auth) != AuthDataSize {
		return ErrorInvalidParameter, report, nil
	}
	self, err := q.processor.Report(nil, [64]byte{})
	if err != nil {
		return ErrorUnexpected, report, nil
	}
	request := derive.SealRequest(self.CPUSVN, self.ISVSVN)
	seed, err := q.processor.Key(&request)
	if err != nil {
		return ErrorAttestationKey, report, nil
	}
	key := derive.AttestationKey(seed)
	private, err := key.Bytes()
	if err != nil {
		return ErrorAttestationKey, report, nil
	}
	s := &secret{private: [32]byte(private)}
	d := &Data{AuthData: auth}
	if d.AttestationKey, err = p256.Public(key); err != nil {
		return ErrorAttestationKey, report, nil
	}
	d.KeyID = sha256.Sum256(append(d.AttestationKey[:], auth...))
	var data [64]byte
	copy(data[:], d.KeyID[:])
	r, err := q.processor.Report(target, data)
	if err != nil {
		return ErrorUnexpected, report, nil
	}
	if d.QEID, ret = q.id(); ret != Success {
		return ret, report, nil
	}
	if ret = q.sealInto(blob, self, d, s); ret != Success {
		return ret, report, nil
	}
	return Success, *r, nil
}

// VerifyBlob implements [edl.Qe3ECalls]. The size is zero, or at least that of a
// key ID, 32 bytes. The REPORT body is the QE's own.
func (q *QE) VerifyBlob(_ context.Context, blob []byte, size uint32) (ret uint32, resealed uint8, body edl.SgxReportBodyT, keyID []byte, err error) {
	if len(blob) != BlobSize || size != 0 && size < sha256.Size {
		return ErrorInvalidParameter, 0, body, nil, nil
	}
	d, _, self, changed, ret := q.open(blob)
	if ret != Success {
		return ret, 0, body, nil, nil
	}
	if _, err := self.ReportBody.AppendBinary(body[:0]); err != nil {
		return ErrorUnexpected, 0, body, nil, nil
	}
	if changed {
		resealed = 1
	}
	if size != 0 {
		keyID = d.KeyID[:]
	}
	return Success, resealed, body, keyID, nil
}

// StoreCertData implements [edl.Qe3ECalls]. Of the data it takes what tells of the
// certification: SVNs, PCE, QE report and signature, and the QE ID unless that is
// zero. Without a PPID, that of the last certification remains.
func (q *QE) StoreCertData(_ context.Context, data *edl.RefPlaintextEcdsaDataSdkT, kind uint32, encrypted, blob []byte) (ret uint32, err error) {
	if data == nil || len(blob) != BlobSize || len(encrypted) != 0 && len(encrypted) != pce.EncryptedPPIDSize {
		return ErrorInvalidParameter, nil
	}
	if kind != uint32(dcap.CertPPIDRSA3072) && kind != uint32(dcap.CertPPIDClear) {
		return ErrorInvalidParameter, nil
	}
	var given Data
	if given.UnmarshalBinary(data[:]) != nil {
		return ErrorInvalidParameter, nil
	}
	d, s, self, _, ret := q.open(blob)
	if ret != Success {
		return ret, nil
	}
	if [32]byte(given.QEReport.ReportData[:]) != d.KeyID {
		return ErrorInvalidParameter, nil // certified was another key than the blob has
	}
	if len(encrypted) != 0 {
		if ret := q.keepPPID(s, kind == uint32(dcap.CertPPIDClear), encrypted); ret != Success {
			return ret, nil
		}
	}
	d.SealCPUSVN, d.SealQEISVSVN, d.CertQEISVSVN = self.CPUSVN, self.ISVSVN, self.ISVSVN
	d.CertCPUSVN, d.CertPCE, d.CertKeyType = given.CertCPUSVN, given.CertPCE, given.CertKeyType
	d.RawCPUSVN, d.RawPCE = given.RawCPUSVN, given.RawPCE
	d.SignatureScheme, d.PCETarget = given.SignatureScheme, given.PCETarget
	d.QEReport, d.Signature = given.QEReport, given.Signature
	if given.QEID != [16]byte{} {
		d.QEID = given.QEID
	}
	return q.sealInto(blob, self, d, s), nil
}

// keepPPID keeps a PPID as it is, or in the clear.
func (q *QE) keepPPID(s *secret, clear bool, encrypted []byte) uint32 {
	if !clear {
		s.clear, s.encrypted = false, [pce.EncryptedPPIDSize]byte(encrypted)
		return Success
	}
	own, _ := q.ownKey(false)
	if own == nil {
		return ErrorWrongState
	}
	plain, err := rsa.DecryptOAEP(sha256.New(), nil, own, encrypted, nil)
	if err != nil || len(plain) != len(s.ppid) {
		return ErrorCrypto
	}
	s.clear, s.ppid = true, [16]byte(plain)
	return Success
}
