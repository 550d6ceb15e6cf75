package cpu

import (
	"errors"

	"github.com/feidi-dev/feidi/isa"
)

// ErrOrdinaryMemory says that an address is not in the EPC, so that only an
// engine can reach it.
var ErrOrdinaryMemory = errors.New("cpu: address is ordinary memory")

// ReadLinear reads len(buf) bytes at a linear address as software does: on an
// LP, or outside every enclave if lp is nil. From outside, bytes of the EPC
// read as 0xFF. An access that faults returns a *Fault; one that leaves the
// EPC wraps ErrOrdinaryMemory. Bytes before the failure have been read.
func (p *Processor) ReadLinear(as *AddressSpace, lp *LP, addr uint64, buf []byte) error {
	return p.linear(as, lp, addr, buf, AccessRead)
}

// WriteLinear writes buf as ReadLinear reads. From outside, writes to the EPC
// are dropped.
func (p *Processor) WriteLinear(as *AddressSpace, lp *LP, addr uint64, buf []byte) error {
	return p.linear(as, lp, addr, buf, AccessWrite)
}

func (p *Processor) linear(as *AddressSpace, lp *LP, addr uint64, buf []byte, kind AccessKind) error {
	for len(buf) > 0 {
		off := addr % isa.PageSize
		part := buf[:min(uint64(len(buf)), isa.PageSize-off)]
		switch o := p.Access(as, lp, addr, kind); o.Kind {
		case OutcomeFault:
			return o.Fault
		case OutcomeMemory:
			return ErrOrdinaryMemory
		case OutcomeAbort:
			if kind == AccessRead {
				for i := range part {
					part[i] = 0xFF
				}
			}
		case OutcomeEPC:
			n, _ := p.page(o.PA)
			if kind == AccessRead {
				copy(part, p.mem.Page(n)[off:])
			} else {
				copy(p.mem.Page(n)[off:], part)
			}
		}
		addr += uint64(len(part))
		buf = buf[len(part):]
	}
	return nil
}
