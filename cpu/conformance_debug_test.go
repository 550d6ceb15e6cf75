package cpu

import "github.com/feidi-dev/feidi/isa"

func debugChapters() []chapter {
	gaps := []gap{
		{"another leaf modifies the EPCM entry", "#GP", atomicLeaf},
		{"address is not 4-Byte aligned, in 32-bit mode", "#GP", mode64},
	}
	read := func(m *machine, pa PA) error { _, err := m.p.EDBGRD(pa); return err }
	write := func(m *machine, pa PA) error { return m.p.EDBGWR(pa, 1) }
	return []chapter{
		{"EDBGRD", ready, joinRows(debugRows(read), edbgrdRows()), gaps},
		{"EDBGWR", ready, joinRows(debugRows(write), edbgwrRows()), gaps},
	}
}

// debugRows are the conditions that EDBGRD and EDBGWR share.
func debugRows(run func(m *machine, pa PA) error) []row {
	page := func(page uint64, change func(m *machine)) func(*machine) error {
		return func(m *machine) error { change(m); return run(m, m.epc[at(page)]) }
	}
	return []row{
		{"address is not 8-Byte aligned", "#GP", "8-Byte", func(m *machine) error { return run(m, m.epc[at(pgData)]+4) }},
		{"address is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return run(m, notEPC) }},
		{"EPCM.VALID = 0", "#PF", "not valid", func(m *machine) error { return run(m, m.page()) }},
		{"EPCM.PT = PT_SECS", "#PF", "PT_SECS", func(m *machine) error { return run(m, m.secs) }},
		{"EPCM.PT = PT_TRIM", "#PF", "PT_TRIM", page(pgZero, func(m *machine) { m.trim(pgZero) })},
		{"EPCM.PENDING ≠ 0", "SGX_PAGE_NOT_DEBUGGABLE", "", page(pgSpare, (*machine).augmented)},
		{"EPCM.MODIFIED ≠ 0", "SGX_PAGE_NOT_DEBUGGABLE", "", page(pgZero, func(m *machine) {
			m.must(m.p.EMODT(isa.SecInfo{Flags: isa.MakeSecInfoFlags(0, isa.PTTCS)}, m.epc[at(pgZero)]))
		})},
		{"ATTRIBUTES.DEBUG = 0, PT_REG", "#GP", "not a debug", page(pgData, func(m *machine) { m.enclave().secs.Attributes.Flags &^= isa.AttrDebug })},
		{"ATTRIBUTES.DEBUG = 0, PT_TCS", "#GP", "not a debug", func(m *machine) error {
			m.enclave().secs.Attributes.Flags &^= isa.AttrDebug
			return run(m, m.epc[at(pgTCS)]+tcsFlags)
		}},
	}
}

func edbgrdRows() []row {
	return []row{
		{"PT_TCS: offset is beyond the TCS", "#GP", "beyond", func(m *machine) error {
			_, err := m.p.EDBGRD(m.epc[at(pgTCS)] + tcsLimit)
			return err
		}},
		{"an error code: nothing is read, and the page stays as it is", "SGX_PAGE_NOT_DEBUGGABLE", "", func(m *machine) error {
			m.augmented()
			m.poke(at(pgSpare), []byte{1})
			before := m.p.EPCM(m.epc[at(pgSpare)])
			v, err := m.p.EDBGRD(m.epc[at(pgSpare)])
			if v != 0 || m.p.EPCM(m.epc[at(pgSpare)]) != before {
				m.tb.Errorf("read %#x", v)
			}
			return err
		}},
		{"success: PT_REG", success, "", func(m *machine) error {
			m.poke(at(pgData)+8, []byte{1, 2})
			v, err := m.p.EDBGRD(m.epc[at(pgData)] + 8)
			if v != 0x201 {
				m.tb.Errorf("read %#x", v)
			}
			return err
		}},
		{"success: PT_TCS, as it is now", success, "", func(m *machine) error {
			m.enter(pgTCS)
			state, err := m.p.EDBGRD(m.epc[at(pgTCS)] + tcsState)
			m.must(err)
			aep, err := m.p.EDBGRD(m.epc[at(pgTCS)] + tcsAEP)
			if state != 1 || aep != testAEP {
				m.tb.Errorf("STATE = %d, AEP = %#x", state, aep)
			}
			return err
		}},
		{"success: PT_VA, an empty and a used slot", success, "", func(m *machine) error {
			_, slot := m.evict(m.epc[at(pgData)])
			used, err := m.p.EDBGRD(slot)
			m.must(err)
			empty, err := m.p.EDBGRD(slot + 8)
			if used != ^uint64(0) || empty != 0 {
				m.tb.Errorf("slots read as %#x and %#x", used, empty)
			}
			return err
		}},
	}
}

func edbgwrRows() []row {
	return []row{
		{"EPCM.PT = PT_VA", "#PF", "PT_VA", func(m *machine) error { return m.p.EDBGWR(m.va(), 1) }},
		{"PT_TCS: offset is not that of FLAGS", "#GP", "only FLAGS", func(m *machine) error { return m.p.EDBGWR(m.epc[at(pgTCS)]+16, 0) }},
		{"success: PT_REG", success, "", func(m *machine) error {
			err := m.p.EDBGWR(m.epc[at(pgZero)]+16, 0xFEED)
			if get64(m.peek(at(pgZero)+16, 8), 0) != 0xFEED {
				m.tb.Error("nothing was written")
			}
			return err
		}},
		{"success: PT_REG before EINIT, measured afterwards", success, "", func(m *machine) error {
			m = built(m.tb)
			before := m.enclave().measure.Sum()
			m.must(m.p.EDBGWR(m.epc[at(pgZero)], 1))
			err := m.p.EEXTEND(m.epc[at(pgZero)], m.secs)
			other := built(m.tb)
			m.must(other.p.EEXTEND(other.epc[at(pgZero)], other.secs))
			if sum := m.enclave().measure.Sum(); sum == before || sum == other.enclave().measure.Sum() {
				m.tb.Error("what was written is not measured")
			}
			return err
		}},
		{"success: PT_TCS, the thread opts in to debugging", success, "", func(m *machine) error {
			m.enter(pgTCS)
			m.exit()
			err := m.p.EDBGWR(m.epc[at(pgTCS)]+tcsFlags, uint64(isa.TCSDbgOptIn))
			r := outsideRegs(pgTCS)
			r.RFLAGS |= isa.FlagTF
			m.must(m.lp.EENTER(r))
			if r.RFLAGS&isa.FlagTF == 0 || !m.lp.optIn {
				m.tb.Error("the thread has not opted in")
			}
			return err
		}},
	}
}
