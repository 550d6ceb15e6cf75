package local

import (
	"crypto/ecdh"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/feidi-dev/feidi/attest/internal/kex"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// Responder is the side that sends message 1. It serves one exchange, and not
// several goroutines.
type Responder struct {
	enclave Enclave
	step    kex.Step
	key     *ecdh.PrivateKey
}

// NewResponder begins an exchange.
func NewResponder(e Enclave) *Responder { return &Responder{enclave: e} }

// Msg1 returns message 1, Msg1Size bytes.
func (r *Responder) Msg1() ([]byte, error) {
	r.key = nil
	if !r.step.Enter(kex.Fresh) {
		return nil, outOfOrder("Msg1")
	}
	key, err := kex.GenerateKey()
	if err != nil {
		return nil, err
	}
	target, err := r.enclave.Target()
	if err != nil {
		return nil, err
	}
	ga := kex.PublicOf(key)
	msg1, err := target.AppendBinary(ga[:])
	if err != nil {
		return nil, err
	}
	r.key, r.step = key, kex.Waiting
	return msg1, nil
}

// ProcMsg2 checks message 2 and returns message 3, Msg3Size bytes and the
// additional properties, which the initiator will have with the certainty that
// they are the responder's. There may be none.
//
// The caller sends message 3 only if it accepts the session's peer.
func (r *Responder) ProcMsg2(msg2, additional []byte) (msg3 []byte, s *Session, err error) {
	key := r.key
	r.key = nil // for one use, whatever comes of it
	if !r.step.Enter(kex.Waiting) {
		return nil, nil, outOfOrder("ProcMsg2")
	}
	if uint64(len(additional)) > math.MaxUint32-Msg3Size {
		return nil, nil, fmt.Errorf("local attestation: %d bytes of additional properties are too many", len(additional))
	}
	m, err := parseMsg2(msg2)
	if err != nil {
		return nil, nil, err
	}
	secret, err := kex.Agree(key, m.gb)
	if err != nil {
		return nil, nil, malformed(2, 0, err)
	}
	defer clear(secret[:])
	smk := secret.Derive("SMK")
	defer clear(smk[:])

	t := transcript{version: LAv1, ga: kex.PublicOf(key), gb: m.gb, spec: ownSpec()}
	if isSpec(m.report.ReportData) {
		t.version, t.spec = LAv2, m.report.ReportData
	}
	peer, err := r.verify(m, &t, smk)
	if err != nil {
		return nil, nil, err
	}
	target, err := t.spec.target(m.raw)
	if err != nil {
		return nil, nil, malformed(2, off2Report+offReportData, err)
	}
	report, err := r.enclave.Report(target, t.data3())
	if err != nil {
		return nil, nil, err
	}
	msg3, err = report.AppendBinary(make([]byte, cmac.Size, Msg3Size+len(additional)))
	if err != nil {
		return nil, nil, err
	}
	msg3 = binary.LittleEndian.AppendUint32(msg3, uint32(len(additional)))
	msg3 = append(msg3, additional...)
	mac := t.mac3(smk, msg3[off3Report:])
	copy(msg3, mac[:])
	return msg3, &Session{Key: secret.Derive("AEK"), Peer: *peer, Version: t.version}, nil
}

// verify checks message 2, and returns what its REPORT says.
func (r *Responder) verify(m *msg2, t *transcript, smk [cmac.Size]byte) (*isa.ReportBody, error) {
	report, data := m.report, t.data2()
	if t.version == LAv2 {
		report.ReportData = data // the message has the spec in its place
	} else if kdf := binary.LittleEndian.Uint16(report.ReportData[32:]); kdf != kex.KDF {
		return nil, malformed(2, off2Report+offReportData+32, fmt.Errorf("derivation of keys %d is unknown, not %d", kdf, kex.KDF))
	}
	if !cmac.Equal(t.mac2(smk, m.raw), m.mac) {
		return nil, forged(2, off2MAC, errMAC)
	}
	if subtle.ConstantTimeCompare(report.ReportData[:], data[:]) != 1 {
		return nil, forged(2, off2Report+offReportData, errData)
	}
	if err := r.enclave.VerifyReport(&report); err != nil {
		return nil, forged(2, off2Report, err)
	}
	return &report.ReportBody, nil
}
