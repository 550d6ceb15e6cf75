package cpu

import "github.com/feidi-dev/feidi/isa"

// secInfoAlign is the alignment of a SECINFO.
const secInfoAlign = isa.SecInfoSize

// secInfo reads the SECINFO at a linear address for EACCEPT, EMODPE and
// EACCEPTCOPY.
func (lp *LP) secInfo(leaf string, linear uint64) (isa.SecInfo, error) {
	var s isa.SecInfo
	b, err := lp.operand(leaf, linear, secInfoAlign, epcmR)
	if err != nil {
		return s, err
	}
	return s, s.UnmarshalBinary(b[:isa.SecInfoSize])
}

func reserved(s *isa.SecInfo) bool {
	return s.Reserved != [56]byte{} || s.Flags&isa.SecInfoReserved != 0
}

// target resolves the page that EACCEPT, EMODPE or EACCEPTCOPY work on as far
// as its EPC page.
func (lp *LP) target(leaf string, linear uint64) (uint64, error) {
	if linear%isa.PageSize != 0 {
		return 0, gp(leaf, "page is not 4-KByte aligned")
	}
	if !lp.enc.contains(linear) {
		return 0, gp(leaf, "page is outside ELRANGE")
	}
	return lp.translate(leaf, linear, PermR)
}

// eaccept executes EACCEPT: RBX is a SECINFO that says what RCX should be
// (SDM Vol. 3D, "EACCEPT").
func (lp *LP) eaccept(r *Regs) error {
	const leaf = "EACCEPT"
	s, err := lp.secInfo(leaf, r.RBX)
	if err != nil {
		return err
	}
	if reserved(&s) {
		return gp(leaf, "reserved fields of SECINFO are not zero")
	}
	n, err := lp.target(leaf, r.RCX)
	if err != nil {
		return err
	}
	const state = isa.SecInfoPending | isa.SecInfoModified | isa.SecInfoPR
	legal := false
	switch f := s.Flags; f.PageType() {
	case isa.PTREG:
		legal = f&(isa.SecInfoPR|isa.SecInfoPending) != 0 && f&isa.SecInfoModified == 0
	case isa.PTTCS, isa.PTTRIM:
		legal = f&state == isa.SecInfoModified
	}
	if !legal {
		return gp(leaf, "combination of PT, PENDING, MODIFIED and PR is illegal")
	}
	e := lp.p.epcm.get(n)
	pt := e.pt()
	switch {
	case !e.valid():
		return pfUser(leaf, r.RCX, 0, "EPC page is not valid")
	case e.is(epcmBlocked):
		return pfUser(leaf, r.RCX, 0, "EPC page is blocked")
	case pt != isa.PTREG && pt != isa.PTTCS && pt != isa.PTTRIM:
		return pfUser(leaf, r.RCX, 0, "EPC page is "+pt.String())
	case e.secs != lp.enc.page:
		return pfUser(leaf, r.RCX, 0, "EPC page belongs to another enclave")
	}
	const matched = epcmPending | epcmModified | epcmRWX | epcmPTMask
	if e.linear() != r.RCX || e.state&matched != uint64(s.Flags)&matched {
		return isa.ErrPageAttributesMismatch
	}
	if e.is(epcmModified|epcmPR) && !lp.enc.tracked(e.epoch) {
		return isa.ErrNotTracked
	}
	if pt == isa.PTTCS {
		if reason := lp.p.checkNewTCS(lp.enc, n); reason != "" {
			return gp(leaf, reason)
		}
		lp.p.addThread(lp.p.mem.Page(n), lp.enc, n, e.linear())
	}
	lp.p.epcm.at(n).state &^= epcmPending | epcmModified | epcmPR
	lp.p.changed(lp.enc, n, e.linear())
	return nil
}

// checkNewTCS returns why EACCEPT refuses the page that EMODT made a TCS, or "".
func (p *Processor) checkNewTCS(e *enclave, n uint64) string {
	b := p.mem.Page(n)
	t := decodeTCS(b, e, uint32(n), 0)
	switch {
	case !zeros(b, tcsLimit):
		return "reserved fields of the TCS are not zero"
	case t.has(isa.TCSDbgOptIn):
		return "TCS.FLAGS.DBGOPTIN is set"
	case t.cssa.Load() >= t.nssa:
		return "CSSA of the TCS is not below NSSA"
	case t.aep.Load() != 0 || get64(b, tcsState) != 0:
		return "AEP or STATE of the TCS is not zero"
	case !e.tcsLimitsOK(b):
		return "FSLIMIT or GSLIMIT of the TCS is not 0FFFH modulo 4096"
	}
	return ""
}

// emodpe executes EMODPE: RBX is a SECINFO whose permissions the page RCX
// gets in addition to its own (SDM Vol. 3D, "EMODPE").
func (lp *LP) emodpe(r *Regs) error {
	const leaf = "EMODPE"
	switch {
	case r.RBX%secInfoAlign != 0:
		return gp(leaf, "SECINFO is not 64-Byte aligned")
	case r.RCX%isa.PageSize != 0:
		return gp(leaf, "page is not 4-KByte aligned")
	case !lp.enc.contains(r.RBX) || !lp.enc.contains(r.RCX):
		return gp(leaf, "operand is outside ELRANGE")
	}
	if _, err := lp.translate(leaf, r.RBX, PermR); err != nil {
		return err
	}
	n, err := lp.translate(leaf, r.RCX, PermR)
	if err != nil {
		return err
	}
	s, err := lp.secInfo(leaf, r.RBX)
	if err != nil {
		return err
	}
	if reserved(&s) {
		return gp(leaf, "reserved fields of SECINFO are not zero")
	}
	e := lp.p.epcm.at(n)
	if reason := e.refuses(lp.enc, r.RCX, 0); reason != "" {
		return pfUser(leaf, r.RCX, 0, reason)
	}
	if !e.is(epcmR) && s.Flags&isa.SecInfoR == 0 && s.Flags&isa.SecInfoW != 0 {
		return gp(leaf, "W without R")
	}
	e.state |= uint64(s.Flags) & epcmRWX
	lp.p.changed(lp.enc, n, e.linear())
	return nil
}

// eacceptcopy executes EACCEPTCOPY: it fills the pending page RCX from the
// page RDX and gives it the permissions of the SECINFO RBX (SDM Vol. 3D,
// "EACCEPTCOPY").
func (lp *LP) eacceptcopy(r *Regs) error {
	const leaf = "EACCEPTCOPY"
	switch {
	case r.RBX%secInfoAlign != 0:
		return gp(leaf, "SECINFO is not 64-Byte aligned")
	case r.RCX%isa.PageSize != 0 || r.RDX%isa.PageSize != 0:
		return gp(leaf, "page is not 4-KByte aligned")
	case !lp.enc.contains(r.RBX) || !lp.enc.contains(r.RCX) || !lp.enc.contains(r.RDX):
		return gp(leaf, "operand is outside ELRANGE")
	}
	if _, err := lp.translate(leaf, r.RBX, PermR); err != nil {
		return err
	}
	n, err := lp.translate(leaf, r.RCX, PermW)
	if err != nil {
		return err
	}
	if _, err := lp.translate(leaf, r.RDX, PermR); err != nil {
		return err
	}
	s, err := lp.secInfo(leaf, r.RBX)
	if err != nil {
		return err
	}
	if reserved(&s) || s.Flags&isa.SecInfoR == 0 && s.Flags&isa.SecInfoW != 0 || s.Flags.PageType() != isa.PTREG {
		return gp(leaf, "SECINFO is not that of a PT_REG page, or has reserved bits set")
	}
	src, err := lp.operand(leaf, r.RDX, isa.PageSize, epcmR)
	if err != nil {
		return err
	}
	e := lp.p.epcm.at(n)
	const fixed = epcmValid | epcmPending | epcmModified | epcmBlocked | epcmRWX | epcmPTMask
	const want = epcmValid | epcmPending | epcmR | epcmW | uint64(isa.PTREG)<<epcmPTShift
	if e.state&fixed != want || e.secs != lp.enc.page || e.linear() != r.RCX {
		return isa.ErrPageAttributesMismatch
	}
	copy(lp.p.mem.Page(n), src)
	e.state = e.state&^(epcmRWX|epcmPending) | uint64(s.Flags)&epcmRWX
	lp.p.changed(lp.enc, n, e.linear())
	return nil
}
