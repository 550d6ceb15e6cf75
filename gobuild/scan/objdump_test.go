package scan

import (
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/feidi-dev/feidi/internal/elf64"
)

// objdumpNames are the mnemonics of objdump for what a scan finds.
var objdumpNames = map[string]Op{
	"cpuid": CPUID, "syscall": SYSCALL, "rdtsc": RDTSC, "rdtscp": RDTSCP, "int": INT, "hlt": HLT, "sysenter": SYSENTER, "lret": FarRET, "iret": IRET,
	"in": IN, "out": OUT, "rdpmc": RDPMC, "sgdt": SGDT, "sidt": SIDT, "sldt": SLDT, "str": STR, "ljmp": FarJMP, "lcall": FarCALL, "int1": INT1,
	"cli": CLI, "sti": STI, "rdmsr": RDMSR, "wrmsr": WRMSR, "xsetbv": XSETBV, "swapgs": SWAPGS, "vmcall": VMCALL,
}

// TestObjdump compares where instructions begin, in every function of programs
// that link most of the standard library, with objdump, and what they are.
// Where x86asm knows an instruction, it is as long to it.
func TestObjdump(t *testing.T) {
	for _, level := range []string{"v1", "v3"} {
		t.Run(level, func(t *testing.T) {
			name := build(t, "all", []string{"GOAMD64=" + level})
			compareObjdump(t, name)
		})
	}
}

func compareObjdump(t *testing.T, name string) {
	want := disassemble(t, name)
	b := read(t, name)
	r, err := Program(b, Default())
	if err != nil {
		t.Fatal(err)
	}
	data := map[uint64]bool{} // where it begins
	for _, f := range r.Allowed {
		data[f.Offset] = f.Instruction == Data
	}
	f, err := elf64.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	fns, err := functions(f)
	if err != nil {
		t.Fatal(err)
	}
	compared, long, x86, differ := 0, 0, 0, 0
	for _, fn := range fns {
		off, ok := f.Loaded(fn.start, fn.end-fn.start)
		if !ok {
			t.Fatalf("%s is not in the file", fn.name)
		}
		code := f.Bytes[off : off+fn.end-fn.start]
		begins := map[uint64]bool{}
		for at := uint64(0); at < uint64(len(code)); {
			address := fn.start + at
			if data[address] {
				for ; address < fn.end; address++ {
					delete(want, address)
				}
				break // objdump takes them for instructions
			}
			begins[address] = true
			inst, ok := Decode(code[at:])
			text, known := want[address]
			if !ok || !known || strings.Contains(text, "(bad)") {
				if differ++; differ < 20 {
					t.Errorf("%#x %s: % x: decoded %v, length %d; objdump: %q", address, fn.name, code[at:min(at+15, uint64(len(code)))], ok, inst.Len, text)
				}
				break
			}
			mnemonic, _, _ := strings.Cut(text, " ")
			op, matters := objdumpNames[mnemonic]
			if !matters {
				op = Plain
			} else if op == INT && code[at+1] == 3 {
				op = INT3Long
			}
			if inst.Op != op {
				t.Errorf("%#x %s: %v; objdump: %q", address, fn.name, inst.Op, text)
			}
			// It takes VEX and EVEX for the 32-bit instructions of old.
			vector := code[at] == 0xC4 || code[at] == 0xC5 || code[at] == 0x62
			if vector {
				long++
			} else if x, err := x86asm.Decode(code[at:], 64); err == nil && x.Op != 0 {
				x86++
				if x.Len != inst.Len {
					if differ++; differ < 20 {
						t.Errorf("%#x %s: % x: length %d; x86asm: %v, length %d; objdump: %q", address, fn.name, code[at:at+uint64(inst.Len)], inst.Len, x, x.Len, text)
					}
				}
			}
			compared++
			at += uint64(inst.Len)
		}
		// And objdump knows no other start.
		for address := fn.start; address < fn.end; address++ {
			if _, ok := want[address]; ok && !begins[address] {
				if differ++; differ < 20 {
					t.Errorf("%#x %s: objdump has an instruction here: %q", address, fn.name, want[address])
				}
			}
		}
	}
	t.Logf("%d functions, %d instructions, %d of them VEX or EVEX; %d known to x86asm; %d differences", len(fns), compared, long, x86, differ)
	if compared < 500000 || long < 5000 {
		t.Error("too few to mean anything")
	}
}
