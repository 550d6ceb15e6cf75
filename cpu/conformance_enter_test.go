package cpu

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/feidi-dev/feidi/isa"
)

func enterChapters() []chapter {
	segments := []gap{
		{"DS is not usable, or expand-down", "#GP", mode64},
		{"CS, DS, ES or SS base ≠ 0", "#GP", mode64},
		{"SS.B = 0", "#GP", mode64},
		{"GPR area, OENTRY, FS or GS are beyond a 32-bit segment", "#GP", mode64},
		{"other leaves operate on the TCS", "#GP", atomicLeaf},
		{"CR4.OSFXSR = 0", "#GP", noCR},
		{"CR4.OSXSAVE = 0 and XFRM ≠ 3", "#GP", noCR},
		{"CR4.CET = 0 and the enclave uses CET", "#GP", noCET},
		{"OCETSSA is not 16-Byte aligned", "#GP", noCET},
		{"CET save area is not a PT_SS_REST page of the enclave", "#PF", noCET},
	}
	return []chapter{
		{"ENCLU", inside, encluRows(), []gap{
			{"CR0.PE = 0, VM86, SMM or SGX disabled in CPUID", "#UD", noCR},
			{"CR0.TS = 1", "#NM", noCR},
			{"CPL < 3", "#UD", noCR},
			{"IA32_FEATURE_CONTROL does not enable SGX", "#GP", noCR},
			{"CR0.PG = 0 or CR0.NE = 0", "#GP", noCR},
			{"16-bit code segment", "#GP", mode64},
			{"CET tracker waits for ENDBRANCH", "#CP", noCET},
		}},
		{"EENTER", ready, eenterRows(), segments},
		{"EEXIT", inside, eexitRows(), []gap{{"RBX > CS limit", "#GP", mode64}}},
		{"AEX", inside, aexRows(), nil},
		{"AEX", inside, eventRows(), []gap{
			{"FCW is 037EH after #MF", success, "XSAVE state after an AEX is the engine's"},
			{"MXCSR is 1FB0H, and 1F01H after #XM", success, "XSAVE state after an AEX is the engine's"},
		}},
		{"ERESUME", stopped, eresumeRows(), append([]gap{
			{"SSP or tracker in the CET save area is illegal", "#GP", noCET},
		}, segments...)},
		{"EDECCSSA", nested, edeccssaRows(), []gap{
			{"GPR area is beyond a 32-bit segment", "#GP", mode64},
			{"CET save area is not a PT_SS_REST page of the enclave", "#PF", noCET},
		}},
	}
}

func encluRows() []row {
	rows := []row{
		{"no such leaf", "#GP", "no such leaf", func(m *machine) error { return m.enclu(0x77, 0, 0, 0) }},
		{"EENTER inside", "#GP", "already in enclave mode", func(m *machine) error { return m.enclu(isa.EENTER, at(pgTCS2), testAEP, 0) }},
		{"ERESUME inside", "#GP", "already in enclave mode", func(m *machine) error { return m.enclu(isa.ERESUME, at(pgTCS2), testAEP, 0) }},
	}
	for _, leaf := range []isa.ENCLU{isa.EREPORT, isa.EGETKEY, isa.EEXIT, isa.EACCEPT, isa.EMODPE, isa.EACCEPTCOPY, isa.EVERIFYREPORT2, isa.EDECCSSA} {
		rows = append(rows, row{leaf.String() + " outside", "#GP", "not in enclave mode", func(m *machine) error {
			m.exit()
			return m.enclu(leaf, at(pgData), at(pgData2), at(pgData3))
		}})
	}
	return rows
}

// tcsRows are the conditions of a TCS that EENTER and ERESUME share. enter
// executes the leaf at a TCS.
func tcsRows(enter func(m *machine, r *Regs) error) []row {
	pg := func(change func(m *machine)) func(*machine) error {
		return func(m *machine) error { change(m); return enter(m, outsideRegs(pgTCS)) }
	}
	tcs := func(change func(t *thread)) func(*machine) error {
		return pg(func(m *machine) { change(m.thread(pgTCS)) })
	}
	regs := func(change func(r *Regs)) func(*machine) error {
		return func(m *machine) error { r := outsideRegs(pgTCS); change(r); return enter(m, r) }
	}
	return []row{
		{"TCS is not 4-KByte aligned", "#GP", "4-KByte", regs(func(r *Regs) { r.RBX += 8 })},
		{"TCS has no translation", "#PF", "no translation", pg(func(m *machine) { m.must(m.as.Unmap(at(pgTCS), 1)) })},
		{"TCS is not accessible by the page tables", "#PF", "page tables", pg(func(m *machine) { m.must(m.as.Protect(at(pgTCS), 1, 0)) })},
		{"success: TCS is read-only by the page tables", success, "", pg(func(m *machine) { m.must(m.as.Protect(at(pgTCS), 1, PermR)) })},
		{"TCS does not resolve within the EPC", "#PF", "not in the EPC", pg(func(m *machine) { m.must(m.as.Map(at(pgTCS), notEPC, 1, PermR)) })},
		{"AEP is not canonical", "#GP", "AEP", regs(func(r *Regs) { r.RCX = 1 << 48 })},
		{"AEP is not canonical, and EPCM.VALID = 0: #GP comes first", "#GP", "AEP", func(m *machine) error {
			setState(0, epcmValid)(m, pgTCS)
			r := outsideRegs(pgTCS)
			r.RCX = 1 << 48
			return enter(m, r)
		}},
		{"EPCM.VALID = 0", "#PF", "not valid", pg(func(m *machine) { setState(0, epcmValid)(m, pgTCS) })},
		{"EPCM.BLOCKED = 1", "#PF", "blocked", pg(func(m *machine) { m.must(m.p.EBLOCK(m.epc[at(pgTCS)])) })},
		{"EPCM.ENCLAVEADDRESS ≠ TCS", "#PF", "not the TCS", pg(func(m *machine) { m.must(m.as.Map(at(pgTCS), m.epc[at(pgTCS2)], 1, PermR)) })},
		{"EPCM.PT ≠ PT_TCS", "#PF", "not the TCS", regs(func(r *Regs) { r.RBX = at(pgData) })},
		{"EPCM.PENDING = 1", "#PF", "pending", pg(func(m *machine) { setState(epcmPending, 0)(m, pgTCS) })},
		{"EPCM.MODIFIED = 1", "#PF", "modified", pg(func(m *machine) { setState(epcmModified, 0)(m, pgTCS) })},
		{"OSSA is not 4-KByte aligned", "#GP", "OSSA", tcs(func(t *thread) { t.ossa += 8 })},
		{"OFSBASE is not 4-KByte aligned", "#GP", "OFSBAS", tcs(func(t *thread) { t.ofsbas += 8 })},
		{"OGSBASE is not 4-KByte aligned", "#GP", "OGSBAS", tcs(func(t *thread) { t.ogsbas += 8 })},
		{"TCS.FLAGS reserved bits ≠ 0", "#GP", "FLAGS", tcs(func(t *thread) { t.flags.Store(1 << 9) })},
		{"enclave is not initialized", "#GP", "not initialized", pg(func(m *machine) { m.enclave().init = false })},
		{"MODE64BIT differs from the processor's mode", "#GP", "64-bit", pg(func(m *machine) { m.enclave().secs.Attributes.Flags &^= isa.AttrMode64Bit })},
		{"XFRM is not a subset of XCR0", "#GP", "XCR0", pg(func(m *machine) { m.enclave().secs.Attributes.XFRM |= isa.XFRMAVX })},
		{"AEXNOTIFY of TCS and SECS differ, TCS set", "#GP", "AEXNOTIFY", tcs(func(t *thread) { t.flags.Store(uint64(isa.TCSAEXNotify)) })},
		{"AEXNOTIFY of TCS and SECS differ, SECS set", "#GP", "AEXNOTIFY", pg(func(m *machine) { m.enclave().secs.Attributes.Flags |= isa.AttrAEXNotify })},
		{"TCS.STATE = ACTIVE", "#GP", "active", pg(func(m *machine) { m.thread(pgTCS).state.Store(busy(1)) })},
	}
}

// frameRows are the conditions of the pages of an SSA frame, that lies at page.
func frameRows(what string, page uint64, run func(m *machine) error) []row {
	var rows []row
	for _, tr := range append(troubles(epcmR), troubles(epcmW)[len(troubles(epcmW))-1]) {
		rows = append(rows, row{what + ": " + tr.cond, "#PF", tr.reason, func(m *machine) error { tr.make(m, page); return run(m) }})
	}
	return rows
}

// wide returns a machine with an enclave whose SSA frames have two pages.
func wide(m *machine) *machine {
	s := testSECS()
	s.SSAFrameSize = 2
	w := newMachine(m.tb, Config{}, s)
	w.build()
	w.init()
	return w
}

// wideStopped returns a wide machine whose first thread left by an AEX.
func wideStopped(m *machine) *machine {
	w := wide(m)
	w.must(w.lp.AEX(w.enter(pgTCS), nil, AEXEvent{}))
	return w
}

// wideNested returns a wide machine in which a thread that left by an AEX is
// inside again: the second thread, which has room for two such frames.
func wideNested(m *machine) *machine {
	w := wide(m)
	w.must(w.lp.AEX(w.enter(pgTCS2), nil, AEXEvent{}))
	w.enter(pgTCS2)
	return w
}

// on returns rows that run on the machine that other makes.
func on(other func(*machine) *machine, rows []row) []row {
	for i := range rows {
		run := rows[i].run
		rows[i].run = func(m *machine) error { return run(other(m)) }
	}
	return rows
}

func eenterRows() []row {
	eenter := func(m *machine, r *Regs) error { return m.lp.EENTER(r) }
	good := func(m *machine) error { return eenter(m, outsideRegs(pgTCS)) }
	return joinRows([]row{
		{"in enclave mode", "#GP", "already", func(m *machine) error { m.enter(pgTCS); return eenter(m, outsideRegs(pgTCS2)) }},
	}, tcsRows(eenter), []row{
		{"CSSA ≥ NSSA", "#GP", "no SSA frame", func(m *machine) error { m.thread(pgTCS).cssa.Store(3); return good(m) }},
	}, frameRows("XSAVE page", pgSSA, good), on(wide, frameRows("GPR page, of a frame of two pages", pgSSA+1, good)), []row{
		{"OENTRY is not canonical", "#GP", "OENTRY", func(m *machine) error { m.thread(pgTCS).oentry = 1 << 50; return good(m) }},
		{"OFSBASE is not canonical", "#GP", "FS or GS", func(m *machine) error { m.thread(pgTCS).ofsbas = 1 << 50; return good(m) }},
		{"OGSBASE is not canonical", "#GP", "FS or GS", func(m *machine) error { m.thread(pgTCS).ogsbas = 1 << 50; return good(m) }},
		{"TCS.STATE = ACTIVE, on an LP that has entered it before", "#GP", "active", func(m *machine) error {
			m.enter(pgTCS)
			m.exit()
			m.must(m.p.NewLP(m.as).EENTER(outsideRegs(pgTCS)))
			return good(m)
		}},
		{"success: DBGOPTIN = 1 allows any AEXNOTIFY", success, "", func(m *machine) error {
			m.thread(pgTCS).flags.Store(uint64(isa.TCSDbgOptIn | isa.TCSAEXNotify))
			return good(m)
		}},
		{"success: registers, and TF cleared on opt-out entry", success, "", func(m *machine) error {
			for range 2 { // cold and warm
				r := outsideRegs(pgTCS)
				r.RFLAGS |= isa.FlagTF
				if err := eenter(m, r); err != nil {
					return err
				}
				if r.RAX != 0 || r.RCX != outside || r.RIP != at(pgCode)+0x10 || r.RFLAGS != 0x202 || !m.lp.InEnclave() || m.lp.SECS() != m.secs {
					m.tb.Errorf("after EENTER: %+v", *r)
				}
				r.RBX = outside
				m.must(m.lp.EEXIT(r))
				if r.RFLAGS&isa.FlagTF == 0 {
					m.tb.Error("EEXIT does not restore TF")
				}
			}
			return nil
		}},
		{"success: an opt-in entry leaves TF as it is", success, "", func(m *machine) error {
			m.setOptIn()
			for range 2 { // cold and warm
				r := outsideRegs(pgTCS)
				r.RFLAGS |= isa.FlagTF
				if err := eenter(m, r); err != nil {
					return err
				}
				if r.RFLAGS != 0x202|isa.FlagTF || !m.lp.OptIn() {
					m.tb.Errorf("after EENTER: RFLAGS = %#x", r.RFLAGS)
				}
				r.RBX, r.RFLAGS = outside, 0x202
				m.must(m.lp.EEXIT(r))
				if r.RFLAGS != 0x202 {
					m.tb.Errorf("after EEXIT: RFLAGS = %#x", r.RFLAGS)
				}
			}
			return nil
		}},
		{"success: each CSSA has its frame, and then there is none left", success, "", func(m *machine) error {
			for n := range uint64(3) {
				r := m.enter(pgTCS)
				if r.RAX != n {
					m.tb.Errorf("CSSA = %d, want %d", r.RAX, n)
				}
				r.R15 = 100 + n
				m.must(m.lp.AEX(r, nil, AEXEvent{}))
				if got := get64(m.gpr(pgSSA, n), 120); got != 100+n {
					m.tb.Errorf("frame %d holds R15 = %d", n, got)
				}
			}
			if classify(good(m)) != "#GP" {
				m.tb.Error("entered without a frame")
			}
			return nil
		}},
	})
}

// gpr returns the GPRSGX area of frame n of the SSA at page.
func (m *machine) gpr(ssa, n uint64) []byte {
	return m.bytes(at(ssa+n+1) - isa.GPRSGXSize)[:isa.GPRSGXSize]
}

func eexitRows() []row {
	return []row{
		{"not in enclave mode", "#GP", "not in enclave mode", func(m *machine) error { m.exit(); return m.lp.EEXIT(&Regs{RBX: outside}) }},
		{"RBX is not canonical", "#GP", "canonical", func(m *machine) error { return m.lp.EEXIT(&Regs{RBX: 1 << 63}) }},
		{"success: RIP, RCX, FS and GS, and the TCS is INACTIVE", success, "", func(m *machine) error {
			r := Regs{RAX: uint64(isa.EEXIT), RBX: outside + 4, RCX: 5, FSBase: 1, GSBase: 2, RSP: 3, RFLAGS: 0x202 | isa.FlagRF}
			err := m.lp.ENCLU(&r)
			want := Regs{RAX: uint64(isa.EEXIT), RBX: outside + 4, RCX: testAEP, RIP: outside + 4, RSP: 3, RFLAGS: 0x202, FSBase: 0x1111_0000, GSBase: 0x2222_0000}
			if r != want || m.lp.InEnclave() || m.thread(pgTCS).state.Load() != 0 {
				m.tb.Errorf("after EEXIT: %+v", r)
			}
			return err
		}},
	}
}

// insideRegs are registers of enclave code, all different.
func insideRegs() *Regs {
	r := &Regs{RFLAGS: 0x202 | allFlags | isa.FlagTF | isa.FlagDF, RIP: at(pgCode) + 0x99, FSBase: at(pgData), GSBase: at(pgData2)}
	for i, v := range r.gprs() {
		*v = 0xA000 + uint64(i)
	}
	return r
}

// xsaveImage is an XSAVE area with x87 and SSE in use, and AVX beyond XFRM.
func xsaveImage() []byte {
	b := make([]byte, 832)
	for i := range b[:512] {
		b[i] = byte(i)
	}
	binary.LittleEndian.PutUint32(b[xsaveMXCSR:], 0x1FBF)
	b[xsaveBV] = 7
	b[600] = 0x55
	return b
}

func aexRows() []row {
	return []row{
		{"not in enclave mode", "#GP", "not in enclave mode", func(m *machine) error { m.exit(); return m.lp.AEX(&Regs{}, nil, AEXEvent{}) }},
		{"success: registers are saved and synthetic ones loaded", success, "", func(m *machine) error {
			r, in := insideRegs(), insideRegs()
			m.gpr(pgSSA, 0)[gprAEXNotify] = 1
			img := xsaveImage()
			err := m.lp.AEX(r, img, AEXEvent{Exception: true, Vector: isa.VectorUD})
			want := Regs{
				RAX: 3, RBX: at(pgTCS), RCX: testAEP, RIP: testAEP, RSP: 0x7FFF_0000, RBP: 0x7FFF_1000,
				RFLAGS: 0x202 | isa.FlagDF, FSBase: 0x1111_0000, GSBase: 0x2222_0000,
			}
			if *r != want {
				m.tb.Errorf("synthetic state: %+v", *r)
			}
			var g isa.GPRSGX
			m.must(g.UnmarshalBinary(m.gpr(pgSSA, 0)))
			if g.RDI != in.RDI || g.R15 != in.R15 || g.RIP != in.RIP || g.RFLAGS != in.RFLAGS&^isa.FlagTF|isa.FlagRF || g.FSBase != in.FSBase ||
				g.GSBase != in.GSBase || g.AEXNotify != 1 || g.ExitInfo != 0x80000306 || g.URSP != 0x7FFF_0000 {
				m.tb.Errorf("saved state: %+v", g)
			}
			x := m.peek(at(pgSSA), 640)
			if x[100] != 100 || x[xsaveBV] != 3 || !zeros(x[:576], xsaveBV+1) || x[600] != 0 {
				m.tb.Error("XSAVE state is not what XFRM has")
			}
			if m.lp.InEnclave() || m.thread(pgTCS).cssa.Load() != 1 || m.thread(pgTCS).state.Load() != 0 {
				m.tb.Error("the thread is still active")
			}
			return err
		}},
		{"success though the frame's pages were unmapped: their addresses are cached", success, "", func(m *machine) error {
			m.must(m.as.Unmap(at(pgSSA), 3))
			return m.lp.AEX(insideRegs(), nil, AEXEvent{})
		}},
		{"success: a frame of several pages", success, "", func(m *machine) error {
			const xfrm, size = isa.XFRM(0x602E7), 11008
			c := Config{XFRM: xfrm}
			s := testSECS()
			s.Attributes.XFRM, s.SSAFrameSize = xfrm, 3
			w := newMachine(m.tb, c, s)
			w.build()
			w.init()
			w.enter(pgTCS)
			img := make([]byte, size)
			binary.LittleEndian.PutUint64(img[xsaveBV:], uint64(xfrm))
			for i := 2816; i < size; i++ {
				img[i] = byte(i / 7)
			}
			img[700] = 0x43
			m.must(w.lp.AEX(insideRegs(), img, AEXEvent{}))
			back := make([]byte, size)
			err := w.lp.ERESUME(outsideRegs(pgTCS), back)
			if string(back) != string(img) {
				m.tb.Error("XSAVE state did not come back")
			}
			return err
		}},
	}
}

// notifying returns a machine whose enclave uses AEX-Notify, and whose thread
// was stopped and asked to be notified.
func notifying(m *machine) *machine { return notifyingWith(m, 1, pgSSA) }

// wideNotifying is notifying with SSA frames of two pages.
func wideNotifying(m *machine) *machine { return notifyingWith(m, 2, pgSSA2) }

// notifyingWith is notifying for an SSA at page ssa with frames of size pages.
func notifyingWith(m *machine, size uint32, ssa uint64) *machine {
	s := testSECS()
	s.SSAFrameSize = size
	s.Attributes.Flags |= isa.AttrAEXNotify
	w := newMachine(m.tb, Config{}, s)
	t := testTCS(ssa)
	t.Flags = isa.TCSAEXNotify
	w.buildWith(t)
	w.init()
	w.enter(pgTCS)
	m.must(w.lp.AEX(insideRegs(), xsaveImage(), AEXEvent{}))
	w.gpr(ssa, uint64(size)-1)[gprAEXNotify] = 1
	return w
}

func eresumeRows() []row {
	eresume := func(m *machine, r *Regs) error { return m.lp.ERESUME(r, make([]byte, 832)) }
	good := func(m *machine) error { return eresume(m, outsideRegs(pgTCS)) }
	frame := func(change func(m *machine, gpr []byte)) func(*machine) error {
		return func(m *machine) error { change(m, m.gpr(pgSSA, 0)); return good(m) }
	}
	again := func(change func(m *machine)) func(*machine) error {
		return func(m *machine) error { m = notifying(m); change(m); return good(m) }
	}
	return joinRows([]row{
		{"in enclave mode", "#GP", "already", func(m *machine) error { m.enter(pgTCS2); return good(m) }},
	}, tcsRows(eresume), []row{
		{"CSSA = 0", "#GP", "no SSA frame", func(m *machine) error { return eresume(m, outsideRegs(pgTCS2)) }},
	}, frameRows("XSAVE page", pgSSA, good), on(wideStopped, frameRows("GPR page, of a frame of two pages", pgSSA+1, good)), []row{
		{"RIP in the frame is not canonical", "#GP", "RIP", frame(func(_ *machine, g []byte) { put64(g, isa.GPRSGXOffRIP, 1<<63) })},
		{"FSBASE in the frame is not canonical", "#GP", "FSBASE", frame(func(_ *machine, g []byte) { put64(g, gprFSBase, 1<<63) })},
		{"GSBASE in the frame is not canonical", "#GP", "FSBASE", frame(func(_ *machine, g []byte) { put64(g, gprGSBase, 1<<63) })},
		{"XRSTOR fails: XSTATE_BV beyond XFRM", "#GP", "XSTATE_BV", frame(func(m *machine, _ []byte) { m.poke(at(pgSSA)+xsaveBV, []byte{7}) })},
		{"XRSTOR fails: XCOMP_BV ≠ 0", "#GP", "header", frame(func(m *machine, _ []byte) { m.poke(at(pgSSA)+xsaveBV+15, []byte{0x80}) })},
		{"XRSTOR fails: bytes 23:16 of the header ≠ 0", "#GP", "header", frame(func(m *machine, _ []byte) { m.poke(at(pgSSA)+xsaveBV+16, []byte{1}) })},
		{"XRSTOR fails: byte 23 of the header ≠ 0", "#GP", "header", frame(func(m *machine, _ []byte) { m.poke(at(pgSSA)+xsaveBV+23, []byte{1}) })},
		{"success: XRSTOR ignores bytes 63:24 of the header", success, "", frame(func(m *machine, _ []byte) {
			m.poke(at(pgSSA)+xsaveBV+24, bytes.Repeat([]byte{0xFF}, xsaveHeadEnd-xsaveBV-24))
		})},
		{"XRSTOR fails: reserved bits of MXCSR", "#GP", "MXCSR", frame(func(m *machine, _ []byte) { m.poke(at(pgSSA)+xsaveMXCSR+2, []byte{1}) })},
		{"notification: CSSA ≥ NSSA", "#GP", "no SSA frame", again(func(m *machine) { m.thread(pgTCS).nssa = 1 })},
		{"notification: OENTRY is not canonical", "#GP", "OENTRY", again(func(m *machine) { m.thread(pgTCS).oentry = 1 << 50 })},
		{"notification: FS or GS base is not canonical", "#GP", "FS or GS", again(func(m *machine) { m.thread(pgTCS).ofsbas = 1 << 50 })},
		{"notification: TCS.STATE = ACTIVE", "#GP", "active", again(func(m *machine) { m.thread(pgTCS).state.Store(busy(1)) })},
	}, on(notifying, frameRows("next frame, with notification", pgSSA+1, good)),
		on(wideNotifying, frameRows("GPR page of the next frame, with notification", pgSSA2+3, good)), []row{
			{"success: registers, flags and XSAVE state come back", success, "", func(m *machine) error {
				r, img := outsideRegs(pgTCS), make([]byte, 832)
				r.RFLAGS |= isa.FlagTF
				want := *insideRegs()
				want.RFLAGS = want.RFLAGS&^isa.FlagTF | isa.FlagRF
				err := m.lp.ERESUME(r, img)
				if *r != want || m.lp.Notified() {
					m.tb.Errorf("resumed with %+v\nwant %+v", *r, want)
				}
				if m.thread(pgTCS).cssa.Load() != 0 || img[100] != 100 || img[xsaveBV] != 3 || img[600] != 0 {
					m.tb.Error("XSAVE state or CSSA did not come back")
				}
				m.exit()
				return err
			}},
			{"success: after an opt-out entry, EEXIT restores TF as it was outside at ERESUME", success, "", func(m *machine) error {
				for _, tf := range []uint64{isa.FlagTF, 0} {
					r := outsideRegs(pgTCS)
					r.RFLAGS |= tf
					if err := m.lp.ERESUME(r, nil); err != nil {
						return err
					}
					m.must(m.lp.AEX(r, nil, AEXEvent{}))
					if r.RFLAGS&isa.FlagTF != tf {
						m.tb.Errorf("RFLAGS = %#x outside, want TF = %#x", r.RFLAGS, tf)
					}
				}
				r := outsideRegs(pgTCS)
				r.RFLAGS |= isa.FlagTF
				err := m.lp.ERESUME(r, nil)
				r.RBX = outside
				m.must(m.lp.EEXIT(r))
				if r.RFLAGS&isa.FlagTF == 0 {
					m.tb.Error("EEXIT does not restore TF")
				}
				return err
			}},
			{"success: RFLAGS in the frame cannot set system flags", success, "", func(m *machine) error {
				put64(m.gpr(pgSSA, 0), gprRFLAGS, ^uint64(0))
				r := outsideRegs(pgTCS)
				err := m.lp.ERESUME(r, nil)
				if r.RFLAGS != 0x202|resumeFlags {
					m.tb.Errorf("RFLAGS = %#x", r.RFLAGS)
				}
				return err
			}},
			{"success: AEXNOTIFY in the frame, but not in the TCS", success, "", func(m *machine) error {
				m.gpr(pgSSA, 0)[gprAEXNotify] = 1
				err := good(m)
				if m.lp.Notified() || m.thread(pgTCS).cssa.Load() != 0 {
					m.tb.Error("the thread was notified")
				}
				return err
			}},
			{"success: AEXNOTIFY in the TCS, but not in the frame", success, "", again(func(m *machine) { m.gpr(pgSSA, 0)[gprAEXNotify] = 0 })},
			{"success: with notification the enclave is entered anew", success, "", func(m *machine) error {
				m = notifying(m)
				r := outsideRegs(pgTCS)
				err := m.lp.ERESUME(r, nil)
				if r.RAX != 1 || r.RIP != at(pgCode)+0x10 || r.RCX != outside || r.FSBase != at(pgData) || !m.lp.Notified() || m.thread(pgTCS).cssa.Load() != 1 {
					m.tb.Errorf("notified with %+v", *r)
				}
				m.must(m.enclu(isa.EDECCSSA, 0, 0, 0))
				m.exit()
				if r := m.enter(pgTCS); r.RAX != 0 {
					m.tb.Errorf("CSSA = %d after EDECCSSA", r.RAX)
				}
				return err
			}},
		})
}

// stopped returns a machine whose thread left by an AEX.
func stopped(tb testing.TB) *machine {
	tb.Helper()
	m := inside(tb)
	m.must(m.lp.AEX(insideRegs(), xsaveImage(), AEXEvent{Exception: true, Vector: isa.VectorUD}))
	return m
}

// nested enters a thread that was stopped.
func nested(tb testing.TB) *machine {
	tb.Helper()
	m := stopped(tb)
	m.enter(pgTCS)
	return m
}

func edeccssaRows() []row {
	run := func(m *machine) error { return m.enclu(isa.EDECCSSA, 0, 0, 0) }
	return joinRows([]row{
		{"CSSA = 0", "#GP", "CSSA is zero", func(m *machine) error { m.must(run(m)); return run(m) }},
	}, frameRows("XSAVE page", pgSSA, run), on(wideNested, frameRows("GPR page, of a frame of two pages", pgSSA2+1, run)), []row{
		{"success: the next AEX uses the frame", success, "", func(m *machine) error {
			err := run(m)
			r := insideRegs()
			r.R14 = 0x1414
			m.must(m.lp.AEX(r, nil, AEXEvent{}))
			if get64(m.gpr(pgSSA, 0), 112) != 0x1414 || m.thread(pgTCS).cssa.Load() != 1 {
				m.tb.Error("the frame was not used")
			}
			return err
		}},
	})
}
