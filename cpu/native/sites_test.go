package native

import (
	"bytes"
	"debug/elf"
	"testing"

	"github.com/feidi-dev/feidi/internal/asm"
	"github.com/feidi-dev/feidi/internal/toy"
	"golang.org/x/arch/x86/x86asm"
)

// code joins instructions.
func code(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

var (
	mov4     = movEAX4[0]
	movRAX4  = movEAX4[1]
	nop      = []byte{0x90}
	xorEDX   = []byte{0x31, 0xD2}
	xorEAX   = []byte{0x31, 0xC0}
	endbr64  = []byte{0xF3, 0x0F, 0x1E, 0xFA}
	jmpShort = []byte{0xEB, 0x00}
	callNext = []byte{0xE8, 0, 0, 0, 0}
)

func TestExitSites(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		want []int // offsets
	}{
		{"nothing", nil, nil},
		{"ENCLU alone", enclu, nil},
		{"mov eax", code(mov4, enclu), []int{5}},
		{"mov rax", code(movRAX4, enclu), []int{7}},
		{"mov of another leaf", code([]byte{0xB8, 5, 0, 0, 0}, enclu), nil},
		{"others between", code(mov4, xorEDX, nop, enclu), []int{8}},
		{"RAX written between", code(mov4, xorEAX, enclu), nil},
		{"RAX written by MUL", code(mov4, []byte{0xF7, 0xE1}, enclu), nil},
		{"RAX written by LODSB", code(mov4, []byte{0xAC}, enclu), nil},
		{"RAX written by POP", code(mov4, []byte{0x58}, enclu), nil},
		{"RAX written by CMPXCHG", code(mov4, []byte{0x0F, 0xB1, 0x0A}, enclu), nil},
		{"RAX exchanged", code(mov4, []byte{0x48, 0x91}, enclu), nil},
		{"RAX exchanged as the second", code(mov4, []byte{0x48, 0x87, 0xC1}, enclu), nil},
		{"AL written", code(mov4, []byte{0xB0, 1}, enclu), nil},
		{"RAX compared", code(mov4, []byte{0x48, 0x39, 0xC8}, enclu), []int{8}},
		{"RAX pushed", code(mov4, []byte{0x50}, enclu), []int{6}},
		{"a jump between", code(mov4, jmpShort, enclu), nil},
		{"a call between", code(mov4, callNext, enclu), nil},
		{"a return between", code(mov4, []byte{0xC3}, enclu), nil},
		{"an ENCLU between", code(mov4, enclu, enclu), []int{5}},
		{"two", code(mov4, enclu, nop, mov4, enclu), []int{5, 14}},
		{"garbage between", code(mov4, []byte{0x06}, enclu), nil},
		{"too far", code(mov4, bytes.Repeat(nop, exitWindow), enclu), nil},
		{"just near enough", code(mov4, bytes.Repeat(nop, exitWindow-5), enclu), []int{exitWindow}},
		{"the bytes in an immediate", code(mov4, []byte{0x48, 0xB9}, enclu, make([]byte, 5)), nil},
		{"the mov in an immediate", code([]byte{0x48, 0xB9}, mov4, make([]byte, 3), enclu), nil},
		{"the last byte is missing", code(mov4, enclu[:2]), nil},
	} {
		got := exitSites(c.code)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d sites, want %d", c.name, len(got), len(c.want))
			continue
		}
		for i, s := range got {
			if s.off != c.want[i] || !bytes.Equal(s.old, enclu) || !bytes.Equal(s.new, jmpRBX) {
				t.Errorf("%s: %+v, want offset %d", c.name, s, c.want[i])
			}
		}
	}
}

func TestIllegalSites(t *testing.T) {
	all := [][]byte{cpuidInst, syscallInst, sysenterInst, int80Inst}
	for _, c := range []struct {
		name     string
		function []byte
		want     []int
	}{
		{"nothing", nil, nil},
		{"each", code(cpuidInst, syscallInst, sysenterInst, int80Inst), []int{0, 2, 4, 6}},
		{"after others", code(endbr64, xorEAX, cpuidInst, []byte{0xC3}), []int{6}},
		{"after ENCLU", code(mov4, enclu, cpuidInst), []int{8}},
		{"after XSAVEC", code([]byte{0x48, 0x0F, 0xC7, 0x64, 0x24, 0x40}, cpuidInst), []int{6}},
		{"in an immediate", code([]byte{0xB8, 0x0F, 0xA2, 0x0F, 0x05}, []byte{0xC3}), nil},
		{"after an immediate", code([]byte{0xB8, 0x0F, 0xA2, 0x0F, 0x05}, cpuidInst), []int{5}},
		{"after garbage", code([]byte{0x06}, cpuidInst), nil},
		{"cut off", cpuidInst[:1], nil},
	} {
		got := illegalSites(c.function, all...)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d sites, want %d", c.name, len(got), len(c.want))
			continue
		}
		for i, s := range got {
			if s.off != c.want[i] || !bytes.Equal(s.new, ud2) {
				t.Errorf("%s: %+v, want offset %d", c.name, s, c.want[i])
			}
		}
	}
	if got := illegalSites(code(cpuidInst, syscallInst), cpuidInst); len(got) != 1 || got[0].off != 0 {
		t.Errorf("only CPUID: %+v", got)
	}
}

func TestInstLen(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		want int
	}{
		{"nothing", nil, 0},
		{"nop", nop, 1},
		{"endbr64", endbr64, 4},
		{"enclu", enclu, 3},
		{"xgetbv", []byte{0x0F, 0x01, 0xD0}, 3},
		{"ud2", ud2, 2},
		{"mov rax, imm64", []byte{0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8}, 10},
		{"xsavec [rsp]", []byte{0x48, 0x0F, 0xC7, 0x24, 0x24}, 5},
		{"xsavec [rsp+8]", []byte{0x48, 0x0F, 0xC7, 0x64, 0x24, 0x08}, 6},
		{"xsavec [rsp+disp32]", []byte{0x48, 0x0F, 0xC7, 0xA4, 0x24, 0, 1, 0, 0}, 9},
		{"xsavec [rip+disp32]", []byte{0x48, 0x0F, 0xC7, 0x25, 0, 0, 0, 0}, 8},
		{"xsavec [disp32], by SIB", []byte{0x48, 0x0F, 0xC7, 0x24, 0x25, 0, 0, 0, 0}, 9},
		{"rdrand eax", []byte{0x0F, 0xC7, 0xF0}, 3},
		{"rdrand rax, before others", []byte{0x48, 0x0F, 0xC7, 0xF0, 0x90}, 4},
		{"cut off", []byte{0x0F, 0xC7, 0xA4, 0x24, 0}, 0},
		{"not an instruction", []byte{0x06}, 0},
	} {
		// The decoder is given what follows, as in a function.
		if got := instLen(c.code); got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.name, got, c.want)
		}
	}
}

// TestToyText runs the decoder over a whole enclave's code, whose assembler
// knows where each function and the only EEXIT are.
func TestToyText(t *testing.T) {
	for _, trap := range []bool{false, true} {
		b, err := toy.Build(toy.Options{TrapExit: trap})
		if err != nil {
			t.Fatal(err)
		}
		f, err := elf.NewFile(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		text := f.Section(".text")
		all, err := text.Data()
		if err != nil {
			t.Fatal(err)
		}
		sites := exitSites(all)
		switch {
		case trap && len(sites) != 0:
			t.Errorf("a hidden exit was found: %+v", sites)
		case !trap && len(sites) != 1:
			t.Errorf("%d exits, want 1", len(sites))
		}
		symbols, err := f.Symbols()
		if err != nil {
			t.Fatal(err)
		}
		illegal := map[string]int{}
		for _, s := range symbols {
			if elf.ST_TYPE(s.Info) != elf.STT_FUNC || s.Section != elf.SectionIndex(sectionIndex(f, text)) {
				continue
			}
			body := all[s.Value-text.Addr:][:s.Size]
			if n := decodable(body); s.Size-uint64(n) > 15 {
				t.Errorf("%s: decoding stops at %d of %d bytes", s.Name, n, s.Size)
			}
			if n := len(illegalSites(body, cpuidInst, syscallInst)); n > 0 {
				illegal[s.Name] = n
			}
		}
		if len(illegal) != 2 || illegal[toy.FaultSymbol(toy.FaultCPUID)] != 1 || illegal[toy.FaultSymbol(toy.FaultSyscall)] != 1 {
			t.Errorf("illegal instructions in %v", illegal)
		}
	}
}

func sectionIndex(f *elf.File, want *elf.Section) int {
	for i, s := range f.Sections {
		if s == want {
			return i
		}
	}
	return -1
}

// decodable returns how many bytes of code decode.
func decodable(code []byte) (n int) {
	for n < len(code) {
		l := instLen(code[n:])
		if l == 0 {
			break
		}
		n += l
	}
	return n
}

func TestProhibited(t *testing.T) {
	for _, c := range []struct {
		code []byte
		want bool
	}{
		{[]byte{0xEC}, true}, {[]byte{0x66, 0xEF}, true}, {[]byte{0xE5, 0x10}, true}, {[]byte{0xF3, 0x6C}, true},
		{[]byte{0x48, 0x6F}, true}, {[]byte{0xCD, 0x20}, true}, {[]byte{0x0F, 0x33}, true}, {[]byte{0x0F, 0x37}, true},
		{[]byte{0xF4}, false}, {[]byte{0x0F, 0x32}, false}, {[]byte{0x0F}, false}, {nil, false}, {[]byte{0x66, 0x66, 0x66, 0x66, 0xEC}, false},
		{[]byte{0x8B, 0x00}, false}, {[]byte{0xCC}, false},
	} {
		if got := prohibited(c.code); got != c.want {
			t.Errorf("%x: %v", c.code, got)
		}
	}
}

// FuzzSites looks for code on which the search panics, or finds what is not
// there. What the assembler makes is seeded.
func TestMayXSave(t *testing.T) {
	for _, c := range []struct {
		code []byte
		want bool
	}{
		{[]byte{0x90, 0x48, 0x0F, 0xAE, 0x21, 0xC3}, true},             // xsave64 [rcx]
		{[]byte{0x48, 0x0F, 0xAE, 0x72, 0x40, 0xC3}, true},             // xsaveopt64 [rdx+64]
		{[]byte{0x0F, 0xC7, 0xF0, 0x48, 0x0F, 0xC7, 0x21, 0xC3}, true}, // rdrand eax; xsavec64 [rcx]
		{[]byte{0xB8, 0x0F, 0xAE, 0x20, 0x00, 0xC3}, true},             // inside a constant
		{[]byte{0x90, 0x0F}, true}, {[]byte{0x0F, 0xAE}, true}, {[]byte{0x0F, 0xC7}, true},
		{[]byte{0x48, 0x0F, 0xAE, 0x29, 0xC3}, false}, // xrstor64 [rcx]
		{[]byte{0x0F, 0xAE, 0x01, 0xC3}, false},       // fxsave [rcx]
		{[]byte{0x0F, 0xAE, 0xF0, 0xC3}, false},       // mfence
		{[]byte{0x0F, 0xC7, 0x30, 0xC3}, false},       // vmptrld [rax]
		{[]byte{0x0F, 0x0B}, false}, {nil, false},
	} {
		if got := mayXSave(c.code); got != c.want {
			t.Errorf("%x: %v", c.code, got)
		}
	}
}

func TestIsXSave(t *testing.T) {
	for _, c := range []struct {
		code []byte
		want bool
	}{
		{[]byte{0x0F, 0xAE, 0x21}, true},                   // xsave [rcx]
		{[]byte{0x48, 0x0F, 0xAE, 0x29}, true},             // xrstor64 [rcx]
		{[]byte{0x48, 0x0F, 0xAE, 0x72, 0x40}, true},       // xsaveopt64 [rdx+64]
		{[]byte{0x49, 0x0F, 0xC7, 0x27}, true},             // xsavec64 [r15]
		{[]byte{0x65, 0x67, 0x48, 0x0F, 0xC7, 0x21}, true}, // xsavec64 gs:[ecx]
		{[]byte{0x0F, 0xAE, 0x01}, false},                  // fxsave [rcx]
		{[]byte{0x0F, 0xAE, 0x39}, false},                  // clflush [rcx]
		{[]byte{0x0F, 0xAE, 0xE8}, false},                  // lfence
		{[]byte{0x66, 0x0F, 0xAE, 0x30}, false},            // clwb [rax]
		{[]byte{0xF3, 0x48, 0x0F, 0xAE, 0xE8}, false},      // incsspq rax
		{[]byte{0x0F, 0xC7, 0x09}, false},                  // cmpxchg8b [rcx]
		{[]byte{0x0F, 0xC7, 0x29}, false},                  // xsaves [rcx]
		{[]byte{0x0F, 0xC7, 0xF0}, false},                  // rdrand eax
		{[]byte{0x0F, 0x01, 0x21}, false}, {[]byte{0x48, 0x0F, 0xAE}, false}, {[]byte{0x65}, false}, {[]byte{0x48}, false}, {nil, false},
	} {
		if got := isXSave(c.code); got != c.want {
			t.Errorf("%x: %v", c.code, got)
		}
	}
}

func FuzzSites(f *testing.F) {
	b, err := toy.Build(toy.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[0x1000:0x1400])
	f.Add(code(mov4, xorEDX, enclu, cpuidInst, syscallInst, int80Inst))
	f.Add(code(movRAX4, enclu, []byte{0x48, 0x0F, 0xC7}))
	a := asm.New()
	a.Cpuid()
	a.Enclu()
	p, err := a.Assemble(0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Code)
	f.Fuzz(func(t *testing.T, code []byte) {
		if len(code) > 1<<14 {
			return
		}
		before := bytes.Clone(code)
		sites := exitSites(code)
		illegal := illegalSites(code, cpuidInst, syscallInst, sysenterInst, int80Inst)
		if !bytes.Equal(before, code) {
			t.Fatal("the search changes the code")
		}
		for _, list := range [][]site{sites, illegal} {
			end := 0
			for _, s := range list {
				if s.off < end || s.off+len(s.old) > len(code) {
					t.Fatalf("site at %d, after one that ends at %d, in %d bytes", s.off, end, len(code))
				}
				if len(s.old) != len(s.new) || !bytes.Equal(code[s.off:s.off+len(s.old)], s.old) {
					t.Fatalf("%+v is not in the code, or changes its length", s)
				}
				end = s.off + len(s.old)
			}
		}
		may := mayXSave(code)
		for i := range code {
			if modrm := i + bytes.IndexByte(code[i:], 0x0F) + 2; !may && isXSave(code[i:]) && code[modrm]>>3&7 != 5 {
				t.Fatalf("an instruction that saves state at %d was not found", i)
			}
			if n := instLen(code[i:]); n < 0 || n > 15 || n > len(code)-i {
				t.Fatalf("an instruction of %d bytes, of %d", n, len(code)-i)
			}
			prohibited(code[i:])
		}
	})
}

// The replacements decode as what they are meant to be, at the same length.
func TestReplacements(t *testing.T) {
	inst, err := x86asm.Decode(jmpRBX, 64)
	if err != nil || inst.Op != x86asm.JMP || inst.Args[0] != x86asm.RBX || len(jmpRBX) != len(enclu) {
		t.Errorf("%v, %v", inst, err)
	}
	for _, b := range [][]byte{cpuidInst, syscallInst, sysenterInst, int80Inst} {
		if len(b) != len(ud2) {
			t.Errorf("%x is not as long as UD2", b)
		}
	}
}
