package cpu

import "github.com/feidi-dev/feidi/isa"

// EDBGRD reads 8 bytes of a debug enclave (SDM Vol. 3D, "EDBGRD"). Of a
// version array it tells only whether the slot is in use. It returns
// SGX_PAGE_NOT_DEBUGGABLE for pages that are pending or modified.
func (p *Processor) EDBGRD(pa PA) (uint64, error) {
	p.mu.Lock()
	v, err := p.edbgrd(pa)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EDBGRD, err, Operand{"EPCADDR", uint64(pa)}, Operand{"DATA", v})
	}
	return v, err
}

// debugOperand does the checks that EDBGRD and EDBGWR have in common.
func (p *Processor) debugOperand(leaf string, pa PA) (uint64, epcmEntry, error) {
	if pa%8 != 0 {
		return 0, epcmEntry{}, gp(leaf, "address is not 8-Byte aligned")
	}
	n, ok := p.page(pa)
	if !ok {
		return 0, epcmEntry{}, pf(leaf, uint64(pa), "address is not in the EPC")
	}
	e := p.epcm.get(n)
	pt := e.pt()
	switch {
	case !e.valid():
		return 0, e, pf(leaf, uint64(pa), "EPC page is not valid")
	case pt != isa.PTREG && pt != isa.PTTCS && (pt != isa.PTVA || leaf != "EDBGRD"):
		return 0, e, pf(leaf, uint64(pa), "EPC page is "+pt.String())
	case e.is(epcmPending | epcmModified):
		return 0, e, isa.ErrPageNotDebuggable
	}
	return n, e, nil
}

func (p *Processor) edbgrd(pa PA) (uint64, error) {
	const leaf = "EDBGRD"
	n, e, err := p.debugOperand(leaf, pa)
	if err != nil {
		return 0, err
	}
	off := uint64(pa) % isa.PageSize
	if e.pt() == isa.PTVA {
		if get64(p.mem.Page(n), int(off))&^7 != 0 {
			return ^uint64(0), nil
		}
		return 0, nil
	}
	if e.pt() == isa.PTTCS && off >= tcsLimit {
		return 0, gp(leaf, "offset is beyond the TCS")
	}
	if !p.enclaves[e.secs].debug() {
		return 0, gp(leaf, "enclave is not a debug enclave")
	}
	b := p.mem.Page(n)
	if t := p.threads[uint32(n)]; t != nil {
		t.sync(b)
	}
	return get64(b, int(off)), nil
}

// EDBGWR writes 8 bytes of a debug enclave; of a TCS, only FLAGS
// (SDM Vol. 3D, "EDBGWR").
func (p *Processor) EDBGWR(pa PA, v uint64) error {
	p.mu.Lock()
	err := p.edbgwr(pa, v)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EDBGWR, err, Operand{"EPCADDR", uint64(pa)}, Operand{"DATA", v})
	}
	return err
}

func (p *Processor) edbgwr(pa PA, v uint64) error {
	const leaf = "EDBGWR"
	n, e, err := p.debugOperand(leaf, pa)
	if err != nil {
		return err
	}
	off := uint64(pa) % isa.PageSize
	if e.pt() == isa.PTTCS && off != tcsFlags {
		return gp(leaf, "only FLAGS of a TCS can be written")
	}
	s := p.enclaves[e.secs]
	if !s.debug() {
		return gp(leaf, "enclave is not a debug enclave")
	}
	p.forgetZero(n)
	put64(p.mem.Page(n), int(off), v)
	if t := p.threads[uint32(n)]; t != nil {
		t.flags.Store(v)
		s.version.Add(1)
	}
	return nil
}
