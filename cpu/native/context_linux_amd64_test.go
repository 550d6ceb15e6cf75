package native

import (
	"os"
	"regexp"
	"strconv"
	"testing"
	"unsafe"

	"github.com/feidi-dev/feidi/cpu"
	"golang.org/x/arch/x86/x86asm"
)

// TestOffsets compares the header of the assembly with what the compiler made
// of the structures.
func TestOffsets(t *testing.T) {
	b, err := os.ReadFile("asm_linux_amd64.h")
	if err != nil {
		t.Fatal(err)
	}
	defined := map[string]uint64{}
	for _, m := range regexp.MustCompile(`(?m)^#define (\w+) (\w+)`).FindAllStringSubmatch(string(b), -1) {
		v, err := strconv.ParseUint(m[2], 0, 64)
		if err != nil {
			t.Fatalf("%s: %v", m[0], err)
		}
		defined[m[1]] = v
	}
	var c context
	var r cpu.Regs
	if unsafe.Offsetof(c.regs) != 0 {
		t.Error("the registers do not begin the context")
	}
	want := map[string]uintptr{
		"REG_RAX": unsafe.Offsetof(r.RAX), "REG_RCX": unsafe.Offsetof(r.RCX), "REG_RDX": unsafe.Offsetof(r.RDX), "REG_RBX": unsafe.Offsetof(r.RBX),
		"REG_RSP": unsafe.Offsetof(r.RSP), "REG_RBP": unsafe.Offsetof(r.RBP), "REG_RSI": unsafe.Offsetof(r.RSI), "REG_RDI": unsafe.Offsetof(r.RDI),
		"REG_R8": unsafe.Offsetof(r.R8), "REG_R9": unsafe.Offsetof(r.R9), "REG_R10": unsafe.Offsetof(r.R10), "REG_R11": unsafe.Offsetof(r.R11),
		"REG_R12": unsafe.Offsetof(r.R12), "REG_R13": unsafe.Offsetof(r.R13), "REG_R14": unsafe.Offsetof(r.R14), "REG_R15": unsafe.Offsetof(r.R15),
		"REG_RFLAGS": unsafe.Offsetof(r.RFLAGS), "REG_RIP": unsafe.Offsetof(r.RIP), "REG_FS": unsafe.Offsetof(r.FSBase), "REG_GS": unsafe.Offsetof(r.GSBase),
	}
	// struct ucontext: flags, link, the stack (three words), then struct
	// sigcontext, in words: its order is the kernel's.
	for i, name := range []string{
		"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15", "RDI", "RSI", "RBP", "RBX", "RDX", "RAX", "RCX", "RSP", "RIP", "EFL",
		"CS", "ERR", "TRAPNO", "", "CR2", // CS is the lowest 16 bits of its word
	} {
		if name != "" {
			want["UC_"+name] = uintptr(8*5 + 8*i)
		}
	}
	for name, v := range want {
		if got, ok := defined[name]; !ok || got != uint64(v) {
			t.Errorf("%s is %#x, want %#x", name, got, v)
		}
	}
	for name := range defined {
		if _, ok := want[name]; !ok && (name[:3] == "REG" || name[:3] == "UC_") {
			t.Errorf("%s is not known here", name)
		}
	}
	if unsafe.Sizeof(slot{}) != slotSize || unsafe.Sizeof(c) > xsaveOffset || xsaveOffset%64 != 0 || contextSize%64 != 0 {
		t.Errorf("slots of %d bytes, a context of %d before %d", unsafe.Sizeof(slot{}), unsafe.Sizeof(c), xsaveOffset)
	}
}

// decode returns the instructions of a stub, and the address after it.
func decode(t *testing.T, at uint64, last func(x86asm.Inst) bool) (all []x86asm.Inst, end uint64) {
	t.Helper()
	mem := unsafe.Slice((*byte)(pointer(at)), stubSize)
	for n := 0; n < len(mem)-15; {
		inst, err := x86asm.Decode(mem[n:], 64)
		if err != nil {
			t.Fatalf("stub at +%d: %v", n, err)
		}
		all = append(all, inst)
		n += inst.Len
		if last(inst) {
			return all, at + uint64(n)
		}
	}
	t.Fatal("the stub has no end")
	return nil, 0
}

func TestStubs(t *testing.T) {
	b, err := newBlock()
	if err != nil {
		t.Fatal(err)
	}
	if len(b.free) != blockContexts {
		t.Errorf("%d contexts", len(b.free))
	}
	offsets := map[x86asm.Reg]uintptr{
		x86asm.RAX: 0, x86asm.RCX: 8, x86asm.RDX: 16, x86asm.RBX: 24, x86asm.RSP: 32, x86asm.RBP: 40, x86asm.RSI: 48, x86asm.RDI: 56,
		x86asm.R8: 64, x86asm.R9: 72, x86asm.R10: 80, x86asm.R11: 88, x86asm.R12: 96, x86asm.R13: 104, x86asm.R14: 112, x86asm.R15: 120,
	}
	jump := func(i x86asm.Inst) bool { return i.Op == x86asm.JMP }
	for _, c := range b.free {
		if !b.owns(c) || c.addr()%64 != 0 || c.xsave != c.addr()+xsaveOffset || c.owner != c.addr() {
			t.Fatalf("context %+v", c)
		}

		// Enter: all registers but RSP from RCX, then RSP, then RCX, then go.
		insts, end := decode(t, c.enterStub, jump)
		checkLoads(t, insts[:len(insts)-1], offsets, x86asm.RSP, x86asm.RCX)
		if m := insts[len(insts)-1].Args[0].(x86asm.Mem); m.Base != x86asm.RIP || end+uint64(m.Disp) != c.addr()+uint64(unsafe.Offsetof(c.regs.RIP)) {
			t.Errorf("enter jumps by %v", m)
		}

		// Resume: the same, with IRETQ from the context.
		if c.resumeStub != end {
			t.Errorf("resume is at %#x, not %#x", c.resumeStub, end)
		}
		insts, end = decode(t, c.resumeStub, func(i x86asm.Inst) bool { return i.Op == x86asm.IRETQ })
		n := len(insts)
		if m := insts[n-3].Args[1].(x86asm.Mem); insts[n-3].Op != x86asm.LEA || insts[n-3].Args[0] != x86asm.RSP ||
			m.Base != x86asm.RCX || uintptr(m.Disp) != unsafe.Offsetof(c.iret) {
			t.Errorf("resume: %v", insts[n-3])
		}
		checkLoads(t, append(insts[:n-3:n-3], insts[n-2]), offsets, x86asm.RCX)

		// Exit: RCX from the owner before anything else, RSP saved and loaded.
		if c.exitStub != end {
			t.Errorf("exit is at %#x, not %#x", c.exitStub, end)
		}
		insts, _ = decode(t, c.exitStub, jump)
		if len(insts) != 4 {
			t.Fatalf("exit: %v", insts)
		}
		if m := insts[0].Args[1].(x86asm.Mem); insts[0].Op != x86asm.MOV || insts[0].Args[0] != x86asm.RCX || m.Base != x86asm.RIP ||
			c.exitStub+uint64(insts[0].Len)+uint64(m.Disp) != c.addr()+uint64(unsafe.Offsetof(c.owner)) {
			t.Errorf("exit: %v", insts[0])
		}
		if m := insts[1].Args[0].(x86asm.Mem); insts[1].Args[1] != x86asm.RSP || uintptr(m.Disp) != offsets[x86asm.RSP] || m.Base != x86asm.RCX {
			t.Errorf("exit: %v", insts[1])
		}
		if m := insts[2].Args[1].(x86asm.Mem); insts[2].Args[0] != x86asm.RSP || uintptr(m.Disp) != unsafe.Offsetof(c.goSP) || m.Base != x86asm.RCX {
			t.Errorf("exit: %v", insts[2])
		}
		if m := insts[3].Args[0].(x86asm.Mem); uintptr(m.Disp) != unsafe.Offsetof(c.exitPtr) || m.Base != x86asm.RCX || c.exitPtr != uint64(exitedPC()) {
			t.Errorf("exit: %v", insts[3])
		}
	}
}

// checkLoads checks that every register is loaded from its place, those of
// last in that order at the end.
func checkLoads(t *testing.T, insts []x86asm.Inst, offsets map[x86asm.Reg]uintptr, last ...x86asm.Reg) {
	t.Helper()
	seen := map[x86asm.Reg]bool{}
	for i, inst := range insts {
		reg, ok := inst.Args[0].(x86asm.Reg)
		m, isMem := inst.Args[1].(x86asm.Mem)
		if inst.Op != x86asm.MOV || !ok || !isMem || m.Base != x86asm.RCX || uintptr(m.Disp) != offsets[reg] || seen[reg] {
			t.Errorf("%v", inst)
		}
		seen[reg] = true
		if n := i - (len(insts) - len(last)); n >= 0 && reg != last[n] {
			t.Errorf("%v is loaded where %v should be", reg, last[n])
		}
	}
	if want := 14 + len(last); len(seen) != want {
		t.Errorf("%d registers are loaded, want %d", len(seen), want)
	}
}
