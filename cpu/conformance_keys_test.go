package cpu

import (
	"fmt"

	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
)

func keyChapters() []chapter {
	return []chapter{
		{"EREPORT", inside, ereportRows(), nil},
		{"EGETKEY", inside, egetkeyRows(), []gap{{"CET_ATTRIBUTES among the dependencies", success, noCET}}},
		{"EVERIFYREPORT2", inside, everifyreport2Rows(), nil},
	}
}

// alignmentRows are the two checks of an operand's address.
func alignmentRows(reg string, align uint64, run func(m *machine, addr uint64) error) []row {
	return []row{
		{fmt.Sprintf("%s is not %d-Byte aligned", reg, align), "#GP", "aligned", func(m *machine) error { return run(m, at(pgData)+align/2) }},
		{reg + " is not within ELRANGE", "#GP", "outside ELRANGE", func(m *machine) error { return run(m, testBase+testSize) }},
	}
}

// self is the TARGETINFO of the machine's enclave.
func (m *machine) self() *isa.TargetInfo {
	s := &m.enclave().secs
	return &isa.TargetInfo{Measurement: s.MREnclave, Attributes: s.Attributes, MiscSelect: s.MiscSelect, ConfigSVN: s.ConfigSVN, ConfigID: s.ConfigID}
}

// report executes EREPORT for a target.
func (m *machine) report(t *isa.TargetInfo) (*isa.Report, error) {
	m.tb.Helper()
	m.poke(at(pgData), pageOf(t))
	m.poke(at(pgData2)+128, []byte("report data"))
	if err := m.enclu(isa.EREPORT, at(pgData), at(pgData2)+128, at(pgData3)+512); err != nil {
		return nil, err
	}
	r := new(isa.Report)
	m.must(r.UnmarshalBinary(m.peek(at(pgData3)+512, isa.ReportSize)))
	return r, nil
}

// key executes EGETKEY.
func (m *machine) key(q *isa.KeyRequest) ([isa.KeySize]byte, error) {
	m.tb.Helper()
	m.poke(at(pgData)+512, pageOf(q))
	m.poke(at(pgData2)+16, make([]byte, isa.KeySize))
	err := m.enclu(isa.EGETKEY, at(pgData)+512, at(pgData2)+16, 0)
	return [isa.KeySize]byte(m.peek(at(pgData2)+16, isa.KeySize)), err
}

func ereportRows() []row {
	good := func(m *machine) error { _, err := m.report(m.self()); return err }
	reserved := func(change func(t *isa.TargetInfo)) func(*machine) error {
		return func(m *machine) error { t := m.self(); change(t); _, err := m.report(t); return err }
	}
	const leaf = isa.EREPORT
	return joinRows(
		alignmentRows("TARGETINFO", 512, func(m *machine, a uint64) error { return m.enclu(leaf, a, at(pgData2), at(pgData3)) }),
		operandRows("TARGETINFO", pgData, epcmR, good),
		[]row{
			{"TARGETINFO reserved fields ≠ 0", "#GP", "reserved", reserved(func(t *isa.TargetInfo) { t.Reserved3[383] = 1 })},
			{"TARGETINFO reserved byte after CET_ATTRIBUTES ≠ 0", "#GP", "reserved", reserved(func(t *isa.TargetInfo) { t.Reserved1 = 1 })},
		},
		[]row{
			{"TARGETINFO bytes 63:56 ≠ 0", "#GP", "reserved", reserved(func(t *isa.TargetInfo) { t.Reserved2[7] = 1 })},
			{"TARGETINFO reserved fields ≠ 0, and REPORTDATA is not aligned: TARGETINFO comes first", "#GP", "reserved", func(m *machine) error {
				t := m.self()
				t.Reserved3[0] = 1
				m.poke(at(pgData), pageOf(t))
				return m.enclu(leaf, at(pgData), at(pgData2)+1, at(pgData3))
			}},
		},
		alignmentRows("REPORTDATA", 128, func(m *machine, a uint64) error { return m.enclu(leaf, at(pgZero), a, at(pgData3)) }),
		operandRows("REPORTDATA", pgData2, epcmR, good),
		alignmentRows("OUTPUTDATA", 512, func(m *machine, a uint64) error { return m.enclu(leaf, at(pgZero), at(pgData2), a) }),
		operandRows("OUTPUTDATA", pgData3, epcmW, good),
		[]row{
			{"success: the fields of the enclave, and a MAC for the target", success, "", func(m *machine) error {
				r, err := m.report(m.self())
				m.must(err)
				s, _ := m.p.SECSInfo(m.secs)
				want := isa.Report{ReportBody: isa.ReportBody{
					CPUSVN: m.p.keys.cpuSVN, MiscSelect: s.MiscSelect, Attributes: s.Attributes, MREnclave: s.MREnclave, MRSigner: s.MRSigner,
					ISVProdID: 7, ISVSVN: 3,
				}, KeyID: m.p.keys.reportKeyID, MAC: r.MAC}
				want.ISVFamilyID[0], want.ISVExtProdID[0] = 0xFA, 0xE7
				copy(want.ReportData[:], "report data")
				if *r != want {
					m.tb.Errorf("REPORT = %+v", r)
				}
				key, err := m.key(&isa.KeyRequest{KeyName: isa.KeyReport, KeyID: r.KeyID})
				if cmac.Sum(key, pageOf(r)[:isa.ReportMACOffset]) != r.MAC {
					m.tb.Error("the target cannot verify the MAC")
				}
				return err
			}},
			{"success: TARGETINFO.CET_ATTRIBUTES is not in the key without CET", success, "", func(m *machine) error {
				t := m.self()
				t.CETAttributes = 0xFF
				r, err := m.report(t)
				m.must(err)
				key, err := m.key(&isa.KeyRequest{KeyName: isa.KeyReport, KeyID: r.KeyID})
				if cmac.Sum(key, pageOf(r)[:isa.ReportMACOffset]) != r.MAC {
					m.tb.Error("the target cannot verify the MAC")
				}
				return err
			}},
			{"success: another target's key does not fit", success, "", func(m *machine) error {
				r, err := m.report(&isa.TargetInfo{Measurement: [32]byte{1}})
				m.must(err)
				key, err := m.key(&isa.KeyRequest{KeyName: isa.KeyReport, KeyID: r.KeyID})
				if cmac.Sum(key, pageOf(r)[:isa.ReportMACOffset]) == r.MAC {
					m.tb.Error("a report for another verifies")
				}
				return err
			}},
		})
}

func egetkeyRows() []row {
	const leaf = isa.EGETKEY
	request := func(name isa.KeyName, change func(q *isa.KeyRequest)) func(*machine) error {
		return func(m *machine) error {
			q := &isa.KeyRequest{KeyName: name}
			change(q)
			_, err := m.key(q)
			return err
		}
	}
	plain := func(*isa.KeyRequest) {}
	good := request(isa.KeySeal, plain)
	noKSS := func(run func(*machine) error) func(*machine) error {
		return func(m *machine) error { m.enclave().secs.Attributes.Flags &^= isa.AttrKSS; return run(m) }
	}
	allowed := func(run func(*machine) error) func(*machine) error {
		return func(m *machine) error {
			m.enclave().secs.Attributes.Flags |= isa.AttrProvisionKey | isa.AttrEinitTokenKey
			return run(m)
		}
	}
	rows := joinRows(
		alignmentRows("KEYREQUEST", 512, func(m *machine, a uint64) error { return m.enclu(leaf, a, at(pgData2), 0) }),
		operandRows("KEYREQUEST", pgData, epcmR, good),
		alignmentRows("OUTPUTDATA", 16, func(m *machine, a uint64) error { return m.enclu(leaf, at(pgZero), a, 0) }),
		operandRows("OUTPUTDATA", pgData2, epcmW, good),
		[]row{
			{"KEYREQUEST reserved fields ≠ 0", "#GP", "reserved fields", request(isa.KeySeal, func(q *isa.KeyRequest) { q.Reserved2[433] = 1 })},
			{"KEYREQUEST reserved field at 6 ≠ 0", "#GP", "reserved fields", request(isa.KeySeal, func(q *isa.KeyRequest) { q.Reserved1 = 1 })},
			{"KEYPOLICY reserved bits ≠ 0", "#GP", "KEYPOLICY", request(isa.KeySeal, func(q *isa.KeyRequest) { q.KeyPolicy = 1 << 6 })},
			{"KEYPOLICY[5:2] ≠ 0 without KSS", "#GP", "KSS", noKSS(request(isa.KeySeal, func(q *isa.KeyRequest) { q.KeyPolicy = isa.PolicyNoISVProdID }))},
			{"CONFIGSVN ≠ 0 without KSS", "#GP", "KSS", noKSS(request(isa.KeySeal, func(q *isa.KeyRequest) { q.ConfigSVN = 1 }))},
			{"KEYNAME is invalid", "SGX_INVALID_KEYNAME", "", request(5, plain)},
			{"SEAL_KEY: CONFIGSVN is too high", "SGX_INVALID_ISVSVN", "", request(isa.KeySeal, func(q *isa.KeyRequest) { q.ConfigSVN = 1 })},
			{"PROVISION_SEAL_KEY: CONFIGSVN is too high", "SGX_INVALID_ISVSVN", "", allowed(request(isa.KeyProvisionSeal, func(q *isa.KeyRequest) { q.ConfigSVN = 1 }))},
			{"EINITTOKEN_KEY: ATTRIBUTES.EINITTOKEN_KEY = 0", "SGX_INVALID_ATTRIBUTE", "", request(isa.KeyEinitToken, plain)},
			{"EINITTOKEN_KEY: success though MRSIGNER is not that of IA32_SGXLEPUBKEYHASH", success, "", func(m *machine) error {
				m.p.SetLEPubKeyHash([32]byte{1})
				return allowed(request(isa.KeyEinitToken, plain))(m)
			}},
			{"PROVISION_KEY: ATTRIBUTES.PROVISIONKEY = 0", "SGX_INVALID_ATTRIBUTE", "", request(isa.KeyProvision, plain)},
			{"PROVISION_SEAL_KEY: ATTRIBUTES.PROVISIONKEY = 0", "SGX_INVALID_ATTRIBUTE", "", request(isa.KeyProvisionSeal, plain)},
			{"REPORT_KEY: CPUSVN and ISVSVN are ignored", success, "", request(isa.KeyReport, func(q *isa.KeyRequest) { q.CPUSVN[0], q.ISVSVN = 255, 0xFFFF })},
			{"SEAL_KEY: CPUSVN = 0 is always supported", success, "", good},
		})
	for _, name := range []isa.KeyName{isa.KeySeal, isa.KeyEinitToken, isa.KeyProvision, isa.KeyProvisionSeal} {
		rows = append(rows,
			row{name.String() + ": CPUSVN is beyond the processor's", "SGX_INVALID_CPUSVN", "", allowed(request(name, func(q *isa.KeyRequest) { q.CPUSVN[15] = 6 }))},
			row{name.String() + ": ISVSVN is too high", "SGX_INVALID_ISVSVN", "", allowed(request(name, func(q *isa.KeyRequest) { q.ISVSVN = 4 }))},
			row{name.String() + ": success", success, "", allowed(request(name, func(q *isa.KeyRequest) { q.ISVSVN = 3 }))},
		)
	}
	return rows
}

func everifyreport2Rows() []row {
	with := func(restamp bool, change func(m *machine, r *isa.Report2MACStruct)) func(*machine) error {
		return func(m *machine) error {
			r := &isa.Report2MACStruct{Type: isa.ReportType{Type: isa.ReportTypeTDX}, CPUSVN: m.p.keys.cpuSVN}
			copy(r.ReportData[:], "nonce")
			r.MAC = m.p.Report2MAC(r)
			change(m, r)
			if restamp {
				r.MAC = m.p.Report2MAC(r)
			}
			m.poke(at(pgData)+256, pageOf(r))
			return m.enclu(isa.EVERIFYREPORT2, at(pgData)+256, 0, 0)
		}
	}
	const bad = "SGX_INVALID_REPORTMACSTRUCT"
	good := with(true, func(*machine, *isa.Report2MACStruct) {})
	return joinRows(
		alignmentRows("REPORTMACSTRUCT", 256, func(m *machine, a uint64) error { return m.enclu(isa.EVERIFYREPORT2, a, 0, 0) }),
		operandRows("REPORTMACSTRUCT", pgData, epcmR, good),
		[]row{
			{"REPORTTYPE.TYPE ≠ 81H", bad, "", with(true, func(_ *machine, r *isa.Report2MACStruct) { r.Type.Type = 0 })},
			{"REPORTTYPE.SUBTYPE ≠ 0", bad, "", with(true, func(_ *machine, r *isa.Report2MACStruct) { r.Type.Subtype = 1 })},
			{"REPORTTYPE.VERSION ≠ 0", bad, "", with(true, func(_ *machine, r *isa.Report2MACStruct) { r.Type.Version = 1 })},
			{"REPORTTYPE.RESERVED ≠ 0", bad, "", with(true, func(_ *machine, r *isa.Report2MACStruct) { r.Type.Reserved = 1 })},
			{"bytes 15:4 ≠ 0", bad, "", with(true, func(_ *machine, r *isa.Report2MACStruct) { r.Reserved1[11] = 1 })},
			{"RESERVED ≠ 0", bad, "", with(true, func(_ *machine, r *isa.Report2MACStruct) { r.Reserved2[31] = 1 })},
			{"CPUSVN is not supported", "SGX_INVALID_CPUSVN", "", with(true, func(_ *machine, r *isa.Report2MACStruct) { r.CPUSVN[0] = 9 })},
			{"the MAC is wrong", bad, "", with(false, func(_ *machine, r *isa.Report2MACStruct) { r.ReportData[0] ^= 1 })},
			{"the MAC is of another power-on", bad, "", with(false, func(m *machine, r *isa.Report2MACStruct) { r.MAC = ready(m.tb).p.Report2MAC(r) })},
			{"success", success, "", good},
		})
}
