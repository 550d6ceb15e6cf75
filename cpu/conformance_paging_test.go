package cpu

import (
	"bytes"

	"github.com/feidi-dev/feidi/isa"
)

func pagingChapters() []chapter {
	busy := gap{"EPC page is in use by another leaf", "#GP", atomicLeaf}
	eld := []gap{
		{"PAGEINFO is not 32-Byte aligned", "#GP", byValue},
		{"PCMD is not 128-Byte aligned", "#GP", byValue},
		{"source is not 4-KByte aligned", "#GP", byValue},
		busy,
		{"other leaves modify the VA slot", "#GP", atomicLeaf},
		{"another leaf modifies the SECS", "#GP", atomicLeaf},
	}
	return []chapter{
		{"EPA", ready, epaRows(), []gap{{"RBX ≠ PT_VA", "#GP", noField}, busy}},
		{"EBLOCK", ready, eblockRows(), []gap{
			{"EPC page in use", "SGX_EPC_PAGE_CONFLICT", atomicLeaf},
			{"the tracking epoch is locked", "SGX_ENTRYEPOCH_LOCKED", atomicLeaf},
		}},
		{"ETRACK", ready, etrackRows(), []gap{{"other leaves use the tracking facility", "#GP", atomicLeaf}}},
		{"EWB", ready, ewbRows(), []gap{
			{"PAGEINFO is not 32-Byte aligned", "#GP", byValue},
			{"PAGEINFO.LINADDR or PAGEINFO.SECS ≠ 0", "#GP", noField},
			{"PCMD is not 128-Byte aligned", "#GP", byValue},
			{"SRCPGE is not 4-KByte aligned", "#GP", byValue},
			busy,
			{"the VA page is being modified", "#GP", atomicLeaf},
			{"EBLOCK is not correct", "#GP", "the manual names the condition and does not define it"},
			{"VIRTCHILDCNT ≠ 0", "SGX_CHILD_PRESENT", noVMX},
		}},
		{"ELDU", ready, eldRows((*Processor).ELDU, false), eld},
		{"ELDB", ready, eldRows((*Processor).ELDB, true), eld},
	}
}

func epaRows() []row {
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error { return m.p.EPA(m.page() + 8) }},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return m.p.EPA(notEPC) }},
		{"EPCM.VALID ≠ 0", "#PF", "already valid", func(m *machine) error { return m.p.EPA(m.secs) }},
		{"success: an empty PT_VA page", success, "", func(m *machine) error {
			pa := m.page()
			n, _ := m.p.page(pa)
			m.p.mem.Page(n)[8] = 1
			err := m.p.EPA(pa)
			if e := m.p.EPCM(pa); e != (EPCMEntry{Valid: true, PT: isa.PTVA}) || m.p.mem.Page(n)[8] != 0 {
				m.tb.Errorf("EPCM = %+v", e)
			}
			return err
		}},
	}
}

func eblockRows() []row {
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error { return m.p.EBLOCK(m.epc[at(pgData)] + 8) }},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return m.p.EBLOCK(notEPC) }},
		{"EPCM.VALID = 0", "SGX_PG_INVLD", "", func(m *machine) error { return m.p.EBLOCK(m.page()) }},
		{"EPCM.PT = PT_SECS", "SGX_PG_IS_SECS", "", func(m *machine) error { return m.p.EBLOCK(m.secs) }},
		{"EPCM.PT = PT_VA", "SGX_NOTBLOCKABLE", "", func(m *machine) error { return m.p.EBLOCK(m.va()) }},
		{"EPCM.BLOCKED = 1", "SGX_BLSTATE", "", func(m *machine) error {
			m.must(m.p.EBLOCK(m.epc[at(pgData)]))
			return m.p.EBLOCK(m.epc[at(pgData)])
		}},
		{"success", success, "", func(m *machine) error {
			err := m.p.EBLOCK(m.epc[at(pgData)])
			if !m.p.EPCM(m.epc[at(pgData)]).Blocked {
				m.tb.Error("page is not blocked")
			}
			return err
		}},
		{"success: PT_TCS", success, "", func(m *machine) error {
			err := m.p.EBLOCK(m.epc[at(pgTCS)])
			if !m.p.EPCM(m.epc[at(pgTCS)]).Blocked {
				m.tb.Error("page is not blocked")
			}
			return err
		}},
		{"success: PT_TRIM", success, "", func(m *machine) error {
			m.trim(pgZero)
			err := m.p.EBLOCK(m.epc[at(pgZero)])
			if !m.p.EPCM(m.epc[at(pgZero)]).Blocked {
				m.tb.Error("page is not blocked")
			}
			return err
		}},
	}
}

func etrackRows() []row {
	return []row{
		{"SECS is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error { return m.p.ETRACK(m.secs + 8) }},
		{"SECS is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return m.p.ETRACK(notEPC) }},
		{"EPCM.VALID = 0", "#PF", "not a valid SECS", func(m *machine) error { return m.p.ETRACK(m.page()) }},
		{"EPCM.PT ≠ PT_SECS", "#PF", "not a valid SECS", func(m *machine) error { return m.p.ETRACK(m.epc[at(pgData)]) }},
		{"the previous cycle is not complete", "SGX_PREV_TRK_INCMPL", "", func(m *machine) error {
			m.enter(pgTCS)
			m.must(m.p.ETRACK(m.secs))
			return m.p.ETRACK(m.secs)
		}},
		{"success after the thread left", success, "", func(m *machine) error {
			m.enter(pgTCS)
			m.must(m.p.ETRACK(m.secs))
			m.exit()
			m.enter(pgTCS)
			return m.p.ETRACK(m.secs)
		}},
		{"success with nobody inside", success, "", func(m *machine) error { return m.p.ETRACK(m.secs) }},
	}
}

// va returns a new version array.
func (m *machine) va() PA {
	m.tb.Helper()
	pa := m.page()
	m.must(m.p.EPA(pa))
	return pa
}

// evict moves a page out, and returns it and its VA slot.
func (m *machine) evict(pa PA) (*EvictedPage, PA) {
	m.tb.Helper()
	slot := m.va() + 16
	if e := m.p.EPCM(pa); e.PT != isa.PTSECS && e.PT != isa.PTVA {
		m.must(m.p.EBLOCK(pa))
		m.must(m.p.ETRACK(m.secs))
	}
	out := new(EvictedPage)
	m.must(m.p.EWB(pa, out, slot))
	return out, slot
}

// evicted evicts a page and checks what the PCMD says of it.
func (m *machine) evicted(pa PA, pt isa.PageType, eid, linear uint64) error {
	m.tb.Helper()
	flags := isa.MakeSecInfoFlags(isa.SecInfoFlags(m.p.EPCM(pa).Perm), pt)
	out, _ := m.evict(pa)
	want := isa.PCMD{SecInfo: isa.SecInfo{Flags: flags}, EnclaveID: eid, MAC: out.PCMD.MAC}
	if out.PCMD != want || out.LinAddr != linear || m.p.EPCM(pa).Valid {
		m.tb.Errorf("LINADDR = %#x, PCMD = %+v, want %+v", out.LinAddr, out.PCMD, want)
	}
	return nil
}

func ewbRows() []row {
	ewb := func(page, slot func(m *machine) PA) func(*machine) error {
		return func(m *machine) error { return m.p.EWB(page(m), new(EvictedPage), slot(m)) }
	}
	tracked := func(m *machine) PA {
		pa := m.epc[at(pgData)]
		m.must(m.p.EBLOCK(pa))
		m.must(m.p.ETRACK(m.secs))
		return pa
	}
	slot := func(m *machine) PA { return m.va() + 8 }
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", ewb(func(m *machine) PA { return tracked(m) + 8 }, slot)},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", ewb(func(*machine) PA { return notEPC }, slot)},
		{"VA slot is not 8-Byte aligned", "#GP", "8-Byte", ewb(tracked, func(m *machine) PA { return m.va() + 4 })},
		{"VA slot is not in the EPC", "#PF", "not in the EPC", ewb(tracked, func(*machine) PA { return notEPC })},
		{"EPCPAGE and VA slot are in one EPC page", "#GP", "one EPC page", func(m *machine) error {
			va := m.va()
			return m.p.EWB(va, new(EvictedPage), va+8)
		}},
		{"EPCM(EPCPAGE).VALID = 0", "#PF", "not valid", ewb((*machine).page, slot)},
		{"EPCM(VA slot).VALID = 0", "#PF", "version array", ewb(tracked, (*machine).page)},
		{"EPCM(VA slot).PT ≠ PT_VA", "#PF", "version array", ewb(tracked, func(m *machine) PA { return m.epc[at(pgZero)] })},
		{"EPCM.BLOCKED = 0", "SGX_PAGE_NOT_BLOCKED", "", ewb(func(m *machine) PA { return m.epc[at(pgData)] }, slot)},
		{"no ETRACK since EBLOCK", "SGX_NOT_TRACKED", "", ewb(func(m *machine) PA {
			m.must(m.p.ETRACK(m.secs))
			m.must(m.p.EBLOCK(m.epc[at(pgData)]))
			return m.epc[at(pgData)]
		}, slot)},
		{"ETRACK since EBLOCK, but a thread is still inside", "SGX_NOT_TRACKED", "", ewb(func(m *machine) PA {
			m.enter(pgTCS)
			return tracked(m)
		}, slot)},
		{"SECS has pages in the EPC", "SGX_CHILD_PRESENT", "", ewb(func(m *machine) PA { return m.secs }, slot)},
		{"VA slot was occupied: the page goes", "SGX_VA_SLOT_OCCUPIED", "", func(m *machine) error {
			_, used := m.evict(m.epc[at(pgZero)])
			pa := tracked(m)
			err := m.p.EWB(pa, new(EvictedPage), used)
			if m.p.EPCM(pa).Valid {
				m.tb.Error("the page is still there")
			}
			return err
		}},
		{"success: encrypted, with EPCM state in the PCMD", success, "", func(m *machine) error {
			plain := bytes.Repeat([]byte("secret!!"), 512)
			m.poke(at(pgData), plain)
			pa := m.epc[at(pgData)]
			out, _ := m.evict(pa)
			if m.p.EPCM(pa).Valid || out.LinAddr != at(pgData) || out.PCMD.EnclaveID != m.enclave().eid ||
				out.PCMD.SecInfo.Flags != isa.MakeSecInfoFlags(isa.SecInfoR|isa.SecInfoW, isa.PTREG) {
				m.tb.Errorf("evicted %+v", out.PCMD)
			}
			if bytes.Contains(out.Data[:], []byte("secret")) {
				m.tb.Error("the page is not encrypted")
			}
			return nil
		}},
		{"success: PT_TCS", success, "", func(m *machine) error { return m.evicted(m.epc[at(pgTCS)], isa.PTTCS, m.enclave().eid, at(pgTCS)) }},
		{"success: PT_TRIM", success, "", func(m *machine) error {
			m.trim(pgZero)
			return m.evicted(m.epc[at(pgZero)], isa.PTTRIM, m.enclave().eid, at(pgZero))
		}},
		{"success: PT_VA, of no enclave", success, "", func(m *machine) error { return m.evicted(m.va(), isa.PTVA, 0, 0) }},
		{"success: PT_SECS", success, "", func(m *machine) error {
			m = fresh(m.tb)
			return m.evicted(m.secs, isa.PTSECS, m.enclave().eid, 0)
		}},
		{"a page that is not blocked, and a VA slot that is none: #PF comes first", "#PF", "version array",
			ewb(func(m *machine) PA { return m.epc[at(pgData)] }, func(m *machine) PA { return m.epc[at(pgZero)] })},
		{"EMODPR of a page that was blocked and tracked", "SGX_NOT_TRACKED", "", func(m *machine) error {
			pa := tracked(m)
			m.must(m.p.EMODPR(isa.SecInfo{Flags: isa.SecInfoR}, pa))
			return m.p.EWB(pa, new(EvictedPage), slot(m))
		}},
		{"an error code: the page and the VA slot stay as they are", "SGX_PAGE_NOT_BLOCKED", "", func(m *machine) error {
			pa, va, out := m.epc[at(pgData)], m.va(), new(EvictedPage)
			before := m.p.EPCM(pa)
			err := m.p.EWB(pa, out, va)
			used, _ := m.p.EDBGRD(va)
			if m.p.EPCM(pa) != before || used != 0 || *out != (EvictedPage{}) {
				m.tb.Error("EWB left traces")
			}
			return err
		}},
		{"success after the threads inside left", success, "", func(m *machine) error {
			m.enter(pgTCS)
			pa := tracked(m)
			m.exit()
			m.enter(pgTCS) // in the new epoch
			return m.p.EWB(pa, new(EvictedPage), m.va())
		}},
	}
}

// reloaded evicts a page, loads it elsewhere and compares its EPCM entry.
func (m *machine) reloaded(load loader, pa, secs PA, want EPCMEntry) error {
	m.tb.Helper()
	page, slot := m.evict(pa)
	dst := m.page()
	err := load(m.p, dst, page, secs, slot)
	if e := m.p.EPCM(dst); e != want {
		m.tb.Errorf("EPCM = %+v, want %+v", e, want)
	}
	return err
}

// loader is ELDU or ELDB.
type loader func(p *Processor, dst PA, page *EvictedPage, secs, vaSlot PA) error

func eldRows(load loader, blocked bool) []row {
	// reload evicts pgData, lets change disturb the operands, and loads it.
	type operands struct {
		dst, secs, slot PA
		page            *EvictedPage
	}
	reload := func(change func(m *machine, o *operands)) func(*machine) error {
		return func(m *machine) error {
			m.poke(at(pgData), []byte("precious"))
			page, slot := m.evict(m.epc[at(pgData)])
			o := operands{m.page(), m.secs, slot, page}
			change(m, &o)
			return load(m.p, o.dst, o.page, o.secs, o.slot)
		}
	}
	const fail = "SGX_MAC_COMPARE_FAIL"
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", reload(func(_ *machine, o *operands) { o.dst += 8 })},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", reload(func(_ *machine, o *operands) { o.dst = notEPC })},
		{"VA slot is not 8-Byte aligned", "#GP", "8-Byte", reload(func(_ *machine, o *operands) { o.slot++ })},
		{"VA slot is not in the EPC", "#PF", "not in the EPC", reload(func(_ *machine, o *operands) { o.slot = notEPC })},
		{"EPCM(EPCPAGE).VALID = 1", "#PF", "already valid", reload(func(m *machine, o *operands) { o.dst = m.secs })},
		{"EPCM(VA slot).VALID = 0", "#PF", "version array", reload(func(m *machine, o *operands) { o.slot = m.page() })},
		{"EPCM(VA slot).PT ≠ PT_VA", "#PF", "version array", reload(func(m *machine, o *operands) { o.slot = m.epc[at(pgZero)] })},
		{"SECS is not 4-KByte aligned", "#GP", "aligned", reload(func(_ *machine, o *operands) { o.secs += 8 })},
		{"SECS is not in the EPC", "#PF", "not in the EPC", reload(func(_ *machine, o *operands) { o.secs = notEPC })},
		{"SECS is not a valid SECS", "#PF", "not a valid SECS", reload(func(m *machine, o *operands) { o.secs = m.epc[at(pgZero)] })},
		{"SECS given for a PT_VA page", "#GP", "no enclave", func(m *machine) error {
			page, slot := m.evict(m.va())
			return load(m.p, m.page(), page, m.secs, slot)
		}},
		{"MAC: the page was changed", fail, "", reload(func(_ *machine, o *operands) { o.page.Data[77] ^= 1 })},
		{"MAC: LINADDR was changed", fail, "", reload(func(_ *machine, o *operands) { o.page.LinAddr += isa.PageSize })},
		{"MAC: SECINFO was changed", fail, "", reload(func(_ *machine, o *operands) { o.page.PCMD.SecInfo.Flags |= isa.SecInfoX })},
		{"MAC: PCMD reserved bytes were changed", fail, "", reload(func(_ *machine, o *operands) { o.page.PCMD.Reserved[0] = 1 })},
		{"MAC: the MAC was changed", fail, "", reload(func(_ *machine, o *operands) { o.page.PCMD.MAC[0] ^= 1 })},
		{"MAC: another enclave's SECS", fail, "", reload(func(m *machine, o *operands) {
			o.secs = m.page()
			m.must(m.p.ECREATE(o.secs, CreateInfo{SECS: testSECS()}))
		})},
		{"MAC: another version", fail, "", reload(func(m *machine, o *operands) { _, o.slot = m.evict(m.epc[at(pgZero)]) })},
		{"MAC: an empty slot", fail, "", reload(func(_ *machine, o *operands) { o.slot += 8 })},
		{"MAC: a replay of the page after it was loaded", fail, "", reload(func(m *machine, o *operands) {
			m.must(load(m.p, o.dst, o.page, o.secs, o.slot))
			o.dst = m.page()
		})},
		{"success: PT_REG", success, "", reload(func(m *machine, o *operands) {
			page, slot := m.evict(m.epc[at(pgZero)])
			dst := m.page()
			m.must(load(m.p, dst, page, m.secs, slot))
			want := EPCMEntry{Valid: true, Blocked: blocked, Perm: PermR | PermW, PT: isa.PTREG, Address: at(pgZero), SECS: m.secs}
			if e := m.p.EPCM(dst); e != want {
				m.tb.Errorf("EPCM = %+v, want %+v", e, want)
			}
		})},
		{"SECS given for a PT_SECS page", "#GP", "no enclave", func(m *machine) error {
			m = fresh(m.tb)
			other := m.page()
			m.must(m.p.ECREATE(other, CreateInfo{SECS: testSECS()}))
			page, slot := m.evict(m.secs)
			return load(m.p, m.page(), page, other, slot)
		}},
		{"success: PT_TRIM", success, "", func(m *machine) error {
			m.trim(pgZero)
			want := m.p.EPCM(m.epc[at(pgZero)])
			want.Blocked = blocked
			return m.reloaded(load, m.epc[at(pgZero)], m.secs, want)
		}},
		{"success: PT_VA, never blocked, with its versions", success, "", func(m *machine) error {
			page, used := m.evict(m.epc[at(pgData)])
			va := used &^ (isa.PageSize - 1)
			out, slot := m.evict(va)
			err := load(m.p, va, out, 0, slot)
			if e := m.p.EPCM(va); e != (EPCMEntry{Valid: true, PT: isa.PTVA}) {
				m.tb.Errorf("EPCM = %+v", e)
			}
			m.must(m.p.ELDU(m.page(), page, m.secs, used))
			return err
		}},
		{"success: PT_SECS, never blocked", success, "", func(m *machine) error {
			m = fresh(m.tb)
			return m.reloaded(load, m.secs, 0, EPCMEntry{Valid: true, PT: isa.PTSECS})
		}},
		{"success: PENDING comes back", success, "", func(m *machine) error {
			m.augmented()
			want := m.p.EPCM(m.epc[at(pgSpare)])
			want.Blocked = blocked
			if !want.Pending {
				m.tb.Error("page is not pending")
			}
			return m.reloaded(load, m.epc[at(pgSpare)], m.secs, want)
		}},
		{"success: MODIFIED comes back", success, "", func(m *machine) error {
			m.must(m.p.EMODT(trimmed, m.epc[at(pgZero)]))
			want := m.p.EPCM(m.epc[at(pgZero)])
			want.Blocked = blocked
			if !want.Modified {
				m.tb.Error("page is not modified")
			}
			return m.reloaded(load, m.epc[at(pgZero)], m.secs, want)
		}},
		{"success: PR comes back", success, "", func(m *machine) error {
			m.must(m.p.EMODPR(isa.SecInfo{Flags: isa.SecInfoR}, m.epc[at(pgZero)]))
			want := m.p.EPCM(m.epc[at(pgZero)])
			want.Blocked = blocked
			if !want.PR {
				m.tb.Error("page is not restricted")
			}
			return m.reloaded(load, m.epc[at(pgZero)], m.secs, want)
		}},
		{"success: the content comes back", success, "", func(m *machine) error {
			err := reload(func(m *machine, o *operands) { m.mapPage(pgData, o.dst) })(m)
			if got := m.peek(at(pgData), 8); string(got) != "precious" {
				m.tb.Errorf("content = %q", got)
			}
			return err
		}},
		{"success: PT_TCS with its CSSA", success, "", func(m *machine) error {
			r := m.enter(pgTCS)
			m.must(m.lp.AEX(r, nil, AEXEvent{}))
			page, slot := m.evict(m.epc[at(pgTCS)])
			dst := m.page()
			err := load(m.p, dst, page, m.secs, slot)
			m.mapPage(pgTCS, dst)
			if !blocked {
				if r := m.enter(pgTCS); r.RAX != 1 {
					m.tb.Errorf("CSSA = %d", r.RAX)
				}
			}
			return err
		}},
		{"success: the whole enclave, with its SECS", success, "", func(m *machine) error {
			type out struct {
				page *EvictedPage
				slot PA
			}
			pages := map[uint64]out{}
			for linear, pa := range m.epc {
				page, slot := m.evict(pa)
				pages[linear] = out{page, slot}
			}
			before, _ := m.p.SECSInfo(m.secs)
			page, slot := m.evict(m.secs)
			m.secs = m.page()
			if err := load(m.p, m.secs, page, 0, slot); err != nil {
				return err
			}
			if after, _ := m.p.SECSInfo(m.secs); after != before {
				m.tb.Error("the SECS changed")
			}
			for linear, o := range pages {
				dst := m.page()
				m.must(m.p.ELDU(dst, o.page, m.secs, o.slot))
				m.must(m.as.Map(linear, dst, 1, PermR|PermW|PermX))
			}
			coherent(m.tb, m.p)
			m.enter(pgTCS)
			return nil
		}},
		{"success: PT_TCS that EMODT made and EACCEPT has not seen", success, "", func(m *machine) error {
			m.must(m.p.EMODT(isa.SecInfo{Flags: isa.MakeSecInfoFlags(0, isa.PTTCS)}, m.epc[at(pgZero)]))
			page, slot := m.evict(m.epc[at(pgZero)])
			err := load(m.p, m.page(), page, m.secs, slot)
			coherent(m.tb, m.p)
			return err
		}},
		{"success: a SECS before EINIT, whose measurement goes on", success, "", func(m *machine) error {
			m = fresh(m.tb)
			page, slot := m.evict(m.secs)
			m.secs = m.page()
			err := load(m.p, m.secs, page, 0, slot)
			m.build()
			m.init()
			return err
		}},
	}
}
