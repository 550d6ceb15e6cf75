package engine

import (
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

// An exception is raised by code that begins at the label "at".
type exception struct {
	name string
	emit func(a *asm.Assembler) // RSI is what arg returns
	arg  func(e *enclave) uint64

	vector    isa.Vector
	errorCode uint32                   // #PF
	addr      func(e *enclave) uint64  // #PF
	rip       func(e *enclave) uint64  // nil for "at"
	want      func(g *isa.GPRSGX) bool // anything else
	silent    bool                     // not one that EXITINFO reports
	exitType  uint8                    // zero for hardware
	optIn     bool                     // the thread opts in to debugging
	prepare   func(a *asm.Assembler)   // before "at"
	probe     func(p *probe)           // changes the probe
}

// bytes emits bytes.
func bytes(b ...byte) func(*asm.Assembler) { return func(a *asm.Assembler) { a.Data(b...) } }

func address(page, off uint64) func(*enclave) uint64 {
	return func(e *enclave) uint64 { return e.page(page) + off }
}

func fixed(v uint64) func(*enclave) uint64 { return func(*enclave) uint64 { return v } }

func read(a *asm.Assembler)  { a.Mov(asm.RAX, asm.Ptr(asm.RSI, 0)) }
func write(a *asm.Assembler) { a.Mov(asm.Ptr(asm.RSI, 0), asm.RSI) }
func jump(a *asm.Assembler)  { a.JmpTo(asm.RSI) }

// setTF sets the trap flag, with a #DB after the next instruction.
func setTF(a *asm.Assembler) {
	a.Pushfq()
	a.Or(asm.Ptr(asm.RSP, 0), asm.Imm(int64(isa.FlagTF)))
	a.Popfq()
}

// Combinations of error code bits.
const (
	pfRead       = isa.PFUser
	pfWrite      = isa.PFUser | isa.PFWrite
	pfFetch      = isa.PFUser | isa.PFFetch
	pfProtected  = isa.PFPresent
	nonCanonical = 1 << 62
	nullPage     = 0x10
)

// exceptions are all kinds of exceptions that code inside can raise.
var exceptions = []exception{
	{name: "ud2", emit: bytes(0x0F, 0x0B), vector: isa.VectorUD},
	{name: "ud1", emit: bytes(0x0F, 0xB9, 0xC0), vector: isa.VectorUD},
	{name: "no_opcode", emit: bytes(0x06), vector: isa.VectorUD},
	{name: "cpuid", emit: bytes(0x0F, 0xA2), vector: isa.VectorUD},
	{name: "cpuid_without_symbols", emit: bytes(0x0F, 0xA2), vector: isa.VectorUD, probe: func(p *probe) { p.noSymbols = true }},
	{name: "syscall", prepare: func(a *asm.Assembler) { a.Mov(asm.EAX, asm.Imm(39)) }, emit: bytes(0x0F, 0x05), vector: isa.VectorUD},
	{name: "syscall_without_symbols", prepare: func(a *asm.Assembler) { a.Mov(asm.EAX, asm.Imm(39)) }, emit: bytes(0x0F, 0x05), vector: isa.VectorUD, probe: func(p *probe) { p.noSymbols = true }},
	{name: "int_80h", prepare: func(a *asm.Assembler) { a.Mov(asm.EAX, asm.Imm(20)) }, emit: bytes(0xCD, 0x80), vector: isa.VectorUD},
	{name: "int_20h", emit: bytes(0xCD, 0x20), vector: isa.VectorUD},
	{name: "int_3_of_two_bytes", emit: bytes(0xCD, 0x03), vector: isa.VectorUD},
	{name: "int_4", emit: bytes(0xCD, 0x04), vector: isa.VectorUD},
	{name: "int3", emit: bytes(0xCC), vector: isa.VectorUD},
	{name: "int3_after_opt_in", emit: bytes(0xCC), vector: isa.VectorBP, exitType: isa.ExitTypeSoftware, optIn: true},
	{name: "single_step_after_opt_in", prepare: setTF, emit: bytes(0x90), vector: isa.VectorDB, optIn: true,
		want: func(g *isa.GPRSGX) bool { return g.RFLAGS&isa.FlagTF == 0 }},
	{name: "in", emit: bytes(0xEC), vector: isa.VectorUD},
	{name: "out", emit: bytes(0xE7, 0x80), vector: isa.VectorUD},
	{name: "insb", emit: bytes(0x6C), vector: isa.VectorUD},
	{name: "rdpmc", emit: bytes(0x0F, 0x33), vector: isa.VectorUD},
	{name: "hlt", emit: bytes(0xF4), vector: isa.VectorGP},
	{name: "cli", emit: bytes(0xFA), vector: isa.VectorGP},
	{name: "rdmsr", emit: bytes(0x0F, 0x32), vector: isa.VectorGP},
	{name: "mov_to_cr", emit: bytes(0x0F, 0x22, 0xC0), vector: isa.VectorGP},
	{name: "divide_by_zero", prepare: func(a *asm.Assembler) {
		a.Xor(asm.ECX, asm.ECX)
		a.Xor(asm.EDX, asm.EDX)
	}, emit: func(a *asm.Assembler) { a.Div(asm.ECX) }, vector: isa.VectorDE},
	{name: "divide_overflow", prepare: func(a *asm.Assembler) {
		a.Mov(asm.ECX, asm.Imm(1))
		a.Mov(asm.EDX, asm.Imm(2))
	}, emit: func(a *asm.Assembler) { a.Div(asm.ECX) }, vector: isa.VectorDE},
	{name: "noncanonical", arg: fixed(nonCanonical), emit: read, vector: isa.VectorGP},
	{name: "noncanonical_jump", arg: fixed(nonCanonical), emit: jump, vector: isa.VectorGP},
	{name: "noncanonical_stack", prepare: func(a *asm.Assembler) {
		a.Mov(asm.RBP, asm.RSP)
		a.Mov(asm.RSP, asm.Imm(nonCanonical))
	}, emit: func(a *asm.Assembler) { a.Push(asm.RAX) }, vector: vectorSS, silent: true},
	{name: "xm", prepare: func(a *asm.Assembler) {
		a.Mov(data(dataOut), asm.Imm(0x1D80)) // division by zero is not masked
		a.Ldmxcsr(data(dataOut))
		a.Pxor(asm.X1, asm.X1)
		a.Mov(data(dataOut), asm.Imm(1))
		a.Movups(asm.X0, data(dataOut))
	}, emit: func(a *asm.Assembler) { a.Divsd(asm.X0, asm.X1) }, vector: isa.VectorXM},
	{name: "mf", prepare: func(a *asm.Assembler) {
		a.Data(0xDB, 0xE3) // fninit
		a.Mov(data(dataOut), asm.Imm(0x0300))
		a.Lea(asm.RAX, data(dataOut))
		a.Data(0xD9, 0x28, 0xD9, 0xE8, 0xD9, 0xEE, 0xDE, 0xF9) // fldcw [rax]; fld1; fldz; fdivp
	}, emit: bytes(0x9B), vector: isa.VectorMF},
	{name: "ac", prepare: func(a *asm.Assembler) {
		a.Pushfq()
		a.Or(asm.Ptr(asm.RSP, 0), asm.Imm(flagAC))
		a.Popfq()
	}, arg: address(dataPage, dataScratch+1), emit: func(a *asm.Assembler) { a.Mov(asm.EAX, asm.Ptr(asm.RSI, 0).Sized(4)) },
		vector: isa.VectorAC, want: func(g *isa.GPRSGX) bool { return g.RFLAGS&flagAC != 0 }},

	// Page faults: by the page tables, by the EPCM, and outside ELRANGE.
	{name: "read_of_nothing", arg: address(sparePage, 0x123), emit: read, vector: isa.VectorPF, errorCode: pfRead, addr: address(sparePage, 0x123)},
	{name: "write_to_nothing", arg: address(sparePage, 0xFF8), emit: write, vector: isa.VectorPF, errorCode: pfWrite, addr: address(sparePage, 0xFF8)},
	{name: "jump_to_nothing", arg: address(sparePage, 8), emit: jump, vector: isa.VectorPF, errorCode: pfFetch, addr: address(sparePage, 8), rip: address(sparePage, 8)},
	{name: "write_to_code", arg: address(codePage, 0), emit: write, vector: isa.VectorPF, errorCode: pfWrite | pfProtected, addr: address(codePage, 0)},
	{name: "write_to_constants", arg: address(onlyR, 16), emit: write, vector: isa.VectorPF, errorCode: pfWrite | pfProtected, addr: address(onlyR, 16)},
	{name: "jump_to_data", arg: address(dataPage, 16), emit: jump, vector: isa.VectorPF, errorCode: pfFetch | pfProtected, addr: address(dataPage, 16), rip: address(dataPage, 16)},
	{name: "jump_to_constants", arg: address(onlyR, 0), emit: jump, vector: isa.VectorPF, errorCode: pfFetch | pfProtected, addr: address(onlyR, 0), rip: address(onlyR, 0)},
	{name: "read_of_TCS", arg: address(tcsPage, 8), emit: read, vector: isa.VectorPF, errorCode: pfRead | pfProtected | isa.PFSGX, addr: address(tcsPage, 8)},
	{name: "write_to_TCS", arg: address(tcsPage, 8), emit: write, vector: isa.VectorPF, errorCode: pfWrite | pfProtected | isa.PFSGX, addr: address(tcsPage, 8)},
	{name: "access_across_pages", arg: address(onlyR, 0xFFC), emit: read, vector: isa.VectorPF, errorCode: pfRead, addr: address(onlyR+1, 0)},
	{name: "read_of_null", arg: fixed(nullPage), emit: read, vector: isa.VectorPF, errorCode: pfRead, addr: fixed(nullPage)},
	{name: "write_to_null", arg: fixed(nullPage), emit: write, vector: isa.VectorPF, errorCode: pfWrite, addr: fixed(nullPage)},
	{name: "jump_out_to_nothing", arg: fixed(nullPage), emit: jump, vector: isa.VectorGP, rip: fixed(nullPage)},
	{name: "page_fault_without_EXINFO", arg: address(sparePage, 1), emit: read, vector: isa.VectorPF, errorCode: pfRead, addr: address(sparePage, 1),
		silent: true, probe: func(p *probe) { p.noMisc = true }},
	{name: "general_protection_without_EXINFO", arg: fixed(nonCanonical), emit: read, vector: isa.VectorGP,
		silent: true, probe: func(p *probe) { p.noMisc = true }},
}

// vectorSS is the stack fault, which SGX does not report inside.
const vectorSS isa.Vector = 12

func exceptionTests() []test {
	var all []test
	for _, x := range exceptions {
		all = append(all, test{x.name, x.test})
	}
	return append(all, test{"jump_out_to_data", jumpOutToData}, test{"jump_out_to_code", jumpOutToCode},
		test{"no_single_step_after_opt_out", noSingleStep})
}

const marker = 0x1234_5678_9ABC_DEF0 // in R12 at the exception

func (x exception) test(t *testing.T, m *machine) {
	pr := &probe{routines: []routine{{"raise", func(a *asm.Assembler) {
		if x.prepare != nil {
			x.prepare(a)
		}
		a.Mov(asm.R12, asm.Imm(marker))
		a.Label("at")
		x.emit(a)
		a.Jmp("exit")
	}}, ok}}
	if x.probe != nil {
		x.probe(pr)
	}
	e := m.load(t, pr)
	th := e.thread(t, 0)
	if x.optIn {
		must(t, m.p.EDBGWR(e.pa(t, tcsPage*isa.PageSize)+8, uint64(isa.TCSDbgOptIn)))
	}
	var arg uint64
	if x.arg != nil {
		arg = x.arg(e)
	}
	for range 2 { // an engine may treat the second one differently
		x.raise(t, th, arg)
	}
}

func (x exception) raise(t *testing.T, th *thread, arg uint64) {
	e := th.e
	rip, addr := e.at(t, "at"), uint64(0)
	if x.rip != nil {
		rip = x.rip(e)
	}
	if x.addr != nil {
		addr = x.addr(e)
	}
	r, exit := th.enter(t, "raise", arg)
	if exit.Kind != cpu.ExitException || exit.Vector != x.vector {
		t.Fatalf("left by %s, want %v", describe(&exit), x.vector)
	}
	if exit.Detail == nil || exit.Detail.RIP != rip || exit.Detail.Cause == "" {
		t.Errorf("detail %+v, want RIP %#x", exit.Detail, rip)
	}
	if x.vector == isa.VectorPF {
		if exit.ErrorCode != x.errorCode || exit.Addr != addr&^(isa.PageSize-1) || exit.Detail.Addr != addr {
			t.Errorf("#PF at %#x (%#x) with error code %#x, want %#x with %#x", exit.Addr, exit.Detail.Addr, exit.ErrorCode, addr, x.errorCode)
		}
	}

	// What the host sees.
	if r.RAX != uint64(isa.ERESUME) || r.RBX != th.tcs || r.RCX != aep || r.RIP != aep || r.RSP != th.stack || r.RBP != th.stack+0x80 {
		t.Errorf("registers after the AEX: %+v", r)
	}
	if r.RDX|r.RSI|r.RDI|r.R8|r.R9|r.R10|r.R11|r.R12|r.R13|r.R14|r.R15 != 0 || r.RFLAGS&(arithmetic|isa.FlagRF) != 0 {
		t.Errorf("registers after the AEX tell of the enclave: %+v", r)
	}

	// What the enclave sees.
	if got := th.cssa(t); got != 1 {
		t.Errorf("CSSA is %d", got)
	}
	g := th.gpr(t, 0)
	if g.RIP != rip || g.R12 != marker || g.RSI != arg || g.URSP != th.stack || g.URBP != th.stack+0x80 {
		t.Errorf("SSA frame: RIP %#x, want %#x; R12 %#x, RSI %#x, URSP %#x", g.RIP, rip, g.R12, g.RSI, g.URSP)
	}
	if rf := g.RFLAGS&isa.FlagRF != 0; rf != (x.vector != isa.VectorDB) {
		t.Errorf("SSA frame: RFLAGS %#x after %v", g.RFLAGS, x.vector)
	}
	if x.want != nil && !x.want(&g) {
		t.Errorf("SSA frame %+v", g)
	}
	exitType := x.exitType
	if exitType == 0 {
		exitType = isa.ExitTypeHardware
	}
	info := isa.MakeExitInfo(x.vector, exitType)
	if x.silent {
		info = 0
	}
	if g.ExitInfo != info {
		t.Errorf("EXITINFO %#x, want %#x", g.ExitInfo, info)
	}
	if !x.silent && (x.vector == isa.VectorPF || x.vector == isa.VectorGP) {
		if got := th.exInfo(t, 0); got.MAddr != addr || got.ErrCD != x.errorCode || got.Reserved != 0 {
			t.Errorf("EXINFO %+v, want address %#x, error code %#x", got, addr, x.errorCode)
		}
	}
	th.drop(t)
	th.call(t, "ok")
	hostWorks(t)
}

func noSingleStep(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{
		{"step", func(a *asm.Assembler) {
			setTF(a)
			a.Jmp("exit")
		}},
		{"step out", func(a *asm.Assembler) { // the instruction that is stepped over is EEXIT
			a.Mov(asm.EAX, asm.Imm(isa.EEXIT))
			setTF(a)
			a.Enclu()
		}},
	}})
	th := e.thread(t, 0)
	for _, name := range []string{"step", "step out", "step", "step out"} {
		if r := th.call(t, name); r.RFLAGS&isa.FlagTF != 0 {
			t.Errorf("%s: RFLAGS is %#x outside", name, r.RFLAGS)
		}
	}
}

func jumpOutToData(t *testing.T, m *machine) {
	b := m.buffer(t, isa.PageSize)
	b.Bytes()[64] = 0xF4
	exception{
		arg: fixed(b.Addr() + 64), emit: jump, vector: isa.VectorGP, rip: fixed(b.Addr() + 64),
	}.test(t, m)
}

func jumpOutToCode(t *testing.T, m *machine) {
	other := m.load(t, &probe{routines: []routine{{"foreign", func(a *asm.Assembler) { a.Hlt() }}}})
	to := other.at(t, "exit")
	exception{arg: fixed(to), emit: jump, vector: isa.VectorGP, rip: fixed(to)}.test(t, m)
}
