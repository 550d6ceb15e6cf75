package cpu

import "github.com/feidi-dev/feidi/isa"

// EEXIT leaves the enclave for r.RBX and gives the asynchronous exit pointer
// in r.RCX (SDM Vol. 3D, "EEXIT"). FS and GS are again those outside.
func (lp *LP) EEXIT(r *Regs) error {
	const leaf = "EEXIT"
	var err error
	switch {
	case lp.enc == nil:
		err = gp(leaf, "not in enclave mode")
	case !canonical(r.RBX):
		err = gp(leaf, "target is not canonical")
	default:
		r.RIP = r.RBX
		r.RFLAGS &^= isa.FlagRF // as every instruction that completes
		r.RCX = lp.tcs.aep.Load()
		lp.leaveMode(r)
	}
	if lp.p.trace != nil {
		lp.p.traceENCLU(isa.EEXIT, err, Operand{"TARGET", r.RBX})
	}
	return err
}

// leaveMode restores the registers outside and lets go of the thread.
func (lp *LP) leaveMode(r *Regs) {
	r.FSBase, r.GSBase = lp.saveFS, lp.saveGS
	if !lp.optIn {
		r.RFLAGS = r.RFLAGS&^isa.FlagTF | lp.saveTF
	}
	t := lp.tcs
	lp.enc, lp.tcs, lp.frame = nil, nil, nil
	t.state.Store(0)
}

// edeccssa executes EDECCSSA: it drops the SSA frame that the last AEX filled
// (SDM Vol. 3D, "EDECCSSA").
func (lp *LP) edeccssa() error {
	const leaf = "EDECCSSA"
	t := lp.tcs
	cssa := t.cssa.Load()
	if cssa == 0 {
		return gp(leaf, "CSSA is zero")
	}
	f, err := lp.ssaFrame(leaf, t, cssa-1)
	if err != nil {
		return err
	}
	t.cssa.Store(cssa - 1)
	lp.frame = f
	return nil
}
