package cpu

import (
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

// Alignment of EREPORT's operands.
const (
	targetInfoAlign = 512
	reportDataAlign = 128
	reportAlign     = 512
)

// ereport executes EREPORT: RBX is a TARGETINFO, RCX 64 bytes of REPORTDATA,
// RDX receives the REPORT (SDM Vol. 3D, "EREPORT").
func (lp *LP) ereport(r *Regs) error {
	const leaf = "EREPORT"
	in, err := lp.operand(leaf, r.RBX, targetInfoAlign, epcmR)
	if err != nil {
		return err
	}
	var t isa.TargetInfo
	if err := t.UnmarshalBinary(in[:isa.TargetInfoSize]); err != nil {
		return err
	}
	if t.Reserved1 != 0 || t.Reserved2 != [8]byte{} || t.Reserved3 != [384]byte{} {
		return gp(leaf, "reserved fields of TARGETINFO are not zero")
	}
	data, err := lp.operand(leaf, r.RCX, reportDataAlign, epcmR)
	if err != nil {
		return err
	}
	out, err := lp.operand(leaf, r.RDX, reportAlign, epcmW)
	if err != nil {
		return err
	}
	e, k := lp.enc, &lp.p.keys
	rep := isa.Report{ReportBody: isa.ReportBody{
		CPUSVN:        k.cpuSVN,
		MiscSelect:    e.secs.MiscSelect,
		CETAttributes: e.secs.CETAttributes,
		ISVExtProdID:  e.isvExtProdID,
		Attributes:    e.secs.Attributes,
		MREnclave:     e.secs.MREnclave,
		MRSigner:      e.secs.MRSigner,
		ConfigID:      e.secs.ConfigID,
		ISVProdID:     e.secs.ISVProdID,
		ISVSVN:        e.secs.ISVSVN,
		ConfigSVN:     e.secs.ConfigSVN,
		ISVFamilyID:   e.isvFamilyID,
		ReportData:    [64]byte(data),
	}, KeyID: k.reportKeyID}
	b, _ := rep.AppendBinary(make([]byte, 0, isa.ReportSize))
	mac := cmac.Sum(k.reportKey(&t, rep.KeyID), b[:isa.ReportMACOffset])
	copy(b[isa.ReportSize-cmac.Size:], mac[:])
	copy(out, b)
	return nil
}
