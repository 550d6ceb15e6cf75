package cpu

import (
	"errors"

	"github.com/feidi-dev/feidi/isa"
)

// encluSize is the length of the ENCLU instruction.
const encluSize = 3

// ENCLU executes the leaf r.RAX inside the enclave, r.RIP being the address of
// the instruction (SDM Vol. 3D, "ENCLU"). If the leaf completes, RIP is that
// of the next instruction, RAX holds the error code and ZF says whether there
// is one, for the leaves that return one. If it faults, r is unchanged, and
// the engine does an AEX for the *Fault.
func (lp *LP) ENCLU(r *Regs) error {
	leaf := isa.ENCLU(uint32(r.RAX))
	if lp.enc == nil {
		return gp(leaf.String(), "not in enclave mode")
	}
	if leaf == isa.EEXIT {
		return lp.EEXIT(r)
	}
	in := [...]Operand{{"RBX", r.RBX}, {"RCX", r.RCX}, {"RDX", r.RDX}}
	code, fault := errorCode(lp.enclu(leaf, r))
	if lp.p.trace != nil {
		err := fault
		if code != 0 {
			err = code
		}
		lp.p.traceENCLU(leaf, err, in[0], in[1], in[2])
	}
	if fault != nil {
		var f *Fault
		if errors.As(fault, &f) && f.Vector == isa.VectorPF {
			f.ErrorCode |= isa.PFUser
		}
		return fault
	}
	r.RIP += encluSize
	r.RFLAGS &^= isa.FlagRF // as every instruction that completes
	switch leaf {
	case isa.EREPORT, isa.EMODPE, isa.EDECCSSA:
		return nil
	}
	r.RAX = uint64(code)
	r.RFLAGS &^= isa.FlagCF | isa.FlagPF | isa.FlagAF | isa.FlagZF | isa.FlagOF | isa.FlagSF
	if code != 0 {
		r.RFLAGS |= isa.FlagZF
	}
	return nil
}

// enclu dispatches the leaves that stay in enclave mode.
func (lp *LP) enclu(leaf isa.ENCLU, r *Regs) error {
	mu := &lp.p.mu
	switch leaf {
	case isa.EREPORT:
		mu.RLock()
		defer mu.RUnlock()
		return lp.ereport(r)
	case isa.EGETKEY:
		mu.RLock()
		defer mu.RUnlock()
		return lp.egetkey(r)
	case isa.EVERIFYREPORT2:
		mu.RLock()
		defer mu.RUnlock()
		return lp.everifyreport2(r)
	case isa.EDECCSSA:
		mu.RLock()
		defer mu.RUnlock()
		return lp.edeccssa()
	case isa.EACCEPT:
		mu.Lock()
		defer lp.p.unlock()
		return lp.eaccept(r)
	case isa.EMODPE:
		mu.Lock()
		defer lp.p.unlock()
		return lp.emodpe(r)
	case isa.EACCEPTCOPY:
		mu.Lock()
		defer lp.p.unlock()
		return lp.eacceptcopy(r)
	case isa.EENTER, isa.ERESUME:
		return gp(leaf.String(), "already in enclave mode")
	}
	return gp(leaf.String(), "no such leaf")
}
