package cpu

import "github.com/feidi-dev/feidi/isa"

// EREMOVE takes a page out of the EPC (SDM Vol. 3D, "EREMOVE"). It returns
// SGX_CHILD_PRESENT or SGX_ENCLAVE_ACT if the page is in use. The bytes of
// the page are given back by Scrub, or when the page is used again.
func (p *Processor) EREMOVE(pa PA) error {
	p.mu.Lock()
	err := p.eremove(pa)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EREMOVE, err, Operand{"EPCPAGE", uint64(pa)})
	}
	return err
}

func (p *Processor) eremove(pa PA) error {
	n, err := p.epcPage("EREMOVE", pa)
	if err != nil {
		return err
	}
	e := p.epcm.get(n)
	switch {
	case !e.valid():
		return nil
	case e.pt() == isa.PTSECS:
		s := p.enclaves[uint32(n)]
		if s.children > 0 {
			return isa.ErrChildPresent
		}
		s.version.Add(1)
		delete(p.enclaves, uint32(n))
	case e.child() && (e.pt() != isa.PTTRIM || e.is(epcmModified)):
		s := p.enclaves[e.secs]
		s.version.Add(1)
		if s.active(anyEpoch) {
			return isa.ErrEnclaveAct
		}
	}
	p.free(n, e)
	return nil
}

// free makes the EPCM entry e of page n invalid.
func (p *Processor) free(n uint64, e epcmEntry) {
	if e.child() {
		s := p.enclaves[e.secs]
		s.children--
		p.dropThread(n) // also one that EMODT has trimmed
		p.changed(s, n, e.linear())
	}
	*p.epcm.at(n) = epcmEntry{state: epcmDirty}
}

// Scrub gives back the memory of those of pages EPC pages from pa on that are
// not valid. It is not an instruction: hardware has no memory to give back.
func (p *Processor) Scrub(pa PA, pages uint64) {
	first, ok := p.page(pa)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	end := first + min(pages, p.pages-first)
	for n := first; n < end; n++ {
		from := n
		for n < end && p.epcm.get(n).state == epcmDirty {
			*p.epcm.at(n) = epcmEntry{}
			n++
		}
		if n > from {
			p.mem.Discard(from, n-from)
		}
	}
}
