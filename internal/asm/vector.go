package asm

// move emits a vector load (opcode op) or store (opcode op+delta).
func (a *Assembler) move(prefix, op, delta byte, dst, src Operand) {
	if _, load := dst.(Vec); load {
		a.vec(prefix, dst, src, 0x0F, op)
		return
	}
	a.vec(prefix, src, dst, 0x0F, op+delta)
}

// vec emits a vector instruction with the register in ModRM.reg.
func (a *Assembler) vec(prefix byte, reg, rm Operand, op ...byte) {
	r, ok := reg.(Vec)
	if _, gp := rm.(Reg); !ok || gp {
		a.fail(ErrOperand, "vector instruction")
		return
	}
	a.put(enc{prefix: prefix, op: op, reg: uint8(r), rm: rm})
}

// Movdqu moves 128 bits; one operand is a vector register.
func (a *Assembler) Movdqu(dst, src Operand) { a.move(0xF3, 0x6F, 0x10, dst, src) }

// Movdqa is Movdqu for memory aligned to 16 bytes.
func (a *Assembler) Movdqa(dst, src Operand) { a.move(0x66, 0x6F, 0x10, dst, src) }

// Movups moves 128 bits; one operand is a vector register.
func (a *Assembler) Movups(dst, src Operand) { a.move(0, 0x10, 1, dst, src) }

// Two-operand integer arithmetic. A memory operand must be aligned to 16.
func (a *Assembler) Pxor(dst Vec, src Operand)    { a.vec(0x66, dst, src, 0x0F, 0xEF) }
func (a *Assembler) Paddq(dst Vec, src Operand)   { a.vec(0x66, dst, src, 0x0F, 0xD4) }
func (a *Assembler) Pcmpeqb(dst Vec, src Operand) { a.vec(0x66, dst, src, 0x0F, 0x74) }

// Divsd divides the low doubles.
func (a *Assembler) Divsd(dst Vec, src Operand) { a.vec(0xF2, dst, src, 0x0F, 0x5E) }

// Pmovmskb collects the sign bits of src's bytes in dst.
func (a *Assembler) Pmovmskb(dst Reg, src Vec) {
	a.put(enc{prefix: 0x66, op: []byte{0x0F, 0xD7}, reg: dst.num(), rm: src})
}

// Pshufd shuffles the doublewords of src by order.
func (a *Assembler) Pshufd(dst Vec, src Vec, order uint8) {
	a.put(enc{prefix: 0x66, op: []byte{0x0F, 0x70}, reg: uint8(dst), rm: src, imm: []byte{order}})
}

// Pslldq shifts left by whole bytes.
func (a *Assembler) Pslldq(dst Vec, bytes uint8) {
	a.put(enc{prefix: 0x66, op: []byte{0x0F, 0x73}, reg: 7, rm: dst, imm: []byte{bytes}})
}

// AES-NI.
func (a *Assembler) Aesenc(dst Vec, src Operand)     { a.vec(0x66, dst, src, 0x0F, 0x38, 0xDC) }
func (a *Assembler) Aesenclast(dst Vec, src Operand) { a.vec(0x66, dst, src, 0x0F, 0x38, 0xDD) }

// Aeskeygenassist is AESKEYGENASSIST with round constant rcon.
func (a *Assembler) Aeskeygenassist(dst, src Vec, rcon uint8) {
	a.put(enc{prefix: 0x66, op: []byte{0x0F, 0x3A, 0xDF}, reg: uint8(dst), rm: src, imm: []byte{rcon}})
}

// Vmovups moves 256 bits (AVX); one operand is a vector register, the other
// memory.
func (a *Assembler) Vmovups(dst, src Operand) {
	op := byte(0x10)
	if _, store := dst.(Mem); store {
		dst, src, op = src, dst, 0x11
	}
	v, ok1 := dst.(Vec)
	mem, ok2 := src.(Mem)
	if !ok1 || !ok2 {
		a.fail(ErrOperand, "vmovups")
		return
	}
	if err := mem.check(); err != nil {
		a.fail(err, "vmovups")
		return
	}
	if mem.Seg != 0 {
		a.Data(byte(mem.Seg))
	}
	// VEX: map 0F, no second source, 256 bits; R, X and B are inverted.
	r, xb := uint8(v)>>3, mem.Index.num()>>3<<1|mem.Base.num()>>3
	if xb == 0 {
		a.Data(0xC5, ^r<<7|0x7C, op)
	} else {
		a.Data(0xC4, ^(r<<2|xb)<<5|1, 0x7C, op)
	}
	a.mem(mem, uint8(v)&7, 0)
}

// Vzeroupper is VZEROUPPER (AVX).
func (a *Assembler) Vzeroupper() { a.Data(0xC5, 0xF8, 0x77) }
