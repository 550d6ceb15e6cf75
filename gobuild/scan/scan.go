// Package scan proves that a Go program has no instruction that is illegal
// inside an SGX enclave (SDM Vol. 3D, "Illegal Instructions"). It reads the
// linked file, a position-independent executable for linux/amd64, and decodes
// every executable byte, function by function.
//
// What holds for a program without findings: every function is a sequence of
// whole, known and legal instructions from its first byte to its last; every
// near branch leads to the start of one of them; and what lies between
// functions is padding that traps. An indirect branch is taken to lead where
// the compiler means it to, to a function, a return address or a case of a
// switch. That is for a program that is not malicious: an enclave's own code
// cannot break SGX, whatever it is. The processor refuses what the scan finds;
// the scan says so before the program runs.
//
// The package is not a disassembler. It knows lengths of instructions, and the
// names of those that matter.
package scan

import (
	"errors"
	"fmt"
	"strconv"
)

// Class is what kind of finding it is.
type Class uint8

// The classes.
const (
	// Illegal is an instruction that faults in an enclave.
	Illegal Class = iota
	// Timestamp is RDTSC or RDTSCP: they fault in an enclave of a processor
	// without SGX2.
	Timestamp
	// Undecodable is where no known instruction begins. The scan goes on a
	// byte later.
	Undecodable
	// Branch is a near branch that leads into the middle of an instruction,
	// or to no code.
	Branch
	// Foreign is a function that did not come from a Go object, but for
	// example from a .syso file.
	Foreign
	// Stray is executable memory that belongs to no function and is not
	// padding.
	Stray
)

// String returns the Instruction of findings that are not of one.
func (c Class) String() string {
	names := [...]string{"(illegal)", "(timestamp)", "(undecodable)", "(branch)", "(foreign function)", "(stray code)"}
	return names[min(int(c), len(names)-1)]
}

// Finding is something that should not be in a program for an enclave.
type Finding struct {
	Class       Class
	Function    string // or the section's name, if code is in no function
	Offset      uint64 // virtual address, as linked
	Bytes       []byte // of the file, MaxLen at most
	Instruction string // such as SYSCALL, or the class
	Why         string
}

// String returns one line.
func (f Finding) String() string {
	name := strconv.Quote(f.Function) // it is the file's
	return fmt.Sprintf("%#x %s: %s [% x]: %s", f.Offset, name[1:len(name)-1], f.Instruction, f.Bytes, f.Why)
}

// maxFindings bounds each list of findings of a report.
const maxFindings = 10000

// Report is what a scan found.
type Report struct {
	Findings []Finding // by address
	Allowed  []Finding // those that a rule allows
	More     int       // findings and allowed ones beyond the first 10000 of each

	Functions    int
	Instructions int
	Code         int // bytes of functions
	Padding      int // bytes between functions
}

// ErrFound is wrapped by Report.Err.
var ErrFound = errors.New("not for an enclave")

// Err returns nil if there is no finding, and otherwise one line that tells
// the first.
func (r *Report) Err() error {
	n := len(r.Findings) + r.More
	if n == 0 {
		return nil
	}
	if len(r.Findings) == 0 {
		return fmt.Errorf("scan: %w: too many allowed findings", ErrFound)
	}
	return fmt.Errorf("scan: %w: %v (the first of %d)", ErrFound, r.Findings[0], n)
}

// FormatError says what is wrong with a file and where.
type FormatError struct {
	Offset uint64 // of the offending bytes in the file
	Reason string
}

// Error returns one line.
func (e *FormatError) Error() string {
	return fmt.Sprintf("scan: %s (at offset %#x)", e.Reason, e.Offset)
}

func bad(offset uint64, format string, args ...any) error {
	return &FormatError{offset, fmt.Sprintf(format, args...)}
}
