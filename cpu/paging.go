package cpu

import "github.com/feidi-dev/feidi/isa"

// EPA makes pa a version array, with all slots empty (SDM Vol. 3D, "EPA").
func (p *Processor) EPA(pa PA) error {
	p.mu.Lock()
	err := p.epa(pa)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EPA, err, Operand{"EPCPAGE", uint64(pa)})
	}
	return err
}

func (p *Processor) epa(pa PA) error {
	n, err := p.epcPage("EPA", pa)
	if err != nil {
		return err
	}
	if p.epcm.get(n).valid() {
		return pf("EPA", uint64(pa), "EPC page is already valid")
	}
	clear(p.mem.Page(n))
	*p.epcm.at(n) = epcmEntry{state: epcmValid | uint64(isa.PTVA)<<epcmPTShift}
	return nil
}

// EBLOCK keeps a page from being used in new translations (SDM Vol. 3D,
// "EBLOCK"). It returns SGX_PG_INVLD, SGX_PG_IS_SECS, SGX_NOTBLOCKABLE or
// SGX_BLSTATE if there is nothing to do; hardware reports all but the first in
// CF rather than in ZF.
func (p *Processor) EBLOCK(pa PA) error {
	p.mu.Lock()
	err := p.eblock(pa)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EBLOCK, err, Operand{"EPCPAGE", uint64(pa)})
	}
	return err
}

func (p *Processor) eblock(pa PA) error {
	n, err := p.epcPage("EBLOCK", pa)
	if err != nil {
		return err
	}
	switch e := p.epcm.get(n); {
	case !e.valid():
		return isa.ErrPgInvld
	case e.pt() == isa.PTSECS:
		return isa.ErrPgIsSECS
	case !e.child():
		return isa.ErrNotBlockable
	case e.is(epcmBlocked):
		return isa.ErrBlState
	}
	p.forgetZero(n)
	e := p.epcm.at(n)
	s := p.enclaves[e.secs]
	e.state |= epcmBlocked
	e.epoch = s.epoch
	p.changed(s, n, e.linear())
	return nil
}

// forgetZero makes a page that is known to be zeros an ordinary one, before
// its tracking epoch is used. Memory of such pages reads as zeros already.
func (p *Processor) forgetZero(n uint64) {
	if e := p.epcm.get(n); e.epoch == zeroFill {
		p.epcm.at(n).epoch = 0
	}
}

// tracked reports whether an ETRACK followed the given tracking epoch, and
// every thread that was inside then has left.
func (e *enclave) tracked(epoch uint32) bool {
	if epoch == zeroFill {
		epoch = 0 // EADD, and nothing since
	}
	e.version.Add(1)
	return epoch < e.epoch && !e.active(epoch)
}

// ETRACK begins a new tracking epoch of an enclave (SDM Vol. 3D, "ETRACK").
// It returns SGX_PREV_TRK_INCMPL while a thread is inside that entered before
// the current epoch began.
func (p *Processor) ETRACK(secs PA) error {
	p.mu.Lock()
	err := p.etrack(secs)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.ETRACK, err, Operand{"SECS", uint64(secs)})
	}
	return err
}

func (p *Processor) etrack(secs PA) error {
	e, err := p.secsOperand("ETRACK", secs)
	if err != nil {
		return err
	}
	e.version.Add(1)
	if e.active(e.epoch - 1) {
		return isa.ErrPrevTrkIncmpl
	}
	e.epoch++
	return nil
}
