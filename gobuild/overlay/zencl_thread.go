//go:build feidi

package runtime

import (
	"internal/runtime/atomic"
	"unsafe"
)

// enclTD is what the gate knows of a thread. GS points to it; it is part of the
// enclave's measured pages and unknown to the garbage collector. Its order is
// that of this declaration; the assembly learns the offsets from go_asm.h.
type enclTD struct {
	self   uintptr
	gateSP uintptr // where the gate's stack begins
	ssa    uintptr // the GPRSGX area of the first SSA frame

	// What belongs to the host: its stack and where it is to be returned to,
	// of the entry that runs the thread and of one for an exception.
	hostSP, hostBP, hostRet    uint64
	xhostSP, xhostBP, xhostRet uint64

	state  uint32 // free, in an OCALL, or inside
	tid    int32
	inGate uint64 // not 0 while the gate is at work

	ocallSP, ocallBP uint64
	appG, xappG      uint64  // the program's g, while the gate is at work
	block            uintptr // untrusted: where requests are made
	blockNr          uint64

	// The program's registers at its last call of the gate, in the order of
	// the GPRSGX area, and whether all of them are to come back.
	regs [enclRegs]uint64
	full uint64
	fp   uint64 // the XSAVE image in the page after this one is to come back, too

	pending uint64 // signals that wait, signal n in bit n-1
	mask    uint64 // signals that are blocked
	altSP   uintptr
	altSize uintptr

	// Futex: the thread waits for a word.
	next   uintptr
	addr   uintptr
	queued uint32

	gateG g // has the bounds of the gate's stack, and nothing else
	xcptG g
}

// Indexes of registers, in the order of the GPRSGX area.
const (
	enclAX = iota
	enclCX
	enclDX
	enclBX
	enclSP
	enclBP
	enclSI
	enclDI
	enclR8
	enclR9
	enclR10
	enclR11
	enclR12
	enclR13
	enclR14
	enclR15
	enclFlags
	enclIP
	enclRegs
)

// Where the thread's pages are, from its TCS on. The assembly knows, too.
const (
	enclTDOff   = 0x3000
	enclFPOff   = 0x1000 // from the enclTD: the XSAVE image
	enclTLSSlot = 0x1000 - 8
)

// An enclTD and the word that FS-8 is share a page.
var _ [enclTLSSlot - unsafe.Sizeof(enclTD{})]byte

// States of a thread.
const (
	enclFree = 0
	enclOut  = 2
	enclIn   = 3
)

func enclentry()
func enclvdso()
func enclocall()
func enclEndThread()
func enclPause()
func enclTSC() uint64
func enclRandom() (v uint64, ok bool)
func enclReport(target, data, report uintptr)
func enclWhere() uintptr
func enclText() (rt0, sigreturn, first, last uintptr)

// enclParams are what the builder says of the enclave. It finds them by the
// first two words and fills in the rest, which is measured.
var enclParams = [16]uint64{enclMagic0, enclMagic1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}

const (
	enclMagic0 = 0x9d1c5a7be3f08264
	enclMagic1 = 0x41b6f2d80e97c35a
)

// Indexes of parameters. Addresses are those that the linker gave.
const (
	enclPLink     = 2  // of enclParams
	enclPRela     = 3  // of the relocations
	enclPRelaNum  = 4  // number of them
	enclPData     = 5  // of the writable segments, where relocations may be
	enclPDataEnd  = 6  // of their end
	enclPSize     = 7  // of ELRANGE, in bytes
	enclPHeap     = 8  // of the heap, from the base of ELRANGE
	enclPHeapSize = 9  // in bytes
	enclPTCS      = 10 // of the first TCS, from the base of ELRANGE
	enclPStep     = 11 // from one TCS to the next
	enclPThreads  = 12 // number of them
	enclPFlags    = 13
)

// Flags of parameters.
const (
	enclFDebugEnv = 1 << iota // GODEBUG and its like pass in every enclave
)

// enclOpen reports whether the enclave can be debugged anyway, or was built as
// if it could.
func enclOpen() bool { return enclIsDbg || enclParams[enclPFlags]&enclFDebugEnv != 0 }

// enclSilent reports whether values stay out of what the runtime writes when
// the program crashes: the host can make it crash when it likes.
func enclSilent() bool { return !enclOpen() }

// What the enclave found out of itself, when it was initialised.
var (
	enclBegin  uintptr // ELRANGE
	enclEnd    uintptr
	enclXFRM   uint64
	enclMXCSR  uint32 = 0x1F80
	enclIsDbg  bool
	enclReady  uint32 // 1 once INIT has succeeded
	enclBooted uint32 // 1 once the program was started
	enclGone   uint32 // 1 once it has ended
	enclBusy   uint32 // threads that are in use
	enclTid    int32  // the last that was given
	enclSpawns uint32 // threads that the program has started
	enclTicks  uint64
	enclMono   int64 // the latest monotonic time that anybody was told

	// From the boot block, checked.
	enclBlocks    uintptr
	enclBlockNum  uint64
	enclClock     uintptr
	enclCPUs      uint64
	enclCPUIDRows uint32
	enclCPUID     [enclMaxCPUIDRows * 6]uint32

	// An XSAVE image of the initial state, to be aligned.
	enclInitFP [64 + 576 + 64]byte

	enclGateText, enclGateTextEnd uintptr
)

// enclInside reports whether all of [p, p+n) is inside the enclave.
func enclInside(p, n uintptr) bool {
	return p >= enclBegin && p <= enclEnd && n <= enclEnd-p
}

// enclOutside reports whether all of [p, p+n) is outside the enclave.
func enclOutside(p, n uintptr) bool {
	return p+n >= p && (p+n <= enclBegin || p >= enclEnd)
}

// What package inside knows of the enclave.
//
//go:linkname enclBegin
//go:linkname enclEnd
//go:linkname enclThreads

func enclThreads() uint64 { return enclParams[enclPThreads] }

// enclThread returns thread i.
func enclThread(i uint64) *enclTD {
	return (*enclTD)(unsafe.Pointer(enclBegin + uintptr(enclParams[enclPTCS]+i*enclParams[enclPStep]) + enclTDOff))
}

// Words of memory outside are read and written by these, once each.

//go:nosplit
func enclLoad(p uintptr) uint64 { return atomic.Load64((*uint64)(unsafe.Pointer(p))) }

//go:nosplit
func enclStore(p uintptr, v uint64) { *(*uint64)(unsafe.Pointer(p)) = v }
