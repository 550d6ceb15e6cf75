package native

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/feidi-dev/feidi/internal/cpuid"
	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"
)

// Implemented in enter_linux_amd64.s.
func currentM() uintptr
func rdpkru() uint32
func fpuControl() (mxcsr uint32, fcw uint16)
func exitedPC() uintptr
func handlerPC() uintptr
func enter(c *context)
func resume(c *context)

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// State that belongs to the process, because signal handlers do. The assembly
// reads these; they are set once, before the first handler is installed.
var (
	slots        uintptr // one slot for each possible thread id
	slotsSize    uint64  // bytes
	procidOffset uint64  // of m.procid in the runtime's m
	oldHandlers  [65]uintptr
	hasFSGSBASE  bool
	hasAVX       bool
	hasPKU       bool
	hasXInUse    bool // XGETBV tells which components are in use
	hostPKRU     uint32
	hostMXCSR    uint32 // every thread of a Go program has these
	hostFCW      uint16
	initialState uintptr // an XSAVE area that puts components into their initial configuration

	// arena is the address space in which enclaves without an absolute base
	// live.
	arena struct {
		sync.Mutex
		start, size uint64
		used        []span // sorted
	}
	hasDispatch atomic.Bool // a SYSCALL in the arena raises SIGSYS
)

const (
	// gOffM is the offset of g.m, which the Go linker knows too.
	gOffM = 48
	// maxThreads is the kernel's PID_MAX_LIMIT on 64-bit machines.
	maxThreads = 4 << 20

	prSetSyscallUserDispatch = 59
	dispatchInclusive        = 2 // only the given range is dispatched; Linux 6.17
	hwcap2FSGSBASE           = 1 << 1
	atHWCAP2                 = 26
)

type span struct{ start, size uint64 }

var setup = sync.OnceValue(setupProcess)

// setupProcess prepares the process to run enclave code: it learns what the
// host can do, reserves the slot table and the arena, and wraps the signal
// handlers.
func setupProcess() error {
	if !cpu.X86.HasOSXSAVE {
		return errors.New("native: this processor has no XSAVE, which the engine needs")
	}
	hasFSGSBASE = auxv(atHWCAP2)&hwcap2FSGSBASE != 0
	hasAVX = cpu.X86.HasAVX
	hostMXCSR, hostFCW = fpuControl()
	if cpuid.Leaf(7, 0).ECX&(1<<4) != 0 { // OSPKE
		hasPKU, hostPKRU = true, rdpkru()
	}
	if b := cpuid.Leaf(0xD, 0).EBX; b > xsaveSpace {
		return fmt.Errorf("native: the XSAVE area of this processor is %d bytes, more than the %d provided for", b, xsaveSpace)
	}
	if err := makeInitialState(); err != nil {
		return err
	}
	off, err := findProcid()
	if err != nil {
		return err
	}
	procidOffset = off

	slotsSize = maxThreads * slotSize
	table, err := unix.MmapPtr(-1, 0, nil, uintptr(slotsSize), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("native: cannot reserve %d MB of address space for the thread table: %w", slotsSize>>20, err)
	}
	slots = uintptr(table)
	if err := reserveArena(); err != nil {
		return err
	}
	return wrapSignals()
}

// auxv returns an entry of the auxiliary vector, or 0.
func auxv(tag uintptr) uintptr {
	v, err := unix.Auxv()
	if err != nil {
		return 0
	}
	for _, e := range v {
		if e[0] == tag {
			return e[1]
		}
	}
	return 0
}

// findProcid finds the offset at which the runtime's m holds the id of its OS
// thread, by looking for it on two threads.
func findProcid() (uint64, error) {
	const window = 64 // words of m that are looked at
	candidates := func() map[uint64]bool {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		m := unsafe.Slice((*uint64)(pointer(uint64(currentM()))), window)
		found := map[uint64]bool{}
		for i, v := range m {
			if v == uint64(unix.Gettid()) {
				found[uint64(i)*8] = true
			}
		}
		return found
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here := candidates()
	other := make(chan map[uint64]bool)
	go func() { other <- candidates() }() // this thread is taken: it runs on another
	there := <-other
	var offsets []uint64
	for o := range here {
		if there[o] {
			offsets = append(offsets, o)
		}
	}
	if len(offsets) != 1 {
		return 0, fmt.Errorf("native: %s keeps its thread ids in a way this engine does not know", runtime.Version())
	}
	return offsets[0], nil
}

// threadSlot returns the slot of the calling OS thread.
func threadSlot() *slot {
	return (*slot)(pointer(uint64(slots) + uint64(unix.Gettid())*slotSize))
}

// armThread prepares whichever OS thread the goroutine is on.
func armThread() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if hasDispatch.Load() {
		// A failure leaves SYSCALL undetected on this thread, which changes
		// nothing for an enclave that is legal on hardware.
		_, _, _ = unix.RawSyscall6(unix.SYS_PRCTL, prSetSyscallUserDispatch, dispatchInclusive,
			uintptr(arena.start), uintptr(arena.size), 0, 0)
	}
	s := threadSlot()
	s.ctx = 0
	s.m = uint64(currentM())
}

// reserveArena reserves the address space in which enclaves live, 256 GiB or
// as much as the host allows, and asks the kernel to send SIGSYS for a SYSCALL
// there.
func reserveArena() error {
	var p unsafe.Pointer
	var err error
	size := uint64(1) << 38
	for ; size >= 1<<32; size >>= 1 {
		p, err = unix.MmapPtr(-1, 0, nil, uintptr(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
		if err == nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("native: cannot reserve address space for enclaves (is RLIMIT_AS set?): %w", err)
	}
	arena.start, arena.size = uint64(uintptr(p)), size
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, prSetSyscallUserDispatch, dispatchInclusive, uintptr(p), uintptr(size), 0, 0)
	hasDispatch.Store(errno == 0)
	return nil
}

// arenaAlloc finds a naturally aligned free range of size bytes, a power of two.
func arenaAlloc(size uint64) (uint64, error) {
	arena.Lock()
	defer arena.Unlock()
	at := (arena.start + size - 1) &^ (size - 1)
	i := 0
	for ; i < len(arena.used); i++ {
		u := arena.used[i]
		if at+size <= u.start {
			break
		}
		if end := u.start + u.size; end > at {
			at = (end + size - 1) &^ (size - 1)
		}
	}
	if at+size > arena.start+arena.size || at+size < at {
		return 0, fmt.Errorf("native: no room for an enclave range of %#x bytes", size)
	}
	arena.used = append(arena.used, span{})
	copy(arena.used[i+1:], arena.used[i:])
	arena.used[i] = span{at, size}
	return at, nil
}

// arenaFree gives back what arenaAlloc returned.
func arenaFree(start uint64) {
	arena.Lock()
	defer arena.Unlock()
	for i, u := range arena.used {
		if u.start == start {
			arena.used = append(arena.used[:i], arena.used[i+1:]...)
			return
		}
	}
}
