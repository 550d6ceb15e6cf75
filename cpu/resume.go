package cpu

import "github.com/feidi-dev/feidi/isa"

// Bits of RFLAGS that ERESUME takes from the SSA frame: CF, PF, AF, ZF, SF,
// DF, OF, NT, RF, AC and ID.
const resumeFlags = isa.FlagCF | isa.FlagPF | isa.FlagAF | isa.FlagZF | isa.FlagSF | isa.FlagDF | isa.FlagOF |
	1<<14 | isa.FlagRF | 1<<18 | 1<<21

// ERESUME resumes the thread at the TCS r.RBX where its last AEX left it
// (SDM Vol. 3D, "ERESUME"). r is as for EENTER. On success r is the state
// inside, and xsave, an XSAVE area in the standard format, has been filled
// with an image that XRSTOR accepts for the components of XFRM. If the thread
// asked for AEX-Notify the enclave is entered anew, and Notified is true.
func (lp *LP) ERESUME(r *Regs, xsave []byte) error {
	in := [...]Operand{{"TCS", r.RBX}, {"AEP", r.RCX}}
	lp.p.mu.RLock()
	err := lp.eresume(r, xsave)
	lp.p.mu.RUnlock()
	if lp.p.trace != nil {
		lp.p.traceENCLU(isa.ERESUME, err, in[0], in[1])
	}
	return err
}

func (lp *LP) eresume(r *Regs, xsave []byte) error {
	const leaf = "ERESUME"
	if lp.enc != nil {
		return gp(leaf, "already in enclave mode")
	}
	t, err := lp.checkTCS(leaf, r)
	if err != nil {
		return err
	}
	taken := t.state.CompareAndSwap(0, busy(t.enc.epoch))
	err = lp.resume(t, taken, r, xsave)
	if err != nil && taken {
		t.state.Store(0)
	}
	return err
}

// resume does the checks that follow those of the TCS and, if the LP has taken
// the thread, completes ERESUME.
func (lp *LP) resume(t *thread, taken bool, r *Regs, xsave []byte) error {
	const leaf = "ERESUME"
	cssa := t.cssa.Load()
	if cssa == 0 {
		return gp(leaf, "no SSA frame is in use")
	}
	f, err := lp.ssaFrame(leaf, t, cssa-1)
	if err != nil {
		return err
	}
	if t.has(isa.TCSAEXNotify) && f.gpr[gprAEXNotify]&1 != 0 {
		c, f, cssa, err := lp.resolve(leaf, t, r.RBX)
		if err != nil {
			return err
		}
		if !taken {
			return gp(leaf, "TCS is active")
		}
		lp.begin(r, c, f, cssa)
		lp.notified = true
		return nil
	}
	in := Regs{
		RIP:    get64(f.gpr, isa.GPRSGXOffRIP),
		FSBase: get64(f.gpr, gprFSBase),
		GSBase: get64(f.gpr, gprGSBase),
		RFLAGS: r.RFLAGS&^resumeFlags | get64(f.gpr, gprRFLAGS)&resumeFlags,
	}
	if !canonical(in.RIP) {
		return gp(leaf, "RIP in the SSA frame is not canonical")
	}
	if !canonical(in.FSBase) || !canonical(in.GSBase) {
		return gp(leaf, "FSBASE or GSBASE in the SSA frame is not canonical")
	}
	if !taken {
		return gp(leaf, "TCS is active")
	}
	if reason := lp.p.loadXSave(f, xsave, t.enc.secs.Attributes.XFRM); reason != "" {
		return gp(leaf, reason)
	}
	for i, v := range in.gprs() {
		*v = get64(f.gpr, 8*i)
	}
	lp.enterMode(r, t, f)
	if !lp.optIn {
		in.RFLAGS &^= isa.FlagTF
	}
	*r = in
	t.cssa.Store(cssa - 1)
	lp.notified = false
	return nil
}

// loadXSave copies the XSAVE area of a frame to xsave, or returns why XRSTOR
// would raise a #GP for it.
func (p *Processor) loadXSave(f *frame, xsave []byte, xfrm isa.XFRM) string {
	size := p.xsave.Size(xfrm)
	area := f.xsave[0][:min(size, isa.PageSize)]
	if len(f.xsave) > 1 {
		area = make([]byte, 0, len(f.xsave)*isa.PageSize)
		for _, page := range f.xsave {
			area = append(area, page...)
		}
		area = area[:size]
	}
	if reason := checkXSave(area, xfrm); reason != "" {
		return reason
	}
	p.xsave.copyXSave(xsave, area, xfrm)
	return ""
}
