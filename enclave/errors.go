package enclave

import (
	"errors"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/isa"
)

// Errors of PowerOn, Load and calls. They are wrapped with detail.
var (
	ErrNoEngine   = errors.New("enclave: no engine: linux/amd64 has one, which a program imports as github.com/feidi-dev/feidi/cpu/native")
	ErrSimulation = errors.New("enclave: built for simulation: link it with the hardware runtime (SGX_MODE=HW) to run it here")
	ErrUnsigned   = errors.New("enclave: not signed: sign it, or give its SIGSTRUCT")
	ErrMemory     = errors.New("enclave: needs more memory than the machine has")
	ErrDestroyed  = errors.New("enclave: destroyed")
	// ErrThreadBusy is returned by a call on a Thread that is in a call.
	ErrThreadBusy = errors.New("enclave: the thread is in another call")
	// ErrThreadLost is returned by a call on a Thread that was released, or
	// whose TCS holds the state of a call that did not end.
	ErrThreadLost = errors.New("enclave: the thread was released, or stopped inside the enclave, and cannot be used again")
	// ErrOCallOver is returned to who uses an OCALL after it has returned.
	ErrOCallOver = errors.New("enclave: the OCALL has returned: what belongs to it is gone")
)

// FaultError is an exception inside an enclave that the enclave did not
// handle. It unwraps to its Status.
type FaultError struct {
	Status Status     // what the enclave, or the runtime, made of it
	Vector isa.Vector // the exception
	RIP    uint64     // offset of the instruction in the enclave, or its address if outside
	Inside bool       // RIP is an offset
	Addr   uint64     // #PF: the address
	Symbol string     // nearest function, or ""
	Plus   uint64     // bytes from its start
	Cause  string     // the engine's explanation
}

// Error describes the fault in one line.
func (f *FaultError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "enclave: %v: %v", f.Status, f.Vector)
	if f.Vector == isa.VectorPF {
		fmt.Fprintf(&b, " on address %#x", f.Addr)
	}
	switch {
	case !f.Inside:
		fmt.Fprintf(&b, " at %#x, outside the enclave", f.RIP)
	case f.Symbol != "":
		fmt.Fprintf(&b, " at offset %#x in %s+%#x", f.RIP, f.Symbol, f.Plus)
	default:
		fmt.Fprintf(&b, " at offset %#x", f.RIP)
	}
	if f.Cause != "" {
		b.WriteString(": " + f.Cause)
	}
	return b.String()
}

// Unwrap returns the status.
func (f *FaultError) Unwrap() error { return f.Status }
