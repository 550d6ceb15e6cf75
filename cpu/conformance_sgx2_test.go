package cpu

import "github.com/feidi-dev/feidi/isa"

func sgx2Chapters() []chapter {
	return []chapter{
		{"EAUG", ready, eaugRows(), []gap{
			{"PAGEINFO is not 32-Byte aligned", "#GP", byValue},
			{"PAGEINFO.SECINFO is not 64-Byte aligned", "#GP", byValue},
			{"PAGEINFO.SRCPGE ≠ 0", "#GP", noField},
			{"EPC page in use", "#GP", atomicLeaf},
			{"SECS is not available for EAUG", "#GP", atomicLeaf},
			{"shadow-stack page with CR4.CET = 0", "#GP", noCET},
			{"shadow-stack page at the first or last page of ELRANGE", "#GP", noCET},
		}},
		{"EMODPR", ready, emodprRows(), []gap{
			{"SECINFO is not 64-Byte aligned", "#GP", byValue},
			{"SGX1 or SGX2 leaves access the EPC page", "#GP", atomicLeaf},
			{"EPC page in use by another SGX2 leaf", "SGX_EPC_PAGE_CONFLICT", atomicLeaf},
		}},
		{"EMODT", ready, emodtRows(), []gap{
			{"SECINFO is not 64-Byte aligned", "#GP", byValue},
			{"SGX1 leaves access the EPC page", "SGX_EPC_PAGE_CONFLICT", atomicLeaf},
			{"EPC page in use by another SGX2 leaf", "SGX_EPC_PAGE_CONFLICT", atomicLeaf},
		}},
	}
}

func eaugRows() []row {
	aug := func(run func(m *machine, dst PA) error) func(*machine) error {
		return func(m *machine) error { return run(m, m.page()) }
	}
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", aug(func(m *machine, dst PA) error { return m.p.EAUG(dst+8, at(pgSpare), nil, m.secs) })},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", aug(func(m *machine, _ PA) error { return m.p.EAUG(notEPC, at(pgSpare), nil, m.secs) })},
		{"PAGEINFO.SECS is not 4-KByte aligned", "#GP", "aligned", aug(func(m *machine, dst PA) error { return m.p.EAUG(dst, at(pgSpare), nil, m.secs+8) })},
		{"PAGEINFO.LINADDR is not 4-KByte aligned", "#GP", "aligned", aug(func(m *machine, dst PA) error { return m.p.EAUG(dst, at(pgSpare)+8, nil, m.secs) })},
		{"SECS is not in the EPC", "#PF", "not in the EPC", aug(func(m *machine, dst PA) error { return m.p.EAUG(dst, at(pgSpare), nil, notEPC) })},
		{"EPCM.VALID ≠ 0", "#PF", "already valid", aug(func(m *machine, _ PA) error { return m.p.EAUG(m.secs, at(pgSpare), nil, m.secs) })},
		{"SECINFO given without CET", "#GP", "CET", aug(func(m *machine, dst PA) error {
			return m.p.EAUG(dst, at(pgSpare), &isa.SecInfo{Flags: isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoW, isa.PTSSRest)}, m.secs)
		})},
		{"EPCM(SECS).VALID = 0", "#PF", "not a valid SECS", aug(func(m *machine, dst PA) error { return m.p.EAUG(dst, at(pgSpare), nil, m.page()) })},
		{"EPCM(SECS).PT ≠ PT_SECS", "#PF", "not a valid SECS", aug(func(m *machine, dst PA) error { return m.p.EAUG(dst, at(pgSpare), nil, m.epc[at(pgData)]) })},
		{"enclave is not initialized", "#GP", "not initialized", func(m *machine) error {
			m = built(m.tb)
			return m.p.EAUG(m.page(), at(pgSpare), nil, m.secs)
		}},
		{"LINADDR is below ELRANGE", "#GP", "outside ELRANGE", aug(func(m *machine, dst PA) error { return m.p.EAUG(dst, testBase-isa.PageSize, nil, m.secs) })},
		{"LINADDR is above ELRANGE", "#GP", "outside ELRANGE", aug(func(m *machine, dst PA) error { return m.p.EAUG(dst, testBase+testSize, nil, m.secs) })},
		{"success: a pending page of zeros", success, "", func(m *machine) error {
			pa := m.epc[at(pgData)]
			m.poke(at(pgData), []byte("old"))
			m.must(m.p.EREMOVE(pa))
			err := m.p.EAUG(pa, at(pgSpare), nil, m.secs)
			m.mapPage(pgSpare, pa)
			want := EPCMEntry{Valid: true, Pending: true, Perm: PermR | PermW, PT: isa.PTREG, Address: at(pgSpare), SECS: m.secs}
			if e := m.p.EPCM(pa); e != want || !zeros(m.peek(at(pgSpare), isa.PageSize), 0) {
				m.tb.Errorf("EPCM = %+v, want %+v", e, want)
			}
			return err
		}},
	}
}

func emodprRows() []row {
	ro := isa.SecInfo{Flags: isa.SecInfoR}
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error { return m.p.EMODPR(ro, m.epc[at(pgData)]+8) }},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return m.p.EMODPR(ro, notEPC) }},
		{"SECINFO reserved fields ≠ 0", "#GP", "SECINFO", func(m *machine) error {
			return m.p.EMODPR(isa.SecInfo{Flags: isa.SecInfoR, Reserved: [56]byte{1}}, m.epc[at(pgData)])
		}},
		{"SECINFO.R = 0 and W ≠ 0", "#GP", "SECINFO", func(m *machine) error { return m.p.EMODPR(isa.SecInfo{Flags: isa.SecInfoW}, m.epc[at(pgData)]) }},
		{"EPCM.VALID = 0", "#PF", "not valid", func(m *machine) error { return m.p.EMODPR(ro, m.page()) }},
		{"EPCM.PENDING ≠ 0", "SGX_PAGE_NOT_MODIFIABLE", "", func(m *machine) error { m.augmented(); return m.p.EMODPR(ro, m.epc[at(pgSpare)]) }},
		{"EPCM.MODIFIED ≠ 0", "SGX_PAGE_NOT_MODIFIABLE", "", func(m *machine) error {
			m.must(m.p.EMODT(trimmed, m.epc[at(pgZero)]))
			return m.p.EMODPR(ro, m.epc[at(pgZero)])
		}},
		{"EPCM.PENDING ≠ 0 and EPCM.PT ≠ PT_REG: the code comes first", "SGX_PAGE_NOT_MODIFIABLE", "", func(m *machine) error {
			setState(epcmPending, 0)(m, pgTCS)
			return m.p.EMODPR(ro, m.epc[at(pgTCS)])
		}},
		{"EPCM.PT ≠ PT_REG", "#PF", "PT_TCS", func(m *machine) error { return m.p.EMODPR(ro, m.epc[at(pgTCS)]) }},
		{"enclave is not initialized", "#GP", "not initialized", func(m *machine) error {
			m = built(m.tb)
			return m.p.EMODPR(ro, m.epc[at(pgData)])
		}},
		{"success: permissions are restricted", success, "", func(m *machine) error {
			err := m.p.EMODPR(ro, m.epc[at(pgCode)])
			if e := m.p.EPCM(m.epc[at(pgCode)]); !e.PR || e.Perm != PermR {
				m.tb.Errorf("EPCM = %+v", e)
			}
			return err
		}},
	}
}

func emodtRows() []row {
	tcs := isa.SecInfo{Flags: isa.MakeSecInfoFlags(0, isa.PTTCS)}
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error { return m.p.EMODT(trimmed, m.epc[at(pgData)]+8) }},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return m.p.EMODT(trimmed, notEPC) }},
		{"SECINFO reserved fields ≠ 0", "#GP", "SECINFO", func(m *machine) error {
			return m.p.EMODT(isa.SecInfo{Flags: trimmed.Flags, Reserved: [56]byte{1}}, m.epc[at(pgData)])
		}},
		{"SECINFO.PT is not PT_TCS or PT_TRIM", "#GP", "SECINFO", func(m *machine) error {
			return m.p.EMODT(isa.SecInfo{Flags: isa.MakeSecInfoFlags(0, isa.PTREG)}, m.epc[at(pgData)])
		}},
		{"EPCM.VALID = 0", "#PF", "not valid", func(m *machine) error { return m.p.EMODT(trimmed, m.page()) }},
		{"EPCM.PT is not PT_REG, to PT_TCS", "#PF", "PT_TCS", func(m *machine) error { return m.p.EMODT(tcs, m.epc[at(pgTCS)]) }},
		{"EPCM.PT is PT_VA, to PT_TRIM", "#PF", "PT_VA", func(m *machine) error { return m.p.EMODT(trimmed, m.va()) }},
		{"EPCM.PT is PT_SECS, to PT_TRIM", "#PF", "PT_SECS", func(m *machine) error { return m.p.EMODT(trimmed, m.secs) }},
		{"EPCM.PT is PT_TRIM, to PT_TRIM", "#PF", "PT_TRIM", func(m *machine) error {
			m.trim(pgZero)
			return m.p.EMODT(trimmed, m.epc[at(pgZero)])
		}},
		{"EPCM.PT is PT_TRIM, to PT_TCS", "#PF", "PT_TRIM", func(m *machine) error {
			m.trim(pgZero)
			return m.p.EMODT(tcs, m.epc[at(pgZero)])
		}},
		{"EPCM.PT is not PT_REG and EPCM.PENDING ≠ 0: #PF comes first", "#PF", "PT_TCS", func(m *machine) error {
			setState(epcmPending, 0)(m, pgTCS)
			return m.p.EMODT(tcs, m.epc[at(pgTCS)])
		}},
		{"EPCM.PENDING ≠ 0", "SGX_PAGE_NOT_MODIFIABLE", "", func(m *machine) error { m.augmented(); return m.p.EMODT(trimmed, m.epc[at(pgSpare)]) }},
		{"EPCM.MODIFIED ≠ 0", "SGX_PAGE_NOT_MODIFIABLE", "", func(m *machine) error {
			m.must(m.p.EMODT(tcs, m.epc[at(pgZero)]))
			return m.p.EMODT(trimmed, m.epc[at(pgZero)])
		}},
		{"enclave is not initialized", "#GP", "not initialized", func(m *machine) error {
			m = built(m.tb)
			return m.p.EMODT(trimmed, m.epc[at(pgData)])
		}},
		{"success: PT_REG to PT_TRIM", success, "", func(m *machine) error {
			err := m.p.EMODT(trimmed, m.epc[at(pgData)])
			if e := m.p.EPCM(m.epc[at(pgData)]); !e.Modified || e.Perm != 0 || e.PT != isa.PTTRIM {
				m.tb.Errorf("EPCM = %+v", e)
			}
			return err
		}},
		{"success: PR, R, W and X are cleared", success, "", func(m *machine) error {
			pa := m.epc[at(pgCode)]
			m.must(m.p.EMODPR(isa.SecInfo{Flags: isa.SecInfoR | isa.SecInfoX}, pa))
			if e := m.p.EPCM(pa); !e.PR || e.Perm != PermR|PermX {
				m.tb.Errorf("EPCM = %+v", e)
			}
			err := m.p.EMODT(trimmed, pa)
			want := EPCMEntry{Valid: true, Modified: true, PT: isa.PTTRIM, Address: at(pgCode), SECS: m.secs}
			if e := m.p.EPCM(pa); e != want {
				m.tb.Errorf("EPCM = %+v, want %+v", e, want)
			}
			return err
		}},
		{"success: PT_TCS to PT_TRIM", success, "", func(m *machine) error { return m.p.EMODT(trimmed, m.epc[at(pgTCS)]) }},
		{"success: PT_REG to PT_TCS", success, "", func(m *machine) error { return m.p.EMODT(tcs, m.epc[at(pgData)]) }},
	}
}
