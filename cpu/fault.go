package cpu

import (
	"fmt"

	"github.com/feidi-dev/feidi/isa"
)

// Fault is an exception that a leaf or an access raises in place of
// completing. A leaf that completes with an information code returns an
// isa.ErrorCode instead.
type Fault struct {
	Vector    isa.Vector
	ErrorCode uint32 // #PF: isa.PF bits; #GP: 0
	Addr      uint64 // #PF: the linear (or physical) address that faulted
	Leaf      string // the leaf that faulted, or "" for a plain access
	Reason    string // the manual's condition, in a few words
}

// Error describes the fault in one line.
func (f *Fault) Error() string {
	s := f.Vector.String()
	if f.Leaf != "" {
		s = f.Leaf + ": " + s
	}
	if f.Vector == isa.VectorPF {
		s += fmt.Sprintf(" at %#x (error code %#x)", f.Addr, f.ErrorCode)
	}
	if f.Reason != "" {
		s += ": " + f.Reason
	}
	return s
}
