// Package fake is a processor for tests of the system enclaves: its leaves are
// functions. What keys depend on follows the manual as far as these enclaves can
// tell.
package fake

import (
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/feidi-dev/feidi/arch/leaf"
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// Platform is a machine.
type Platform struct {
	Root, Seal [16]byte // fuses
	CPUSVN     [16]byte
	KeyID      [32]byte // of REPORT keys
}

// Enclave is an enclave on a machine, and the processor as it sees it.
type Enclave struct {
	Platform *Platform
	Self     isa.ReportBody

	// FailKey and FailReport make the leaves fail once they have been used so
	// often; zero is never. Counts go down.
	FailKey, FailReport atomic.Int64
}

var _ leaf.Processor = (*Enclave)(nil)

// Errors of the leaves.
var (
	ErrKey    = errors.New("fake: no such key")
	ErrReport = errors.New("fake: not a REPORT for this enclave")
	ErrBroken = errors.New("fake: broken on demand")
)

// NewEnclave returns an enclave of the product and SVN that a name stands for.
func (p *Platform) NewEnclave(name, signer string, svn uint16, flags isa.AttributeFlags) *Enclave {
	e := &Enclave{Platform: p, Self: isa.ReportBody{
		CPUSVN:     p.CPUSVN,
		Attributes: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit | flags, XFRM: 0xe7},
		ISVProdID:  1, ISVSVN: svn,
	}}
	copy(e.Self.MREnclave[:], name)
	copy(e.Self.MRSigner[:], signer)
	return e
}

// Target is how others name the enclave.
func (e *Enclave) Target() *isa.TargetInfo {
	return &isa.TargetInfo{Measurement: e.Self.MREnclave, Attributes: e.Self.Attributes, MiscSelect: e.Self.MiscSelect}
}

// fails counts a use.
func fails(n *atomic.Int64) bool { return n.Load() > 0 && n.Add(-1) == 0 }

// Report implements [leaf.Processor].
func (e *Enclave) Report(target *isa.TargetInfo, data [64]byte) (*isa.Report, error) {
	if fails(&e.FailReport) {
		return nil, ErrBroken
	}
	if target == nil {
		target = new(isa.TargetInfo)
	}
	r := &isa.Report{ReportBody: e.Self, KeyID: e.Platform.KeyID}
	r.CPUSVN, r.ReportData = e.Platform.CPUSVN, data
	r.MAC = e.Platform.mac(target, r)
	return r, nil
}

// VerifyReport implements [leaf.Processor].
func (e *Enclave) VerifyReport(r *isa.Report) error {
	if e.Platform.mac(e.Target(), r) != r.MAC {
		return ErrReport
	}
	return nil
}

func (p *Platform) mac(target *isa.TargetInfo, r *isa.Report) [16]byte {
	b, _ := r.AppendBinary(nil)
	return cmac.Sum(p.reportKey(target, r.KeyID), b[:isa.ReportBodySize])
}

func (p *Platform) reportKey(target *isa.TargetInfo, id [32]byte) [16]byte {
	t, _ := target.AppendBinary(nil)
	return cmac.Sum(p.Root, append(append(t, p.Seal[:]...), id[:]...))
}

// Key implements [leaf.Processor].
func (e *Enclave) Key(q *isa.KeyRequest) (key [isa.KeySize]byte, err error) {
	switch {
	case fails(&e.FailKey):
		return key, ErrBroken
	case q.KeyName == isa.KeyReport:
		return e.Platform.reportKey(e.Target(), q.KeyID), nil
	case q.KeyName != isa.KeyProvision && q.KeyName != isa.KeySeal,
		q.KeyName == isa.KeyProvision && e.Self.Attributes.Flags&isa.AttrProvisionKey == 0,
		q.ISVSVN > e.Self.ISVSVN:
		return key, ErrKey
	}
	for i, v := range q.CPUSVN {
		if v > e.Platform.CPUSVN[i] {
			return key, ErrKey
		}
	}
	b, _ := q.AppendBinary(nil)
	mask := q.AttributeMask
	mask.Flags |= isa.AttrInit | isa.AttrDebug
	attributes := e.Self.Attributes.And(mask)
	a, _ := attributes.AppendBinary(nil)
	b = binary.LittleEndian.AppendUint16(append(b, a...), e.Self.ISVProdID)
	if q.KeyName == isa.KeyProvision || q.KeyPolicy&isa.PolicyMRSigner != 0 {
		b = append(b, e.Self.MRSigner[:]...)
	}
	if q.KeyPolicy&isa.PolicyMREnclave != 0 {
		b = append(b, e.Self.MREnclave[:]...)
	}
	if q.KeyName == isa.KeySeal {
		b = append(b, e.Platform.Seal[:]...)
	}
	return cmac.Sum(e.Platform.Root, b), nil
}
