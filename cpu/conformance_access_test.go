package cpu

import "github.com/feidi-dev/feidi/isa"

func accessChapters() []chapter {
	return []chapter{
		{"Access from outside", ready, outsideAccessRows(), nil},
		{"Access from inside", inside, insideAccessRows(), []gap{
			{"page type is PT_SS_FIRST or PT_SS_REST", success, noCET},
		}},
	}
}

var accessKinds = []AccessKind{AccessRead, AccessWrite, AccessFetch}

// outcome returns the fault of an access, or checks that it goes where it should.
func (m *machine) outcome(lp *LP, linear uint64, kind AccessKind, want OutcomeKind) error {
	m.tb.Helper()
	o := m.p.Access(m.as, lp, linear, kind)
	if o.Kind != want {
		m.tb.Errorf("outcome %d, want %d (%v)", o.Kind, want, o.Fault)
	}
	if o.Kind == OutcomeFault {
		if o.Fault.Vector == isa.VectorPF && (o.Fault.Addr != linear || o.Fault.ErrorCode&kind.pfBits() != kind.pfBits()) {
			m.tb.Errorf("%v", o.Fault)
		}
		return o.Fault
	}
	return nil
}

// sgxBit fails unless the fault has, or has not, the SGX bit in its error code.
func (m *machine) sgxBit(err error, want bool) error {
	m.tb.Helper()
	if f := fault(m.tb, err); f.ErrorCode&isa.PFSGX != 0 != want || want && f.ErrorCode&isa.PFPresent == 0 {
		m.tb.Errorf("error code %#x, SGX bit wanted: %v", f.ErrorCode, want)
	}
	return err
}

func outsideAccessRows() []row {
	var rows []row
	for _, k := range accessKinds {
		rows = append(rows,
			row{k.String() + " of an EPC page: the abort page", success, "", func(m *machine) error { return m.outcome(nil, at(pgData)+5, k, OutcomeAbort) }},
			row{k.String() + " of ordinary memory", success, "", func(m *machine) error { return m.outcome(nil, outside, k, OutcomeMemory) }},
			row{k.String() + " of ordinary memory in the enclave's range", success, "", func(m *machine) error {
				m.must(m.as.Map(at(pgSpare), notEPC, 1, PermR|PermW|PermX))
				return m.outcome(nil, at(pgSpare), k, OutcomeMemory)
			}},
			row{k.String() + " without translation", "#PF", "no translation", func(m *machine) error {
				return m.sgxBit(m.outcome(nil, at(pgSpare), k, OutcomeFault), false)
			}},
			row{k.String() + " against the page tables", "#PF", "page tables", func(m *machine) error {
				m.must(m.as.Protect(at(pgData), 1, (PermR|PermW|PermX)&^k.perm()))
				return m.sgxBit(m.outcome(nil, at(pgData), k, OutcomeFault), false)
			}},
			row{k.String() + " by an LP that is not inside: the abort page", success, "", func(m *machine) error { return m.outcome(m.lp, at(pgData), k, OutcomeAbort) }},
		)
	}
	return append(rows,
		row{"the abort page reads as ones, across pages", success, "", func(m *machine) error {
			buf := make([]byte, 20)
			err := m.p.ReadLinear(m.as, nil, at(pgData2)-10, buf)
			for _, b := range buf {
				if b != 0xFF {
					m.tb.Fatalf("read % x", buf)
				}
			}
			return err
		}},
		row{"writes to the abort page are dropped", success, "", func(m *machine) error {
			err := m.p.WriteLinear(m.as, nil, at(pgData), []byte("gone"))
			if !zeros(m.peek(at(pgData), 4), 0) {
				m.tb.Error("the write arrived")
			}
			return err
		}},
	)
}

// withLast returns a machine whose LP is in an enclave that has a page at the
// end of ELRANGE, too.
func (m *machine) withLast(page uint64) *machine {
	m.tb.Helper()
	w := built(m.tb)
	w.add(page, isa.PTREG, isa.SecInfoRWX, nil)
	w.init()
	w.enter(pgTCS)
	return w
}

func insideAccessRows() []row {
	var rows []row
	for _, k := range accessKinds {
		page, need := uint64(pgData), uint64(k.perm())
		if k == AccessFetch {
			page = pgCode
		}
		for _, tr := range troubles(need) {
			cond, sgx := tr.cond, true
			switch tr.cond {
			case "has no translation", "is not accessible by the page tables":
				sgx = false
			case "does not resolve within the EPC":
				tr.reason = "ordinary memory"
			case "EPCM.R = 0":
				if k == AccessFetch {
					continue // only X counts
				}
			}
			rows = append(rows, row{k.String() + ": " + cond, "#PF", tr.reason, func(m *machine) error {
				tr.make(m, page)
				return m.sgxBit(m.outcome(m.lp, at(page)+7, k, OutcomeFault), sgx)
			}})
		}
		rows = append(rows, row{k.String() + " of the enclave's own page", success, "", func(m *machine) error {
			if o := m.p.Access(m.as, m.lp, at(page)+7, k); o.PA != m.epc[at(page)]+7 {
				m.tb.Errorf("PA = %#x", uint64(o.PA))
			}
			return m.outcome(m.lp, at(page)+7, k, OutcomeEPC)
		}})
		for _, pt := range []isa.PageType{isa.PTSECS, isa.PTVA, isa.PTTRIM} {
			rows = append(rows, row{k.String() + ": page type is " + pt.String(), "#PF", pt.String(), func(m *machine) error {
				setState(uint64(pt)<<epcmPTShift, epcmPTMask)(m, page)
				return m.sgxBit(m.outcome(m.lp, at(page), k, OutcomeFault), true)
			}})
		}
	}
	return append(rows,
		row{"fetch: EPCM.X = 0", "#PF", "EPCM allows only", func(m *machine) error {
			return m.sgxBit(m.outcome(m.lp, at(pgData), AccessFetch, OutcomeFault), true)
		}},
		row{"fetch outside ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error { return m.outcome(m.lp, outside, AccessFetch, OutcomeFault) }},
		row{"read outside ELRANGE: ordinary memory", success, "", func(m *machine) error { return m.outcome(m.lp, outside, AccessRead, OutcomeMemory) }},
		row{"write outside ELRANGE: ordinary memory", success, "", func(m *machine) error { return m.outcome(m.lp, outside, AccessWrite, OutcomeMemory) }},
		row{"read outside ELRANGE of an EPC page: the abort page", success, "", func(m *machine) error {
			as := NewAddressSpace(testBase, 2*testSize)
			m.must(as.Map(testBase+testSize, m.epc[at(pgData)], 1, PermR))
			if o := m.p.Access(as, m.lp, testBase+testSize, AccessRead); o.Kind != OutcomeAbort {
				m.tb.Errorf("outcome %d", o.Kind)
			}
			return nil
		}},
		row{"data that straddles the end of ELRANGE: each part by its own rules", success, "", func(m *machine) error {
			last := testSize/isa.PageSize - 1
			as := NewAddressSpace(testBase, 2*testSize)
			m = m.withLast(last)
			m.must(as.Map(at(last), m.epc[at(last)], 1, PermR|PermW))
			m.must(as.Map(testBase+testSize, m.epc[at(pgData)], 1, PermR|PermW))
			m.poke(at(pgData), []byte("kept"))
			m.must(m.p.WriteLinear(as, m.lp, testBase+testSize-4, []byte("halfhalf")))
			buf := make([]byte, 8)
			err := m.p.ReadLinear(as, m.lp, testBase+testSize-4, buf)
			if string(buf) != "half\xFF\xFF\xFF\xFF" || string(m.peek(at(pgData), 4)) != "kept" {
				m.tb.Errorf("read %q", buf)
			}
			return err
		}},
		row{"a fetch that straddles the end of ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error {
			last := testSize/isa.PageSize - 1
			m = m.withLast(last)
			m.must(m.outcome(m.lp, testBase+testSize-1, AccessFetch, OutcomeEPC))
			return m.outcome(m.lp, testBase+testSize, AccessFetch, OutcomeFault)
		}},
		row{"reads and writes of the enclave's memory, across pages", success, "", func(m *machine) error {
			m.must(m.p.WriteLinear(m.as, m.lp, at(pgData2)-3, []byte("crossing")))
			buf := make([]byte, 8)
			err := m.p.ReadLinear(m.as, m.lp, at(pgData2)-3, buf)
			if string(buf) != "crossing" {
				m.tb.Errorf("read %q", buf)
			}
			return err
		}},
	)
}
