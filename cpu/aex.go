package cpu

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/isa"
)

// AEXEvent is why an enclave is left asynchronously.
type AEXEvent struct {
	Exception bool       // false for an interrupt, which the enclave is not told of
	Vector    isa.Vector // of the exception
	ErrorCode uint32     // #PF and #GP
	Addr      uint64     // #PF: the whole linear address
}

// CR2 returns what the host of an AEX for a #PF finds in CR2: the address with
// its low 12 bits cleared.
func (ev *AEXEvent) CR2() uint64 { return ev.Addr &^ (isa.PageSize - 1) }

// exitInfo returns EXITINFO for an exception (SDM Vol. 3D, "EXITINFO"). A #PF
// of a supervisor's access, with U/S = 0, is no business of the enclave's.
func (ev *AEXEvent) exitInfo(misc isa.MiscSelect) isa.ExitInfo {
	if !ev.Exception {
		return 0
	}
	switch ev.Vector {
	case isa.VectorDE, isa.VectorDB, isa.VectorBR, isa.VectorUD, isa.VectorMF, isa.VectorAC, isa.VectorXM:
		return isa.MakeExitInfo(ev.Vector, isa.ExitTypeHardware)
	case isa.VectorBP:
		return isa.MakeExitInfo(ev.Vector, isa.ExitTypeSoftware)
	case isa.VectorGP, isa.VectorPF:
		user := ev.Vector == isa.VectorGP || ev.ErrorCode&isa.PFUser != 0
		if misc&isa.MiscEXINFO != 0 && user {
			return isa.MakeExitInfo(ev.Vector, isa.ExitTypeHardware)
		}
	}
	return 0
}

// fault reports whether ev is an exception of the fault class, for which the
// processor saves RF as 1 (SDM Vol. 3D, "RF Treatment on AEX"). A #DB may be
// either, and has RF as the engine gives it.
func (ev *AEXEvent) fault() bool {
	const (
		vectorOF = 4
		vectorDF = 8
		vectorMC = 18
	)
	switch ev.Vector {
	case isa.VectorDB, vectorOF, vectorDF, vectorMC:
		return false
	}
	return ev.Exception
}

// statusFlags are the flags that an AEX clears.
const statusFlags = isa.FlagCF | isa.FlagPF | isa.FlagAF | isa.FlagZF | isa.FlagSF | isa.FlagOF | isa.FlagRF

// AEX leaves the enclave because of ev: it saves r and xsave, the XSAVE area
// in the standard format, in the current SSA frame and puts the synthetic
// state into r (SDM Vol. 3D, "Asynchronous Enclave Exit Events"). A host is
// shown the CR2 of ev, not its Addr.
//
// XSAVE state at the AEP is the engine's, which gives host code what its ABI
// wants. Hardware has synthetic values that differ: MXCSR is 1FB0H, or 1F01H
// after #XM, and FCW is 037FH, or 037EH after #MF.
//
// RF in r is what would be pushed on a stack outside, except that AEX sets it
// for faults by itself. For an INT3, which is a fault inside an enclave, r.RIP
// is its address; after an opt-out entry AEX makes #UD of #BP, and the engine
// tells its host the same.
//
// The frame is the one that was found good on entry, whatever became of the
// page tables since: AEX fails only if the LP is not inside.
func (lp *LP) AEX(r *Regs, xsave []byte, ev AEXEvent) error {
	err := lp.aex(r, xsave, &ev)
	if lp.p.trace != nil {
		lp.p.trace(Event{Leaf: "AEX", Err: err, Operands: []Operand{
			{"VECTOR", uint64(ev.Vector)}, {"ERRCD", uint64(ev.ErrorCode)}, {"ADDR", ev.Addr}, {"TCS", lp.tcsLA},
		}})
	}
	return err
}

func (lp *LP) aex(r *Regs, xsave []byte, ev *AEXEvent) error {
	if lp.enc == nil {
		return gp("AEX", "not in enclave mode")
	}
	if ev.Vector == isa.VectorBP && !lp.optIn {
		ev.Vector = isa.VectorUD
	}
	t, f := lp.tcs, lp.frame
	s := &t.enc.secs
	if ev.fault() {
		r.RFLAGS |= isa.FlagRF
	}
	lp.p.saveXSave(f, xsave, s.Attributes.XFRM)
	saveGPRs(f.gpr, r)
	info := ev.exitInfo(s.MiscSelect)
	binary.LittleEndian.PutUint32(f.gpr[isa.GPRSGXOffExitInfo:], uint32(info))
	if s.MiscSelect&isa.MiscEXINFO != 0 && info.Valid() && (ev.Vector == isa.VectorPF || ev.Vector == isa.VectorGP) {
		x := isa.ExInfo{ErrCD: ev.ErrorCode}
		if ev.Vector == isa.VectorPF {
			x.MAddr = ev.Addr
		}
		b, _ := x.AppendBinary(make([]byte, 0, isa.ExInfoSize))
		copy(f.misc[len(f.misc)-isa.ExInfoSize:], b)
	}
	*r = Regs{
		RAX: uint64(isa.ERESUME), RBX: lp.tcsLA, RCX: t.aep.Load(), RIP: t.aep.Load(),
		RSP: get64(f.gpr, isa.GPRSGXOffURSP), RBP: get64(f.gpr, isa.GPRSGXOffURBP),
		RFLAGS: r.RFLAGS &^ statusFlags,
	}
	t.cssa.Add(1)
	lp.leaveMode(r)
	return nil
}

// Offsets in the GPRSGX area.
const (
	gprRFLAGS    = 128
	gprAEXNotify = 167
	gprFSBase    = 168
	gprGSBase    = 176
)

// gprs lists the general-purpose registers in the order of the GPRSGX area.
func (r *Regs) gprs() [16]*uint64 {
	return [...]*uint64{
		&r.RAX, &r.RCX, &r.RDX, &r.RBX, &r.RSP, &r.RBP, &r.RSI, &r.RDI,
		&r.R8, &r.R9, &r.R10, &r.R11, &r.R12, &r.R13, &r.R14, &r.R15,
	}
}

// saveGPRs writes the registers to a GPRSGX area, with TF clear. URSP, URBP
// and AEXNOTIFY stay as they are.
func saveGPRs(gpr []byte, r *Regs) {
	for i, v := range r.gprs() {
		put64(gpr, 8*i, *v)
	}
	put64(gpr, gprRFLAGS, r.RFLAGS&^isa.FlagTF)
	put64(gpr, isa.GPRSGXOffRIP, r.RIP)
	put64(gpr, gprFSBase, r.FSBase)
	put64(gpr, gprGSBase, r.GSBase)
}

// saveXSave writes the components of xfrm to the XSAVE area of a frame.
func (p *Processor) saveXSave(f *frame, xsave []byte, xfrm isa.XFRM) {
	if len(f.xsave) == 1 {
		p.xsave.copyXSave(f.xsave[0][:p.xsave.Size(xfrm)], xsave, xfrm)
		return
	}
	area := make([]byte, p.xsave.Size(xfrm))
	p.xsave.copyXSave(area, xsave, xfrm)
	for _, page := range f.xsave {
		area = area[copy(page, area):]
	}
}
