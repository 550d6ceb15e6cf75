//go:build feidi

package runtime

import (
	"internal/abi"
	"internal/runtime/atomic"
	"unsafe"
)

// Commands of an entry, by the contract of the Intel SDK.
const (
	enclCmdInit   = -1
	enclCmdExcept = -3
)

// Statuses that an entry ends with (sgx_error.h).
const (
	enclSuccess    = 0
	enclUnexpected = 1
	enclBadParam   = 2
	enclBadIndex   = 0x1001
	enclNoThread   = 0x1003
	enclCrashed    = 0x1006
	enclLater      = 0x400A // SGX_ERROR_BUSY: an interrupt came at a moment that does not suit
	enclRun        = ^uintptr(0)
)

// enclEnter serves an entry of a free thread: INIT, the start of the program,
// or another thread of it. It returns the status with which the entry ends, or
// enclRun if the program's registers are to be taken over.
//
// Before INIT nothing is relocated. The code here needs no relocation: it
// refers to data by its distance.
func enclEnter(td *enclTD, cmd int, ms uintptr) uintptr {
	switch {
	case cmd == enclCmdInit:
		return enclInit()
	case atomic.Load(&enclReady) != 1:
		return enclCrashed // not before INIT is done, on whatever thread it is
	case atomic.Load(&enclGone) != 0:
		if cmd == enclECallThread {
			return enclSuccess // the program has ended meanwhile, and this thread with it
		}
		return enclCrashed
	case cmd == enclECallStart:
		return enclStart(td, ms)
	case cmd == enclECallThread:
		return enclBegun(td, ms)
	}
	return enclBadIndex
}

// enclInit relocates the image and finds out where and what the enclave is. It
// succeeds once.
func enclInit() uintptr {
	if !atomic.Cas(&enclReady, 0, 2) {
		return enclUnexpected
	}
	p := &enclParams
	begin := enclWhere() - uintptr(p[enclPLink])
	enclBegin, enclEnd = begin, begin+uintptr(p[enclPSize])
	type rela struct {
		off, info uint64
		addend    int64
	}
	const relative = 8 // R_X86_64_RELATIVE
	for i := uintptr(0); i < uintptr(p[enclPRelaNum]); i++ {
		r := (*rela)(unsafe.Pointer(begin + uintptr(p[enclPRela]) + i*unsafe.Sizeof(rela{})))
		if r.info != relative || r.off < p[enclPData] || r.off > p[enclPDataEnd]-8 {
			return enclUnexpected
		}
		*(*uintptr)(unsafe.Pointer(begin + uintptr(r.off))) = begin + uintptr(r.addend)
	}
	_, _, enclGateText, enclGateTextEnd = enclText()

	// An XSAVE image whose header says that nothing is in use, but for the
	// control words, which are loaded regardless.
	fp := (uintptr(unsafe.Pointer(&enclInitFP)) + 63) &^ 63
	*(*uint16)(unsafe.Pointer(fp)) = 0x37F
	*(*uint32)(unsafe.Pointer(fp + 24)) = enclMXCSR

	// The REPORT says what the enclave is.
	area := (uintptr(unsafe.Pointer(&enclScratch)) + 511) &^ 511
	enclReport(area, area+512, area+1024)
	const attributes, xfrm = 1024 + 48, 1024 + 56
	const debug = 2
	enclIsDbg = enclLoad(area+attributes)&debug != 0
	enclXFRM = enclLoad(area + xfrm)
	if enclXFRM&^0xE7 != 0 { // an SSA frame has one page
		return enclUnexpected
	}
	atomic.Store(&enclReady, 1)
	return enclSuccess
}

var (
	enclScratch [512 + 512 + 512 + 512]byte // TARGETINFO, REPORTDATA and REPORT, to be aligned
	enclStack   [256 << 10]byte             // of the first thread
	enclBoot    [enclMaxBoot]byte           // the boot block
	enclArgs    [enclMaxArgs]uintptr        // argv, envp and the auxiliary vector
	enclSeed    [16]byte
)

const (
	enclMaxArgs = 8192
	enclTail    = 64 // words for what follows argv and envp
)

// enclStart makes the first thread ready to run the program. It succeeds once.
func enclStart(td *enclTD, ms uintptr) uintptr {
	if !atomic.Cas(&enclBooted, 0, 1) {
		return enclUnexpected
	}
	if !enclOutside(ms, enclBootHeader) || enclLoad(ms+enclBootMagicOff) != enclBootMagic {
		return enclBadParam
	}
	n := uintptr(enclLoad(ms + enclBootSize))
	if n < enclBootHeader || n > enclMaxBoot || !enclOutside(ms, n) {
		return enclBadParam
	}
	b := uintptr(unsafe.Pointer(&enclBoot))
	memmove(unsafe.Pointer(b), unsafe.Pointer(ms), n)
	word := func(off uintptr) uint64 { return *(*uint64)(unsafe.Pointer(b + off)) }

	enclBlocks, enclBlockNum = uintptr(word(enclBootBlocks)), word(enclBootCount)
	if enclBlockNum == 0 || enclBlockNum > 4096 || enclBlocks%8 != 0 || !enclOutside(enclBlocks, uintptr(enclBlockNum)*enclBlockSize) {
		return enclBadParam
	}
	clock := uintptr(word(enclBootClock))
	if clock != 0 && (clock%8 != 0 || !enclOutside(clock, enclClockSize)) {
		return enclBadParam
	}
	enclClock = clock
	enclCPUs = max(1, min(word(enclBootCPUs), enclMaxCPUs()))
	if !enclSetBlock(td, uintptr(word(enclBootBlock))) {
		return enclBadParam
	}
	if status := enclCPU(b, n, word(enclBootCPUID), word(enclBootCPUIDRows)); status != enclSuccess {
		return status
	}
	for i := uintptr(0); i < 2; i++ {
		v, ok := enclRandom64()
		if !ok {
			return enclUnexpected
		}
		*(*uint64)(unsafe.Pointer(uintptr(unsafe.Pointer(&enclSeed)) + 8*i)) = v
	}
	argc, ok := enclVector(b, n, word)
	if !ok {
		return enclBadParam
	}
	enclHeapInit()
	vdsoClockgettimeSym = abi.FuncPCABI0(enclvdso)

	td.tid = 1
	enclTid = 1
	enclBusy = 1
	rt0, _, _, _ := enclText()
	td.regs = [enclRegs]uint64{}
	td.regs[enclIP] = uint64(rt0)
	td.regs[enclSP] = uint64(uintptr(unsafe.Pointer(&enclStack))+unsafe.Sizeof(enclStack)-256) &^ 63
	td.regs[enclDI] = uint64(argc)
	td.regs[enclSI] = uint64(uintptr(unsafe.Pointer(&enclArgs)))
	td.regs[enclFlags] = 0x202
	td.full = 1
	td.mask, td.pending, td.altSP, td.altSize = 0, 0, 0, 0
	return enclRun
}

// enclMaxCPUs is how many processors the program may be told of. Go has a thread
// for each of them, some for itself, and one for each goroutine that waits in a
// system call, and crashes where it cannot have another one.
func enclMaxCPUs() uint64 {
	const own = 4
	return max(1, (enclParams[enclPThreads]-own)/2)
}

// enclVector builds argv, envp and the auxiliary vector from the boot block.
func enclVector(b, n uintptr, word func(uintptr) uint64) (argc uintptr, ok bool) {
	at := 0
	put := func(v uintptr) {
		enclArgs[at] = v
		at++
	}
	strings := func(off uintptr, count uint64, keep func(uintptr) bool) bool {
		for ; count > 0; count-- {
			if off >= n || at >= enclMaxArgs-enclTail {
				return false
			}
			s, end := off, off
			for *(*byte)(unsafe.Pointer(b + end)) != 0 {
				if end++; end >= n {
					return false
				}
			}
			off = end + 1
			if keep(b + s) {
				put(b + s)
			}
		}
		return true
	}
	if !strings(uintptr(word(enclBootArgs)), word(enclBootArgCount), func(uintptr) bool { return true }) {
		return 0, false
	}
	argc = uintptr(at)
	put(0)
	if !strings(uintptr(word(enclBootEnv)), word(enclBootEnvCount), enclEnvAllowed) {
		return 0, false
	}
	put(0)
	const pagesz, random, null = 6, 25, 0
	put(pagesz)
	put(4096)
	put(random)
	put(uintptr(unsafe.Pointer(&enclSeed)))
	put(null)
	put(0)
	return argc, true
}

// enclEnvAllowed reports whether a variable may reach the program. GODEBUG
// turns off what protects it, so it gets that only if it is open.
func enclEnvAllowed(s uintptr) bool {
	if enclOpen() {
		return true
	}
	const godebug = "GODEBUG="
	for i := 0; i < len(godebug); i++ {
		if *(*byte)(unsafe.Pointer(s + uintptr(i))) != godebug[i] {
			return true
		}
	}
	return false
}

// enclSetBlock gives the thread a block of untrusted memory.
func enclSetBlock(td *enclTD, nr uintptr) bool {
	if uint64(nr) >= enclBlockNum {
		return false
	}
	td.blockNr = uint64(nr)
	td.block = enclBlocks + nr*enclBlockSize
	return true
}

// enclRandom64 draws a random number, and gives up where the processor cannot.
func enclRandom64() (uint64, bool) {
	for i := 0; i < 64; i++ {
		if v, ok := enclRandom(); ok {
			return v, true
		}
		enclPause()
	}
	return 0, false
}

// Features that every processor with SGX has: a host that denies them would
// have the program compute in slower ways, some of which tell secrets by their
// time.
const (
	enclNeed1C = 1<<1 | 1<<9 | 1<<19 | 1<<20 | 1<<23 | 1<<25 | 1<<30 // PCLMULQDQ SSSE3 SSE4.1 SSE4.2 POPCNT AES RDRAND
)

// enclCPU takes over the host's CPUID table of count rows at off.
func enclCPU(b, n uintptr, off, count uint64) uintptr {
	if count == 0 || count > enclMaxCPUIDRows || off > uint64(n) || count*24 > uint64(n)-off {
		return enclBadParam
	}
	from := b + uintptr(off)
	at := func(row, column uint64) *uint32 {
		return (*uint32)(unsafe.Pointer(from + uintptr(row*24+column*4)))
	}
	complete := false
	for i := uint64(0); i < count; i++ {
		switch *at(i, 0) {
		case 1:
			if *at(i, 4)&enclNeed1C != enclNeed1C {
				return enclUnexpected
			}
			// A row of one subleaf might not be the one that is looked up.
			complete = complete || *at(i, 1) == ^uint32(0)
			if enclXFRM&4 == 0 { // no AVX, and nothing that builds on it
				*at(i, 4) &^= 1<<12 | 1<<28 | 1<<29
			}
		case 7:
			if enclXFRM&4 == 0 {
				*at(i, 3) &^= 1 << 5
				*at(i, 4) &^= 1<<9 | 1<<10
			}
			if enclXFRM&0xE0 != 0xE0 { // no AVX-512
				*at(i, 3) &^= 1<<16 | 1<<17 | 1<<21 | 1<<26 | 1<<27 | 1<<28 | 1<<30 | 1<<31
				*at(i, 4) &^= 1<<1 | 1<<6 | 1<<11 | 1<<12 | 1<<14
				*at(i, 5) &^= 1<<2 | 1<<3
			}
		}
		for j := uint64(0); j < 6; j++ {
			enclCPUID[i*6+j] = *at(i, j)
		}
	}
	if !complete {
		return enclUnexpected
	}
	enclCPUIDRows = uint32(count)
	return enclSuccess
}

// enclBegun takes over a thread that the program has asked for.
func enclBegun(td *enclTD, nr uintptr) uintptr {
	for i := range enclQueue {
		q := &enclQueue[i]
		tid := atomic.Load(&q.state)
		if tid <= enclHeld || !atomic.Cas(&q.state, tid, enclHeld) {
			continue
		}
		if !enclSetBlock(td, nr) {
			atomic.Store(&q.state, tid)
			return enclBadParam
		}
		td.regs, td.tid, td.mask = q.regs, int32(tid), q.mask
		td.pending, td.altSP, td.altSize, td.full, td.fp = 0, 0, 0, 1, 0
		td.queued, td.next = 0, 0
		atomic.Store(&q.state, enclEmpty)
		return enclRun
	}
	return enclNoThread
}

// enclQueue are threads that were cloned and have not begun. The state of one
// that waits is its id, which no other ever has: a host that starts a thread and
// says that it could not has its clone fail only if it tells the truth.
var enclQueue [32]struct {
	state uint32
	mask  uint64
	regs  [enclRegs]uint64
}

const (
	enclEmpty = iota
	enclHeld  // being filled or begun; ids are larger
)
