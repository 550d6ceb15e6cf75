package cpu

import "github.com/feidi-dev/feidi/isa"

// EAUG adds a page of zeros to an initialized enclave, pending until EACCEPT
// or EACCEPTCOPY (SDM Vol. 3D, "EAUG"). A nil SECINFO asks for a readable and
// writable PT_REG page, the only one there is without CET.
func (p *Processor) EAUG(dst PA, linear uint64, secInfo *isa.SecInfo, secs PA) error {
	p.mu.Lock()
	err := p.eaug(dst, linear, secInfo, secs)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EAUG, err, Operand{"LINADDR", linear}, Operand{"SECS", uint64(secs)}, Operand{"EPCPAGE", uint64(dst)})
	}
	return err
}

func (p *Processor) eaug(dst PA, linear uint64, secInfo *isa.SecInfo, secs PA) error {
	const leaf = "EAUG"
	n, err := p.epcPage(leaf, dst)
	if err != nil {
		return err
	}
	if secs%isa.PageSize != 0 || linear%isa.PageSize != 0 {
		return gp(leaf, "SECS or LINADDR is not 4-KByte aligned")
	}
	ns, err := p.epcPage(leaf, secs)
	if err != nil {
		return err
	}
	if p.epcm.get(n).valid() {
		return pf(leaf, uint64(dst), "EPC page is already valid")
	}
	if secInfo != nil {
		return gp(leaf, "SECINFO is for shadow stacks, which need CET")
	}
	e, err := p.secsAt(leaf, ns)
	if err != nil {
		return err
	}
	if !e.init {
		return gp(leaf, "enclave is not initialized")
	}
	if !e.contains(linear) {
		return gp(leaf, "LINADDR is outside ELRANGE")
	}
	entry := p.epcm.at(n)
	if entry.is(epcmDirty) {
		p.mem.Discard(n, 1)
	}
	*entry = epcmEntry{
		state: linear | epcmValid | epcmPending | epcmR | epcmW | uint64(isa.PTREG)<<epcmPTShift,
		secs:  e.page,
	}
	e.children++
	p.changed(e, n, linear)
	return nil
}

// EMODPR takes the permissions from a page that secInfo lacks (SDM Vol. 3D,
// "EMODPR"). It returns SGX_PAGE_NOT_MODIFIABLE for pages that are pending or
// modified.
func (p *Processor) EMODPR(secInfo isa.SecInfo, pa PA) error {
	p.mu.Lock()
	err := p.emodpr(&secInfo, pa)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EMODPR, err, Operand{"FLAGS", uint64(secInfo.Flags)}, Operand{"EPCPAGE", uint64(pa)})
	}
	return err
}

func (p *Processor) emodpr(s *isa.SecInfo, pa PA) error {
	const leaf = "EMODPR"
	n, err := p.epcPage(leaf, pa)
	if err != nil {
		return err
	}
	if reserved(s) || s.Flags&isa.SecInfoR == 0 && s.Flags&isa.SecInfoW != 0 {
		return gp(leaf, "SECINFO has W without R, or reserved bits set")
	}
	switch e := p.epcm.get(n); {
	case !e.valid():
		return pf(leaf, uint64(pa), "EPC page is not valid")
	case e.is(epcmPending | epcmModified):
		return isa.ErrPageNotModifiable
	case e.pt() != isa.PTREG:
		return pf(leaf, uint64(pa), "EPC page is "+e.pt().String())
	case !p.enclaves[e.secs].init:
		return gp(leaf, "enclave is not initialized")
	}
	entry := p.epcm.at(n)
	e := p.enclaves[entry.secs]
	entry.state = entry.state&^(epcmRWX&^uint64(s.Flags)) | epcmPR
	entry.epoch = e.epoch
	p.changed(e, n, entry.linear())
	return nil
}

// EMODT changes the type of a page to PT_TCS or PT_TRIM (SDM Vol. 3D,
// "EMODT"). It returns SGX_PAGE_NOT_MODIFIABLE for pages that are pending or
// modified.
func (p *Processor) EMODT(secInfo isa.SecInfo, pa PA) error {
	p.mu.Lock()
	err := p.emodt(&secInfo, pa)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EMODT, err, Operand{"FLAGS", uint64(secInfo.Flags)}, Operand{"EPCPAGE", uint64(pa)})
	}
	return err
}

func (p *Processor) emodt(s *isa.SecInfo, pa PA) error {
	const leaf = "EMODT"
	n, err := p.epcPage(leaf, pa)
	if err != nil {
		return err
	}
	to := s.Flags.PageType()
	if reserved(s) || to != isa.PTTCS && to != isa.PTTRIM {
		return gp(leaf, "SECINFO is not that of a PT_TCS or PT_TRIM page, or has reserved bits set")
	}
	switch e := p.epcm.get(n); {
	case !e.valid():
		return pf(leaf, uint64(pa), "EPC page is not valid")
	case e.pt() != isa.PTREG && (e.pt() != isa.PTTCS || to != isa.PTTRIM):
		return pf(leaf, uint64(pa), "EPC page is "+e.pt().String())
	case e.is(epcmPending | epcmModified):
		return isa.ErrPageNotModifiable
	case !p.enclaves[e.secs].init:
		return gp(leaf, "enclave is not initialized")
	}
	entry := p.epcm.at(n)
	e := p.enclaves[entry.secs]
	entry.state = entry.state&^(epcmRWX|epcmPR|epcmPTMask) | epcmModified | uint64(to)<<epcmPTShift
	entry.epoch = e.epoch
	p.changed(e, n, entry.linear())
	return nil
}
