package cpu

import (
	"errors"

	"github.com/feidi-dev/feidi/isa"
)

// An Event is one executed leaf, as Config.Trace sees it.
type Event struct {
	Leaf     string
	Operands []Operand
	Err      error // nil, an isa.ErrorCode or a *Fault
}

// An Operand is a named operand of a leaf.
type Operand struct {
	Name  string
	Value uint64
}

// Result returns "0", the manual's name of the error code, or the fault.
func (e *Event) Result() string {
	if e.Err == nil {
		return "0"
	}
	return e.Err.Error()
}

func (p *Processor) traceENCLS(leaf isa.ENCLS, err error, ops ...Operand) {
	p.trace(Event{Leaf: leaf.String(), Operands: ops, Err: err})
}

func (p *Processor) traceENCLU(leaf isa.ENCLU, err error, ops ...Operand) {
	p.trace(Event{Leaf: leaf.String(), Operands: ops, Err: err})
}

// gp returns a #GP(0).
func gp(leaf, reason string) error {
	return &Fault{Vector: isa.VectorGP, Leaf: leaf, Reason: reason}
}

// pf returns the #PF that a leaf raises for an operand: the page tables allow
// the access, and SGX does not.
func pf(leaf string, addr uint64, reason string) error {
	return &Fault{Vector: isa.VectorPF, ErrorCode: isa.PFPresent | isa.PFSGX, Addr: addr, Leaf: leaf, Reason: reason}
}

// errorCode splits the result of a leaf into what it leaves in RAX and the
// fault, if it faulted.
func errorCode(err error) (isa.ErrorCode, error) {
	var code isa.ErrorCode
	if err == nil || errors.As(err, &code) {
		return code, nil
	}
	return 0, err
}
