package cpu

import "github.com/feidi-dev/feidi/isa"

// EENTER enters the enclave at the TCS r.RBX, with the asynchronous exit
// pointer r.RCX (SDM Vol. 3D, "EENTER"). r.RIP is the address of the next
// instruction, and r.FSBase and r.GSBase are those outside: EEXIT and AEX
// bring them back. On success r is the state in which the enclave begins.
// XSAVE state stays as it is.
func (lp *LP) EENTER(r *Regs) error {
	if lp.enter(r) {
		return nil
	}
	return lp.enterSlowly(r)
}

// enter enters a thread that this LP has entered before, if nothing changed
// since, and reports whether it did.
func (lp *LP) enter(r *Regs) bool {
	c := lp.slot(r.RBX)
	t := c.tcs
	if c.linear != r.RBX || t == nil || lp.enc != nil || lp.p.trace != nil ||
		c.runs != lp.as.runs.Load() || !canonical(r.RCX) {
		return false
	}
	if !t.state.CompareAndSwap(0, c.busy) {
		return false
	}
	cssa := t.cssa.Load()
	if t.enc.version.Load() != c.version || cssa >= entryFrames || c.frames[cssa] == nil {
		t.state.Store(0)
		return false
	}
	lp.begin(r, c, c.frames[cssa], cssa)
	return true
}

// begin completes an entry by EENTER, or by ERESUME with notification.
func (lp *LP) begin(r *Regs, c *entry, f *frame, cssa uint32) {
	lp.enterMode(r, c.tcs, f)
	put64(f.gpr, isa.GPRSGXOffURSP, r.RSP)
	put64(f.gpr, isa.GPRSGXOffURBP, r.RBP)
	r.RCX, r.RIP = r.RIP, c.target
	r.RAX = uint64(cssa)
	r.FSBase, r.GSBase = c.fs, c.gs
}

// enterMode sets the registers of enclave mode and saves those outside.
func (lp *LP) enterMode(r *Regs, t *thread, f *frame) {
	lp.enc, lp.tcs, lp.tcsLA, lp.frame = t.enc, t, r.RBX, f
	lp.saveFS, lp.saveGS = r.FSBase, r.GSBase
	if t.aep.Load() != r.RCX {
		t.aep.Store(r.RCX)
	}
	lp.optIn = t.has(isa.TCSDbgOptIn)
	if !lp.optIn {
		lp.saveTF = r.RFLAGS & isa.FlagTF
		r.RFLAGS &^= isa.FlagTF
	}
}

// enterSlowly is EENTER with all of its checks.
func (lp *LP) enterSlowly(r *Regs) error {
	in := [...]Operand{{"TCS", r.RBX}, {"AEP", r.RCX}}
	lp.p.mu.RLock()
	err := lp.eenter(r)
	lp.p.mu.RUnlock()
	if lp.p.trace != nil {
		lp.p.traceENCLU(isa.EENTER, err, in[0], in[1])
	}
	return err
}

func (lp *LP) eenter(r *Regs) error {
	const leaf = "EENTER"
	if lp.enc != nil {
		return gp(leaf, "already in enclave mode")
	}
	t, err := lp.checkTCS(leaf, r)
	if err != nil {
		return err
	}
	taken := t.state.CompareAndSwap(0, busy(t.enc.epoch))
	c, f, cssa, err := lp.resolve(leaf, t, r.RBX)
	if err == nil && !taken {
		err = gp(leaf, "TCS is active")
	}
	if err != nil {
		if taken {
			t.state.Store(0)
		}
		return err
	}
	lp.begin(r, c, f, cssa)
	return nil
}

// checkTCS does the checks of a TCS that EENTER and ERESUME begin with.
func (lp *LP) checkTCS(leaf string, r *Regs) (*thread, error) {
	p, linear := lp.p, r.RBX
	if linear%isa.PageSize != 0 {
		return nil, gp(leaf, "TCS is not 4-KByte aligned")
	}
	n, err := lp.translate(leaf, linear, PermR)
	if err != nil {
		return nil, err
	}
	if !canonical(r.RCX) {
		return nil, gp(leaf, "AEP is not canonical")
	}
	switch e := p.epcm.get(n); {
	case !e.valid():
		return nil, pfUser(leaf, linear, 0, "TCS page is not valid")
	case e.is(epcmBlocked):
		return nil, pfUser(leaf, linear, 0, "TCS page is blocked")
	case e.linear() != linear || e.pt() != isa.PTTCS:
		return nil, pfUser(leaf, linear, 0, "page is not the TCS of this linear address")
	case e.is(epcmPending | epcmModified):
		return nil, pfUser(leaf, linear, 0, "TCS page is pending or modified")
	}
	t := p.threads[uint32(n)]
	s := &t.enc.secs
	aexNotify := s.Attributes.Flags&isa.AttrAEXNotify != 0
	switch {
	case t.ossa%isa.PageSize != 0:
		return nil, gp(leaf, "OSSA is not 4-KByte aligned")
	case t.ofsbas%isa.PageSize != 0 || t.ogsbas%isa.PageSize != 0:
		return nil, gp(leaf, "OFSBASGX or OGSBASGX is not 4-KByte aligned")
	case t.has(isa.TCSReserved):
		return nil, gp(leaf, "reserved bits of TCS.FLAGS are set")
	case !t.enc.init:
		return nil, gp(leaf, "enclave is not initialized")
	case s.Attributes.Flags&isa.AttrMode64Bit == 0:
		return nil, gp(leaf, "enclave is not for 64-bit mode")
	case s.Attributes.XFRM&^p.xfrm != 0:
		return nil, gp(leaf, "XFRM is not a subset of XCR0")
	case !t.has(isa.TCSDbgOptIn) && t.has(isa.TCSAEXNotify) != aexNotify:
		return nil, gp(leaf, "TCS.FLAGS.AEXNOTIFY differs from ATTRIBUTES.AEXNOTIFY")
	}
	return t, nil
}

// resolve does the checks of EENTER that follow those of the TCS, and
// remembers the result.
func (lp *LP) resolve(leaf string, t *thread, linear uint64) (*entry, *frame, uint32, error) {
	cssa := t.cssa.Load()
	if cssa >= t.nssa {
		return nil, nil, 0, gp(leaf, "no SSA frame is left")
	}
	runs := lp.as.runs.Load()
	f, err := lp.ssaFrame(leaf, t, cssa)
	if err != nil {
		return nil, nil, 0, err
	}
	base := t.enc.secs.BaseAddr
	target, fs, gs := base+t.oentry, base+t.ofsbas, base+t.ogsbas
	if !canonical(target) {
		return nil, nil, 0, gp(leaf, "OENTRY is not canonical")
	}
	if !canonical(fs) || !canonical(gs) {
		return nil, nil, 0, gp(leaf, "FS or GS base is not canonical")
	}
	c := lp.slot(linear)
	version := t.enc.version.Load()
	if c.linear != linear || c.tcs != t || c.version != version || c.runs != runs {
		*c = entry{linear: linear, runs: runs, version: version, tcs: t, busy: busy(t.enc.epoch), target: target, fs: fs, gs: gs}
	}
	if cssa < entryFrames {
		c.frames[cssa] = f
	}
	return c, f, cssa, nil
}
