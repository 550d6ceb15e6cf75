package platform

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/feidi-dev/feidi/aesm"
	ideedl "github.com/feidi-dev/feidi/arch/ide/edl"
	"github.com/feidi-dev/feidi/arch/pce"
	pceedl "github.com/feidi-dev/feidi/arch/pce/edl"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/arch/qe"
	qeedl "github.com/feidi-dev/feidi/arch/qe/edl"
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// ID is what a provisioning service is told of a machine: what Intel's
// PCKIDRetrievalTool prints.
type ID struct {
	EncryptedPPID [pce.EncryptedPPIDSize]byte // to the key of the service
	PCEID         uint16
	CPUSVN        [16]byte // the machine's own TCB, with PCESVN
	PCESVN        uint16
	QEID          [16]byte
}

// Request is what a PCK certificate is asked for with.
func (i *ID) Request() pcs.PCKRequest {
	r := pcs.PCKRequest{QEID: i.QEID[:], EncryptedPPID: i.EncryptedPPID[:], CPUSVN: i.CPUSVN, PCESVN: i.PCESVN}
	binary.LittleEndian.PutUint16(r.PCEID[:], i.PCEID)
	return r
}

// CSV returns the line that Intel's tool writes to pckid_retrieval.csv: encrypted
// PPID, PCE ID, CPUSVN, PCE ISVSVN and QE ID, in hexadecimal, numbers little
// endian, without a line feed.
func (i *ID) CSV() string {
	le := binary.LittleEndian
	return fmt.Sprintf("%x,%x,%x,%x,%x", i.EncryptedPPID, le.AppendUint16(nil, i.PCEID), i.CPUSVN, le.AppendUint16(nil, i.PCESVN), i.QEID)
}

// Identify asks the enclaves who the machine is. None of it changes while they
// run.
func (p *Platform) Identify(ctx context.Context) (*ID, error) {
	if id := p.id.Load(); id != nil {
		c := *id
		return &c, nil
	}
	if p.cfg.PPIDKey == nil {
		return nil, &Error{Doing: "identifying the machine", Code: aesm.ErrConfigUnsupported, Err: errors.New("there is no key of a provisioning service"), Advice: "set Config.PPIDKey"}
	}
	id, err := p.identify(ctx)
	if err != nil {
		return nil, err
	}
	p.id.CompareAndSwap(nil, id)
	return p.Identify(ctx)
}

func (p *Platform) identify(ctx context.Context) (*ID, error) {
	target, err := p.pceTarget(ctx)
	if err != nil {
		return nil, err
	}
	var key []byte // that the PPID is encrypted to
	var report isa.Report
	id := new(ID)
	if p.ide != nil {
		if id.QEID, report, key, err = p.askIDE(ctx, target); err == nil {
			err = p.ide.Rest()
		}
	} else {
		id.QEID, report, key, err = p.askQE(ctx, target)
	}
	if err != nil {
		return nil, err
	}
	id.CPUSVN = report.CPUSVN
	return id, p.pce.Do(ctx, func(ctx context.Context, r *supervisor.Running[*pceedl.Pce]) error {
		ret, encrypted, _, info, _, err := r.Calls.GetPcInfo(ctx, &report, key, pce.SuiteRSAOAEP, pce.EncryptedPPIDSize)
		if err := pceError("asking the PCE for the PPID", ret, err); err != nil {
			return err
		}
		copy(id.EncryptedPPID[:], encrypted)
		id.PCESVN, id.PCEID = info.IsvSvn, info.Id
		return nil
	})
}

// askIDE asks the IDE for the QE ID, and for the report on the key that the PPID is
// to be encrypted to.
func (p *Platform) askIDE(ctx context.Context, target *isa.TargetInfo) (id [16]byte, report isa.Report, key []byte, err error) {
	err = p.ide.Do(ctx, func(ctx context.Context, r *supervisor.Running[*ideedl.IdEnclave]) error {
		ret, got, err := r.Calls.IdeGetId(ctx)
		if err := ideError("asking the IDE for the QE ID", ret, err); err != nil {
			return err
		}
		id = [16]byte(got)
		ret, report, key, err = r.Calls.IdeGetPceEncryptKey(ctx, target, pce.SuiteRSAOAEP, uint16(dcap.CertPPIDRSA3072), ppid.KeySize)
		return ideError("asking the IDE for the key of PPIDs", ret, err)
	})
	return id, report, key, err
}

// askQE asks the QE instead. A new attestation key has the QE ID beside it.
func (p *Platform) askQE(ctx context.Context, target *isa.TargetInfo) (id [16]byte, report isa.Report, key []byte, err error) {
	err = p.qe.Do(ctx, func(ctx context.Context, r *supervisor.Running[*qeedl.Qe3]) error {
		var b blob
		if _, err := genAttKey(ctx, r, &b, target); err != nil {
			return err
		}
		d, err := b.data()
		if err != nil {
			return err
		}
		id = d.QEID
		var ret uint32
		ret, report, key, err = r.Calls.GetPceEncryptKey(ctx, target, pce.SuiteRSAOAEP, uint16(dcap.CertPPIDRSA3072), ppid.KeySize)
		return qeError("asking the QE for the key of PPIDs", ret, err)
	})
	return id, report, key, err
}

// pceTarget returns the PCE's target info.
func (p *Platform) pceTarget(ctx context.Context) (target *isa.TargetInfo, err error) {
	err = p.pce.Do(ctx, func(_ context.Context, r *supervisor.Running[*pceedl.Pce]) error {
		t := r.Target
		target = &t
		return nil
	})
	return target, err
}

// authData are what Intel's quoting library has the QE put beside the key: it has
// no meaning.
var authData = func() []byte {
	b := make([]byte, qe.AuthDataSize)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}()

// genAttKey has the QE make its key, and returns the report for the PCE.
func genAttKey(ctx context.Context, r *supervisor.Running[*qeedl.Qe3], b *blob, target *isa.TargetInfo) (isa.Report, error) {
	ret, report, err := r.Calls.GenAttKey(ctx, b[:], target, authData)
	return report, qeError("making the attestation key", ret, err)
}
