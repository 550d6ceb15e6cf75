package cpu

import "github.com/feidi-dev/feidi/isa"

// measuredChunk is the number of bytes that EEXTEND measures.
const measuredChunk = 256

var zeroChunk [measuredChunk]byte

// EEXTEND adds the 256 bytes at chunk to the measurement of the enclave that
// they and secs belong to (SDM Vol. 3D, "EEXTEND").
func (p *Processor) EEXTEND(chunk, secs PA) error {
	p.mu.Lock()
	err := p.eextend(chunk, secs)
	p.mu.Unlock()
	if p.trace != nil {
		p.traceENCLS(isa.EEXTEND, err, Operand{"SECS", uint64(secs)}, Operand{"CHUNK", uint64(chunk)})
	}
	return err
}

func (p *Processor) eextend(chunk, secs PA) error {
	const leaf = "EEXTEND"
	ns, err := p.epcPage(leaf, secs)
	if err != nil {
		return err
	}
	if chunk%measuredChunk != 0 {
		return gp(leaf, "chunk is not 256-Byte aligned")
	}
	n, ok := p.page(chunk)
	if !ok {
		return pf(leaf, uint64(chunk), "chunk is not in the EPC")
	}
	entry := p.epcm.get(n)
	if !entry.valid() {
		return pf(leaf, uint64(chunk), "EPC page is not valid")
	}
	if pt := entry.pt(); pt != isa.PTREG && pt != isa.PTTCS {
		return pf(leaf, uint64(chunk), "EPC page is not PT_REG or PT_TCS")
	}
	if uint64(entry.secs) != ns {
		return gp(leaf, "EPC page does not belong to the SECS")
	}
	e := p.enclaves[entry.secs]
	if e.init {
		return gp(leaf, "enclave is already initialized")
	}
	off := uint64(chunk) % isa.PageSize
	data := zeroChunk[:]
	if entry.epoch != zeroFill {
		data = p.mem.Page(n)[off : off+measuredChunk]
	}
	e.measure.EEXTEND(entry.linear()-e.secs.BaseAddr+off, data)
	return nil
}
