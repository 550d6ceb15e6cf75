package asm

import (
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// encodings pairs each instruction with its bytes and with its text in Intel
// syntax.
var encodings = []struct {
	emit func(a *Assembler)
	hex  string
	text string
}{
	{func(a *Assembler) { a.Mov(RAX, RBX) }, "4889d8", "mov rax,rbx"},
	{func(a *Assembler) { a.Mov(R9, RSP) }, "4989e1", "mov r9,rsp"},
	{func(a *Assembler) { a.Mov(EAX, R13D) }, "4489e8", "mov eax,r13d"},
	{func(a *Assembler) { a.Mov(SIL, R8B) }, "4488c6", "mov sil,r8b"},
	{func(a *Assembler) { a.Mov(AL, CL) }, "88c8", "mov al,cl"},
	{func(a *Assembler) { a.Mov(EAX, Imm(4)) }, "b804000000", "mov eax,4"},
	{func(a *Assembler) { a.Mov(R10D, Imm(0xffffffff)) }, "41baffffffff", "mov r10d,0xffffffff"},
	{func(a *Assembler) { a.Mov(RAX, Imm(-1)) }, "48c7c0ffffffff", "mov rax,-1"},
	{func(a *Assembler) { a.Mov(R15, Imm(0x123456789abcdef0)) }, "49bff0debc9a78563412", "movabs r15,0x123456789abcdef0"},
	{func(a *Assembler) { a.Mov(RCX, Ptr(RBX, 0)) }, "488b0b", "mov rcx,[rbx]"},
	{func(a *Assembler) { a.Mov(RCX, Ptr(RBP, 0)) }, "488b4d00", "mov rcx,[rbp+0]"},
	{func(a *Assembler) { a.Mov(RCX, Ptr(R13, 0)) }, "498b4d00", "mov rcx,[r13+0]"},
	{func(a *Assembler) { a.Mov(RCX, Ptr(RSP, 8)) }, "488b4c2408", "mov rcx,[rsp+8]"},
	{func(a *Assembler) { a.Mov(RCX, Ptr(R12, 0x1000)) }, "498b8c2400100000", "mov rcx,[r12+0x1000]"},
	{func(a *Assembler) { a.Mov(R8D, Ptr(RDI, -128)) }, "448b4780", "mov r8d,[rdi-128]"},
	{func(a *Assembler) { a.Mov(R8D, Ptr(RDI, 128)) }, "448b8780000000", "mov r8d,[rdi+128]"},
	{func(a *Assembler) { a.Mov(DIL, Ptr(R9, 1)) }, "418a7901", "mov dil,[r9+1]"},
	{func(a *Assembler) { a.Mov(Ptr(RSI, 16), R11) }, "4c895e10", "mov [rsi+16],r11"},
	{func(a *Assembler) { a.Mov(Ptr(RSI, 16), BPL) }, "40886e10", "mov [rsi+16],bpl"},
	{func(a *Assembler) { a.Mov(Ptr(RSI, 16), Imm(-2)) }, "48c74610feffffff", "mov qword ptr [rsi+16],-2"},
	{func(a *Assembler) { a.Mov(Ptr(RSI, 16).Sized(4), Imm(7)) }, "c7461007000000", "mov dword ptr [rsi+16],7"},
	{func(a *Assembler) { a.Mov(Ptr(RSI, 16).Sized(1), Imm(7)) }, "c6461007", "mov byte ptr [rsi+16],7"},
	{func(a *Assembler) { a.Mov(RAX, In(GS, 0)) }, "65488b042500000000", "mov rax,gs:[0]"},
	{func(a *Assembler) { a.Mov(RAX, In(FS, 0x28)) }, "64488b042528000000", "mov rax,fs:[0x28]"},
	{func(a *Assembler) { a.Mov(In(GS, 0x20), RSP) }, "654889242520000000", "mov gs:[0x20],rsp"},
	{func(a *Assembler) { a.Mov(RAX, PtrIndex(RBX, R12, 8, 0x40)) }, "4a8b44e340", "mov rax,[rbx+r12*8+0x40]"},
	{func(a *Assembler) { a.Mov(RAX, PtrIndex(R13, RCX, 1, 0)) }, "498b440d00", "mov rax,[r13+rcx*1+0]"},
	{func(a *Assembler) { a.Mov(RAX, PtrIndex(0, RCX, 4, 16)) }, "488b048d10000000", "mov rax,[rcx*4+16]"},
	{func(a *Assembler) { a.Movzx(ECX, PtrIndex(RDI, RSI, 1, 0).Sized(1)) }, "0fb60c37", "movzx ecx,byte ptr [rdi+rsi]"},
	{func(a *Assembler) { a.Movzx(R9, Ptr(RDI, 2).Sized(2)) }, "4c0fb74f02", "movzx r9,word ptr [rdi+2]"},
	{func(a *Assembler) { a.Movzx(EAX, SIL) }, "400fb6c6", "movzx eax,sil"},
	{func(a *Assembler) { a.Movzx(ESI, AL) }, "0fb6f0", "movzx esi,al"},
	{func(a *Assembler) { a.Movsxd(RAX, Ptr(RDX, 0)) }, "486302", "movsxd rax,dword ptr [rdx]"},
	{func(a *Assembler) { a.Movsxd(R8, EDI) }, "4c63c7", "movsxd r8,edi"},
	{func(a *Assembler) { a.Lea(R8, PtrIndex(RDI, RSI, 1, 5)) }, "4c8d443705", "lea r8,[rdi+rsi+5]"},
	{func(a *Assembler) { a.Lea(RDX, Ptr(RBX, -0x10000)) }, "488d930000ffff", "lea rdx,[rbx-0x10000]"},
	{func(a *Assembler) { a.Add(RAX, RCX) }, "4801c8", "add rax,rcx"},
	{func(a *Assembler) { a.Add(EAX, Imm(1)) }, "83c001", "add eax,1"},
	{func(a *Assembler) { a.Add(RSP, Imm(0x1000)) }, "4881c400100000", "add rsp,0x1000"},
	{func(a *Assembler) { a.Or(R9, Imm(-1)) }, "4983c9ff", "or r9,-1"},
	{func(a *Assembler) { a.Adc(RDX, RDX) }, "4811d2", "adc rdx,rdx"},
	{func(a *Assembler) { a.Sbb(RAX, RAX) }, "4819c0", "sbb rax,rax"},
	{func(a *Assembler) { a.And(RSP, Imm(-512)) }, "4881e400feffff", "and rsp,-512"},
	{func(a *Assembler) { a.Sub(RSP, Ptr(RAX, 8)) }, "482b6008", "sub rsp,[rax+8]"},
	{func(a *Assembler) { a.Xor(Ptr(RAX, 8), R14) }, "4c317008", "xor [rax+8],r14"},
	{func(a *Assembler) { a.Xor(R8D, R8D) }, "4531c0", "xor r8d,r8d"},
	{func(a *Assembler) { a.Cmp(EDI, Imm(-1)) }, "83ffff", "cmp edi,-1"},
	{func(a *Assembler) { a.Cmp(In(GS, 8), Imm(0)) }, "6548833c250800000000", "cmp qword ptr gs:[8],0"},
	{func(a *Assembler) { a.Cmp(R10, Imm(0x12345)) }, "4981fa45230100", "cmp r10,0x12345"},
	{func(a *Assembler) { a.Cmp(R10B, Imm(5)) }, "4180fa05", "cmp r10b,5"},
	{func(a *Assembler) { a.Test(RAX, RAX) }, "4885c0", "test rax,rax"},
	{func(a *Assembler) { a.Test(ECX, Imm(0x80000000)) }, "f7c100000080", "test ecx,0x80000000"},
	{func(a *Assembler) { a.Test(SIL, Imm(1)) }, "40f6c601", "test sil,1"},
	{func(a *Assembler) { a.Inc(RAX) }, "48ffc0", "inc rax"},
	{func(a *Assembler) { a.Dec(R12D) }, "41ffcc", "dec r12d"},
	{func(a *Assembler) { a.Dec(In(GS, 0x30)) }, "6548ff0c2530000000", "dec qword ptr gs:[0x30]"},
	{func(a *Assembler) { a.Not(RCX) }, "48f7d1", "not rcx"},
	{func(a *Assembler) { a.Neg(R8) }, "49f7d8", "neg r8"},
	{func(a *Assembler) { a.Mul(RBX) }, "48f7e3", "mul rbx"},
	{func(a *Assembler) { a.Div(ECX) }, "f7f1", "div ecx"},
	{func(a *Assembler) { a.Imul(R9, R10) }, "4d0fafca", "imul r9,r10"},
	{func(a *Assembler) { a.Imul(EAX, Ptr(RBX, 4)) }, "0faf4304", "imul eax,[rbx+4]"},
	{func(a *Assembler) { a.Rol(RAX, 13) }, "48c1c00d", "rol rax,13"},
	{func(a *Assembler) { a.Shl(RCX, 13) }, "48c1e10d", "shl rcx,13"},
	{func(a *Assembler) { a.Shr(R8D, 7) }, "41c1e807", "shr r8d,7"},
	{func(a *Assembler) { a.Sar(RDX, 63) }, "48c1fa3f", "sar rdx,63"},
	{func(a *Assembler) { a.Bswap(RAX) }, "480fc8", "bswap rax"},
	{func(a *Assembler) { a.Bswap(R9) }, "490fc9", "bswap r9"},
	{func(a *Assembler) { a.Bswap(EDX) }, "0fca", "bswap edx"},
	{func(a *Assembler) { a.Push(RBP) }, "55", "push rbp"},
	{func(a *Assembler) { a.Push(R15) }, "4157", "push r15"},
	{func(a *Assembler) { a.Push(Imm(4)) }, "6a04", "push 4"},
	{func(a *Assembler) { a.Push(Imm(0x1006)) }, "6806100000", "push 0x1006"},
	{func(a *Assembler) { a.Push(Ptr(RAX, 8)) }, "ff7008", "push qword ptr [rax+8]"},
	{func(a *Assembler) { a.Pop(R8) }, "4158", "pop r8"},
	{func(a *Assembler) { a.Pop(RBX) }, "5b", "pop rbx"},
	{func(a *Assembler) { a.Pop(In(GS, 0x40)) }, "658f042540000000", "pop qword ptr gs:[0x40]"},
	{func(a *Assembler) { a.JmpTo(RBX) }, "ffe3", "jmp rbx"},
	{func(a *Assembler) { a.JmpTo(R11) }, "41ffe3", "jmp r11"},
	{func(a *Assembler) { a.CallTo(RAX) }, "ffd0", "call rax"},
	{func(a *Assembler) { a.CallTo(Ptr(RAX, 0)) }, "ff10", "call qword ptr [rax]"},
	{func(a *Assembler) { a.Ret() }, "c3", "ret"},
	{func(a *Assembler) { a.Nop() }, "90", "nop"},
	{func(a *Assembler) { a.Int3() }, "cc", "int3"},
	{func(a *Assembler) { a.Hlt() }, "f4", "hlt"},
	{func(a *Assembler) { a.Ud2() }, "0f0b", "ud2"},
	{func(a *Assembler) { a.Pushfq() }, "9c", "pushfq"},
	{func(a *Assembler) { a.Popfq() }, "9d", "popfq"},
	{func(a *Assembler) { a.Cld() }, "fc", "cld"},
	{func(a *Assembler) { a.RepMovsb() }, "f3a4", "rep movsb"},
	{func(a *Assembler) { a.RepStosb() }, "f3aa", "rep stosb"},
	{func(a *Assembler) { a.Cpuid() }, "0fa2", "cpuid"},
	{func(a *Assembler) { a.Syscall() }, "0f05", "syscall"},
	{func(a *Assembler) { a.Rdtsc() }, "0f31", "rdtsc"},
	{func(a *Assembler) { a.Xgetbv() }, "0f01d0", "xgetbv"},
	{func(a *Assembler) { a.Enclu() }, "0f01d7", "enclu"},
	{func(a *Assembler) { a.Pause() }, "f390", "pause"},
	{func(a *Assembler) { a.Rdrand(RAX) }, "480fc7f0", "rdrand rax"},
	{func(a *Assembler) { a.Rdrand(R9D) }, "410fc7f1", "rdrand r9d"},
	{func(a *Assembler) { a.Rdfsbase(RAX) }, "f3480faec0", "rdfsbase rax"},
	{func(a *Assembler) { a.Rdgsbase(R10) }, "f3490faeca", "rdgsbase r10"},
	{func(a *Assembler) { a.Wrfsbase(RDI) }, "f3480faed7", "wrfsbase rdi"},
	{func(a *Assembler) { a.Wrgsbase(R15) }, "f3490faedf", "wrgsbase r15"},
	{func(a *Assembler) { a.Ldmxcsr(Ptr(RSP, 4)) }, "0fae542404", "ldmxcsr [rsp+4]"},
	{func(a *Assembler) { a.Stmxcsr(Ptr(RSP, 4)) }, "0fae5c2404", "stmxcsr [rsp+4]"},
	{func(a *Assembler) { a.Movdqu(X1, Ptr(RAX, 16)) }, "f30f6f4810", "movdqu xmm1,[rax+16]"},
	{func(a *Assembler) { a.Movdqu(Ptr(R8, 0), X15) }, "f3450f7f38", "movdqu [r8],xmm15"},
	{func(a *Assembler) { a.Movdqu(X1, X9) }, "f3410f6fc9", "movdqu xmm1,xmm9"},
	{func(a *Assembler) { a.Movdqa(X8, Ptr(RSP, 0)) }, "66440f6f0424", "movdqa xmm8,[rsp]"},
	{func(a *Assembler) { a.Movdqa(Ptr(RSP, 32), X2) }, "660f7f542420", "movdqa [rsp+32],xmm2"},
	{func(a *Assembler) { a.Movups(X3, Ptr(RDI, 0)) }, "0f101f", "movups xmm3,[rdi]"},
	{func(a *Assembler) { a.Movups(PtrIndex(RDI, R9, 1, 0), X12) }, "460f11240f", "movups [rdi+r9],xmm12"},
	{func(a *Assembler) { a.Pxor(X0, X0) }, "660fefc0", "pxor xmm0,xmm0"},
	{func(a *Assembler) { a.Pxor(X10, Ptr(RSP, 16)) }, "66440fef542410", "pxor xmm10,[rsp+16]"},
	{func(a *Assembler) { a.Paddq(X1, X2) }, "660fd4ca", "paddq xmm1,xmm2"},
	{func(a *Assembler) { a.Pcmpeqb(X1, X14) }, "66410f74ce", "pcmpeqb xmm1,xmm14"},
	{func(a *Assembler) { a.Divsd(X0, X1) }, "f20f5ec1", "divsd xmm0,xmm1"},
	{func(a *Assembler) { a.Pmovmskb(EAX, X1) }, "660fd7c1", "pmovmskb eax,xmm1"},
	{func(a *Assembler) { a.Pmovmskb(R9D, X11) }, "66450fd7cb", "pmovmskb r9d,xmm11"},
	{func(a *Assembler) { a.Pshufd(X2, X1, 0xff) }, "660f70d1ff", "pshufd xmm2,xmm1,0xff"},
	{func(a *Assembler) { a.Pslldq(X9, 4) }, "66410f73f904", "pslldq xmm9,4"},
	{func(a *Assembler) { a.Aesenc(X0, Ptr(RSP, 16)) }, "660f38dc442410", "aesenc xmm0,[rsp+16]"},
	{func(a *Assembler) { a.Aesenclast(X8, X9) }, "66450f38ddc1", "aesenclast xmm8,xmm9"},
	{func(a *Assembler) { a.Aeskeygenassist(X2, X1, 0x1b) }, "660f3adfd11b", "aeskeygenassist xmm2,xmm1,0x1b"},
	{func(a *Assembler) { a.Vmovups(X1, Ptr(RAX, 32)) }, "c5fc104820", "vmovups ymm1,[rax+32]"},
	{func(a *Assembler) { a.Vmovups(Ptr(R8, 0), X15) }, "c4417c1138", "vmovups [r8],ymm15"},
	{func(a *Assembler) { a.Vmovups(X9, PtrIndex(RSI, R9, 2, 0)) }, "c4217c100c4e", "vmovups ymm9,[rsi+r9*2]"},
	{func(a *Assembler) { a.Vzeroupper() }, "c5f877", "vzeroupper"},
}

func TestEncodings(t *testing.T) {
	for _, c := range encodings {
		a := New()
		c.emit(a)
		p, err := a.Assemble(0)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := hex.EncodeToString(p.Code); got != c.hex {
			t.Errorf("%s: got %s, want %s", c.text, got, c.hex)
		}
	}
}

// decoderSays are the texts of x86asm where it has its own way to write the
// same instruction.
var decoderSays = map[string]string{
	"mov r10d,0xffffffff":      "mov r10d,-1",
	"mov rcx,[rbp+0]":          "mov rcx,[rbp]",
	"mov rcx,[r13+0]":          "mov rcx,[r13]",
	"mov rax,gs:[0]":           "mov rax,gs:[]",
	"mov rax,[rbx+r12*8+0x40]": "mov rax,[rbx+8*r12+0x40]",
	"mov rax,[r13+rcx*1+0]":    "mov rax,[r13+rcx]",
	"mov rax,[rcx*4+16]":       "mov rax,[4*rcx+16]",
	"lea r8,[rdi+rsi+5]":       "lea r8,ptr [rdi+rsi+5]",
	"lea rdx,[rbx-0x10000]":    "lea rdx,ptr [rbx+0xffff0000]",
	"test ecx,0x80000000":      "test ecx,-0x80000000",
	"rep movsb":                "rep movsb [rdi],[rsi]",
	"rep stosb":                "rep stosb [rdi]",
	"rdrand rax":               "rdrand",
}

// undecodable are the mnemonics that x86asm does not know.
var undecodable = map[string]bool{"enclu": true, "vmovups": true, "vzeroupper": true}

func TestDecode(t *testing.T) {
	for _, c := range encodings {
		name := strings.Fields(c.text)[0]
		if undecodable[name] {
			continue
		}
		a := New()
		c.emit(a)
		p, err := a.Assemble(0)
		if err != nil {
			t.Fatal(err)
		}
		inst, err := x86asm.Decode(p.Code, 64)
		if err != nil {
			t.Errorf("%s: %x: %v", c.text, p.Code, err)
			continue
		}
		if inst.Len != len(p.Code) {
			t.Errorf("%s: %x decodes as %d bytes (%v)", c.text, p.Code, inst.Len, inst)
		}
		want := c.text
		if s, ok := decoderSays[want]; ok {
			want = s
		}
		if got, want := normal(x86asm.IntelSyntax(inst, 0, nil)), normal(want); got != want {
			t.Errorf("%x decodes as %q, want %q", p.Code, got, want)
		}
	}
}

var (
	sizes   = regexp.MustCompile(`(byte|word|dword|qword|xmmword) ptr |movabs`)
	numbers = regexp.MustCompile(`(0x[0-9a-f]+|\b[0-9]+\b)`)
)

// normal reduces Intel syntax to what two disassemblers agree on: without
// spaces and operand sizes, and with decimal numbers.
func normal(s string) string {
	s = sizes.ReplaceAllStringFunc(s, func(m string) string {
		if m == "movabs" {
			return "mov"
		}
		return ""
	})
	s = numbers.ReplaceAllStringFunc(s, func(n string) string {
		v, err := strconv.ParseUint(n, 0, 64)
		if err != nil {
			return n
		}
		return strconv.FormatUint(v, 10)
	})
	return strings.ReplaceAll(s, " ", "")
}

func TestLabels(t *testing.T) {
	a := New()
	a.Define("data", 0x5000)
	a.Func("f")
	a.JmpShort("end")                               // 2 bytes
	a.Jcc(NZ, "f")                                  // 6
	a.Call("g")                                     // 5
	a.Lea(RAX, At("data"))                          // 7
	a.Cmp(Mem{Label: "data", Disp: 8}, Imm(0x1000)) // 11
	a.Jrcxz("f")                                    // 2
	a.JccShort(A, "end")                            // 2
	a.Label("end")
	a.Ret()
	a.Func("g")
	a.Align(16, 0xCC)
	a.Label("table")
	a.DataDiff("f", "table")
	a.DataDiff("data", "table")
	p, err := a.Assemble(0x1000)
	if err != nil {
		t.Fatal(err)
	}
	want := "eb21" + "0f85f8ffffff" + "e817000000" + "488d05ec3f0000" + "48813de93f000000100000" +
		"e3df" + "7700" + "c3" + strings.Repeat("cc", 12) + "d0ffffff" + "d03f0000"
	if got := hex.EncodeToString(p.Code); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(p.Funcs) != 2 || p.Funcs[0] != (Func{"f", 0x1000, 36}) || p.Funcs[1] != (Func{"g", 0x1024, 20}) {
		t.Errorf("functions %+v", p.Funcs)
	}
	if v, ok := p.Address("table"); !ok || v != 0x1030 {
		t.Errorf("table at %#x, %v", v, ok)
	}
	if _, ok := p.Address("nothing"); ok {
		t.Error("an undefined label has an address")
	}
}

// Branches must reach in the decoder's eyes, too.
func TestBranchTargets(t *testing.T) {
	for c := O; c <= G; c++ {
		a := New()
		a.Label("back")
		a.Nop()
		a.Jcc(c, "back")
		a.JccShort(c, "back")
		p, err := a.Assemble(0)
		if err != nil {
			t.Fatal(err)
		}
		pc := 1
		for pc < len(p.Code) {
			inst, err := x86asm.Decode(p.Code[pc:], 64)
			if err != nil {
				t.Fatal(err)
			}
			pc += inst.Len
			if rel := inst.Args[0].(x86asm.Rel); pc+int(rel) != 0 {
				t.Errorf("%v goes to %d", inst, pc+int(rel))
			}
		}
	}
}

func TestAssembleTwice(t *testing.T) {
	a := New()
	a.Lea(RAX, At("late"))
	if _, err := a.Assemble(0); !errors.Is(err, ErrUndefined) {
		t.Fatalf("got %v", err)
	}
	a.Define("late", 0x2000)
	one, err := a.Assemble(0)
	if err != nil {
		t.Fatal(err)
	}
	two, err := a.Assemble(0x1000)
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(one.Code) != "488d05f91f0000" || hex.EncodeToString(two.Code) != "488d05f90f0000" {
		t.Errorf("%x %x", one.Code, two.Code)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		emit func(a *Assembler)
		want error
	}{
		{"undefined", func(a *Assembler) { a.Jmp("x") }, ErrUndefined},
		{"duplicate", func(a *Assembler) { a.Label("x"); a.Label("x") }, ErrDuplicate},
		{"duplicate define", func(a *Assembler) { a.Label("x"); a.Define("x", 1) }, ErrDuplicate},
		{"short too far", func(a *Assembler) { a.JmpShort("x"); a.Data(make([]byte, 128)...); a.Label("x") }, ErrRange},
		{"far away", func(a *Assembler) { a.Lea(RAX, At("x")); a.Define("x", 1<<40) }, ErrRange},
		{"imm64 to memory", func(a *Assembler) { a.Mov(Ptr(RAX, 0), Imm(1<<40)) }, ErrRange},
		{"imm64 to add", func(a *Assembler) { a.Add(RAX, Imm(1<<31)) }, ErrRange},
		{"imm to push", func(a *Assembler) { a.Push(Imm(1 << 31)) }, ErrRange},
		{"imm8", func(a *Assembler) { a.Cmp(AL, Imm(256)) }, ErrRange},
		{"sizes differ", func(a *Assembler) { a.Mov(RAX, ECX) }, ErrOperand},
		{"memory to memory", func(a *Assembler) { a.Mov(Ptr(RAX, 0), Ptr(RCX, 0)) }, ErrOperand},
		{"32-bit base", func(a *Assembler) { a.Mov(RAX, Ptr(ECX, 0)) }, ErrOperand},
		{"rsp index", func(a *Assembler) { a.Mov(RAX, PtrIndex(RCX, RSP, 1, 0)) }, ErrOperand},
		{"scale", func(a *Assembler) { a.Mov(RAX, PtrIndex(RCX, RDX, 3, 0)) }, ErrOperand},
		{"label and base", func(a *Assembler) { a.Mov(RAX, Mem{Base: RCX, Label: "x"}); a.Label("x") }, ErrOperand},
		{"16-bit operand", func(a *Assembler) { a.Inc(Ptr(RAX, 0).Sized(2)) }, ErrOperand},
		{"vector to gp", func(a *Assembler) { a.Movdqu(X0, RAX) }, ErrOperand},
		{"align", func(a *Assembler) { a.Align(3, 0) }, ErrRange},
		{"table base", func(a *Assembler) { a.DataDiff("x", "y") }, ErrUndefined},
		{"no operand", func(a *Assembler) { a.Mov(RAX, nil) }, ErrOperand},
	} {
		a := New()
		c.emit(a)
		p, err := a.Assemble(0)
		if !errors.Is(err, c.want) || p != nil {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}
