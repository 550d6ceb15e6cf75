package asm

import "encoding/binary"

// enc describes one instruction to be encoded with a ModRM byte.
type enc struct {
	prefix byte // mandatory prefix (66, F2, F3) or 0
	w      bool // REX.W
	op     []byte
	reg    uint8 // ModRM.reg, a register number or an opcode extension
	rm     Operand
	imm    []byte
	low8   bool // the operands are 8-bit registers: SPL to DIL need a REX
}

func num(o Operand) (uint8, bool) {
	switch r := o.(type) {
	case Reg:
		return r.num(), r != 0
	case Vec:
		return uint8(r), r < 16
	}
	return 0, false
}

// put emits an instruction with its prefixes, ModRM, SIB, displacement and
// immediate.
func (a *Assembler) put(e enc) {
	m, isMem := e.rm.(Mem)
	rm, isReg := num(e.rm)
	if !isMem && !isReg {
		a.fail(ErrOperand, "neither a register nor memory")
		return
	}
	if err := m.check(); err != nil {
		a.fail(err, "memory operand")
		return
	}
	if m.Seg != 0 {
		a.Data(byte(m.Seg))
	}
	if e.prefix != 0 {
		a.Data(e.prefix)
	}
	rex := e.reg >> 3 << 2
	if e.w {
		rex |= 8
	}
	if isMem {
		rex |= m.Base.num()>>3 | m.Index.num()>>3<<1
	} else {
		rex |= rm >> 3
	}
	force := e.low8 && (e.reg >= 4 || isReg && rm >= 4)
	if rex != 0 || force {
		a.Data(0x40 | rex)
	}
	a.Data(e.op...)
	if isReg {
		a.Data(0xC0 | e.reg&7<<3 | rm&7)
	} else {
		a.mem(m, e.reg&7, len(e.imm))
	}
	a.Data(e.imm...)
}

// mem emits ModRM, SIB and displacement of a memory operand; after is the
// number of bytes of the instruction that follow them.
func (a *Assembler) mem(m Mem, reg uint8, after int) {
	reg <<= 3
	if m.Label != "" {
		a.Data(reg | 5)
		at := len(a.buf)
		a.fixups = append(a.fixups, fixup{at: at, size: 4, label: m.Label, addend: int64(m.Disp), end: at + 4 + after})
		a.Data(0, 0, 0, 0)
		return
	}
	scale, ok := map[uint8]byte{0: 0, 1: 0, 2: 0x40, 4: 0x80, 8: 0xC0}[m.Scale]
	if !ok {
		a.fail(ErrOperand, "scale")
		return
	}
	index := byte(4) << 3 // none
	if m.Index != 0 {
		index = m.Index.num() & 7 << 3
	}
	if m.Base == 0 { // SIB with neither base nor RIP
		a.Data(reg|4, scale|index|5)
		a.disp32(m.Disp)
		return
	}
	base := m.Base.num() & 7
	mod := byte(0x80)
	switch {
	case m.Disp == 0 && base != 5:
		mod = 0
	case Imm(m.Disp).fits8():
		mod = 0x40
	}
	if m.Index != 0 || base == 4 {
		a.Data(mod|reg|4, scale|index|base)
	} else {
		a.Data(mod | reg | base)
	}
	switch mod {
	case 0x40:
		a.Data(byte(m.Disp))
	case 0x80:
		a.disp32(m.Disp)
	}
}

func (a *Assembler) disp32(v int32) { a.buf = binary.LittleEndian.AppendUint32(a.buf, uint32(v)) }

// size returns the operand size that one of the operands determines.
func size(ops ...Operand) int {
	for _, o := range ops {
		if r, ok := o.(Reg); ok && r != 0 {
			return r.Size()
		}
	}
	for _, o := range ops {
		if m, ok := o.(Mem); ok && m.Size != 0 {
			return m.Size
		}
	}
	return 8
}

// gp emits an instruction on general-purpose operands: op8 is the opcode for
// 8-bit operands, op the one for larger ones.
func (a *Assembler) gp(size int, op8, op []byte, reg uint8, rm Operand, imm []byte) {
	switch size {
	case 1:
		_, isMem := rm.(Mem)
		a.put(enc{op: op8, reg: reg, rm: rm, imm: imm, low8: !isMem})
	case 4, 8:
		a.put(enc{w: size == 8, op: op, reg: reg, rm: rm, imm: imm})
	default:
		a.fail(ErrOperand, "operand size")
	}
}

func imm32(v Imm) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
