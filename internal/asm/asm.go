// Package asm is a small x86-64 assembler: a builder with one method for each
// instruction that the project's own test enclaves need. It makes bytes only
// and so runs on every platform.
//
// Methods never fail. Mistakes (an operand that has no encoding, an undefined
// or repeated label, a branch that does not reach) are collected and returned
// by Assemble.
//
//	a := asm.New()
//	a.Func("sum") // func(p *byte, n uint64) uint64, System V
//	a.Xor(asm.EAX, asm.EAX)
//	a.Label("loop")
//	a.Test(asm.RSI, asm.RSI)
//	a.Jcc(asm.Z, "done")
//	a.Dec(asm.RSI)
//	a.Movzx(asm.ECX, asm.PtrIndex(asm.RDI, asm.RSI, 1, 0).Sized(1))
//	a.Add(asm.RAX, asm.RCX)
//	a.Jmp("loop")
//	a.Label("done")
//	a.Ret()
//	p, err := a.Assemble(0x1000)
package asm

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Errors that Assemble returns, wrapped with detail.
var (
	ErrUndefined = errors.New("undefined label")
	ErrDuplicate = errors.New("label defined twice")
	ErrRange     = errors.New("value out of range")
	ErrOperand   = errors.New("operand not encodable")
)

// Assembler collects instructions and data. Use New.
type Assembler struct {
	buf    []byte
	labels map[string]int64 // relative to the origin
	fixed  map[string]int64 // absolute, from Define
	fixups []fixup
	funcs  []Func
	errs   []error
}

// A fixup is a field that waits for a label's address: relative to end (the
// next instruction) in branches and memory references, absolute otherwise.
type fixup struct {
	at, size int
	label    string
	addend   int64
	end      int // -1 for absolute
}

// Func is a function of a Program: a named range of code.
type Func struct {
	Name  string
	Start uint64 // absolute, with the origin
	Size  uint64
}

// Program is assembled code.
type Program struct {
	Origin uint64
	Code   []byte
	Funcs  []Func // in ascending order

	labels map[string]int64
}

// New returns an empty Assembler.
func New() *Assembler {
	return &Assembler{labels: map[string]int64{}, fixed: map[string]int64{}}
}

func (a *Assembler) fail(err error, what string) {
	a.errs = append(a.errs, fmt.Errorf("asm: offset %#x: %s: %w", len(a.buf), what, err))
}

// Len returns the number of bytes emitted so far.
func (a *Assembler) Len() int { return len(a.buf) }

// Label defines name as the current position.
func (a *Assembler) Label(name string) {
	if a.defined(name) {
		a.fail(ErrDuplicate, name)
		return
	}
	a.labels[name] = int64(len(a.buf))
}

// Define defines name as an absolute address outside the code.
func (a *Assembler) Define(name string, address uint64) {
	if a.defined(name) {
		a.fail(ErrDuplicate, name)
		return
	}
	a.fixed[name] = int64(address)
}

func (a *Assembler) defined(name string) bool {
	_, l := a.labels[name]
	_, f := a.fixed[name]
	return l || f
}

// Func ends the current function, if any, and begins another, whose name is
// also a label.
func (a *Assembler) Func(name string) {
	a.EndFunc()
	a.Label(name)
	a.funcs = append(a.funcs, Func{Name: name, Start: uint64(len(a.buf))})
}

// EndFunc ends the current function.
func (a *Assembler) EndFunc() {
	if n := len(a.funcs); n > 0 && a.funcs[n-1].Size == 0 {
		a.funcs[n-1].Size = uint64(len(a.buf)) - a.funcs[n-1].Start
	}
}

// Data emits bytes.
func (a *Assembler) Data(b ...byte) { a.buf = append(a.buf, b...) }

// Data64 emits 64-bit little-endian words.
func (a *Assembler) Data64(v ...uint64) {
	for _, w := range v {
		a.buf = binary.LittleEndian.AppendUint64(a.buf, w)
	}
}

// DataDiff emits the 32-bit distance from the position of label from to that
// of label to, for position-independent tables.
func (a *Assembler) DataDiff(to, from string) {
	off, ok := a.labels[from]
	if !ok {
		a.fail(ErrUndefined, from)
		return
	}
	a.fixups = append(a.fixups, fixup{at: len(a.buf), size: 4, label: to, end: int(off)})
	a.buf = append(a.buf, 0, 0, 0, 0)
}

// Position returns the offset of a label from the start of the code, whatever
// is still undefined.
func (a *Assembler) Position(label string) (offset int, ok bool) {
	off, ok := a.labels[label]
	return int(off), ok
}

// Align emits fill until the position is a multiple of n, a power of two.
func (a *Assembler) Align(n int, fill byte) {
	if n <= 0 || n&(n-1) != 0 {
		a.fail(ErrRange, fmt.Sprintf("align %d", n))
		return
	}
	for len(a.buf)&(n-1) != 0 {
		a.buf = append(a.buf, fill)
	}
}

// Assemble resolves labels for code at origin. The Assembler may be used
// further and assembled again.
func (a *Assembler) Assemble(origin uint64) (*Program, error) {
	p := &Program{Origin: origin, Code: append([]byte(nil), a.buf...), labels: map[string]int64{}}
	for n, v := range a.labels {
		p.labels[n] = v + int64(origin)
	}
	for n, v := range a.fixed {
		p.labels[n] = v
	}
	errs := append([]error(nil), a.errs...)
	for _, f := range a.fixups {
		if err := p.fix(f); err != nil {
			errs = append(errs, fmt.Errorf("asm: offset %#x: %s: %w", f.at, f.label, err))
		}
	}
	for i, f := range a.funcs {
		if i == len(a.funcs)-1 && f.Size == 0 {
			f.Size = uint64(len(a.buf)) - f.Start
		}
		f.Start += origin
		p.Funcs = append(p.Funcs, f)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return p, nil
}

func (p *Program) fix(f fixup) error {
	v, ok := p.labels[f.label]
	if !ok {
		return ErrUndefined
	}
	v += f.addend
	if f.end >= 0 {
		v -= int64(p.Origin) + int64(f.end)
	}
	field := p.Code[f.at:]
	switch f.size {
	case 1:
		if !Imm(v).fits8() {
			return fmt.Errorf("%w: distance %d in 8 bits", ErrRange, v)
		}
		field[0] = byte(v)
	case 4:
		if !Imm(v).fits32() {
			return fmt.Errorf("%w: distance %d in 32 bits", ErrRange, v)
		}
		binary.LittleEndian.PutUint32(field, uint32(v))
	}
	return nil
}

// Address returns the absolute address of a label.
func (p *Program) Address(label string) (uint64, bool) {
	v, ok := p.labels[label]
	return uint64(v), ok
}
