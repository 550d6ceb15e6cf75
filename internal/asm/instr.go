package asm

import (
	"encoding/binary"
	"fmt"
)

// rmr emits the forms "r/m, r" (opcode op+1) and "r, r/m" (opcode op+3) of
// the classic two-operand instructions; op is the 8-bit store form.
func (a *Assembler) rmr(name string, op byte, dst, src Operand) bool {
	n := size(dst, src)
	d, dr := dst.(Reg)
	s, sr := src.(Reg)
	if dr && sr && d.Size() != s.Size() {
		a.fail(ErrOperand, name+": sizes differ")
		return true
	}
	_, sm := src.(Mem)
	switch {
	case sr:
		a.gp8(n, []byte{op}, []byte{op + 1}, s, dst)
	case dr && sm:
		a.gp8(n, []byte{op + 2}, []byte{op + 3}, d, src)
	default:
		return false
	}
	return true
}

// gp8 is gp with a register in ModRM.reg.
func (a *Assembler) gp8(n int, op8, op []byte, reg Reg, rm Operand) {
	switch n {
	case 1:
		a.put(enc{op: op8, reg: reg.num(), rm: rm, low8: true})
	case 4, 8:
		a.put(enc{w: n == 8, op: op, reg: reg.num(), rm: rm})
	default:
		a.fail(ErrOperand, "operand size")
	}
}

// Mov is MOV. A 64-bit register takes any immediate; memory takes one of 32
// bits, sign-extended.
func (a *Assembler) Mov(dst, src Operand) {
	if a.rmr("mov", 0x88, dst, src) {
		return
	}
	v, ok := src.(Imm)
	if !ok {
		a.fail(ErrOperand, fmt.Sprintf("mov %v, %v", dst, src))
		return
	}
	n := size(dst)
	r, isReg := dst.(Reg)
	switch {
	case n == 1:
		if v < -128 || v > 255 {
			a.fail(ErrRange, "mov: immediate")
		}
		a.gp(1, []byte{0xC6}, nil, 0, dst, []byte{byte(v)})
	case isReg && n == 4 && v >= -1<<31 && v < 1<<32:
		if r.num() >= 8 {
			a.Data(0x41)
		}
		a.Data(append([]byte{0xB8 | r.num()&7}, imm32(v)...)...)
	case isReg && n == 8 && !v.fits32():
		a.Data(0x48|r.num()>>3, 0xB8|r.num()&7)
		a.buf = binary.LittleEndian.AppendUint64(a.buf, uint64(v))
	case v.fits32() || n == 4 && v >= 0 && v < 1<<32:
		a.gp(n, nil, []byte{0xC7}, 0, dst, imm32(v))
	default:
		a.fail(ErrRange, "mov: immediate")
	}
}

// Movzx is MOVZX of an 8- or 16-bit memory operand (by Size) or an 8-bit
// register into a 32- or 64-bit register.
func (a *Assembler) Movzx(dst Reg, src Operand) {
	op, low8 := byte(0xB6), false
	switch s := src.(type) {
	case Reg:
		low8 = true
		if s.Size() != 1 {
			a.fail(ErrOperand, "movzx: source size")
			return
		}
	case Mem:
		switch s.Size {
		case 1:
		case 2:
			op = 0xB7
		default:
			a.fail(ErrOperand, "movzx: source size")
			return
		}
	}
	if n := dst.Size(); n != 4 && n != 8 {
		a.fail(ErrOperand, "movzx: destination size")
		return
	}
	e := enc{w: dst.Size() == 8, op: []byte{0x0F, op}, reg: dst.num(), rm: src}
	if r, ok := src.(Reg); ok && low8 && r.num() >= 4 {
		e.low8 = true
	}
	a.put(e)
}

// Movsxd is MOVSXD: a 32-bit register or memory operand, sign-extended.
func (a *Assembler) Movsxd(dst Reg, src Operand) {
	a.put(enc{w: true, op: []byte{0x63}, reg: dst.num(), rm: src})
}

// Lea is LEA.
func (a *Assembler) Lea(dst Reg, m Mem) {
	a.gp8(dst.Size(), nil, []byte{0x8D}, dst, m)
}

func (a *Assembler) alu(name string, n byte, dst, src Operand) {
	if a.rmr(name, n<<3, dst, src) {
		return
	}
	v, ok := src.(Imm)
	sz := size(dst)
	switch {
	case !ok:
		a.fail(ErrOperand, fmt.Sprintf("%s %v, %v", name, dst, src))
	case sz == 1:
		if v < -128 || v > 255 {
			a.fail(ErrRange, name+": immediate")
		}
		a.gp(1, []byte{0x80}, nil, n, dst, []byte{byte(v)})
	case v.fits8():
		a.gp(sz, nil, []byte{0x83}, n, dst, []byte{byte(v)})
	case v.fits32() || sz == 4 && v >= 0 && v < 1<<32:
		a.gp(sz, nil, []byte{0x81}, n, dst, imm32(v))
	default:
		a.fail(ErrRange, name+": immediate")
	}
}

// Two-operand arithmetic; immediates are sign-extended from 32 bits.
func (a *Assembler) Add(dst, src Operand) { a.alu("add", 0, dst, src) }
func (a *Assembler) Or(dst, src Operand)  { a.alu("or", 1, dst, src) }
func (a *Assembler) Adc(dst, src Operand) { a.alu("adc", 2, dst, src) }
func (a *Assembler) Sbb(dst, src Operand) { a.alu("sbb", 3, dst, src) }
func (a *Assembler) And(dst, src Operand) { a.alu("and", 4, dst, src) }
func (a *Assembler) Sub(dst, src Operand) { a.alu("sub", 5, dst, src) }
func (a *Assembler) Xor(dst, src Operand) { a.alu("xor", 6, dst, src) }
func (a *Assembler) Cmp(dst, src Operand) { a.alu("cmp", 7, dst, src) }

// Test is TEST with a register or an immediate as source.
func (a *Assembler) Test(dst, src Operand) {
	n := size(dst, src)
	switch s := src.(type) {
	case Reg:
		if d, ok := dst.(Reg); ok && d.Size() != s.Size() {
			a.fail(ErrOperand, "test: sizes differ")
			return
		}
		a.gp8(n, []byte{0x84}, []byte{0x85}, s, dst)
	case Imm:
		switch {
		case n == 1:
			a.gp(1, []byte{0xF6}, nil, 0, dst, []byte{byte(s)})
		case s.fits32() || n == 4 && s >= 0 && s < 1<<32:
			a.gp(n, nil, []byte{0xF7}, 0, dst, imm32(s))
		default:
			a.fail(ErrRange, "test: immediate")
		}
	default:
		a.fail(ErrOperand, fmt.Sprintf("test %v, %v", dst, src))
	}
}

func (a *Assembler) unary(op, n byte, o Operand) {
	sz := size(o)
	a.gp(sz, []byte{op}, []byte{op + 1}, n, o, nil)
}

// One-operand arithmetic. Mul and Div work on RDX:RAX.
func (a *Assembler) Inc(o Operand) { a.unary(0xFE, 0, o) }
func (a *Assembler) Dec(o Operand) { a.unary(0xFE, 1, o) }
func (a *Assembler) Not(o Operand) { a.unary(0xF6, 2, o) }
func (a *Assembler) Neg(o Operand) { a.unary(0xF6, 3, o) }
func (a *Assembler) Mul(o Operand) { a.unary(0xF6, 4, o) }
func (a *Assembler) Div(o Operand) { a.unary(0xF6, 6, o) }

// Imul is IMUL with two operands: dst *= src.
func (a *Assembler) Imul(dst Reg, src Operand) {
	a.gp8(dst.Size(), nil, []byte{0x0F, 0xAF}, dst, src)
}

func (a *Assembler) shift(n byte, dst Operand, by uint8) {
	a.gp(size(dst), []byte{0xC0}, []byte{0xC1}, n, dst, []byte{by})
}

// Shifts and rotations by a constant.
func (a *Assembler) Rol(dst Operand, by uint8) { a.shift(0, dst, by) }
func (a *Assembler) Shl(dst Operand, by uint8) { a.shift(4, dst, by) }
func (a *Assembler) Shr(dst Operand, by uint8) { a.shift(5, dst, by) }
func (a *Assembler) Sar(dst Operand, by uint8) { a.shift(7, dst, by) }

// Bswap is BSWAP.
func (a *Assembler) Bswap(r Reg) {
	if r.Size() == 8 {
		a.Data(0x48|r.num()>>3, 0x0F, 0xC8|r.num()&7)
	} else {
		a.short(r, 0x0F, 0xC8)
	}
}

// short emits an instruction with the register in the opcode's low bits.
func (a *Assembler) short(r Reg, op ...byte) {
	if r.num() >= 8 {
		a.Data(0x41)
	}
	op[len(op)-1] |= r.num() & 7
	a.Data(op...)
}

// Push is PUSH of a 64-bit register, an immediate or a 64-bit memory operand.
func (a *Assembler) Push(o Operand) {
	switch v := o.(type) {
	case Reg:
		a.short(v, 0x50)
	case Imm:
		switch {
		case v.fits8():
			a.Data(0x6A, byte(v))
		case v.fits32():
			a.Data(append([]byte{0x68}, imm32(v)...)...)
		default:
			a.fail(ErrRange, "push: immediate")
		}
	default:
		a.put(enc{op: []byte{0xFF}, reg: 6, rm: o})
	}
}

// Pop is POP of a 64-bit register or memory operand.
func (a *Assembler) Pop(o Operand) {
	if r, ok := o.(Reg); ok {
		a.short(r, 0x58)
		return
	}
	a.put(enc{op: []byte{0x8F}, reg: 0, rm: o})
}
