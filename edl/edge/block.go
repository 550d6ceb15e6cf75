// Package edge is how values of Go cross the border of an enclave: what code
// generated from an EDL for either side is made of.
//
// A [Caller] makes a call: an ECALL from outside, or an OCALL from inside. It
// packs arguments into untrusted memory, and takes results from it. A [Callee]
// serves one: it checks what it is told, copies it, and packs the results.
// Which side of the border they are on is the business of packages uedge and
// tedge, which give them their way to the untrusted memory.
//
// Values are laid out as the System V ABI for x86-64 does for C, on whatever
// machine this runs.
package edge

import (
	"encoding/binary"
	"math"
)

// Pointer is an address that crosses the border as it is (user_check), and
// that nobody has checked.
type Pointer = uint64

// Block is memory as C has it: a marshalling structure, a struct, a buffer.
// The methods read and write a field at an offset in bytes.
type Block []byte

var le = binary.LittleEndian

// U8 reads 8 bits.
func (b Block) U8(off int) uint8 { return b[off] }

// U16 reads 16 bits.
func (b Block) U16(off int) uint16 { return le.Uint16(b[off:]) }

// U32 reads 32 bits.
func (b Block) U32(off int) uint32 { return le.Uint32(b[off:]) }

// U64 reads 64 bits.
func (b Block) U64(off int) uint64 { return le.Uint64(b[off:]) }

// F32 reads a float.
func (b Block) F32(off int) float32 { return math.Float32frombits(b.U32(off)) }

// F64 reads a double.
func (b Block) F64(off int) float64 { return math.Float64frombits(b.U64(off)) }

// Bool reads a byte; all but zero is true.
func (b Block) Bool(off int) bool { return b[off] != 0 }

// PutU8 writes 8 bits.
func (b Block) PutU8(off int, v uint8) { b[off] = v }

// PutU16 writes 16 bits.
func (b Block) PutU16(off int, v uint16) { le.PutUint16(b[off:], v) }

// PutU32 writes 32 bits.
func (b Block) PutU32(off int, v uint32) { le.PutUint32(b[off:], v) }

// PutU64 writes 64 bits.
func (b Block) PutU64(off int, v uint64) { le.PutUint64(b[off:], v) }

// PutF32 writes a float.
func (b Block) PutF32(off int, v float32) { b.PutU32(off, math.Float32bits(v)) }

// PutF64 writes a double.
func (b Block) PutF64(off int, v float64) { b.PutU64(off, math.Float64bits(v)) }

// PutBool writes a byte, 0 or 1.
func (b Block) PutBool(off int, v bool) {
	b[off] = 0
	if v {
		b[off] = 1
	}
}
