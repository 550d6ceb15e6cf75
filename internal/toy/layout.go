package toy

import (
	"encoding/binary"
	"math/bits"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
)

// Sizes in pages, and frames for each thread.
const (
	guardPages    = 16
	stackMinPages = 2
	ssaFrames     = 2
)

const pageRW = 0x203 // SECINFO.FLAGS of a regular page, readable and writable

// plan is where the parts of an enclave after its segments lie, in bytes.
type plan struct {
	heap, heapSize     uint64
	threads, step      uint64 // of the first thread's guard; from one thread to the next
	rsrv, rsrvSize     uint64
	end, size          uint64 // of what is used; of ELRANGE
	stack, frame, tail uint64 // pages of a stack, of an SSA frame and of the last guard
}

func newPlan(o *Options, segmentsEnd uint64) plan {
	p := plan{heap: segmentsEnd, heapSize: roundUp(o.HeapSize), stack: uint64(o.StackPages), frame: uint64(o.SSAFrameSize)}
	p.threads = p.heap + p.heapSize
	p.step = (3*guardPages + p.stack + 1 + ssaFrames*p.frame + 1) * isa.PageSize
	p.rsrv, p.rsrvSize = p.threads+p.step*uint64(o.Threads), roundUp(o.ReservedSize)
	p.end = p.rsrv + p.rsrvSize
	p.size = uint64(1) << bits.Len64(p.end-1)
	p.tail = (p.size - p.end) / isa.PageSize
	return p
}

func roundUp(n uint64) uint64 { return (n + isa.PageSize - 1) &^ (isa.PageSize - 1) }

// tcs returns the template of a TCS whose page is at offset zero.
func (p *plan) tcs(entry uint64) []byte {
	t := isa.TCS{
		OSSA: ssaAfter, NSSA: ssaFrames, OEntry: entry,
		FSLimit: 0xFFFFFFFF, GSLimit: 0xFFFFFFFF,
	}
	t.OFSBasGX = ssaAfter + (ssaFrames*p.frame+guardPages)*isa.PageSize
	t.OGSBasGX = t.OFSBasGX
	b, _ := t.AppendBinary(nil) // cannot fail
	return b[:72]
}

// layout returns the layout table of a metadata block of the version.
func (p *plan) layout(o *Options, version, entry uint64) []image.LayoutEntry {
	id := func(modern, old uint16) uint16 {
		if version == image.Version1_3 {
			return old
		}
		return modern
	}
	const both = image.LayoutEADD | image.LayoutEEXTEND
	var table []image.LayoutEntry
	add := func(e image.LayoutEntry) {
		if e.Pages > 0 {
			table = append(table, e)
		}
	}
	guard := func(rva, pages uint64) {
		add(image.LayoutEntry{ID: id(image.LayoutGuard, 7), Pages: uint32(pages), RVA: rva})
	}
	add(image.LayoutEntry{ID: image.LayoutHeapMin, Attributes: image.LayoutEADD, Pages: uint32(p.heapSize / isa.PageSize), RVA: p.heap, Flags: pageRW})

	// thread appends one thread and returns the number of entries.
	thread := func(rva uint64, extra uint16) uint16 {
		before := len(table)
		put := func(e image.LayoutEntry, pages uint64) {
			e.RVA, e.Pages = rva, uint32(pages)
			e.Attributes |= extra
			add(e)
			rva += pages * isa.PageSize
		}
		skip := func() {
			guard(rva, guardPages)
			rva += guardPages * isa.PageSize
		}
		skip()
		put(image.LayoutEntry{
			ID: id(image.LayoutStackMax, 5), Attributes: both | image.LayoutPostRemove | image.LayoutGrowDown,
			Flags: pageRW, Fill: stackFill,
		}, p.stack-stackMinPages)
		put(image.LayoutEntry{ID: id(image.LayoutStackMin, 5), Attributes: both, Flags: pageRW, Fill: stackFill}, stackMinPages)
		skip()
		put(image.LayoutEntry{
			ID: id(image.LayoutTCS, 2), Attributes: both, Content: p.tcs(entry),
			Flags: isa.MakeSecInfoFlags(0, isa.PTTCS),
		}, 1)
		put(image.LayoutEntry{ID: id(image.LayoutSSA, 4), Attributes: both, Flags: pageRW}, ssaFrames*p.frame)
		skip()
		put(image.LayoutEntry{ID: id(image.LayoutTD, 3), Attributes: both, Flags: pageRW}, 1)
		return uint16(len(table) - before)
	}
	group := func(n uint16, times int) {
		if times > 0 {
			table = append(table, image.LayoutEntry{
				ID: id(image.LayoutThreadGroup, image.LayoutGroup|6), Entries: n, Times: uint32(times), Step: p.step,
			})
		}
	}
	n := thread(p.threads, 0)
	switch {
	case version>>32 == 2 && o.Threads > 1: // spare threads are given back after EINIT
		n = thread(p.threads+p.step, image.LayoutEREMOVE)
		group(n, o.Threads-2)
	default:
		group(n, o.Threads-1)
	}
	add(image.LayoutEntry{ID: image.LayoutRsrvMin, Attributes: image.LayoutEADD, Pages: uint32(p.rsrvSize / isa.PageSize), RVA: p.rsrv, Flags: pageRW})
	guard(p.end, p.tail)
	return table
}

const stackFill = 0xCCCCCCCC

// Offsets in the SDK's global data that this runtime shares.
const (
	globalSize        = 1768
	globalSDK         = 2<<32 | 26<<16 | 100 // the version of the SDK, which the loader's patch clears
	globalEnclaveSize = 8
	globalHeapOffset  = 16
	globalHeapSize    = 24
	globalRsrvOffset  = 32
	globalRsrvSize    = 40
	globalPolicy      = 56
	globalTCSMax      = 64
	globalTCSNum      = 72
)

// globalData returns the bytes that the loader patches into g_global_data.
func (p *plan) globalData(o *Options) []byte {
	b := make([]byte, globalSize)
	put := func(off int, v uint64) { binary.LittleEndian.PutUint64(b[off:], v) }
	put(globalEnclaveSize, p.size)
	put(globalHeapOffset, p.heap)
	put(globalHeapSize, p.heapSize)
	put(globalRsrvOffset, p.rsrv)
	put(globalRsrvSize, p.rsrvSize)
	put(globalPolicy, uint64(o.ThreadPolicy))
	put(globalTCSMax, uint64(o.Threads))
	put(globalTCSNum, uint64(o.Threads))
	return b
}
