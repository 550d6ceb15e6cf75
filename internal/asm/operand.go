package asm

import "fmt"

// An Operand is a register, an immediate or a memory reference.
type Operand interface{ operand() }

// Reg is a general-purpose register of 8, 32 or 64 bits. The zero Reg is no
// register.
type Reg uint16

// The low byte of a Reg is its number, the high byte its size in bytes.
const (
	RAX Reg = 8<<8 + iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
)

// Registers of 32 bits; writing one clears the upper half.
const (
	EAX Reg = 4<<8 + iota
	ECX
	EDX
	EBX
	ESP
	EBP
	ESI
	EDI
	R8D
	R9D
	R10D
	R11D
	R12D
	R13D
	R14D
	R15D
)

// Registers of 8 bits. The legacy high-byte registers are not supported.
const (
	AL Reg = 1<<8 + iota
	CL
	DL
	BL
	SPL
	BPL
	SIL
	DIL
	R8B
	R9B
	R10B
	R11B
	R12B
	R13B
	R14B
	R15B
)

func (Reg) operand() {}

func (r Reg) num() uint8 { return uint8(r) & 15 }

// Size returns the register's size in bytes.
func (r Reg) Size() int { return int(r >> 8) }

// Vec is a vector register: X0 to X15 name its 128-bit form; the VEX
// instructions use the same numbers for 256 bits.
type Vec uint8

// Vector registers.
const (
	X0 Vec = iota
	X1
	X2
	X3
	X4
	X5
	X6
	X7
	X8
	X9
	X10
	X11
	X12
	X13
	X14
	X15
)

func (Vec) operand() {}

// Imm is an immediate.
type Imm int64

func (Imm) operand() {}

func (i Imm) fits8() bool  { return int64(i) == int64(int8(i)) }
func (i Imm) fits32() bool { return int64(i) == int64(int32(i)) }

// Segment is a segment override.
type Segment uint8

// Segments that have a base in 64-bit mode, by their prefix.
const (
	FS Segment = 0x64
	GS Segment = 0x65
)

// Mem is a memory reference. Without Base, Index and Label it is the absolute
// address Disp (sign-extended); with Label it is RIP-relative.
type Mem struct {
	Base, Index Reg
	Scale       uint8 // of Index: 1, 2, 4 or 8
	Disp        int32
	Label       string
	Seg         Segment
	Size        int // of the access in bytes where no register tells; 0 is 8
}

func (Mem) operand() {}

// Ptr is [base+disp].
func Ptr(base Reg, disp int32) Mem { return Mem{Base: base, Disp: disp} }

// PtrIndex is [base+index*scale+disp].
func PtrIndex(base, index Reg, scale uint8, disp int32) Mem {
	return Mem{Base: base, Index: index, Scale: scale, Disp: disp}
}

// At is the RIP-relative address of a label.
func At(label string) Mem { return Mem{Label: label} }

// In is seg:[disp].
func In(seg Segment, disp int32) Mem { return Mem{Seg: seg, Disp: disp} }

// Sized returns m as an access of size bytes.
func (m Mem) Sized(size int) Mem {
	m.Size = size
	return m
}

func (m Mem) check() error {
	if m.Label != "" && (m.Base != 0 || m.Index != 0) {
		return fmt.Errorf("%w: a label with a base or an index", ErrOperand)
	}
	if m.Base != 0 && m.Base.Size() != 8 || m.Index != 0 && m.Index.Size() != 8 {
		return fmt.Errorf("%w: an address register that is not 64-bit", ErrOperand)
	}
	if m.Index == RSP {
		return fmt.Errorf("%w: RSP as index", ErrOperand)
	}
	return nil
}
