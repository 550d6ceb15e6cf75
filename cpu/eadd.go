package cpu

import (
	"bytes"
	"encoding/binary"

	"github.com/feidi-dev/feidi/isa"
)

// AddInfo is the PAGEINFO of EADD, and what it points to.
type AddInfo struct {
	LinAddr uint64
	Src     []byte // the source page; nil for a page of zeros
	SecInfo isa.SecInfo
	SECS    PA
}

// EADD adds page dst to an enclave that is being built (SDM Vol. 3D, "EADD").
// A page of zeros takes no memory until it is written.
func (p *Processor) EADD(dst PA, pi AddInfo) error {
	p.mu.Lock()
	err := p.eadd(dst, &pi)
	p.mu.Unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EADD, err, Operand{"LINADDR", pi.LinAddr}, Operand{"FLAGS", uint64(pi.SecInfo.Flags)},
			Operand{"SECS", uint64(pi.SECS)}, Operand{"EPCPAGE", uint64(dst)})
	}
	return err
}

func (p *Processor) eadd(dst PA, pi *AddInfo) error {
	const leaf = "EADD"
	n, err := p.epcPage(leaf, dst)
	if err != nil {
		return err
	}
	if pi.SECS%isa.PageSize != 0 || pi.LinAddr%isa.PageSize != 0 {
		return gp(leaf, "SECS or LINADDR is not 4-KByte aligned")
	}
	if pi.Src != nil && len(pi.Src) != isa.PageSize {
		return gp(leaf, "source is not a page")
	}
	ns, err := p.epcPage(leaf, pi.SECS)
	if err != nil {
		return err
	}
	flags := pi.SecInfo.Flags
	pt := flags.PageType()
	if pi.SecInfo.Reserved != [56]byte{} || flags&isa.SecInfoReserved != 0 || pt != isa.PTREG && pt != isa.PTTCS {
		return gp(leaf, "SECINFO is not that of a PT_REG or PT_TCS page, or has reserved bits set")
	}
	if pt == isa.PTTCS {
		pi.Src = bytes.Clone(pi.Src) // what is checked is what is used
	}
	if p.epcm.get(n).valid() {
		return pf(leaf, uint64(dst), "EPC page is already valid")
	}
	e, err := p.secsAt(leaf, ns)
	if err != nil {
		return err
	}
	switch {
	case pt == isa.PTTCS && !zeros(pi.Src, tcsLimit):
		return gp(leaf, "reserved fields of the TCS are not zero")
	case pt == isa.PTTCS && !e.tcsLimitsOK(pi.Src):
		return gp(leaf, "FSLIMIT or GSLIMIT of the TCS is not 0FFFH modulo 4096")
	case pt == isa.PTREG && flags&isa.SecInfoW != 0 && flags&isa.SecInfoR == 0:
		return gp(leaf, "W without R")
	case !e.contains(pi.LinAddr):
		return gp(leaf, "LINADDR is outside ELRANGE")
	case e.init:
		return gp(leaf, "enclave is already initialized")
	}

	entry := p.epcm.at(n)
	epoch := uint32(0)
	switch {
	case pi.Src != nil:
		copy(p.mem.Page(n), pi.Src)
	case entry.is(epcmDirty):
		p.mem.Discard(n, 1)
		epoch = zeroFill
	default:
		epoch = zeroFill
	}
	if pt == isa.PTTCS {
		flags &^= isa.SecInfoRWX
		epoch = 0
		b := p.mem.Page(n)
		b[tcsFlags] &^= byte(isa.TCSDbgOptIn)
		binary.LittleEndian.PutUint64(b[tcsState:], 0)
		binary.LittleEndian.PutUint32(b[tcsCSSA:], 0)
		binary.LittleEndian.PutUint64(b[tcsAEP:], 0)
		p.addThread(b, e, n, pi.LinAddr)
	}
	e.measure.EADD(pi.LinAddr-e.secs.BaseAddr, isa.SecInfo{Flags: flags})
	e.children++
	*entry = epcmEntry{
		state: pi.LinAddr | epcmValid | uint64(flags)&epcmRWX | uint64(pt)<<epcmPTShift,
		secs:  e.page, epoch: epoch,
	}
	return nil
}

// tcsLimitsOK checks FSLIMIT and GSLIMIT of a TCS, which 32-bit enclaves use.
func (e *enclave) tcsLimitsOK(b []byte) bool {
	if e.secs.Attributes.Flags&isa.AttrMode64Bit != 0 {
		return true
	}
	return b != nil && binary.LittleEndian.Uint32(b[64:])&0xFFF == 0xFFF && binary.LittleEndian.Uint32(b[68:])&0xFFF == 0xFFF
}

// zeros reports whether b is zero from off on; a nil slice is.
func zeros(b []byte, off int) bool {
	for i := off; i < len(b); i++ {
		if b[i] != 0 {
			return false
		}
	}
	return true
}
