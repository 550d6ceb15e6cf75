// Package pce is the provisioning certification enclave. It tells who a platform
// is, in a form that only the owner of a key can read, and certifies the quoting
// enclave with a key that the factory certifies in turn, the PCK.
//
// It does what Intel's PCE does, check for check and in the same order, and each
// can take the other's place. Package arch/pce/enclave is the program.
//
// Sources: psw/ae/pce of Intel's SGX SDK, of which no code is used.
package pce

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"

	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/arch/pce/edl"
	"github.com/feidi-dev/feidi/internal/p256"
	"github.com/feidi-dev/feidi/isa"
)

// What the enclave says of itself and understands (pce_cert.h).
const (
	ID              = 0 // PCE ID: which PCE of a platform it is
	SuiteRSAOAEP    = 1 // crypto suite RSA-3072-OAEP with SHA-256, the only one
	SchemeECDSAP256 = 0 // signature scheme ECDSA over P-256 with SHA-256
)

// Sizes in bytes.
const (
	ModulusSize       = 384             // of an RSA key, big endian
	PublicKeySize     = ModulusSize + 4 // modulus and exponent, big endian
	EncryptedPPIDSize = ModulusSize
	SignatureSize     = p256.Size
)

// PCE serves the ECALLs of the enclave. It has no state.
type PCE struct{ processor leaf.Processor }

var _ edl.PceECalls = (*PCE)(nil)

// New returns the PCE of a processor.
func New(p leaf.Processor) *PCE { return &PCE{p} }

// GetPcInfo implements [edl.PceECalls]. The public key is modulus and exponent;
// the REPORT's data begin with SHA-256(suite || key), the rest is zero.
func (p *PCE) GetPcInfo(_ context.Context, report *isa.Report, publicKey []byte, suite uint8, room uint32) (ret uint32, ppid []byte, size uint32, info edl.PceInfo, scheme uint8, err error) {
	switch {
	case report == nil || publicKey == nil || room == 0:
		ret = InvalidParameter
	case suite != SuiteRSAOAEP || len(publicKey) != PublicKeySize:
		ret = InvalidParameter
	case room < EncryptedPPIDSize:
		ret = InsufficientBuffer
	default:
		if ret = p.checkCaller(report); ret == Success && report.ReportData != KeyReportData(suite, publicKey) {
			ret = CryptoError
		}
	}
	if ret != Success {
		return
	}
	if ppid, ret = p.encryptedPPID(publicKey); ret != Success {
		return
	}
	if info, ret = p.info(); ret != Success {
		return ret, nil, 0, info, 0, nil
	}
	return Success, ppid, uint32(len(ppid)), info, SchemeECDSAP256, nil
}

// CertifyEnclave implements [edl.PceECalls]: it signs the REPORT's first 384
// bytes with the PCK. Those SVNs that the platform or the PCE has not reached are
// a Failure.
func (p *PCE) CertifyEnclave(_ context.Context, svn *edl.Psvn, report *isa.Report, room uint32) (ret uint32, sig []byte, size uint32, err error) {
	switch {
	case svn == nil || report == nil || room == 0:
		return InvalidParameter, nil, 0, nil
	case room < SignatureSize:
		return InsufficientBuffer, nil, SignatureSize, nil
	}
	if ret = p.checkCaller(report); ret != Success {
		return
	}
	request := derive.ProvisioningRequest(svn.CpuSvn, svn.IsvSvn)
	key, err := p.processor.Key(&request)
	if err != nil {
		return Failure, nil, 0, nil
	}
	body, err := report.ReportBody.AppendBinary(nil)
	if err != nil {
		return Failure, nil, 0, nil
	}
	s, err := p256.Sign(derive.PCK(key), body)
	if err != nil {
		return Failure, nil, 0, nil
	}
	return Success, s[:], SignatureSize, nil
}

// GetPcInfoWithoutPpid implements [edl.PceECalls].
func (p *PCE) GetPcInfoWithoutPpid(context.Context) (ret uint32, info edl.PceInfo, err error) {
	info, ret = p.info()
	return ret, info, nil
}

// checkCaller checks that a REPORT is of an enclave of this platform that may
// know who the platform is.
func (p *PCE) checkCaller(report *isa.Report) uint32 {
	if p.processor.VerifyReport(report) != nil {
		return InvalidReport
	}
	if report.Attributes.Flags&isa.AttrProvisionKey == 0 {
		return InvalidPrivilege
	}
	return Success
}

// info says which PCE this is.
func (p *PCE) info() (edl.PceInfo, uint32) {
	self, err := p.processor.Report(nil, [64]byte{})
	if err != nil {
		return edl.PceInfo{}, UnexpectedError
	}
	return edl.PceInfo{IsvSvn: self.ISVSVN, Id: ID}, Success
}

// encryptedPPID encrypts the PPID.
func (p *PCE) encryptedPPID(publicKey []byte) ([]byte, uint32) {
	request := derive.ProvisioningRequest([16]byte{}, 0)
	key, err := p.processor.Key(&request)
	if err != nil {
		return nil, Failure
	}
	ppid := derive.PPID(key)
	k := rsa.PublicKey{
		N: new(big.Int).SetBytes(publicKey[:ModulusSize]),
		E: int(binary.BigEndian.Uint32(publicKey[ModulusSize:])),
	}
	c, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &k, ppid[:], nil)
	if err != nil || len(c) != EncryptedPPIDSize {
		return nil, Failure
	}
	return c, Success
}

// KeyReportData returns the data of a REPORT that vouches for a public key.
func KeyReportData(suite uint8, publicKey []byte) (data [64]byte) {
	h := sha256.New()
	h.Write([]byte{suite})
	h.Write(publicKey)
	h.Sum(data[:0])
	return data
}

// AppendPublicKey appends modulus and exponent of an RSA-3072 key, as the PCE
// takes it. A modulus of another size is not taken: ok is false.
func AppendPublicKey(b []byte, key *rsa.PublicKey) (_ []byte, ok bool) {
	if key.N.BitLen() != 8*ModulusSize || key.E < 0 || uint64(key.E) >= 1<<32 {
		return b, false
	}
	b = append(b, key.N.FillBytes(make([]byte, ModulusSize))...)
	return binary.BigEndian.AppendUint32(b, uint32(key.E)), true
}
