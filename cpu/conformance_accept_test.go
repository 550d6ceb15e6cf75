package cpu

import (
	"bytes"
	"errors"

	"github.com/feidi-dev/feidi/isa"
)

func acceptChapters() []chapter {
	busyPage := gap{"destination EPC page in use", "#GP", atomicLeaf}
	return []chapter{
		{"EACCEPT", inside, eacceptRows(), []gap{busyPage,
			{"PT_SS_FIRST or PT_SS_REST in other states than PENDING", "#GP", noCET},
			{"TCS.PREVSSP ≠ 0", "#GP", noCET},
			{"recheck of VALID and ENCLAVESECS under the lock", "#PF", atomicLeaf},
		}},
		{"EMODPE", inside, emodpeRows(), []gap{busyPage, {"recheck under the lock", "#PF", atomicLeaf}}},
		{"EACCEPTCOPY", inside, eacceptcopyRows(), []gap{busyPage, {"recheck under the lock", "SGX_PAGE_ATTRIBUTES_MISMATCH", atomicLeaf}}},
	}
}

// augmented adds a pending page at pgSpare.
func (m *machine) augmented() {
	m.tb.Helper()
	pa := m.page()
	m.must(m.p.EAUG(pa, at(pgSpare), nil, m.secs))
	m.mapPage(pgSpare, pa)
}

// pendingRW is the SECINFO that accepts a page of EAUG.
var pendingRW = isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoW|isa.SecInfoPending, isa.PTREG)

// settle lets ETRACK complete, with the LP inside again.
func (m *machine) settle() {
	m.tb.Helper()
	m.must(m.p.ETRACK(m.secs))
	m.exit()
	m.enter(pgTCS)
}

// readFault fails if err is the #PF of a write.
func (m *machine) readFault(err error) error {
	m.tb.Helper()
	var f *Fault
	if errors.As(err, &f) && f.Vector == isa.VectorPF && f.ErrorCode&(isa.PFWrite|isa.PFUser) != isa.PFUser {
		m.tb.Errorf("#PF with error code %#x", f.ErrorCode)
	}
	return err
}

func eacceptRows() []row {
	const leaf = isa.EACCEPT
	good := func(m *machine) error { return m.accept(pgSpare, pendingRW) }
	flags := func(f isa.SecInfoFlags) func(*machine) error {
		return func(m *machine) error { m.augmented(); return m.accept(pgSpare, f) }
	}
	dest := func(change func(m *machine)) func(*machine) error {
		return func(m *machine) error { m.augmented(); change(m); return m.readFault(good(m)) }
	}
	// becomeTCS turns pgSpare into a TCS with the bytes of t, as far as EACCEPT.
	becomeTCS := func(change func(t *isa.TCS)) func(*machine) error {
		return func(m *machine) error {
			m.augmented()
			m.must(good(m))
			t := testTCS(pgSSA2)
			change(t)
			m.poke(at(pgSpare), pageOf(t))
			m.must(m.p.EMODT(isa.SecInfo{Flags: isa.MakeSecInfoFlags(0, isa.PTTCS)}, m.epc[at(pgSpare)]))
			m.settle()
			return m.accept(pgSpare, isa.MakeSecInfoFlags(isa.SecInfoModified, isa.PTTCS))
		}
	}
	// limits accepts a TCS of a 32-bit enclave.
	limits := func(t isa.TCS) func(*machine) error {
		return func(m *machine) error {
			m.augmented()
			m.must(good(m))
			m.poke(at(pgSpare), pageOf(&t))
			m.must(m.p.EMODT(isa.SecInfo{Flags: isa.MakeSecInfoFlags(0, isa.PTTCS)}, m.epc[at(pgSpare)]))
			m.settle()
			m.enclave().secs.Attributes.Flags &^= isa.AttrMode64Bit
			return m.accept(pgSpare, isa.MakeSecInfoFlags(isa.SecInfoModified, isa.PTTCS))
		}
	}
	rw := isa.SecInfoR | isa.SecInfoW
	return joinRows([]row{
		{"SECINFO is not 64-Byte aligned", "#GP", "aligned", func(m *machine) error { return m.enclu(leaf, at(pgData3)+8, at(pgSpare), 0) }},
		{"SECINFO is not within ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error { return m.enclu(leaf, outside, at(pgSpare), 0) }},
	}, operandRows("SECINFO", pgData3, epcmR, good), []row{
		{"SECINFO reserved fields ≠ 0", "#GP", "reserved", func(m *machine) error {
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: pendingRW, Reserved: [56]byte{1}}), at(pgSpare), 0)
		}},
		{"page is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error {
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: pendingRW}), at(pgSpare)+64, 0)
		}},
		{"page is not within ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error {
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: pendingRW}), outside, 0)
		}},
		{"page has no translation", "#PF", "no translation", good},
		{"page is not accessible by the page tables", "#PF", "page tables", dest(func(m *machine) {
			m.must(m.as.Protect(at(pgSpare), 1, 0))
		})},
		{"page does not resolve within the EPC", "#PF", "not in the EPC", func(m *machine) error {
			m.must(m.as.Map(at(pgSpare), notEPC, 1, PermR))
			return good(m)
		}},
		{"PT_REG without PENDING or PR", "#GP", "illegal", flags(isa.MakeSecInfoFlags(rw, isa.PTREG))},
		{"PT_REG with MODIFIED", "#GP", "illegal", flags(pendingRW | isa.SecInfoModified)},
		{"PT_TCS without MODIFIED", "#GP", "illegal", flags(isa.MakeSecInfoFlags(0, isa.PTTCS))},
		{"PT_TCS with PENDING", "#GP", "illegal", flags(isa.MakeSecInfoFlags(isa.SecInfoModified|isa.SecInfoPending, isa.PTTCS))},
		{"PT_TRIM with PR", "#GP", "illegal", flags(isa.MakeSecInfoFlags(isa.SecInfoModified|isa.SecInfoPR, isa.PTTRIM))},
		{"another PT", "#GP", "illegal", flags(isa.MakeSecInfoFlags(isa.SecInfoPending, isa.PTVA))},
		{"PT_SS_FIRST without CET", "#GP", "illegal", flags(isa.MakeSecInfoFlags(isa.SecInfoPending, isa.PTSSFirst))},
		{"PT and flags do not go together, and EPCM.VALID = 0: #GP comes first", "#GP", "illegal", func(m *machine) error {
			m.augmented()
			setState(0, epcmValid)(m, pgSpare)
			return m.accept(pgSpare, pendingRW|isa.SecInfoModified)
		}},
		{"EPCM.VALID = 0", "#PF", "not valid", dest(func(m *machine) { setState(0, epcmValid)(m, pgSpare) })},
		{"EPCM.BLOCKED ≠ 0", "#PF", "blocked", dest(func(m *machine) { setState(epcmBlocked, 0)(m, pgSpare) })},
		{"EPCM.PT is PT_SECS or PT_VA", "#PF", "PT_VA", dest(func(m *machine) {
			setState(uint64(isa.PTVA)<<epcmPTShift, epcmPTMask)(m, pgSpare)
		})},
		{"EPCM.ENCLAVESECS is another", "#PF", "another enclave", dest(func(m *machine) { m.entry(pgSpare).secs++ })},
		{"EPCM.ENCLAVEADDRESS differs", "SGX_PAGE_ATTRIBUTES_MISMATCH", "", dest(func(m *machine) {
			m.must(m.as.Map(at(pgSpare), m.epc[at(pgData)], 1, PermR|PermW))
		})},
		{"EPCM.PENDING differs", "SGX_PAGE_ATTRIBUTES_MISMATCH", "", flags(isa.MakeSecInfoFlags(rw|isa.SecInfoPR, isa.PTREG))},
		{"EPCM.MODIFIED differs", "SGX_PAGE_ATTRIBUTES_MISMATCH", "", dest(func(m *machine) { setState(epcmModified, 0)(m, pgSpare) })},
		{"EPCM.R differs", "SGX_PAGE_ATTRIBUTES_MISMATCH", "", flags(pendingRW &^ isa.SecInfoR)},
		{"EPCM.W differs", "SGX_PAGE_ATTRIBUTES_MISMATCH", "", flags(pendingRW &^ isa.SecInfoW)},
		{"EPCM.X differs", "SGX_PAGE_ATTRIBUTES_MISMATCH", "", flags(pendingRW | isa.SecInfoX)},
		{"EPCM.PT differs", "SGX_PAGE_ATTRIBUTES_MISMATCH", "", flags(isa.MakeSecInfoFlags(isa.SecInfoModified, isa.PTTRIM))},
		{"no ETRACK since EMODPR", "SGX_NOT_TRACKED", "", func(m *machine) error {
			m.must(m.p.EMODPR(isa.SecInfo{Flags: isa.SecInfoR}, m.epc[at(pgZero)]))
			return m.accept(pgZero, isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoPR, isa.PTREG))
		}},
		{"ETRACK since EMODT, but a thread is still inside", "SGX_NOT_TRACKED", "", func(m *machine) error {
			m.must(m.p.EMODT(trimmed, m.epc[at(pgZero)]))
			m.must(m.p.ETRACK(m.secs))
			return m.accept(pgZero, isa.MakeSecInfoFlags(isa.SecInfoModified, isa.PTTRIM))
		}},
		{"PT_TCS: RESERVED ≠ 0", "#GP", "reserved", becomeTCS(func(t *isa.TCS) { t.Reserved[0] = 1 })},
		{"PT_TCS: FLAGS.DBGOPTIN ≠ 0", "#GP", "DBGOPTIN", becomeTCS(func(t *isa.TCS) { t.Flags = isa.TCSDbgOptIn })},
		{"PT_TCS: CSSA ≥ NSSA", "#GP", "NSSA", becomeTCS(func(t *isa.TCS) { t.CSSA = 3 })},
		{"PT_TCS: AEP ≠ 0", "#GP", "AEP", becomeTCS(func(t *isa.TCS) { t.AEP = 1 })},
		{"PT_TCS: STATE ≠ 0", "#GP", "STATE", becomeTCS(func(t *isa.TCS) { t.State = 1 })},
		{"PT_TCS: FSLIMIT[11:0] ≠ 0FFFH with MODE64BIT = 0", "#GP", "FSLIMIT", limits(isa.TCS{NSSA: 1, GSLimit: 0xFFF})},
		{"PT_TCS: GSLIMIT[11:0] ≠ 0FFFH with MODE64BIT = 0", "#GP", "GSLIMIT", limits(isa.TCS{NSSA: 1, FSLimit: 0xFFF})},
		{"success: PT_TCS with limits of 0FFFH and MODE64BIT = 0", success, "", limits(isa.TCS{NSSA: 1, FSLimit: 0xFFF, GSLimit: 0x1FFF})},
		{"success: a pending page", success, "", func(m *machine) error {
			m.augmented()
			err := good(m)
			if e := m.p.EPCM(m.epc[at(pgSpare)]); e.Pending || e.Perm != PermR|PermW {
				m.tb.Errorf("EPCM = %+v", e)
			}
			return err
		}},
		{"success: a restricted page", success, "", func(m *machine) error {
			m.must(m.p.EMODPR(isa.SecInfo{Flags: isa.SecInfoR}, m.epc[at(pgZero)]))
			m.settle()
			err := m.accept(pgZero, isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoPR, isa.PTREG))
			if e := m.p.EPCM(m.epc[at(pgZero)]); e.PR || e.Perm != PermR {
				m.tb.Errorf("EPCM = %+v", e)
			}
			return err
		}},
		{"success: a trimmed page", success, "", func(m *machine) error {
			m.must(m.p.EMODT(trimmed, m.epc[at(pgZero)]))
			m.settle()
			return m.accept(pgZero, isa.MakeSecInfoFlags(isa.SecInfoModified, isa.PTTRIM))
		}},
		{"success: a TCS, which can be entered", success, "", func(m *machine) error {
			err := becomeTCS(func(*isa.TCS) {})(m)
			m.exit()
			m.enter(pgSpare)
			return err
		}},
	})
}

func emodpeRows() []row {
	const leaf = isa.EMODPE
	want := isa.SecInfo{Flags: isa.SecInfoR | isa.SecInfoX}
	good := func(m *machine) error { return m.enclu(leaf, m.secInfoAt(want), at(pgZero), 0) }
	var dest []row
	for _, tr := range troubles(0) {
		if tr.cond == "EPCM.R = 0" { // the page tables must allow reads, the EPCM need not
			continue
		}
		dest = append(dest, row{"page: " + tr.cond, "#PF", tr.reason, func(m *machine) error { tr.make(m, pgZero); return m.readFault(good(m)) }})
	}
	return joinRows([]row{
		{"SECINFO is not 64-Byte aligned", "#GP", "aligned", func(m *machine) error { return m.enclu(leaf, at(pgData3)+8, at(pgZero), 0) }},
		{"page is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error { return m.enclu(leaf, m.secInfoAt(want), at(pgZero)+64, 0) }},
		{"SECINFO is not within ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error { return m.enclu(leaf, outside, at(pgZero), 0) }},
		{"page is not within ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error { return m.enclu(leaf, m.secInfoAt(want), outside, 0) }},
	}, operandRows("SECINFO", pgData3, epcmR, good), []row{
		{"SECINFO reserved fields ≠ 0", "#GP", "reserved", func(m *machine) error {
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: want.Flags, Reserved: [56]byte{1}}), at(pgZero), 0)
		}},
	}, dest, []row{
		{"EPCM.R = 0, SECINFO.R = 0 and SECINFO.W = 1", "#GP", "W without R", func(m *machine) error {
			setState(0, epcmRWX)(m, pgZero)
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: isa.SecInfoW}), at(pgZero), 0)
		}},
		{"success: W is added to R", success, "", func(m *machine) error {
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: isa.SecInfoW}), at(pgRO), 0)
		}},
		{"success: R and W are added to nothing", success, "", func(m *machine) error {
			setState(0, epcmRWX)(m, pgZero)
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: isa.SecInfoR | isa.SecInfoW}), at(pgZero), 0)
		}},
		{"success: X is added to a page that the EPCM does not let be read", success, "", func(m *machine) error {
			setState(0, epcmRWX)(m, pgZero)
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: isa.SecInfoX}), at(pgZero), 0)
		}},
		{"success: permissions are added", success, "", func(m *machine) error {
			err := good(m)
			if e := m.p.EPCM(m.epc[at(pgZero)]); e.Perm != PermR|PermW|PermX {
				m.tb.Errorf("EPCM = %+v", e)
			}
			return err
		}},
	})
}

func eacceptcopyRows() []row {
	const leaf = isa.EACCEPTCOPY
	rx := isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoX, isa.PTREG)
	with := func(s isa.SecInfo) func(*machine) error {
		return func(m *machine) error {
			if _, ok := m.epc[at(pgSpare)]; !ok {
				m.augmented()
			}
			return m.enclu(leaf, m.secInfoAt(s), at(pgSpare), at(pgData2))
		}
	}
	good := with(isa.SecInfo{Flags: rx})
	dest := func(cond string, change func(m *machine)) row {
		return row{"destination: " + cond, "SGX_PAGE_ATTRIBUTES_MISMATCH", "", func(m *machine) error {
			m.augmented()
			change(m)
			return good(m)
		}}
	}
	flip := func(set, clear uint64) func(*machine) {
		return func(m *machine) { setState(set, clear)(m, pgSpare) }
	}
	return joinRows([]row{
		{"SECINFO is not 64-Byte aligned", "#GP", "aligned", func(m *machine) error { return m.enclu(leaf, at(pgData3)+8, at(pgSpare), at(pgData2)) }},
		{"destination is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error {
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: rx}), at(pgSpare)+64, at(pgData2))
		}},
		{"source is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error {
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: rx}), at(pgSpare), at(pgData2)+64)
		}},
		{"SECINFO is not within ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error { return m.enclu(leaf, outside, at(pgSpare), at(pgData2)) }},
		{"destination is not within ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error {
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: rx}), outside, at(pgData2))
		}},
		{"source is not within ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error {
			return m.enclu(leaf, m.secInfoAt(isa.SecInfo{Flags: rx}), at(pgSpare), outside)
		}},
		{"destination does not resolve within the EPC", "#PF", "not in the EPC", func(m *machine) error {
			m.augmented()
			m.must(m.as.Map(at(pgSpare), notEPC, 1, PermR|PermW))
			return good(m)
		}},
		{"destination is not writable by the page tables", "#PF", "page tables", func(m *machine) error {
			m.augmented()
			m.must(m.as.Protect(at(pgSpare), 1, PermR))
			return good(m)
		}},
	}, operandRows("SECINFO", pgData3, epcmR, good), []row{
		{"SECINFO reserved fields ≠ 0", "#GP", "SECINFO", with(isa.SecInfo{Flags: rx, Reserved: [56]byte{1}})},
		{"SECINFO.R = 0 and W = 1", "#GP", "SECINFO", with(isa.SecInfo{Flags: isa.MakeSecInfoFlags(isa.SecInfoW, isa.PTREG)})},
		{"SECINFO.PT ≠ PT_REG", "#GP", "SECINFO", with(isa.SecInfo{Flags: isa.MakeSecInfoFlags(isa.SecInfoR, isa.PTTCS)})},
	}, operandRows("source", pgData2, epcmR, good), []row{
		dest("EPCM.VALID = 0", flip(0, epcmValid)),
		dest("EPCM.PENDING ≠ 1", flip(0, epcmPending)),
		dest("EPCM.MODIFIED ≠ 0", flip(epcmModified, 0)),
		dest("EPCM.BLOCKED ≠ 0", flip(epcmBlocked, 0)),
		dest("EPCM.PT ≠ PT_REG", flip(uint64(isa.PTTRIM)<<epcmPTShift, epcmPTMask)),
		dest("EPCM.ENCLAVESECS is another", func(m *machine) { m.entry(pgSpare).secs++ }),
		dest("EPCM.R ≠ 1", flip(0, epcmR)),
		dest("EPCM.W ≠ 1", flip(0, epcmW)),
		dest("EPCM.X ≠ 0", flip(epcmX, 0)),
		dest("EPCM.ENCLAVEADDRESS is another", func(m *machine) {
			pa := m.page()
			m.must(m.p.EAUG(pa, at(pgSpare+1), nil, m.secs))
			m.must(m.as.Map(at(pgSpare), pa, 1, PermR|PermW))
		}),
		{"success: a writable page", success, "", with(isa.SecInfo{Flags: isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoW, isa.PTREG)})},
		{"success: content and permissions", success, "", func(m *machine) error {
			m.poke(at(pgData2), bytes.Repeat([]byte{0x5A}, isa.PageSize))
			err := good(m)
			if e := m.p.EPCM(m.epc[at(pgSpare)]); e.Pending || e.Perm != PermR|PermX {
				m.tb.Errorf("EPCM = %+v", e)
			}
			if m.peek(at(pgSpare), 4096)[4095] != 0x5A {
				m.tb.Error("the page was not copied")
			}
			return err
		}},
	})
}
