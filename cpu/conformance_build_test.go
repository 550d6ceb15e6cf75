package cpu

import (
	"github.com/feidi-dev/feidi/internal/cmac"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
)

// notEPC is a physical address outside the EPC.
const notEPC = PA(0x1000)

func buildChapters() []chapter {
	return []chapter{
		{"ENCLS", nil, nil, []gap{
			{"CR0.PE = 0, VM86, SMM or SGX disabled in CPUID", "#UD", noCR},
			{"CPL > 0", "#UD", noCR},
			{"VM exit by the ENCLS-exiting bitmap", "VM exit", noVMX},
			{"IA32_FEATURE_CONTROL does not enable SGX", "#GP", noCR},
			{"no such leaf", "#GP", "each leaf is a method"},
			{"CR0.PG = 0", "#GP", noCR},
			{"DS is expand-down", "#GP", mode64},
		}},
		{"ECREATE", fresh, ecreateRows(), []gap{
			{"PAGEINFO is not 32-Byte aligned", "#GP", byValue},
			{"PAGEINFO.SRCPGE is not 4-KByte aligned", "#GP", byValue},
			{"PAGEINFO.SECINFO is not 64-Byte aligned", "#GP", byValue},
			{"PAGEINFO.LINADDR ≠ 0", "#GP", noField},
			{"PAGEINFO.SECS ≠ 0", "#GP", noField},
			{"EPC entry in use", "#GP", atomicLeaf},
			{"CET: BASEADDR + CET_LEG_BITMAP_OFFSET is not canonical", "#GP", noCET},
			{"CET: CET_LEG_BITMAP_OFFSET is not page-aligned", "#GP", noCET},
			{"CET: reserved CET_ATTRIBUTES", "#GP", noCET},
		}},
		{"EADD", fresh, eaddRows(), []gap{
			{"PAGEINFO is not 32-Byte aligned", "#GP", byValue},
			{"PAGEINFO.SRCPGE is not 4-KByte aligned", "#GP", byValue},
			{"PAGEINFO.SECINFO is not 64-Byte aligned", "#GP", byValue},
			{"EPC page is not available for EADD", "#GP", atomicLeaf},
			{"SECS is not available for EADD", "#GP", atomicLeaf},
			{"measurement is being updated", "#GP", atomicLeaf},
			{"PT_SS_FIRST or PT_SS_REST with CR4.CET = 0", "#GP", noCET},
			{"shadow-stack page at the first or last page of ELRANGE", "#GP", noCET},
			{"shadow-stack page without RSTORSSP token, or not zero", "#GP", noCET},
			{"shadow-stack page that is not readable and writable only", "#GP", noCET},
			{"TCS.PREVSSP ≠ 0", "#GP", noCET},
		}},
		{"EEXTEND", built, eextendRows(), []gap{
			{"other instructions access the EPCM", "#GP", atomicLeaf},
			{"other instructions access MRENCLAVE or ATTRIBUTES.INIT", "#GP", atomicLeaf},
		}},
		{"EINIT", built, einitRows(), []gap{
			{"SIGSTRUCT is not 4-KByte aligned", "#GP", byValue},
			{"EINITTOKEN is not 512-Byte aligned", "#GP", byValue},
			{"interrupt was pending", "SGX_UNMASKED_EVENT", noIRQ},
			{"other instructions modify the SECS", "#GP", atomicLeaf},
			{"other instructions modify MRENCLAVE", "#GP", atomicLeaf},
			{"CET_ATTRIBUTES & MASK differ", "SGX_INVALID_ATTRIBUTE", noCET},
		}},
		{"EREMOVE", ready, eremoveRows(), []gap{
			{"EPC page is referenced by another instruction", "#GP", atomicLeaf},
			{"VIRTCHILDCNT ≠ 0", "SGX_CHILD_PRESENT", noVMX},
		}},
	}
}

func ecreateRows() []row {
	create := func(change func(*CreateInfo)) func(*machine) error {
		return func(m *machine) error {
			pi := CreateInfo{SECS: testSECS()}
			change(&pi)
			return m.p.ECREATE(m.page(), pi)
		}
	}
	secs := func(cond, reason string, change func(*isa.SECS)) row {
		return row{cond, "#GP", reason, create(func(pi *CreateInfo) { change(pi.SECS) })}
	}
	mode32 := func(s *isa.SECS) { s.Attributes.Flags &^= isa.AttrMode64Bit; s.BaseAddr = 0 }
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error {
			return m.p.ECREATE(m.page()+8, CreateInfo{SECS: testSECS()})
		}},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", func(m *machine) error {
			return m.p.ECREATE(notEPC, CreateInfo{SECS: testSECS()})
		}},
		{"SECINFO reserved fields ≠ 0", "#GP", "SECINFO", create(func(pi *CreateInfo) { pi.SecInfo.Reserved[55] = 1 })},
		{"SECINFO.FLAGS reserved bits ≠ 0", "#GP", "SECINFO", create(func(pi *CreateInfo) { pi.SecInfo.Flags = 1 << 63 })},
		{"SECINFO.FLAGS.PT ≠ PT_SECS", "#GP", "SECINFO", create(func(pi *CreateInfo) {
			pi.SecInfo.Flags = isa.MakeSecInfoFlags(0, isa.PTREG)
		})},
		{"EPCM.VALID = 1", "#PF", "already valid", func(m *machine) error {
			return m.p.ECREATE(m.secs, CreateInfo{SECS: testSECS()})
		}},
		secs("XFRM[1:0] ≠ 3", "XFRM lacks", func(s *isa.SECS) { s.Attributes.XFRM = isa.XFRMX87 }),
		secs("XFRM is illegal: not in XCR0", "illegal", func(s *isa.SECS) { s.Attributes.XFRM |= isa.XFRMPKRU }),
		{"XFRM is illegal: AVX-512 without AVX", "#GP", "illegal", func(m *machine) error {
			c := Config{XFRM: 0x602E7}
			c.defaults()
			p, err := New(c)
			m.must(err)
			s := testSECS()
			s.Attributes.XFRM, s.SSAFrameSize = 0xE3, 4
			return p.ECREATE(p.EPCBase(), CreateInfo{SECS: s})
		}},
		secs("CET_ATTRIBUTES ≠ 0 with ATTRIBUTES.CET = 0", "CET", func(s *isa.SECS) { s.CETAttributes = 1 }),
		secs("CET_LEG_BITMAP_OFFSET ≠ 0 with ATTRIBUTES.CET = 0", "CET", func(s *isa.SECS) { s.CETLegBitmapOffset = 0x1000 }),
		secs("CET_LEG_BITMAP_OFFSET ≠ 0 without CET_IBT", "CET", func(s *isa.SECS) {
			s.Attributes.Flags |= isa.AttrCET
			s.CETLegBitmapOffset = 0x1000
		}),
		secs("CET_ATTRIBUTES[5:2] ≠ 0 without CET_IBT", "CET", func(s *isa.SECS) {
			s.Attributes.Flags |= isa.AttrCET
			s.CETAttributes = 1 << 2
		}),
		secs("CET_ATTRIBUTES[1:0] ≠ 0 without CET_SS", "CET", func(s *isa.SECS) {
			s.Attributes.Flags |= isa.AttrCET
			s.CETAttributes = 1
		}),
		secs("unsupported MISCSELECT", "MISCSELECT", func(s *isa.SECS) { s.MiscSelect |= 1 << 5 }),
		secs("SSAFRAMESIZE is too small", "SSAFRAMESIZE", func(s *isa.SECS) { s.SSAFrameSize = 0 }),
		secs("MODE64BIT = 1 and BASEADDR is not canonical", "canonical", func(s *isa.SECS) { s.BaseAddr = 1 << 60 }),
		secs("MODE64BIT = 0 and BASEADDR[63:32] ≠ 0", "4 GiB", func(s *isa.SECS) { mode32(s); s.BaseAddr = testBase }),
		secs("MODE64BIT = 0 and SIZE is too large", "32-bit", func(s *isa.SECS) { mode32(s); s.Size = 1 << 31 }),
		secs("MODE64BIT = 1 and SIZE is too large", "too large", func(s *isa.SECS) { s.BaseAddr, s.Size = 0, 1<<56 }),
		secs("SIZE < 2 pages", "two pages", func(s *isa.SECS) { s.Size = isa.PageSize }),
		secs("SIZE is not a power of two", "power of two", func(s *isa.SECS) { s.Size = 3 * isa.PageSize }),
		secs("BASEADDR is not aligned to SIZE", "aligned to SIZE", func(s *isa.SECS) { s.BaseAddr += isa.PageSize }),
		secs("unsupported ATTRIBUTES", "ATTRIBUTES", func(s *isa.SECS) { s.Attributes.Flags |= 1 << 40 }),
		secs("ATTRIBUTES.INIT is set", "ATTRIBUTES", func(s *isa.SECS) { s.Attributes.Flags |= isa.AttrInit }),
		secs("SECS reserved fields at 33 ≠ 0", "reserved", func(s *isa.SECS) { s.Reserved1[0] = 1 }),
		secs("SECS reserved fields at 96 ≠ 0", "reserved", func(s *isa.SECS) { s.Reserved2[0] = 1 }),
		secs("SECS reserved fields at 160 ≠ 0", "reserved", func(s *isa.SECS) { s.Reserved3[0] = 1 }),
		secs("SECS reserved fields at 262 ≠ 0", "reserved", func(s *isa.SECS) { s.Reserved4[3833] = 1 }),
		secs("CONFIGID ≠ 0 without KSS", "KSS", func(s *isa.SECS) {
			s.Attributes.Flags &^= isa.AttrKSS
			s.ConfigID[0] = 1
		}),
		secs("CONFIGSVN ≠ 0 without KSS", "KSS", func(s *isa.SECS) {
			s.Attributes.Flags &^= isa.AttrKSS
			s.ConfigSVN = 1
		}),
		{"success without KSS", success, "", create(func(pi *CreateInfo) { pi.SECS.Attributes.Flags &^= isa.AttrKSS })},
		{"success with KSS and CONFIGID", success, "", create(func(pi *CreateInfo) { pi.SECS.ConfigID[0], pi.SECS.ConfigSVN = 1, 1 })},
		{"all conditions hold: the page is a PT_SECS", success, "", func(m *machine) error {
			pa := m.page()
			if err := m.p.ECREATE(pa, CreateInfo{SECS: testSECS()}); err != nil {
				return err
			}
			if e := m.p.EPCM(pa); !e.Valid || e.PT != isa.PTSECS || e.Perm != 0 {
				m.tb.Errorf("EPCM = %+v", e)
			}
			if s, ok := m.p.SECSInfo(pa); !ok || s.Size != testSize || s.Attributes.Flags&isa.AttrInit != 0 {
				m.tb.Errorf("SECS = %+v, %v", s.Size, ok)
			}
			return nil
		}},
	}
}

func eaddRows() []row {
	const rw = isa.SecInfoR | isa.SecInfoW
	add := func(change func(m *machine, pi *AddInfo, dst *PA)) func(*machine) error {
		return func(m *machine) error {
			dst := m.page()
			pi := AddInfo{LinAddr: at(pgData), SecInfo: isa.SecInfo{Flags: isa.MakeSecInfoFlags(rw, isa.PTREG)}, SECS: m.secs}
			change(m, &pi, &dst)
			return m.p.EADD(dst, pi)
		}
	}
	tcs := func(change func(t *isa.TCS)) func(*machine) error {
		return add(func(_ *machine, pi *AddInfo, _ *PA) {
			t := testTCS(pgSSA)
			change(t)
			pi.Src, pi.SecInfo.Flags = pageOf(t), isa.MakeSecInfoFlags(0, isa.PTTCS)
		})
	}
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", add(func(_ *machine, _ *AddInfo, dst *PA) { *dst += 8 })},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", add(func(_ *machine, _ *AddInfo, dst *PA) { *dst = notEPC })},
		{"PAGEINFO.SECS is not 4-KByte aligned", "#GP", "aligned", add(func(_ *machine, pi *AddInfo, _ *PA) { pi.SECS++ })},
		{"PAGEINFO.LINADDR is not 4-KByte aligned", "#GP", "aligned", add(func(_ *machine, pi *AddInfo, _ *PA) { pi.LinAddr++ })},
		{"the source is not a page", "#GP", "not a page", add(func(_ *machine, pi *AddInfo, _ *PA) { pi.Src = make([]byte, 100) })},
		{"SECS is not in the EPC", "#PF", "not in the EPC", add(func(_ *machine, pi *AddInfo, _ *PA) { pi.SECS = notEPC })},
		{"SECINFO reserved fields ≠ 0", "#GP", "SECINFO", add(func(_ *machine, pi *AddInfo, _ *PA) { pi.SecInfo.Reserved[0] = 1 })},
		{"SECINFO.FLAGS reserved bits ≠ 0", "#GP", "SECINFO", add(func(_ *machine, pi *AddInfo, _ *PA) { pi.SecInfo.Flags |= 1 << 16 })},
		{"SECINFO.FLAGS.PT is not PT_REG or PT_TCS", "#GP", "SECINFO", add(func(_ *machine, pi *AddInfo, _ *PA) {
			pi.SecInfo.Flags = isa.MakeSecInfoFlags(rw, isa.PTTRIM)
		})},
		{"PT_SS_FIRST without CET", "#GP", "SECINFO", add(func(_ *machine, pi *AddInfo, _ *PA) {
			pi.SecInfo.Flags = isa.MakeSecInfoFlags(rw, isa.PTSSFirst)
		})},
		{"PT_SS_REST without CET", "#GP", "SECINFO", add(func(_ *machine, pi *AddInfo, _ *PA) {
			pi.SecInfo.Flags = isa.MakeSecInfoFlags(rw, isa.PTSSRest)
		})},
		{"EPCM.VALID ≠ 0", "#PF", "already valid", add(func(m *machine, _ *AddInfo, dst *PA) { *dst = m.secs })},
		{"EPCM(SECS).VALID = 0", "#PF", "not a valid SECS", add(func(m *machine, pi *AddInfo, _ *PA) { pi.SECS = m.page() })},
		{"EPCM(SECS).PT ≠ PT_SECS", "#PF", "not a valid SECS", add(func(m *machine, pi *AddInfo, _ *PA) {
			pi.SECS = m.add(pgCode, isa.PTREG, isa.SecInfoR, nil)
		})},
		{"SECINFO is wrong, and EPCM.VALID ≠ 0: #GP comes first", "#GP", "SECINFO", add(func(m *machine, pi *AddInfo, dst *PA) {
			*dst, pi.SecInfo.Reserved[0] = m.secs, 1
		})},
		{"TCS.RESERVED ≠ 0", "#GP", "reserved", tcs(func(t *isa.TCS) { t.Reserved[4007] = 1 })},
		{"MODE64BIT = 0 and FSLIMIT[11:0] ≠ 0FFFH", "#GP", "FSLIMIT", func(m *machine) error {
			m.enclave().secs.Attributes.Flags &^= isa.AttrMode64Bit
			return tcs(func(t *isa.TCS) { t.FSLimit = 0 })(m)
		}},
		{"MODE64BIT = 0 and GSLIMIT[11:0] ≠ 0FFFH", "#GP", "GSLIMIT", func(m *machine) error {
			m.enclave().secs.Attributes.Flags &^= isa.AttrMode64Bit
			return tcs(func(t *isa.TCS) { t.GSLimit = 0xFFE })(m)
		}},
		{"MODE64BIT = 1: FSLIMIT and GSLIMIT do not matter", success, "", tcs(func(t *isa.TCS) { t.FSLimit, t.GSLimit = 0, 0 })},
		{"PT_REG with W = 1 and R = 0", "#GP", "W without R", add(func(_ *machine, pi *AddInfo, _ *PA) {
			pi.SecInfo.Flags = isa.MakeSecInfoFlags(isa.SecInfoW, isa.PTREG)
		})},
		{"LINADDR is below ELRANGE", "#GP", "outside ELRANGE", add(func(_ *machine, pi *AddInfo, _ *PA) { pi.LinAddr = testBase - isa.PageSize })},
		{"LINADDR is above ELRANGE", "#GP", "outside ELRANGE", add(func(_ *machine, pi *AddInfo, _ *PA) { pi.LinAddr = testBase + testSize })},
		{"enclave is already initialized", "#GP", "initialized", func(m *machine) error {
			m.build()
			m.init()
			return add(func(*machine, *AddInfo, *PA) {})(m)
		}},
		{"PT_REG: success", success, "", func(m *machine) error {
			src := make([]byte, isa.PageSize)
			src[4095] = 9
			pa := m.add(pgData, isa.PTREG, rw, src)
			want := EPCMEntry{Valid: true, Perm: PermR | PermW, PT: isa.PTREG, Address: at(pgData), SECS: m.secs}
			if e := m.p.EPCM(pa); e != want {
				m.tb.Errorf("EPCM = %+v, want %+v", e, want)
			}
			if m.peek(at(pgData)+4095, 1)[0] != 9 {
				m.tb.Error("the page was not copied")
			}
			return nil
		}},
		{"PT_TCS: success, with R, W, X, DBGOPTIN, CSSA, AEP and STATE forced to zero", success, "", func(m *machine) error {
			t := testTCS(pgSSA)
			t.Flags, t.CSSA, t.AEP, t.State = isa.TCSDbgOptIn, 2, 3, 4
			pa := m.add(pgTCS, isa.PTTCS, isa.SecInfoRWX, pageOf(t))
			if e := m.p.EPCM(pa); e.Perm != 0 || e.PT != isa.PTTCS {
				m.tb.Errorf("EPCM = %+v", e)
			}
			var got isa.TCS
			m.must(got.UnmarshalBinary(m.peek(at(pgTCS), isa.TCSSize)))
			if got != *testTCS(pgSSA) {
				m.tb.Errorf("TCS = %+v", got.State)
			}
			return nil
		}},
	}
}

func eextendRows() []row {
	chunk := func(m *machine) PA { return m.epc[at(pgData)] + 256 }
	return []row{
		{"SECS is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error { return m.p.EEXTEND(chunk(m), m.secs+8) }},
		{"SECS is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return m.p.EEXTEND(chunk(m), notEPC) }},
		{"chunk is not 256-Byte aligned", "#GP", "256-Byte", func(m *machine) error { return m.p.EEXTEND(chunk(m)+8, m.secs) }},
		{"chunk is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return m.p.EEXTEND(notEPC, m.secs) }},
		{"EPCM.VALID = 0", "#PF", "not valid", func(m *machine) error { return m.p.EEXTEND(m.page(), m.secs) }},
		{"EPCM.PT is not PT_REG or PT_TCS", "#PF", "not PT_REG", func(m *machine) error {
			va := m.page()
			m.must(m.p.EPA(va))
			return m.p.EEXTEND(va, m.secs)
		}},
		{"the page does not belong to the SECS", "#GP", "does not belong", func(m *machine) error {
			other := m.page()
			m.must(m.p.ECREATE(other, CreateInfo{SECS: testSECS()}))
			return m.p.EEXTEND(chunk(m), other)
		}},
		{"enclave is already initialized", "#GP", "initialized", func(m *machine) error {
			m.init()
			return m.p.EEXTEND(chunk(m), m.secs)
		}},
		{"success: MRENCLAVE changes", success, "", func(m *machine) error {
			before := m.enclave().measure.Sum()
			err := m.p.EEXTEND(chunk(m), m.secs)
			if m.enclave().measure.Sum() == before {
				m.tb.Error("MRENCLAVE is the same")
			}
			return err
		}},
		{"success: PT_TCS, measured with DBGOPTIN, CSSA, AEP and STATE as zeros", success, "", func(m *machine) error {
			sum := func(t *isa.TCS) [32]byte {
				m := fresh(m.tb)
				m.add(pgTCS, isa.PTTCS, 0, pageOf(t))
				return m.enclave().measure.Sum()
			}
			dirty := testTCS(pgSSA)
			dirty.Flags, dirty.CSSA, dirty.AEP, dirty.State = isa.TCSDbgOptIn, 2, 3, 4
			other := testTCS(pgSSA)
			other.OEntry++
			if sum(dirty) != sum(testTCS(pgSSA)) || sum(other) == sum(testTCS(pgSSA)) {
				m.tb.Error("not measured as it is in the EPC")
			}
			return m.p.EEXTEND(m.epc[at(pgTCS)], m.secs)
		}},
		{"success on a page of zeros that takes no memory", success, "", func(m *machine) error {
			err := m.p.EEXTEND(m.epc[at(pgZero)], m.secs)
			got := m.enclave().measure.Sum()
			other := built(m.tb)
			other.entry(pgZero).epoch = 0 // read the bytes
			m.must(other.p.EEXTEND(other.epc[at(pgZero)], other.secs))
			if got != other.enclave().measure.Sum() {
				m.tb.Error("zeros measure differently")
			}
			return err
		}},
	}
}

// token returns a valid EINITTOKEN for the machine's enclave, made by the
// launch enclave of key p.lePubKey.
func token(m *machine, sig *isa.SigStruct) *isa.EinitToken {
	t := &isa.EinitToken{
		Valid: 1, Attributes: m.enclave().secs.Attributes, MREnclave: sig.EnclaveHash, MRSigner: sign.MRSigner(sig),
		CPUSVNLE: m.p.keys.cpuSVN, ISVProdIDLE: 0x20, ISVSVNLE: 1,
		MaskedAttributesLE: isa.Attributes{Flags: isa.AttrInit | isa.AttrMode64Bit},
	}
	t.KeyID[0] = 0x77
	return t
}

// stamp makes the token's MAC as a launch enclave does.
func stamp(m *machine, t *isa.EinitToken) *isa.EinitToken {
	le := &enclave{init: true}
	le.secs.Attributes.Flags = t.MaskedAttributesLE.Flags | isa.AttrEinitTokenKey | isa.AttrInit
	le.secs.Attributes.XFRM = t.MaskedAttributesLE.XFRM
	le.secs.MRSigner, le.secs.ISVProdID, le.secs.ISVSVN = m.p.lePubKey, t.ISVProdIDLE, t.ISVSVNLE
	key, err := m.p.keys.forEnclave(le, &isa.KeyRequest{
		KeyName: isa.KeyEinitToken, CPUSVN: t.CPUSVNLE, ISVSVN: t.ISVSVNLE, KeyID: t.KeyID,
		AttributeMask: isa.Attributes{Flags: ^isa.AttrEinitTokenKey, XFRM: ^isa.XFRM(0)},
	})
	m.must(err)
	b, _ := t.AppendBinary(nil)
	t.MAC = cmac.Sum(key, b[:isa.EinitTokenMACOffset])
	return t
}

func einitRows() []row {
	// init runs EINIT for a SIGSTRUCT that change altered before it was signed.
	launch := func(change func(m *machine, s *isa.SigStruct)) func(*machine) error {
		return func(m *machine) error {
			s := m.signature()
			change(m, s)
			s = m.sign(s)
			m.p.SetLEPubKeyHash(sign.MRSigner(s))
			return m.p.EINIT(m.secs, s, nil)
		}
	}
	after := func(change func(s *isa.SigStruct)) func(*machine) error {
		return func(m *machine) error {
			s := m.sign(m.signature())
			m.p.SetLEPubKeyHash(sign.MRSigner(s))
			change(s)
			return m.p.EINIT(m.secs, s, nil)
		}
	}
	// withToken runs EINIT with a token; restamp says whether change comes before the MAC.
	withToken := func(restamp bool, change func(m *machine, t *isa.EinitToken)) func(*machine) error {
		return func(m *machine) error {
			s := m.sign(m.signature())
			m.p.SetLEPubKeyHash([32]byte{0xEE})
			t := token(m, s)
			if restamp {
				change(m, t)
				stamp(m, t)
			} else {
				stamp(m, t)
				change(m, t)
			}
			return m.p.EINIT(m.secs, s, t)
		}
	}
	const (
		badStruct  = "SGX_INVALID_SIG_STRUCT"
		badToken   = "SGX_INVALID_EINITTOKEN"
		badAttr    = "SGX_INVALID_ATTRIBUTE"
		badMeasure = "SGX_INVALID_MEASUREMENT"
	)
	return []row{
		{"SECS is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error { return m.p.EINIT(m.secs+1, m.sign(m.signature()), nil) }},
		{"SECS is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return m.p.EINIT(notEPC, m.sign(m.signature()), nil) }},
		{"SIGSTRUCT.HEADER is wrong", badStruct, "", after(func(s *isa.SigStruct) { s.Header[0] = 5 })},
		{"SIGSTRUCT.VENDOR is neither 0 nor 8086H", badStruct, "", after(func(s *isa.SigStruct) { s.Vendor = 1 })},
		{"SIGSTRUCT.HEADER2 is wrong", badStruct, "", after(func(s *isa.SigStruct) { s.Header2[0] = 5 })},
		{"SIGSTRUCT.EXPONENT ≠ 3", badStruct, "", after(func(s *isa.SigStruct) { s.Exponent = 65537 })},
		{"SIGSTRUCT reserved space ≠ 0", badStruct, "", after(func(s *isa.SigStruct) { s.Reserved3[0] = 1 })},
		{"signature does not verify", "SGX_INVALID_SIGNATURE", "", after(func(s *isa.SigStruct) { s.Signature[0] ^= 1 })},
		{"Q1 is wrong", "SGX_INVALID_SIGNATURE", "", after(func(s *isa.SigStruct) { s.Q1[0] ^= 1 })},
		{"Q2 is wrong", "SGX_INVALID_SIGNATURE", "", after(func(s *isa.SigStruct) { s.Q2[0] ^= 1 })},
		{"signed fields were changed", "SGX_INVALID_SIGNATURE", "", after(func(s *isa.SigStruct) { s.ISVSVN++ })},
		{"EPCM(SECS).VALID = 0", "#PF", "not a valid SECS", func(m *machine) error { return m.p.EINIT(m.page(), m.sign(m.signature()), nil) }},
		{"EPCM(SECS).PT ≠ PT_SECS", "#PF", "not a valid SECS", func(m *machine) error {
			return m.p.EINIT(m.epc[at(pgData)], m.sign(m.signature()), nil)
		}},
		{"signature does not verify, and the SECS is invalid: the code comes first", "SGX_INVALID_SIGNATURE", "", func(m *machine) error {
			s := m.sign(m.signature())
			s.Signature[0] ^= 1
			return m.p.EINIT(m.page(), s, nil)
		}},
		{"ISVFAMILYID ≠ 0 without KSS", badStruct, "", func(m *machine) error {
			m.enclave().secs.Attributes.Flags &^= isa.AttrKSS
			return launch(func(_ *machine, s *isa.SigStruct) { s.ISVFamilyID[3] = 1 })(m)
		}},
		{"enclave is already initialized", "#GP", "initialized", func(m *machine) error {
			m.init()
			return m.p.EINIT(m.secs, m.sig, nil)
		}},
		{"ENCLAVEHASH ≠ MRENCLAVE", badMeasure, "", launch(func(_ *machine, s *isa.SigStruct) { s.EnclaveHash[0] ^= 1 })},
		{"controlled ATTRIBUTES without the key of IA32_SGXLEPUBKEYHASH", badAttr, "", func(m *machine) error {
			m.enclave().secs.Attributes.Flags |= isa.AttrEinitTokenKey
			s := m.sign(m.signature())
			return m.p.EINIT(m.secs, s, nil)
		}},
		{"ATTRIBUTES & ATTRIBUTEMASK differ", badAttr, "", launch(func(_ *machine, s *isa.SigStruct) { s.Attributes.Flags |= isa.AttrProvisionKey })},
		{"XFRM & ATTRIBUTEMASK.XFRM differ", badAttr, "", launch(func(_ *machine, s *isa.SigStruct) { s.Attributes.XFRM |= isa.XFRMAVX })},
		{"MISCSELECT & MISCMASK differ", badAttr, "", launch(func(_ *machine, s *isa.SigStruct) { s.MiscSelect = 0 })},
		{"EINITTOKEN.VALID = 0 without the key of IA32_SGXLEPUBKEYHASH", badToken, "", func(m *machine) error {
			return m.p.EINIT(m.secs, m.sign(m.signature()), nil)
		}},
		{"debug launch enclave, production enclave", badToken, "", func(m *machine) error {
			m.enclave().secs.Attributes.Flags &^= isa.AttrDebug
			return withToken(true, func(_ *machine, t *isa.EinitToken) { t.MaskedAttributesLE.Flags |= isa.AttrDebug })(m)
		}},
		{"EINITTOKEN reserved space ≠ 0", badToken, "", withToken(true, func(_ *machine, t *isa.EinitToken) { t.Reserved3[0] = 1 })},
		{"EINITTOKEN.VALID upper bits ≠ 0", badToken, "", withToken(true, func(_ *machine, t *isa.EinitToken) { t.Valid = 3 })},
		{"EINITTOKEN.CPUSVN is beyond CR_CPUSVN", "SGX_INVALID_CPUSVN", "", withToken(false, func(_ *machine, t *isa.EinitToken) { t.CPUSVNLE[7] = 6 })},
		{"EINITTOKEN.MAC is wrong", badToken, "", withToken(false, func(_ *machine, t *isa.EinitToken) { t.MAC[0] ^= 1 })},
		{"EINITTOKEN is of another launch enclave", badToken, "", withToken(false, func(_ *machine, t *isa.EinitToken) { t.ISVProdIDLE++ })},
		{"EINITTOKEN.MRENCLAVE differs", badMeasure, "", withToken(true, func(_ *machine, t *isa.EinitToken) { t.MREnclave[0] ^= 1 })},
		{"EINITTOKEN.MRSIGNER differs", badMeasure, "", withToken(true, func(_ *machine, t *isa.EinitToken) { t.MRSigner[0] ^= 1 })},
		{"EINITTOKEN.ATTRIBUTES differ", badAttr, "", withToken(true, func(_ *machine, t *isa.EinitToken) { t.Attributes.Flags ^= isa.AttrDebug })},
		{"success: EINITTOKEN_KEY with the key of IA32_SGXLEPUBKEYHASH", success, "", func(m *machine) error {
			m.enclave().secs.Attributes.Flags |= isa.AttrEinitTokenKey
			return launch(func(*machine, *isa.SigStruct) {})(m)
		}},
		{"success: EINITTOKEN_KEY with the key of IA32_SGXLEPUBKEYHASH, and a token", success, "", func(m *machine) error {
			m.enclave().secs.Attributes.Flags |= isa.AttrEinitTokenKey
			s := m.sign(m.signature())
			m.p.SetLEPubKeyHash(sign.MRSigner(s))
			return m.p.EINIT(m.secs, s, stamp(m, token(m, s)))
		}},
		{"success with a token", success, "", withToken(true, func(*machine, *isa.EinitToken) {})},
		{"success without a token", success, "", func(m *machine) error {
			err := launch(func(*machine, *isa.SigStruct) {})(m)
			s, _ := m.p.SECSInfo(m.secs)
			if s.Attributes.Flags&isa.AttrInit == 0 || s.ISVSVN != 3 || s.ISVProdID != 7 || s.MREnclave == [32]byte{} || s.MRSigner != m.p.lePubKey {
				m.tb.Errorf("SECS after EINIT: %+v %d %d", s.Attributes, s.ISVSVN, s.ISVProdID)
			}
			return err
		}},
	}
}

func eremoveRows() []row {
	return []row{
		{"EPCPAGE is not 4-KByte aligned", "#GP", "aligned", func(m *machine) error { return m.p.EREMOVE(m.secs + 1) }},
		{"EPCPAGE is not in the EPC", "#PF", "not in the EPC", func(m *machine) error { return m.p.EREMOVE(notEPC) }},
		{"SECS has pages in the EPC", "SGX_CHILD_PRESENT", "", func(m *machine) error { return m.p.EREMOVE(m.secs) }},
		{"other threads use the SECS", "SGX_ENCLAVE_ACT", "", func(m *machine) error {
			m.enter(pgTCS)
			return m.p.EREMOVE(m.epc[at(pgData)])
		}},
		{"SGX_CHILD_PRESENT: the SECS stays as it is", "SGX_CHILD_PRESENT", "", func(m *machine) error { return m.kept(m.secs) }},
		{"SGX_ENCLAVE_ACT: the page stays as it is", "SGX_ENCLAVE_ACT", "", func(m *machine) error {
			m.poke(at(pgData), []byte("kept"))
			m.enter(pgTCS)
			err := m.kept(m.epc[at(pgData)])
			if string(m.peek(at(pgData), 4)) != "kept" {
				m.tb.Error("the content is lost")
			}
			return err
		}},
		{"EPCM.VALID = 0: nothing to do", success, "", func(m *machine) error { return m.p.EREMOVE(m.page()) }},
		{"PT_VA: success", success, "", func(m *machine) error {
			pa := m.page()
			m.must(m.p.EPA(pa))
			return m.removed(pa)
		}},
		{"PT_REG: success", success, "", func(m *machine) error { return m.removed(m.epc[at(pgData)]) }},
		{"PT_TCS: success", success, "", func(m *machine) error { return m.removed(m.epc[at(pgTCS)]) }},
		{"PT_TRIM with MODIFIED = 0, threads inside: success", success, "", func(m *machine) error {
			m.trim(pgZero)
			m.enter(pgTCS)
			return m.removed(m.epc[at(pgZero)])
		}},
		{"PT_TRIM with MODIFIED = 1, threads inside", "SGX_ENCLAVE_ACT", "", func(m *machine) error {
			m.must(m.p.EMODT(trimmed, m.epc[at(pgZero)]))
			m.enter(pgTCS)
			return m.p.EREMOVE(m.epc[at(pgZero)])
		}},
		{"PT_SECS without pages: success", success, "", func(m *machine) error {
			for _, pa := range m.epc {
				m.must(m.removed(pa))
			}
			return m.removed(m.secs)
		}},
	}
}

// trimmed is the SECINFO that EMODT wants for PT_TRIM.
var trimmed = isa.SecInfo{Flags: isa.MakeSecInfoFlags(0, isa.PTTRIM)}

// trim makes a page PT_TRIM and accepts that.
func (m *machine) trim(page uint64) {
	m.tb.Helper()
	m.must(m.p.EMODT(trimmed, m.epc[at(page)]))
	m.must(m.p.ETRACK(m.secs))
	m.enter(pgTCS2)
	m.must(m.accept(page, isa.MakeSecInfoFlags(isa.SecInfoModified, isa.PTTRIM)))
	m.exit()
}

// kept executes an EREMOVE that fails, and checks that the page is untouched.
func (m *machine) kept(pa PA) error {
	m.tb.Helper()
	before := m.p.EPCM(pa)
	secs, _ := m.p.SECSInfo(m.secs)
	err := m.p.EREMOVE(pa)
	if after, ok := m.p.SECSInfo(m.secs); !ok || after != secs || m.p.EPCM(pa) != before || !before.Valid {
		m.tb.Errorf("EPCM = %+v, was %+v", m.p.EPCM(pa), before)
	}
	return err
}

// removed executes EREMOVE and checks that the page is gone.
func (m *machine) removed(pa PA) error {
	m.tb.Helper()
	err := m.p.EREMOVE(pa)
	if m.p.EPCM(pa).Valid {
		m.tb.Errorf("page %#x is still valid", uint64(pa))
	}
	return err
}
