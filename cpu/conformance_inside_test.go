package cpu

import (
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// allFlags are the arithmetic flags.
const allFlags = isa.FlagCF | isa.FlagPF | isa.FlagAF | isa.FlagZF | isa.FlagSF | isa.FlagOF

// enclu executes a leaf inside the enclave and returns its fault, or what it
// leaves in RAX. It checks what every leaf does to the registers.
func (m *machine) enclu(leaf isa.ENCLU, rbx, rcx, rdx uint64) error {
	m.tb.Helper()
	r := Regs{RAX: 0xABCD_0000_0000 | uint64(leaf), RBX: rbx, RCX: rcx, RDX: rdx, RIP: at(pgCode) + 0x40, RFLAGS: 0x202 | allFlags | isa.FlagRF}
	before := r
	if err := m.lp.ENCLU(&r); err != nil {
		if r != before {
			m.tb.Errorf("%v: registers changed by a fault", leaf)
		}
		return err
	}
	if r.RIP != before.RIP+3 {
		m.tb.Errorf("%v: RIP = %#x", leaf, r.RIP)
	}
	switch leaf {
	case isa.EGETKEY, isa.EACCEPT, isa.EACCEPTCOPY, isa.EVERIFYREPORT2:
		zf := uint64(0)
		if r.RAX != 0 {
			zf = isa.FlagZF
		}
		if r.RFLAGS != 0x202|zf {
			m.tb.Errorf("%v: RAX = %d, RFLAGS = %#x", leaf, r.RAX, r.RFLAGS)
		}
		if r.RAX != 0 {
			return isa.ErrorCode(r.RAX)
		}
	default:
		if r.RAX != before.RAX || r.RFLAGS != before.RFLAGS&^isa.FlagRF {
			m.tb.Errorf("%v: RAX = %#x, RFLAGS = %#x", leaf, r.RAX, r.RFLAGS)
		}
	}
	return nil
}

// secInfoAt puts a SECINFO into the enclave's memory and returns its address.
func (m *machine) secInfoAt(s isa.SecInfo) uint64 {
	m.tb.Helper()
	m.poke(at(pgData3)+128, pageOf(&s))
	return at(pgData3) + 128
}

// accept executes EACCEPT for a page.
func (m *machine) accept(page uint64, flags isa.SecInfoFlags) error {
	m.tb.Helper()
	return m.enclu(isa.EACCEPT, m.secInfoAt(isa.SecInfo{Flags: flags}), at(page), 0)
}

// A trouble makes a page of the enclave inaccessible.
type trouble struct {
	cond, reason string
	make         func(m *machine, page uint64)
}

func setState(set, clear uint64) func(*machine, uint64) {
	return func(m *machine, page uint64) {
		m.enclave()
		e := m.entry(page)
		e.state = e.state&^clear | set
	}
}

// troubles are the ways in which an operand's page can be wrong. need is the
// permission that the operand needs.
func troubles(need uint64) []trouble {
	perm := "R"
	if need&epcmW != 0 {
		perm = "W"
	}
	return []trouble{
		{"has no translation", "no translation", func(m *machine, page uint64) { m.must(m.as.Unmap(at(page), 1)) }},
		{"is not accessible by the page tables", "page tables", func(m *machine, page uint64) { m.must(m.as.Protect(at(page), 1, 0)) }},
		{"does not resolve within the EPC", "not in the EPC", func(m *machine, page uint64) {
			m.must(m.as.Map(at(page), notEPC, 1, PermR|PermW|PermX))
		}},
		{"EPCM.VALID = 0", "not valid", setState(0, epcmValid)},
		{"EPCM.BLOCKED = 1", "blocked", setState(epcmBlocked, 0)},
		{"EPCM.PT ≠ PT_REG", "PT_TCS", setState(uint64(isa.PTTCS)<<epcmPTShift, epcmPTMask)},
		{"EPCM.ENCLAVESECS is another", "another enclave", func(m *machine, page uint64) { m.enclave(); m.entry(page).secs++ }},
		{"EPCM.PENDING = 1", "pending", setState(epcmPending, 0)},
		{"EPCM.MODIFIED = 1", "modified", setState(epcmModified, 0)},
		{"EPCM.ENCLAVEADDRESS is another", "another linear", func(m *machine, page uint64) {
			m.must(m.as.Map(at(page), m.epc[at(pgSpareRW)], 1, PermR|PermW|PermX))
		}},
		{fmt.Sprintf("EPCM.%s = 0", perm), "EPCM allows only", setState(0, need&(epcmR|epcmW))},
	}
}

// operandRows are the rows of an operand in register reg of a leaf that runs
// inside the enclave; page is where it lies in a good call.
func operandRows(reg string, page, need uint64, run func(*machine) error) []row {
	var rows []row
	for _, tr := range troubles(need) {
		rows = append(rows, row{reg + ": " + tr.cond, "#PF", tr.reason, func(m *machine) error {
			tr.make(m, page)
			err := run(m)
			if f := fault(m.tb, err); f.Addr&^(isa.PageSize-1) != at(page) || f.ErrorCode&isa.PFUser == 0 {
				m.tb.Errorf("#PF at %#x with error code %#x", f.Addr, f.ErrorCode)
			} else if write := f.ErrorCode&isa.PFWrite != 0; write != (need&epcmW != 0) {
				m.tb.Errorf("#PF with error code %#x for permission %d", f.ErrorCode, need)
			}
			return err
		}})
	}
	return rows
}

// join concatenates rows.
func joinRows(parts ...[]row) (all []row) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
