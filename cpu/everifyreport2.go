package cpu

import (
	"crypto/hmac"
	"crypto/sha256"

	"github.com/feidi-dev/feidi/isa"
)

// everifyreport2 executes EVERIFYREPORT2: RBX is a REPORTMACSTRUCT (Intel TDX
// CPU Architectural Extensions, "EVERIFYREPORT2").
func (lp *LP) everifyreport2(r *Regs) error {
	in, err := lp.operand("EVERIFYREPORT2", r.RBX, isa.Report2MACStructSize, epcmR)
	if err != nil {
		return err
	}
	var m isa.Report2MACStruct
	if err := m.UnmarshalBinary(in[:isa.Report2MACStructSize]); err != nil {
		return err
	}
	if m.Type != (isa.ReportType{Type: isa.ReportTypeTDX}) || m.Reserved1 != [12]byte{} || m.Reserved2 != [32]byte{} {
		return isa.ErrInvalidReportMACStruct
	}
	if !lp.p.keys.svnSupported(m.CPUSVN) {
		return isa.ErrInvalidCPUSVN
	}
	if mac := lp.p.Report2MAC(&m); !hmac.Equal(mac[:], m.MAC[:]) {
		return isa.ErrInvalidReportMACStruct
	}
	return nil
}

// Report2MAC returns the MAC of a REPORTMACSTRUCT: HMAC-SHA-256 under a key
// that lives as long as the processor has power. It is for the modules that
// make REPORT2 structures, as SEAMOPS[SEAMREPORT] is for the TDX module.
func (p *Processor) Report2MAC(m *isa.Report2MACStruct) (mac [32]byte) {
	b, _ := m.AppendBinary(make([]byte, 0, isa.Report2MACStructSize))
	h := hmac.New(sha256.New, p.keys.report2[:])
	h.Write(b[:isa.Report2MACOffset])
	h.Sum(mac[:0])
	return mac
}
