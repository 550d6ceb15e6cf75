package local

import (
	"crypto/subtle"
	"fmt"
	"slices"

	"github.com/feidi-dev/feidi/attest/internal/kex"
	"github.com/feidi-dev/feidi/internal/cmac"
)

// Initiator is the side that receives message 1. It serves one exchange, and
// not several goroutines.
type Initiator struct {
	enclave    Enclave
	step       kex.Step
	transcript transcript
	secret     kex.Secret
}

// NewInitiator begins an exchange. LAv2 is for all responders but those of old
// SDKs, which know LAv1 only.
func NewInitiator(e Enclave, v Version) *Initiator {
	return &Initiator{enclave: e, transcript: transcript{version: v, spec: ownSpec()}}
}

// ProcMsg1 reads message 1 and returns message 2, Msg2Size bytes. Message 1
// proves nothing of the responder.
func (i *Initiator) ProcMsg1(msg1 []byte) (msg2 []byte, err error) {
	clear(i.secret[:])
	if !i.step.Enter(kex.Fresh) {
		return nil, outOfOrder("ProcMsg1")
	}
	t := &i.transcript
	if t.version != LAv1 && t.version != LAv2 {
		return nil, fmt.Errorf("local attestation: there is no version %d", int(t.version))
	}
	m, err := parseMsg1(msg1)
	if err != nil {
		return nil, err
	}
	key, err := kex.GenerateKey()
	if err != nil {
		return nil, err
	}
	t.ga, t.gb = m.ga, kex.PublicOf(key)
	secret, err := kex.Agree(key, t.ga)
	if err != nil {
		return nil, malformed(1, 0, err)
	}
	defer clear(secret[:])
	report, err := i.enclave.Report(&m.target, t.data2())
	if err != nil {
		return nil, err
	}
	if t.version == LAv2 {
		report.ReportData = t.spec
	}
	msg2, err = report.AppendBinary(slices.Clone(t.gb[:]))
	if err != nil {
		return nil, err
	}
	smk := secret.Derive("SMK")
	defer clear(smk[:])
	mac := t.mac2(smk, msg2[off2Report:])
	i.secret, i.step = secret, kex.Waiting
	return append(msg2, mac[:]...), nil
}

// ProcMsg3 checks message 3. The caller uses the session only if it accepts
// its peer.
func (i *Initiator) ProcMsg3(msg3 []byte) (*Session, error) {
	secret := i.secret
	defer clear(secret[:])
	clear(i.secret[:]) // for one use, whatever comes of it
	if !i.step.Enter(kex.Waiting) {
		return nil, outOfOrder("ProcMsg3")
	}
	m, err := parseMsg3(msg3)
	if err != nil {
		return nil, err
	}
	smk := secret.Derive("SMK")
	defer clear(smk[:])
	t := &i.transcript
	if !cmac.Equal(t.mac3(smk, m.body), m.mac) {
		return nil, forged(3, 0, errMAC)
	}
	if data := t.data3(); subtle.ConstantTimeCompare(m.report.ReportData[:], data[:]) != 1 {
		return nil, forged(3, off3Report+offReportData, errData)
	}
	if err := i.enclave.VerifyReport(&m.report); err != nil {
		return nil, forged(3, off3Report, err)
	}
	return &Session{
		Key: secret.Derive("AEK"), Peer: m.report.ReportBody,
		Version: t.version, Additional: slices.Clone(m.additional),
	}, nil
}
