//go:build feidi

package runtime

import (
	"internal/runtime/atomic"
	"internal/runtime/math"
	"unsafe"
)

// Futexes are inside: the host only lets threads sleep and wakes them. It can
// do either at the wrong time, which looks like a slow machine or a signal.
//
// A thread is referred to by its address: it is no pointer that the collector
// should know.
var (
	enclFutexLock uint32
	enclFutexHead uintptr // threads that wait, in order
	enclFutexTail uintptr
)

func enclAt(td uintptr) *enclTD { return (*enclTD)(unsafe.Pointer(td)) }

func enclFutex(td *enclTD, a *[6]uintptr) uintptr {
	const wait, wake, private, clockRealtime = 0, 1, 128, 256
	addr := a[0]
	if addr%4 != 0 || !enclInside(addr, 4) {
		return enclErr(enclEFAULT)
	}
	switch a[1] &^ (private | clockRealtime) {
	case wait:
		return enclFutexWait(td, addr, uint32(a[2]), a[3])
	case wake:
		return enclFutexWake(td, addr, a[2])
	}
	return enclErr(enclENOSYS)
}

func enclFutexWait(td *enclTD, addr uintptr, val uint32, timeout uintptr) uintptr {
	ns := int64(-1)
	if timeout != 0 {
		var ok bool
		if ns, ok = enclTimespec(timeout); !ok {
			return enclErr(enclEINVAL)
		}
	}
	enclLock(&enclFutexLock)
	if atomic.Load((*uint32)(unsafe.Pointer(addr))) != val {
		enclUnlock(&enclFutexLock)
		return enclErr(enclEAGAIN)
	}
	td.addr, td.queued, td.next = addr, 1, 0
	if enclFutexTail == 0 {
		enclFutexHead = td.self
	} else {
		enclAt(enclFutexTail).next = td.self
	}
	enclFutexTail = td.self
	enclUnlock(&enclFutexLock)

	p := [6]uintptr{uintptr(ns)}
	enclRequest(td, enclOpPark, &p)

	enclLock(&enclFutexLock)
	woken := td.queued == 0
	if !woken {
		enclUnqueue(td)
	}
	enclUnlock(&enclFutexLock)
	switch {
	case woken:
		return 0
	case timeout != 0:
		return enclErr(enclETIMEDOUT)
	}
	return enclErr(enclEINTR)
}

// enclUnqueue takes a thread out of the queue.
func enclUnqueue(td *enclTD) {
	before := uintptr(0)
	for t := enclFutexHead; t != 0; before, t = t, enclAt(t).next {
		if t != td.self {
			continue
		}
		if before == 0 {
			enclFutexHead = td.next
		} else {
			enclAt(before).next = td.next
		}
		if enclFutexTail == t {
			enclFutexTail = before
		}
		break
	}
	td.queued, td.next = 0, 0
}

func enclFutexWake(td *enclTD, addr, n uintptr) uintptr {
	woken := uintptr(0)
	for woken < n {
		enclLock(&enclFutexLock)
		t := enclFutexHead
		for t != 0 && enclAt(t).addr != addr {
			t = enclAt(t).next
		}
		block := uint64(0)
		if t != 0 {
			block = enclAt(t).blockNr
			enclUnqueue(enclAt(t))
		}
		enclUnlock(&enclFutexLock)
		if t == 0 {
			break
		}
		p := [6]uintptr{uintptr(block)}
		enclRequest(td, enclOpUnpark, &p)
		woken++
	}
	return woken
}

// enclClone starts a thread. It begins with the registers of this one, on its
// own stack and with 0 in RAX.
func enclClone(td *enclTD, nr uintptr, a *[6]uintptr) uintptr {
	const thread = 0x10000
	if nr != enclSysClone || a[0]&thread == 0 {
		enclNote(td, &enclNotedFork, "an enclave cannot start processes (fork and exec): have the host do it, by an OCALL or a socket")
		return enclErr(enclENOSYS)
	}
	if n := atomic.Xadd(&enclBusy, 1); uint64(n) > enclParams[enclPThreads] {
		atomic.Xadd(&enclBusy, -1)
		if atomic.Cas(&enclNotedThreads, 0, 1) {
			enclSay(td, "feidi: all ")
			enclSayNumber(td, enclParams[enclPThreads])
			enclSay(td, " threads of the enclave are in use, each by a goroutine that waits in a system call or runs: build it with more --threads\n")
		}
		return enclErr(enclEAGAIN)
	}
	for i := range enclQueue {
		q := &enclQueue[i]
		if !atomic.Cas(&q.state, enclEmpty, enclHeld) {
			continue
		}
		q.regs = td.regs
		q.regs[enclAX] = 0
		q.regs[enclSP] = uint64(a[1])
		q.regs[enclFlags] = 0x202
		q.mask = td.mask
		tid := uint32(atomic.Xaddint32(&enclTid, 1))
		atomic.Store(&q.state, tid)
		atomic.Xadd(&enclSpawns, 1)
		var p [6]uintptr
		if r := enclRequest(td, enclOpSpawn, &p); r != 0 && atomic.Cas(&q.state, tid, enclEmpty) {
			atomic.Xadd(&enclBusy, -1)
			return enclErr(enclEAGAIN)
		}
		return uintptr(tid)
	}
	atomic.Xadd(&enclBusy, -1)
	return enclErr(enclEAGAIN)
}

// enclThreadExit ends the thread. If wait points to a word, the word tells
// another thread that the stack is free: the program is not on it any more.
func enclThreadExit(td *enclTD, word bool, wait uintptr) {
	if word && enclInside(wait, 4) {
		atomic.Store((*uint32)(unsafe.Pointer(wait)), 0)
	}
	td.tid = 0
	atomic.Xadd(&enclBusy, -1)
	enclEndThread()
}

// enclTimespec reads a timespec of the program, in nanoseconds.
func enclTimespec(p uintptr) (ns int64, ok bool) {
	if !enclInside(p, 16) {
		return 0, false
	}
	t := (*[2]int64)(unsafe.Pointer(p))
	if t[0] < 0 || t[1] < 0 || t[1] >= 1e9 {
		return 0, false
	}
	if t[0] >= 1<<33 {
		return 1<<63 - 1, true
	}
	return t[0]*1e9 + t[1], true
}

// enclClockGettime serves clock_gettime, by the clock page if there is one.
func enclClockGettime(td *enclTD, clock, p uintptr) uintptr {
	if !enclInside(p, 16) {
		return enclErr(enclEFAULT)
	}
	const (
		realtime, monotonic, rawMonotonic     = 0, 1, 4
		realtimeCoarse, monotonicCoarse, boot = 5, 6, 7
	)
	var ns int64
	real := clock == realtime || clock == realtimeCoarse
	switch clock {
	case realtime, realtimeCoarse, monotonic, rawMonotonic, monotonicCoarse, boot:
		var ok bool
		if ns, ok = enclReadClock(real); ok {
			break
		}
		a := [6]uintptr{0, enclOffData}
		if !real {
			a[0] = monotonic
		}
		if r := enclRequest(td, enclSysClockGettime, &a); r != 0 {
			enclLied(td, enclSysClockGettime, r)
		}
		s, n := int64(enclLoad(td.block+enclOffData)), int64(enclLoad(td.block+enclOffData+8))
		if s < 0 || s >= 1<<33 || n < 0 || n >= 1e9 || real && s >= enclMaxReal/1e9 {
			enclLied(td, enclSysClockGettime, uintptr(n))
		}
		ns = s*1e9 + n
	default:
		a := [6]uintptr{clock, p}
		return enclForward(td, enclSysClockGettime, &a)
	}
	if !real {
		// Time does not go back, whatever the host says.
		for {
			last := atomic.Loadint64(&enclMono)
			if ns <= last {
				ns = last
				break
			}
			if atomic.Casint64(&enclMono, last, ns) {
				break
			}
		}
	}
	t := (*[2]int64)(unsafe.Pointer(p))
	t[0], t[1] = ns/1e9, ns%1e9
	return 0
}

// enclMaxReal is the latest real time that is believed, in nanoseconds: in 2156.
// Beyond 2157 a time.Time has no monotonic reading, and would go back when the
// host likes.
const enclMaxReal = 5_900_000_000 * 1_000_000_000

// enclReadClock computes the time from the clock page.
func enclReadClock(real bool) (ns int64, ok bool) {
	c := enclClock
	if c == 0 {
		return 0, false
	}
	off := uintptr(enclClockMono)
	if real {
		off = enclClockReal
	}
	for i := 0; i < 100; i++ {
		seq := enclLoad(c + enclClockSeq)
		start, mult, base := enclLoad(c+enclClockTSC), enclLoad(c+enclClockMult), enclLoad(c+off)
		now := enclTSC()
		if seq&1 != 0 || enclLoad(c+enclClockSeq) != seq {
			enclPause()
			continue
		}
		if mult == 0 {
			return 0, false
		}
		ticks := now - start
		if int64(ticks) < 0 { // this processor's counter is a little behind
			ticks = 0
		}
		hi, lo := math.Mul64(ticks, mult)
		v := int64(base) + int64(hi<<32|lo>>32)
		return v, v >= 0 && (!real || v < enclMaxReal)
	}
	return 0, false
}

// enclGetrandom serves getrandom from the processor's generator.
func enclGetrandom(p, n uintptr) uintptr {
	if !enclInside(p, n) {
		return enclErr(enclEFAULT)
	}
	n = min(n, enclMaxIO)
	for i := uintptr(0); i < n; i += 8 {
		v, ok := enclRandom64()
		if !ok {
			return enclErr(enclEIO)
		}
		for j := i; j < min(i+8, n); j++ {
			*(*uint8)(unsafe.Pointer(p + j)) = uint8(v)
			v >>= 8
		}
	}
	return n
}

// enclAffinity serves sched_getaffinity: as many processors as the host said.
func enclAffinity(n, p uintptr) uintptr {
	size := uintptr(enclCPUs+63) / 64 * 8
	if n < size {
		return enclErr(enclEINVAL)
	}
	if !enclInside(p, size) {
		return enclErr(enclEFAULT)
	}
	memclrNoHeapPointers(unsafe.Pointer(p), size)
	for i := uintptr(0); i < uintptr(enclCPUs); i++ {
		*(*uint8)(unsafe.Pointer(p + i/8)) |= 1 << (i % 8)
	}
	return size
}

// enclLimit serves prlimit and getrlimit: descriptors are bounded, the rest is
// not.
func enclLimit(resource, new, old uintptr) uintptr {
	if old == 0 {
		return 0
	}
	if !enclInside(old, 16) {
		return enclErr(enclEFAULT)
	}
	const noFile = 7
	v := ^uint64(0)
	if resource == noFile {
		v = enclMaxFD
	}
	l := (*[2]uint64)(unsafe.Pointer(old))
	l[0], l[1] = v, v
	return 0
}
