package engine

import (
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

var leafTests = []test{
	{"EREPORT", ereport},
	{"EGETKEY", egetkey},
	{"EVERIFYREPORT2", everifyreport2},
	{"EDECCSSA", edeccssa},
	{"operands_that_fault", operandFaults},
	{"not_inside", notInside},
	{"on_the_last_bytes_of_a_page", lastBytes},
}

// leaf executes ENCLU, with all arithmetic flags set, on the registers at
// dataIn, and leaves them at dataOut.
var leaf = routine{"leaf", func(a *asm.Assembler) {
	a.Mov(data(dataOut+8*30), asm.RBX)
	a.Push(asm.Imm(flagFixed | arithmetic))
	a.Popfq()
	for i, r := range []asm.Reg{asm.RAX, asm.RBX, asm.RCX, asm.RDX} {
		a.Mov(r, data(dataIn+8*int32(i)))
	}
	a.Label("leaf_at")
	a.Enclu()
	for i, r := range []asm.Reg{asm.RAX, asm.RBX, asm.RCX, asm.RDX} {
		a.Mov(data(dataOut+8*int32(i)), r)
	}
	a.Pushfq()
	a.Pop(data(dataOut + 8*4))
	a.Mov(asm.RBX, data(dataOut+8*30))
	a.Jmp("exit")
}}

// leaf executes a leaf inside and returns RAX. The leaf must not fault.
func (th *thread) leaf(t *testing.T, l isa.ENCLU, rbx, rcx, rdx uint64) isa.ErrorCode {
	t.Helper()
	th.e.in(t, uint64(l), rbx, rcx, rdx)
	_, exit := th.enter(t, "leaf")
	if exit.Kind != cpu.ExitEEXIT {
		t.Fatalf("%v: %s", l, describe(&exit))
	}
	if b, c, d := th.e.out(t, 1), th.e.out(t, 2), th.e.out(t, 3); b != rbx || c != rcx || d != rdx {
		t.Errorf("%v changed RBX, RCX or RDX: %#x, %#x, %#x", l, b, c, d)
	}
	code, flags := isa.ErrorCode(th.e.out(t, 0)), th.e.out(t, 4)
	want := uint64(flagFixed)
	switch l {
	case isa.EREPORT, isa.EMODPE, isa.EDECCSSA: // no flags affected
		want |= arithmetic
	default:
		if code != 0 {
			want |= isa.FlagZF
		}
	}
	if flags != want {
		t.Errorf("%v: RFLAGS is %#x with RAX %#x", l, flags, uint64(code))
	}
	return code
}

// fails executes a leaf that must raise an exception.
func (th *thread) fails(t *testing.T, v isa.Vector, l isa.ENCLU, rbx, rcx, rdx uint64) cpu.Exit {
	t.Helper()
	th.e.in(t, uint64(l), rbx, rcx, rdx)
	_, exit := th.enter(t, "leaf")
	if exit.Kind != cpu.ExitException || exit.Vector != v {
		t.Fatalf("%v: %s, want %v", l, describe(&exit), v)
	}
	g := th.gpr(t, 0)
	if g.RIP != th.e.at(t, "leaf_at") || g.RAX != uint64(l) || g.RBX != rbx || g.RCX != rcx || g.RDX != rdx || g.RFLAGS&arithmetic != arithmetic {
		t.Errorf("%v: a fault changed registers: %+v", l, g)
	}
	if v == isa.VectorUD || v == isa.VectorGP || v == isa.VectorPF {
		if g.ExitInfo != isa.MakeExitInfo(v, isa.ExitTypeHardware) {
			t.Errorf("%v: EXITINFO %#x", l, g.ExitInfo)
		}
	}
	th.drop(t)
	return exit
}

// scratch is the address of memory for operands.
func (e *enclave) scratch(off uint64) uint64 { return e.page(dataPage) + dataScratch + off }

// setScratch writes there.
func (e *enclave) setScratch(t *testing.T, off uint64, b []byte) {
	t.Helper()
	e.write(t, dataPage*isa.PageSize+dataScratch+off, b)
}

func ereport(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{leaf}})
	th := e.thread(t, 0)
	const target, info, report = 0, 512, 1024
	e.setScratch(t, info, make([]byte, 64))
	e.setScratch(t, info, []byte("reportd!"))
	if code := th.leaf(t, isa.EREPORT, e.scratch(target), e.scratch(info), e.scratch(report)); code != isa.ErrorCode(isa.EREPORT) {
		t.Errorf("RAX is %d", code)
	}
	var r isa.Report
	must(t, r.UnmarshalBinary(e.bytes(t, dataPage*isa.PageSize+dataScratch+report, isa.ReportSize)))
	secs, _ := m.p.SECSInfo(e.secs)
	if r.MREnclave != secs.MREnclave || r.MRSigner != secs.MRSigner || r.ISVProdID != 3 || r.ISVSVN != 4 ||
		string(r.ReportData[:8]) != "reportd!" || r.Attributes != secs.Attributes {
		t.Errorf("%+v", r)
	}
	for _, bad := range [][3]uint64{
		{e.scratch(target + 256), e.scratch(info), e.scratch(report)},
		{e.scratch(target), e.scratch(info + 64), e.scratch(report)},
		{e.scratch(target), e.scratch(info), e.scratch(report + 8)},
		{aep, e.scratch(info), e.scratch(report)},
	} {
		th.fails(t, isa.VectorGP, isa.EREPORT, bad[0], bad[1], bad[2])
	}
}

func egetkey(t *testing.T, m *machine) {
	const request, key = 0, 512
	keys := map[string]bool{}
	for salt := range byte(2) {
		e := m.load(t, &probe{salt: salt, routines: []routine{leaf}})
		th := e.thread(t, 0)
		req := make([]byte, isa.KeyRequestSize)
		le.PutUint16(req, uint16(isa.KeySeal))
		le.PutUint16(req[2:], uint16(isa.PolicyMREnclave))
		e.setScratch(t, request, req)
		var first string
		for range 2 {
			e.setScratch(t, key, make([]byte, 16))
			if code := th.leaf(t, isa.EGETKEY, e.scratch(request), e.scratch(key), 0); code != 0 {
				t.Fatal(code)
			}
			k := string(e.bytes(t, dataPage*isa.PageSize+dataScratch+key, isa.KeySize))
			if first != "" && k != first || k == string(make([]byte, 16)) {
				t.Errorf("key %x, first %x", k, first)
			}
			first = k
		}
		keys[first] = true
		le.PutUint16(req, 99)
		e.setScratch(t, request, req)
		if code := th.leaf(t, isa.EGETKEY, e.scratch(request), e.scratch(key), 0); code != isa.ErrInvalidKeyName {
			t.Errorf("no such key: %v", code)
		}
		th.fails(t, isa.VectorGP, isa.EGETKEY, e.scratch(request+128), e.scratch(key), 0)
		th.fails(t, isa.VectorGP, isa.EGETKEY, e.scratch(request), e.scratch(key+8), 0)
	}
	// The probes differ in bytes that are not measured.
	if len(keys) != 1 {
		t.Errorf("%d keys of one MRENCLAVE", len(keys))
	}
}

func everifyreport2(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{leaf}})
	th := e.thread(t, 0)
	s := isa.Report2MACStruct{Type: isa.ReportType{Type: isa.ReportTypeTDX}, ReportData: [64]byte{1, 2, 3}}
	s.MAC = m.p.Report2MAC(&s)
	b, err := s.AppendBinary(nil)
	must(t, err)
	e.setScratch(t, 0, b)
	if code := th.leaf(t, isa.EVERIFYREPORT2, e.scratch(0), 0, 0); code != 0 {
		t.Errorf("a good MAC: %v", code)
	}
	b[len(b)-1] ^= 1
	e.setScratch(t, 0, b)
	if code := th.leaf(t, isa.EVERIFYREPORT2, e.scratch(0), 0, 0); code != isa.ErrInvalidReportMACStruct {
		t.Errorf("a bad MAC: %v", code)
	}
	th.fails(t, isa.VectorGP, isa.EVERIFYREPORT2, e.scratch(8), 0, 0)
}

func edeccssa(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{leaf, {"raise", func(a *asm.Assembler) { a.Ud2() }}}})
	th := e.thread(t, 0)
	th.fails(t, isa.VectorGP, isa.EDECCSSA, 0, 0, 0)

	// After it, an AEX uses the lower frame.
	e.handle(t, "leaf")
	th.enter(t, "raise")
	if th.cssa(t) != 1 {
		t.Fatal("CSSA is not 1")
	}
	th.leaf(t, isa.EDECCSSA, 0, 0, 0)
	if got := th.cssa(t); got != 0 {
		t.Errorf("CSSA is %d", got)
	}
	e.handle(t, "")
	th.enter(t, "raise")
	if g := th.gpr(t, 0); g.RIP != e.at(t, "raise") {
		t.Errorf("frame 0 has RIP %#x", g.RIP)
	}
	th.drop(t)
}

func operandFaults(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{leaf}})
	th := e.thread(t, 0)
	for _, c := range []struct {
		name    string
		leaf    isa.ENCLU
		b, c, d uint64
		addr    uint64
		code    uint32
	}{
		{"EREPORT into constants", isa.EREPORT, e.scratch(0), e.scratch(512), e.page(onlyR), e.page(onlyR), pfWrite | pfProtected},
		{"EREPORT of nothing", isa.EREPORT, e.page(sparePage), e.scratch(512), e.scratch(1024), e.page(sparePage), pfRead},
		{"EGETKEY into code", isa.EGETKEY, e.scratch(0), e.page(codePage), 0, e.page(codePage), pfWrite | pfProtected},
		{"EACCEPT of nothing", isa.EACCEPT, e.scratch(0), e.page(sparePage + 1), 0, e.page(sparePage + 1), pfRead},
	} {
		e.setScratch(t, 0, make([]byte, 512))
		if c.leaf == isa.EACCEPT {
			e.poke(t, dataPage*isa.PageSize+dataScratch, uint64(isa.MakeSecInfoFlags(permRW|isa.SecInfoPending, isa.PTREG)))
		}
		exit := th.fails(t, isa.VectorPF, c.leaf, c.b, c.c, c.d)
		if exit.Addr != c.addr&^(isa.PageSize-1) || exit.ErrorCode != c.code {
			t.Errorf("%s: #PF at %#x, error code %#x, want %#x, %#x", c.name, exit.Addr, exit.ErrorCode, c.addr, c.code)
		}
		if x := th.exInfo(t, 0); x.MAddr != c.addr || x.ErrCD != c.code {
			t.Errorf("%s: EXINFO %+v", c.name, x)
		}
	}
}

func notInside(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{leaf}})
	th := e.thread(t, 0)
	for _, l := range []isa.ENCLU{isa.EENTER, isa.ERESUME, 10, 0x40, 0xFFFF_FFFF} {
		th.fails(t, isa.VectorGP, l, th.tcs, aep, 0)
		th.fails(t, isa.VectorGP, l, nullPage, aep, 0)
	}
	// The upper half of RAX is no part of the leaf.
	th.e.in(t, 1<<32|uint64(isa.EGETKEY), e.scratch(8), 0, 0)
	if _, exit := th.enter(t, "leaf"); exit.Vector != isa.VectorGP {
		t.Error(describe(&exit))
	}
	th.drop(t)
}

// lastBytes writes an ENCLU to the last bytes of a page that nothing follows,
// and leaves by it: an engine that looks at the code may not look further.
func lastBytes(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{{"last", func(a *asm.Assembler) {
		a.Mov(asm.RSI, asm.RBX)
		a.Lea(asm.RDI, asm.Mem{Label: "data", Disp: (onlyRWX-dataPage)*isa.PageSize + isa.PageSize - 3})
		a.Mov(asm.Ptr(asm.RDI, 0).Sized(1), asm.Imm(0x0F))
		a.Mov(asm.Ptr(asm.RDI, 1).Sized(1), asm.Imm(0x01))
		a.Mov(asm.Ptr(asm.RDI, 2).Sized(1), asm.Imm(-0x29)) // 0xD7
		a.Mov(asm.EAX, asm.Imm(isa.EEXIT))
		a.JmpTo(asm.RDI)
	}}}})
	r := e.thread(t, 0).call(t, "last")
	if r.RDI != e.page(onlyRWX)+isa.PageSize-3 {
		t.Errorf("RDI is %#x", r.RDI)
	}
}
