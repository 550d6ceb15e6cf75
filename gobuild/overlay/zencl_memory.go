//go:build feidi

package runtime

import (
	"internal/runtime/atomic"
	"unsafe"
)

// The enclave's heap is one range of pages that were added and not measured:
// what they hold is the host's until they are cleared here. Two bits for each
// page, in the first pages of the heap, say whether it is taken and whether it
// was cleared.
var (
	enclHeap      uintptr // the first page that is given out
	enclHeapPages uintptr
	enclTakenBits uintptr
	enclClearBits uintptr
	enclHeapLock  uint32
	enclHeapUsed  uintptr // pages
)

// arenaBaseOffset is a constant in the runtime of other platforms: the address
// that the heap's indexes count from.
var arenaBaseOffset uintptr

const enclPage = 4096

func enclLock(l *uint32) {
	for !atomic.Cas(l, 0, 1) {
		enclPause()
	}
}

func enclUnlock(l *uint32) { atomic.Store(l, 0) }

func enclHeapInit() {
	start := enclBegin + uintptr(enclParams[enclPHeap])
	pages := uintptr(enclParams[enclPHeapSize]) / enclPage
	bitmap := (pages/8 + enclPage - 1) &^ (enclPage - 1)
	memclrNoHeapPointers(unsafe.Pointer(start), 2*bitmap)
	enclTakenBits, enclClearBits = start, start+bitmap
	enclHeap = start + 2*bitmap
	enclHeapPages = pages - 2*bitmap/enclPage
}

// enclInitArenas tells the allocator of package runtime where its addresses
// begin. mallocinit calls it first of all.
func enclInitArenas() {
	arenaBaseOffset = enclBegin
	minOffAddr = offAddr{enclBegin}
	maxOffAddr = offAddr{enclBegin + (1<<heapAddrBits - 1)}
	if enclEnd-enclBegin > 1<<heapAddrBits {
		throw("enclave larger than the heap's address space")
	}
}

// enclMemoryLimit is what GOMEMLIMIT is unless it is set: nine tenths of the
// heap, for the collector should not find out that there is an end.
func enclMemoryLimit() int64 { return int64(enclParams[enclPHeapSize] / 10 * 9) }

// enclArenaHint is where the allocator should try to have its first arena.
func enclArenaHint() uintptr {
	const metadata = 1 << 20
	return alignUp(enclHeap+metadata, heapArenaBytes)
}

// enclMaxStack is the largest stack of a goroutine: a quarter of the heap, for a
// stack that grows is there twice.
func enclMaxStack() uintptr { return min(1000000000, uintptr(enclParams[enclPHeapSize])/4) }

func enclBit(bits, page uintptr) bool {
	return *(*uint8)(unsafe.Pointer(bits + page/8))&(1<<(page%8)) != 0
}

func enclSetBits(bits, page, n uintptr, v bool) {
	for ; n > 0; page, n = page+1, n-1 {
		if page%8 == 0 && n >= 8 { // whole bytes
			b := uint8(0)
			if v {
				b = 0xFF
			}
			k := n / 8
			for i := uintptr(0); i < k; i++ {
				*(*uint8)(unsafe.Pointer(bits + page/8 + i)) = b
			}
			page, n = page+8*k-1, n-8*k+1
			continue
		}
		p := (*uint8)(unsafe.Pointer(bits + page/8))
		if v {
			*p |= 1 << (page % 8)
		} else {
			*p &^= 1 << (page % 8)
		}
	}
}

// enclTaken counts the pages of [page, page+n) that are taken.
func enclTaken(page, n uintptr) (taken uintptr) {
	for i := page; i < page+n; i++ {
		if enclBit(enclTakenBits, i) {
			taken++
		}
	}
	return taken
}

// enclFind finds n free pages, the first that fit.
func enclFind(n uintptr) (page uintptr, ok bool) {
	run := uintptr(0)
	for i := uintptr(0); i < enclHeapPages; i++ {
		if i%8 == 0 && *(*uint8)(unsafe.Pointer(enclTakenBits + i/8)) == 0xFF {
			i += 7
			run = 0
			continue
		}
		if enclBit(enclTakenBits, i) {
			run = 0
			continue
		}
		if run++; run == n {
			return i + 1 - n, true
		}
	}
	return 0, false
}

// enclClear clears those pages of [page, page+n) that all says, or that never
// were.
func enclClear(page, n uintptr, all bool) {
	for i := page; i < page+n; {
		if !all && enclBit(enclClearBits, i) {
			i++
			continue
		}
		j := i + 1
		for j < page+n && (all || !enclBit(enclClearBits, j)) {
			j++
		}
		memclrNoHeapPointers(unsafe.Pointer(enclHeap+i*enclPage), (j-i)*enclPage)
		i = j
	}
	enclSetBits(enclClearBits, page, n, true)
}

// enclRange turns a range of addresses into pages of the heap.
func enclRange(addr, n uintptr) (page, pages uintptr, ok bool) {
	pages = (n + enclPage - 1) / enclPage
	if addr%enclPage != 0 || n == 0 || n > enclHeapPages*enclPage || addr < enclHeap {
		return 0, 0, false
	}
	page = (addr - enclHeap) / enclPage
	return page, pages, page <= enclHeapPages && pages <= enclHeapPages-page
}

// enclMmap serves mmap. Memory that can be accessed is cleared; a file that is
// mapped privately is read.
func enclMmap(td *enclTD, addr, n, prot, flags uintptr, fd int32, off uintptr) uintptr {
	const (
		private, fixed, anon, fixedNoReplace = 2, 0x10, 0x20, 0x100000
		exec                                 = 4
	)
	if n == 0 || n > enclHeapPages*enclPage && flags&anon == 0 {
		return enclErr(enclEINVAL)
	}
	if prot&exec != 0 {
		return enclErr(enclEACCES)
	}
	if flags&anon == 0 && flags&private == 0 {
		return enclErr(enclENODEV) // a shared mapping would be outside
	}
	enclLock(&enclHeapLock)
	page, pages, ok := enclRange(addr, n)
	switch {
	case flags&(fixed|fixedNoReplace) != 0:
		if !ok {
			enclUnlock(&enclHeapLock)
			return enclErr(enclENOMEM)
		}
		if flags&fixedNoReplace != 0 && enclTaken(page, pages) > 0 {
			enclUnlock(&enclHeapLock)
			return enclErr(17) // EEXIST
		}
	case ok && enclTaken(page, pages) == 0: // a hint that suits
	case addr != 0 && !ok && flags&anon != 0 && (addr < enclBegin || addr >= enclEnd):
		enclUnlock(&enclHeapLock)
		return enclErr(enclENOMEM) // a hint that never will
	default:
		pages = (n + enclPage - 1) / enclPage
		if page, ok = enclFind(pages); !ok {
			used := enclHeapUsed
			enclUnlock(&enclHeapLock)
			enclHeapFull(td, n, used)
			return enclErr(enclENOMEM)
		}
	}
	enclHeapUsed += pages - enclTaken(page, pages)
	enclSetBits(enclTakenBits, page, pages, true)
	if prot != 0 {
		enclClear(page, pages, true)
	} else {
		enclSetBits(enclClearBits, page, pages, false)
	}
	enclUnlock(&enclHeapLock)
	addr = enclHeap + page*enclPage
	if flags&anon == 0 {
		if e := enclReadFile(td, addr, n, fd, off); e != 0 {
			enclMunmap(addr, n)
			return e
		}
	}
	return addr
}

// enclReadFile fills memory with what a file has.
func enclReadFile(td *enclTD, addr, n uintptr, fd int32, off uintptr) uintptr {
	for done := uintptr(0); done < n; {
		a := [6]uintptr{uintptr(fd), addr + done, min(n-done, enclMaxIO), off + done}
		r := enclForward(td, enclSysPread64, &a)
		if enclIsErr(r) {
			if r == enclErr(enclEINTR) {
				continue
			}
			return r
		}
		if r == 0 {
			break
		}
		done += r
	}
	return 0
}

// enclHeapFull says why there is no memory, once.
func enclHeapFull(td *enclTD, n, used uintptr) {
	if !atomic.Cas(&enclNotedHeap, 0, 1) {
		return
	}
	const mb = 1 << 20
	enclSay(td, "feidi: the enclave's heap is full: ")
	enclSayNumber(td, uint64(used*enclPage/mb))
	enclSay(td, " MB of ")
	enclSayNumber(td, enclParams[enclPHeapSize]/mb)
	enclSay(td, " MB are in use, and ")
	enclSayNumber(td, uint64(n+mb-1)/mb)
	enclSay(td, " MB more are wanted: build it with a larger --heap\n")
}

// enclMunmap serves munmap.
func enclMunmap(addr, n uintptr) uintptr {
	page, pages, ok := enclRange(addr, n)
	if !ok {
		return enclErr(enclEINVAL)
	}
	enclLock(&enclHeapLock)
	enclHeapUsed -= enclTaken(page, pages)
	enclSetBits(enclTakenBits, page, pages, false)
	enclSetBits(enclClearBits, page, pages, false)
	enclUnlock(&enclHeapLock)
	return 0
}

// enclMprotect serves mprotect: pages stay readable and writable, but must
// have been cleared before they are used.
func enclMprotect(addr, n, prot uintptr) uintptr {
	const exec = 4
	if prot&exec != 0 {
		return enclErr(enclEACCES)
	}
	page, pages, ok := enclRange(addr, n)
	if !ok {
		if n == 0 || enclInside(addr, n) {
			return 0 // of the image
		}
		return enclErr(enclENOMEM)
	}
	if prot != 0 {
		enclLock(&enclHeapLock)
		enclClear(page, pages, false)
		enclUnlock(&enclHeapLock)
	}
	return 0
}

// enclMadvise serves madvise: the enclave's pages cannot be given back, so
// only what the program sees of it happens.
func enclMadvise(addr, n, advice uintptr) uintptr {
	const dontNeed = 4
	page, pages, ok := enclRange(addr, n)
	if !ok {
		return enclErr(enclEINVAL)
	}
	if advice == dontNeed {
		enclLock(&enclHeapLock)
		if enclTaken(page, pages) == pages {
			enclClear(page, pages, true)
		}
		enclUnlock(&enclHeapLock)
	}
	return 0
}
