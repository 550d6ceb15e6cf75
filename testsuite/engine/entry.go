package engine

import (
	"math"
	"runtime"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/isa"
)

// Bits of RFLAGS that package isa has no need of.
const (
	flagNT = 1 << 14
	flagAC = 1 << 18

	flagFixed  = 0x202 // always one, and IF
	arithmetic = isa.FlagCF | isa.FlagPF | isa.FlagAF | isa.FlagZF | isa.FlagSF | isa.FlagOF
)

// registers are the general-purpose registers in the order in which probes
// store and load them.
var registers = []asm.Reg{
	asm.RAX, asm.RCX, asm.RDX, asm.RBX, asm.RSP, asm.RBP, asm.RSI, asm.RDI,
	asm.R8, asm.R9, asm.R10, asm.R11, asm.R12, asm.R13, asm.R14, asm.R15,
}

// gprs are the registers of r in the same order.
func gprs(r *cpu.Regs) []*uint64 {
	return []*uint64{
		&r.RAX, &r.RCX, &r.RDX, &r.RBX, &r.RSP, &r.RBP, &r.RSI, &r.RDI,
		&r.R8, &r.R9, &r.R10, &r.R11, &r.R12, &r.R13, &r.R14, &r.R15,
	}
}

// pattern is a value that tells register i.
func pattern(i int) uint64 { return 0x0101_0101_0101_0101*uint64(i+1) ^ 0x8000_0000_0000_00A5 }

// storeAll emits stores of all registers and the flags, which need 8 bytes
// below RSP, to data.
func storeAll(a *asm.Assembler, off int32) {
	for i, r := range registers {
		a.Mov(data(off+8*int32(i)), r)
	}
	a.Pushfq()
	a.Pop(data(off + 8*16))
}

// leaveWith emits an EEXIT to RBX with the registers and flags at dataIn.
func leaveWith(leaf asm.Operand) func(*asm.Assembler) {
	return func(a *asm.Assembler) {
		a.Push(data(dataIn + 8*16))
		for i, r := range registers {
			if r != asm.RBX && r != asm.RSP && r != asm.RAX {
				a.Mov(r, data(dataIn+8*int32(i)))
			}
		}
		a.Popfq()
		a.Mov(asm.RSP, data(dataIn+8*4))
		if leaf == asm.Operand(asm.Imm(isa.EEXIT)) {
			a.Mov(asm.EAX, leaf)
		} else {
			a.Mov(asm.RAX, leaf)
		}
		a.Enclu()
		a.Ud2()
	}
}

// ok is a routine that does nothing.
var ok = routine{"ok", func(a *asm.Assembler) { a.Jmp("exit") }}

var entryTests = []test{
	{"registers_in", func(t *testing.T, m *machine) { registersIn(t, m, flagFixed, flagFixed|isa.FlagDF|flagAC|flagNT) }},
	{"flags_in", func(t *testing.T, m *machine) {
		for _, f := range []uint64{arithmetic, isa.FlagDF, flagAC, flagNT} {
			registersIn(t, m, flagFixed|f, ^uint64(0))
		}
	}},
	{"registers_out", func(t *testing.T, m *machine) { registersOut(t, m, asm.Imm(isa.EEXIT)) }},
	{"registers_out_of_a_hidden_exit", func(t *testing.T, m *machine) { registersOut(t, m, data(dataLeaf)) }},
	{"exit_by_branch", exitByBranch},
	{"one_ENCLU_for_two_leaves", sharedEnclu},
	{"entry_again_with_CSSA", entryAgain},
	{"floating_point_environment", floatEnvironment},
	{"pending_x87_exception", pendingX87},
	{"no_such_TCS", noSuchTCS},
	{"not_a_leaf_outside", notALeaf},
}

// registersIn passes everything in, and compares the flags of a mask: which
// flags arithmetic leaves is of no interest to enclaves.
func registersIn(t *testing.T, m *machine, flags, mask uint64) {
	e := m.load(t, &probe{entry: "record", routines: []routine{{"record", func(a *asm.Assembler) {
		storeAll(a, dataOut)
		a.Mov(asm.RAX, asm.In(asm.FS, 0))
		a.Mov(data(dataOut+8*17), asm.RAX)
		a.Mov(asm.RAX, asm.In(asm.GS, 8))
		a.Mov(data(dataOut+8*18), asm.RAX)
		a.Push(asm.Imm(2))
		a.Popfq()
		a.Mov(asm.RBX, asm.RCX)
		a.Jmp("exit")
	}}}})
	td := uint64(tcsPage+tdPage) * isa.PageSize
	e.poke(t, td, 0xF5)
	e.poke(t, td+8, 0x65)
	th := e.thread(t, 0)
	r := th.regs("record")
	for i, p := range gprs(r) {
		switch registers[i] {
		case asm.RAX, asm.RBX, asm.RCX, asm.RSP, asm.RBP:
		default:
			*p = pattern(i)
		}
	}
	r.RFLAGS, r.FSBase, r.GSBase = flags, 0x7111_1000, 0x7222_2000
	in := *r
	if exit := th.run(t, r); exit.Kind != cpu.ExitEEXIT {
		t.Fatal(describe(&exit))
	}
	in.RAX = 0 // CSSA
	for i, p := range gprs(&in) {
		got := e.out(t, i)
		if registers[i] == asm.RCX {
			if got == 0 || got == in.RCX || got != r.RBX {
				t.Errorf("RCX is %#x, which is not the address after EENTER", got)
			}
		} else if got != *p {
			t.Errorf("register %d is %#x inside, was %#x outside", i, got, *p)
		}
	}
	if got := e.out(t, 16); got&mask != flags&mask {
		t.Errorf("RFLAGS is %#x inside, was %#x outside", got, flags)
	}
	if fs, gs := e.out(t, 17), e.out(t, 18); fs != 0xF5 || gs != 0x65 {
		t.Errorf("FS:0 is %#x and GS:8 %#x", fs, gs)
	}
	if r.FSBase != in.FSBase || r.GSBase != in.GSBase {
		t.Errorf("FS and GS base are %#x and %#x after EEXIT", r.FSBase, r.GSBase)
	}
	if g := th.gpr(t, 0); g.URSP != in.RSP || g.URBP != in.RBP {
		t.Errorf("URSP and URBP are %#x and %#x", g.URSP, g.URBP)
	}
}

func registersOut(t *testing.T, m *machine, leaf asm.Operand) {
	e := m.load(t, &probe{routines: []routine{{"leave", leaveWith(leaf)}, ok}})
	th := e.thread(t, 0)
	for _, flags := range []uint64{
		flagFixed, flagFixed | isa.FlagCF | isa.FlagZF | isa.FlagOF, flagFixed | isa.FlagSF | isa.FlagAF | isa.FlagPF,
		flagFixed | isa.FlagDF, flagFixed | flagAC, flagFixed | flagNT, flagFixed | flagAC | flagNT | isa.FlagDF | arithmetic,
	} {
		var in []uint64
		for i := range registers {
			in = append(in, pattern(i)+flags)
		}
		e.in(t, append(in, flags)...)
		r := th.call(t, "leave")
		for i, p := range gprs(&r) {
			want := in[i]
			switch registers[i] {
			case asm.RAX:
				want = uint64(isa.EEXIT)
			case asm.RBX:
				want = r.RIP
			case asm.RCX:
				want = aep
			}
			if *p != want {
				t.Errorf("flags %#x: register %d is %#x outside, was %#x inside", flags, i, *p, want)
			}
		}
		if r.RFLAGS != flags {
			t.Errorf("RFLAGS is %#x outside, was %#x inside", r.RFLAGS, flags)
		}
		hostWorks(t)
		// The path that ERESUME takes must work whatever was left behind.
		th.call(t, "ok")
	}
}

// hostWorks exercises what flags that an enclave left could break: string
// instructions, and accesses that are not aligned.
func hostWorks(t *testing.T) {
	t.Helper()
	b := make([]byte, 4096+64)
	for i := range b {
		b[i] = byte(i * 7)
	}
	copy(b[3:], b[:4096])
	for i := range 4096 {
		if b[i+3] != byte(i*7) {
			t.Fatalf("the host copies wrongly at %d", i)
		}
	}
	var sum uint64
	for i := range 64 {
		sum += le.Uint64(b[i:])
	}
	if sum == 0 {
		t.Fatal("the host reads nothing")
	}
	runtime.Gosched()
}

func exitByBranch(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{{"leave", func(a *asm.Assembler) {
		a.Mov(asm.EAX, asm.Imm(isa.EEXIT))
		a.Mov(asm.RDX, asm.Imm(7))
		a.Jmp("far")
		a.Ud2()
		a.Align(64, 0xCC)
		a.Label("far")
		a.Enclu()
		a.Ud2()
	}}}})
	if r := e.thread(t, 0).call(t, "leave"); r.RDX != 7 {
		t.Errorf("RDX is %d", r.RDX)
	}
}

func sharedEnclu(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{
		{"leave", func(a *asm.Assembler) {
			a.Mov(asm.EAX, asm.Imm(isa.EEXIT))
			a.Label("shared")
			a.Enclu()
			a.Mov(asm.RDX, asm.Imm(77))
			a.Jmp("exit")
		}},
		{"unknown", func(a *asm.Assembler) {
			a.Mov(asm.EAX, asm.Imm(isa.EDECCSSA)) // which faults with CSSA 0
			a.Jmp("shared")
		}},
	}})
	th := e.thread(t, 0)
	th.call(t, "leave")
	if _, exit := th.enter(t, "unknown"); exit.Kind != cpu.ExitException || exit.Vector != isa.VectorGP {
		t.Errorf("EDECCSSA with CSSA 0: %s", describe(&exit))
	}
}

func entryAgain(t *testing.T, m *machine) {
	e := m.load(t, &probe{frames: 3, entry: "record", routines: []routine{{"record", func(a *asm.Assembler) {
		a.Mov(data(dataOut), asm.RAX)
		a.Ud2()
	}}}})
	th := e.thread(t, 0)
	for cssa := range uint64(3) {
		_, exit := th.enter(t, "record")
		if exit.Kind != cpu.ExitException || exit.Vector != isa.VectorUD {
			t.Fatal(describe(&exit))
		}
		if got := e.out(t, 0); got != cssa {
			t.Errorf("RAX is %d with CSSA %d", got, cssa)
		}
		if g := th.gpr(t, cssa); g.RIP != e.at(t, "record")+7 || !g.ExitInfo.Valid() {
			t.Errorf("frame %d: RIP %#x, EXITINFO %#x", cssa, g.RIP, g.ExitInfo)
		}
	}
	_, err := th.Run(t.Context(), th.regs("record"))
	if f := fault(t, err); f.Vector != isa.VectorGP || f.Leaf != "EENTER" {
		t.Errorf("EENTER with no SSA frame left: %v", err)
	}
	if got := th.cssa(t); got != 3 {
		t.Errorf("CSSA is %d", got)
	}
}

// dirtyFloat are routines that leave by different ways with MXCSR rounding
// toward zero and flushing, and an x87 control word that unmasks everything.
func dirtyFloat(end func(a *asm.Assembler)) func(*asm.Assembler) {
	return func(a *asm.Assembler) {
		a.Mov(data(dataOut), asm.Imm(0xFF80)) // FTZ, toward zero, all masked
		a.Ldmxcsr(data(dataOut))
		a.Mov(data(dataOut), asm.Imm(0x0C40)) // single precision, toward zero, all unmasked
		a.Lea(asm.RAX, data(dataOut))
		a.Data(0xD9, 0x28) // fldcw [rax]
		end(a)
	}
}

func floatEnvironment(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{
		{"eexit", dirtyFloat(func(a *asm.Assembler) { a.Jmp("exit") })},
		{"hidden", dirtyFloat(func(a *asm.Assembler) { a.Jmp("trap_exit") })},
		{"fault", dirtyFloat(func(a *asm.Assembler) { a.Ud2() })},
	}})
	th := e.thread(t, 0)
	want := floats()
	for _, name := range []string{"eexit", "hidden", "fault"} {
		_, exit := th.enter(t, name)
		if got := floats(); got != want {
			t.Errorf("%s: Go computes %x, before it was %x", name, got, want)
		}
		if exit.Kind == cpu.ExitException {
			th.drop(t)
		}
	}
}

var (
	two, three = 2.0, 3.0
	tiny       = math.SmallestNonzeroFloat64 * 4
)

// floats computes what rounding and flushing modes change.
func floats() [3]uint64 {
	return [...]uint64{math.Float64bits(two / three), math.Float64bits(-two / three), math.Float64bits(tiny / two)}
}

// pendingX87 leaves with an unmasked x87 exception that only the next waiting
// instruction raises, which must not be one of the engine's.
func pendingX87(t *testing.T, m *machine) {
	pend := func(end string) func(a *asm.Assembler) {
		return func(a *asm.Assembler) {
			a.Data(0xDB, 0xE3) // fninit
			a.Mov(data(dataOut), asm.Imm(0x0300))
			a.Lea(asm.RAX, data(dataOut))
			a.Data(0xD9, 0x28)             // fldcw [rax]: nothing masked
			a.Data(0xD9, 0xE8, 0xD9, 0xEE) // fld1; fldz
			a.Data(0xDE, 0xF9)             // fdivp: division by zero
			a.Jmp(end)
		}
	}
	e := m.load(t, &probe{routines: []routine{{"pend", pend("exit")}, {"hidden", pend("trap_exit")}}})
	th := e.thread(t, 0)
	for range 3 {
		th.call(t, "pend")
		th.call(t, "hidden")
		hostWorks(t)
	}
}

func noSuchTCS(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{ok}})
	th := e.thread(t, 0)
	for _, c := range []struct {
		name   string
		tcs    uint64
		vector isa.Vector
	}{
		{"not aligned", th.tcs + 8, isa.VectorGP},
		{"not mapped", e.page(sparePage), isa.VectorPF},
		{"an ordinary page", e.page(dataPage), isa.VectorPF},
	} {
		r := th.regs("ok")
		r.RBX = c.tcs
		_, err := th.Run(t.Context(), r)
		if f := fault(t, err); f.Vector != c.vector || f.Leaf != "EENTER" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	th.call(t, "ok")
	r := th.regs("ok")
	r.RAX = uint64(isa.ERESUME)
	if _, err := th.Run(t.Context(), r); fault(t, err).Vector != isa.VectorGP {
		t.Errorf("ERESUME with CSSA 0: %v", err)
	}
}

func notALeaf(t *testing.T, m *machine) {
	e := m.load(t, &probe{routines: []routine{ok}})
	th := e.thread(t, 0)
	for _, leaf := range []isa.ENCLU{isa.EREPORT, isa.EEXIT, isa.EACCEPT, 0x40} {
		r := th.regs("ok")
		r.RAX = uint64(leaf)
		if _, err := th.Run(t.Context(), r); fault(t, err).Vector != isa.VectorGP {
			t.Errorf("%v outside: %v", leaf, err)
		}
	}
	th.call(t, "ok")
}
