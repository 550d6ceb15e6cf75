package cpu

import (
	"context"
	"fmt"
	"sort"
	"sync"

	"github.com/feidi-dev/feidi/isa"
)

// An Engine executes the code of enclaves that live on a Processor. Engines
// register themselves by name; one conformance suite runs against all of
// them (testsuite/engine).
type Engine interface {
	// Name is the name under which the engine is registered.
	Name() string
	// Processor is the processor whose instructions the engine executes.
	Processor() *Processor
	// Reserve reserves a linear address range for an enclave: size bytes, a
	// power of two, naturally aligned; at exactly base if base is not zero.
	Reserve(size, base uint64) (Range, error)
	// Alloc returns size bytes of ordinary memory that does not move, at an
	// address that enclave code can use.
	Alloc(size int) (Buffer, error)
	// NewThread returns a logical processor for enclaves in r.
	NewThread(r Range) (Thread, error)
	// Close frees what the engine holds. No thread may be running.
	Close() error
}

// A Range is a reserved linear address range with the driver's page tables.
type Range interface {
	Base() uint64
	Size() uint64
	// Space is the range's page tables; Map and Unmap change them.
	Space() *AddressSpace
	// Map maps pages EPC pages that begin at pa to linear addresses that
	// begin at linear. perm are the page-table permissions; what enclave
	// code can do is their intersection with the EPCM's.
	Map(linear uint64, pa PA, pages uint64, perm Perm) error
	// Unmap removes pages mappings from linear on.
	Unmap(linear, pages uint64) error
	// Initialized tells the engine that EINIT succeeded, so that it may
	// prepare the code for execution. functions are what is known of the
	// code, in any order; it may be empty.
	Initialized(functions []Function) error
	// Close unmaps and frees the range.
	Close() error
}

// A Function is a function of an enclave: linear addresses [Start, End).
type Function struct{ Start, End uint64 }

// A Buffer is ordinary memory outside every enclave.
type Buffer interface {
	Addr() uint64
	Bytes() []byte
	Free()
}

// A Thread is one logical processor. It runs one enclave thread at a time and
// may be used by one goroutine at a time, except for Interrupt.
type Thread interface {
	// Run executes ENCLU as the host does: r.RAX is EENTER or ERESUME, r.RBX
	// the TCS, and r.RSP and r.RBP the untrusted stack. It returns when
	// control is outside again, with the registers as they are then. What the
	// leaf itself raises is returned as a *Fault, and then nothing ran. If ctx
	// has ended before, nothing runs either, and its error is returned.
	//
	// An asynchronous interrupt of the host is an AEX that the engine
	// resumes by itself; one asked for by Interrupt, or by ctx ending, is not.
	// Either may come too late for the Run that it is meant for and end the
	// next: then that may be resumed. If the engine's own ERESUME faults, the
	// *Fault is returned with ERESUME in r.RAX, and the thread stays inside.
	Run(ctx context.Context, r *Regs) (Exit, error)
	// Interrupt makes code that runs inside leave by an AEX, soon.
	Interrupt()
	// Regs is where the thread keeps the registers of enclave code. A Run
	// with this pointer need not copy them.
	Regs() *Regs
	// LP is the logical processor's architectural state.
	LP() *LP
	// Close frees the thread. It must not be running.
	Close() error
}

// ExitKind says how control left an enclave.
type ExitKind uint8

// Ways to leave an enclave.
const (
	ExitEEXIT     ExitKind = iota // by the EEXIT leaf
	ExitException                 // by an AEX for an exception
	ExitInterrupt                 // by an AEX for Thread.Interrupt or the context
)

// Exit describes how control left an enclave. Vector, ErrorCode and Addr are
// those of the exception, as the host is told of them: for a #PF the low 12
// bits of the address are cleared (SDM Vol. 3D, "AEX Operational Detail").
// Detail, by contrast, is the whole truth, for people.
type Exit struct {
	Kind      ExitKind
	Vector    isa.Vector
	ErrorCode uint32
	Addr      uint64
	Detail    *Detail // nil for EEXIT
}

// Detail is what a debugger of the emulated machine may know of an AEX, and a
// host on hardware may not.
type Detail struct {
	RIP   uint64 // where in the enclave
	Addr  uint64 // #PF: the whole address
	Cause string // why, if the engine can tell
}

var engines = struct {
	sync.Mutex
	open map[string]func(Config) (Engine, error)
}{open: map[string]func(Config) (Engine, error){}}

// RegisterEngine makes an engine available to Open. It is called from init
// functions of engine packages.
func RegisterEngine(name string, open func(Config) (Engine, error)) {
	engines.Lock()
	defer engines.Unlock()
	if engines.open[name] != nil {
		panic("cpu: two engines are called " + name)
	}
	engines.open[name] = open
}

// Engines returns the names of the registered engines, sorted.
func Engines() []string {
	engines.Lock()
	defer engines.Unlock()
	var names []string
	for n := range engines.open {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Open powers on a processor with the named engine.
func Open(name string, c Config) (Engine, error) {
	engines.Lock()
	open := engines.open[name]
	engines.Unlock()
	if open == nil {
		return nil, fmt.Errorf("cpu: no engine %q on this platform (have %v)", name, Engines())
	}
	return open(c)
}
