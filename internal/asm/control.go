package asm

// Cond is a condition of Jcc.
type Cond uint8

// Conditions, by their encoding. B, AE, BE and A compare unsigned numbers;
// L, GE, LE and G signed ones.
const (
	O Cond = iota
	NO
	B
	AE
	Z
	NZ
	BE
	A
	S
	NS
	P
	NP
	L
	GE
	LE
	G
)

func (a *Assembler) branch(label string, width int, op ...byte) {
	a.Data(op...)
	at := len(a.buf)
	a.fixups = append(a.fixups, fixup{at: at, size: width, label: label, end: at + width})
	a.Data(make([]byte, width)...)
}

// Jcc jumps to label if c holds (32-bit displacement).
func (a *Assembler) Jcc(c Cond, label string) { a.branch(label, 4, 0x0F, 0x80|byte(c)) }

// JccShort is Jcc with an 8-bit displacement.
func (a *Assembler) JccShort(c Cond, label string) { a.branch(label, 1, 0x70|byte(c)) }

// Jrcxz jumps to label if RCX is zero (8-bit displacement). It does not read
// flags.
func (a *Assembler) Jrcxz(label string) { a.branch(label, 1, 0xE3) }

// Jmp jumps to label (32-bit displacement).
func (a *Assembler) Jmp(label string) { a.branch(label, 4, 0xE9) }

// JmpShort is Jmp with an 8-bit displacement.
func (a *Assembler) JmpShort(label string) { a.branch(label, 1, 0xEB) }

// Call calls label.
func (a *Assembler) Call(label string) { a.branch(label, 4, 0xE8) }

// JmpTo jumps to the address in a 64-bit register or memory operand.
func (a *Assembler) JmpTo(o Operand) { a.put(enc{op: []byte{0xFF}, reg: 4, rm: o}) }

// CallTo calls the address in a 64-bit register or memory operand.
func (a *Assembler) CallTo(o Operand) { a.put(enc{op: []byte{0xFF}, reg: 2, rm: o}) }

// Instructions without operands.
func (a *Assembler) Ret()      { a.Data(0xC3) }
func (a *Assembler) Nop()      { a.Data(0x90) }
func (a *Assembler) Int3()     { a.Data(0xCC) }
func (a *Assembler) Hlt()      { a.Data(0xF4) }
func (a *Assembler) Ud2()      { a.Data(0x0F, 0x0B) }
func (a *Assembler) Pushfq()   { a.Data(0x9C) }
func (a *Assembler) Popfq()    { a.Data(0x9D) }
func (a *Assembler) Cld()      { a.Data(0xFC) }
func (a *Assembler) RepMovsb() { a.Data(0xF3, 0xA4) }
func (a *Assembler) RepStosb() { a.Data(0xF3, 0xAA) }
func (a *Assembler) Cpuid()    { a.Data(0x0F, 0xA2) }
func (a *Assembler) Syscall()  { a.Data(0x0F, 0x05) }
func (a *Assembler) Rdtsc()    { a.Data(0x0F, 0x31) }
func (a *Assembler) Xgetbv()   { a.Data(0x0F, 0x01, 0xD0) }
func (a *Assembler) Enclu()    { a.Data(0x0F, 0x01, 0xD7) }
func (a *Assembler) Pause()    { a.Data(0xF3, 0x90) }

// Rdrand is RDRAND of a 32- or 64-bit register.
func (a *Assembler) Rdrand(r Reg) {
	a.put(enc{w: r.Size() == 8, op: []byte{0x0F, 0xC7}, reg: 6, rm: r})
}

// The FSGSBASE instructions on a 64-bit register.
func (a *Assembler) Rdfsbase(r Reg) { a.fsgs(0, r) }
func (a *Assembler) Rdgsbase(r Reg) { a.fsgs(1, r) }
func (a *Assembler) Wrfsbase(r Reg) { a.fsgs(2, r) }
func (a *Assembler) Wrgsbase(r Reg) { a.fsgs(3, r) }

func (a *Assembler) fsgs(n byte, r Reg) {
	a.put(enc{prefix: 0xF3, w: true, op: []byte{0x0F, 0xAE}, reg: n, rm: r})
}

// Ldmxcsr loads MXCSR from memory.
func (a *Assembler) Ldmxcsr(m Mem) { a.put(enc{op: []byte{0x0F, 0xAE}, reg: 2, rm: m}) }

// Stmxcsr stores MXCSR to memory.
func (a *Assembler) Stmxcsr(m Mem) { a.put(enc{op: []byte{0x0F, 0xAE}, reg: 3, rm: m}) }
