package cpu

import (
	"encoding/binary"
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// eventRows are what an AEX tells the enclave of its cause.
func eventRows() []row {
	var rows []row
	info := func(misc isa.MiscSelect, ev AEXEvent, want uint32, maddr uint64, errcd uint32) row {
		name := fmt.Sprintf("EXITINFO of %v, MISCSELECT = %d", ev.Vector, misc)
		switch {
		case !ev.Exception:
			name = "EXITINFO of an interrupt"
		case ev.Vector == isa.VectorPF && ev.ErrorCode&isa.PFUser == 0:
			name += ", U/S = 0"
		}
		return row{name, success, "", func(m *machine) error {
			s := testSECS()
			s.MiscSelect = misc
			w := newMachine(m.tb, Config{}, s)
			w.build()
			w.init()
			w.enter(pgTCS)
			err := w.lp.AEX(insideRegs(), nil, ev)
			if got := binary.LittleEndian.Uint32(w.gpr(pgSSA, 0)[isa.GPRSGXOffExitInfo:]); got != want {
				m.tb.Errorf("EXITINFO = %#x, want %#x", got, want)
			}
			var x isa.ExInfo
			m.must(x.UnmarshalBinary(w.bytes(at(pgSSA+1) - isa.GPRSGXSize - isa.ExInfoSize)[:isa.ExInfoSize]))
			if x.MAddr != maddr || x.ErrCD != errcd {
				m.tb.Errorf("EXINFO = %+v", x)
			}
			return err
		}}
	}
	exception := func(v isa.Vector) AEXEvent {
		return AEXEvent{Exception: true, Vector: v, ErrorCode: 0x8005, Addr: at(pgData) + 0x123}
	}
	for _, v := range []isa.Vector{isa.VectorDE, isa.VectorDB, isa.VectorBR, isa.VectorUD, isa.VectorMF, isa.VectorAC, isa.VectorXM} {
		rows = append(rows, info(isa.MiscEXINFO, exception(v), 0x80000300|uint32(v), 0, 0))
	}
	rows = append(rows,
		info(isa.MiscEXINFO, exception(isa.VectorPF), 0x8000030E, at(pgData)+0x123, 0x8005),
		info(isa.MiscEXINFO, exception(isa.VectorGP), 0x8000030D, 0, 0x8005),
		info(0, exception(isa.VectorPF), 0, 0, 0),
		info(0, exception(isa.VectorGP), 0, 0, 0),
		info(isa.MiscEXINFO, AEXEvent{Exception: true, Vector: isa.VectorPF, ErrorCode: isa.PFPresent, Addr: at(pgData)}, 0, 0, 0),
		info(isa.MiscEXINFO, exception(isa.VectorCP), 0, 0, 0),
		info(isa.MiscEXINFO, AEXEvent{Vector: isa.VectorPF}, 0, 0, 0),
	)
	return append(rows,
		row{"#PF: CR2[11:0] are cleared for the host", success, "", func(m *machine) error {
			ev := exception(isa.VectorPF)
			if ev.CR2() != at(pgData) {
				m.tb.Errorf("CR2 = %#x", ev.CR2())
			}
			return m.lp.AEX(insideRegs(), nil, ev)
		}},
		row{"after an opt-out entry: TF is saved as 0, and outside it is as it was at EENTER", success, "", func(m *machine) error {
			m.must(m.savedTF(insideRegs().RFLAGS, 0))
			r := outsideRegs(pgTCS2)
			r.RFLAGS |= isa.FlagTF
			m.must(m.lp.EENTER(r))
			return m.savedTF(0x202, isa.FlagTF)
		}},
		row{"after an opt-in entry: TF is saved as 0, and outside it is as it was inside", success, "", func(m *machine) error {
			m.optIn()
			return m.savedTF(insideRegs().RFLAGS, isa.FlagTF)
		}},
		row{"a fault: RF is saved as 1", success, "", func(m *machine) error { return m.savedRF(exception(isa.VectorUD), 0, isa.FlagRF) }},
		row{"an interrupt: RF is saved as it was", success, "", func(m *machine) error {
			m.must(m.savedRF(AEXEvent{}, 0, 0))
			m.enter(pgTCS2)
			return m.savedRF(AEXEvent{}, isa.FlagRF, isa.FlagRF)
		}},
		row{"#DB, which may be a trap: RF is saved as it was", success, "", func(m *machine) error {
			m.must(m.savedRF(exception(isa.VectorDB), 0, 0))
			m.enter(pgTCS2)
			return m.savedRF(exception(isa.VectorDB), isa.FlagRF, isa.FlagRF)
		}},
		row{"INT3 after an opt-out entry: EXITINFO of #UD", success, "", func(m *machine) error { return m.int3(0x80000306) }},
		row{"INT3 after an opt-in entry: EXITINFO of #BP", success, "", func(m *machine) error {
			m.optIn()
			return m.int3(0x80000603)
		}},
		row{"INT3 after ERESUME and opt-in: EXITINFO of #BP", success, "", func(m *machine) error {
			m.must(m.lp.AEX(insideRegs(), xsaveImage(), AEXEvent{}))
			m.setOptIn()
			m.must(m.lp.ERESUME(outsideRegs(pgTCS), nil))
			return m.int3(0x80000603)
		}},
	)
}

// setOptIn sets DBGOPTIN of the first thread.
func (m *machine) setOptIn() {
	m.tb.Helper()
	m.must(m.p.EDBGWR(m.epc[at(pgTCS)]+tcsFlags, uint64(isa.TCSDbgOptIn)))
}

// optIn leaves the enclave and enters it again with DBGOPTIN set.
func (m *machine) optIn() {
	m.tb.Helper()
	m.exit()
	m.setOptIn()
	m.enter(pgTCS)
}

// savedRF does an AEX with RF as in rf, and checks what is saved, and that
// RF is 0 outside.
func (m *machine) savedRF(ev AEXEvent, rf, want uint64) error {
	m.tb.Helper()
	r := insideRegs()
	r.RFLAGS |= rf
	saved := m.lp.frame.gpr
	err := m.lp.AEX(r, nil, ev)
	if got := get64(saved, gprRFLAGS) & isa.FlagRF; got != want || r.RFLAGS&isa.FlagRF != 0 {
		m.tb.Errorf("RFLAGS.RF = %#x in the frame, want %#x; RFLAGS = %#x outside", got, want, r.RFLAGS)
	}
	return err
}

// savedTF does an AEX, and checks that TF is saved as 0 and is as in want
// outside.
func (m *machine) savedTF(rflags, want uint64) error {
	m.tb.Helper()
	r := insideRegs()
	r.RFLAGS = rflags
	saved := m.lp.frame.gpr
	err := m.lp.AEX(r, nil, AEXEvent{})
	if got := get64(saved, gprRFLAGS); got&isa.FlagTF != 0 || r.RFLAGS&isa.FlagTF != want {
		m.tb.Errorf("RFLAGS = %#x in the frame, %#x outside", got, r.RFLAGS)
	}
	return err
}

// int3 does the AEX of an INT3 and checks EXITINFO.
func (m *machine) int3(want uint32) error {
	m.tb.Helper()
	r := insideRegs()
	rip := r.RIP
	err := m.lp.AEX(r, nil, AEXEvent{Exception: true, Vector: isa.VectorBP})
	g := m.gpr(pgSSA, 0)
	if got := binary.LittleEndian.Uint32(g[isa.GPRSGXOffExitInfo:]); got != want || get64(g, isa.GPRSGXOffRIP) != rip {
		m.tb.Errorf("EXITINFO = %#x, want %#x; RIP = %#x", got, want, get64(g, isa.GPRSGXOffRIP))
	}
	return err
}
