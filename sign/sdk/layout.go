package sdk

import (
	"slices"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign/config"
)

// Identifiers of layout entries that image has no use for.
const (
	layoutDynThread = 10 // what the identifiers of a dynamic thread are ahead by
	layoutDynGroup  = image.LayoutGroup | 19
	layoutRsrvMax   = 22
)

const (
	nssa       = 2          // SSA frames of a thread
	guardPages = 16         // of each guard
	stackFill  = 0xCCCCCCCC // every word of a new stack
	maxPages   = 1<<32 - 1  // of a layout entry
	flagsRW    = isa.SecInfoR | isa.SecInfoW
)

// plan is what an enclave's pages follow from.
type plan struct {
	*config.Config
	object *object
	sdk    release

	sgx2      bool   // metadata for machines that add pages to a running enclave
	xsave     uint32 // bytes
	ssaPages  uint32 // of a frame
	tdPages   uint32 // of a thread's data
	stackMin  uint64
	pool      uint32 // static threads beside the first
	eremove   uint32 // threads that are added and, where that is possible, removed again
	rsrvInit  uint64
	bookkeep  uint64 // bytes for the records of dynamic memory
	threadLen int    // entries of a thread

	moduleSize uint64 // bytes that an appended shared object takes

	table []image.LayoutEntry
	size  uint64 // bytes of the enclave before it is rounded to a power of two
	err   error
}

// pages returns the pages of n bytes, and notes if a layout entry cannot hold
// so many.
func (p *plan) pages(what string, n uint64) uint32 {
	n /= isa.PageSize
	if n > maxPages && p.err == nil {
		p.err = layoutErr("%s has %d pages, and the layout holds %d at most", what, n, uint64(maxPages))
	}
	return uint32(n)
}

func (p *plan) add(id, attributes uint16, pages uint32, flags isa.SecInfoFlags) {
	if flags != 0 {
		flags |= isa.MakeSecInfoFlags(0, isa.PTREG)
	}
	p.table = append(p.table, image.LayoutEntry{ID: id, Attributes: attributes, Pages: pages, Flags: flags})
}

// heap adds the heap; its greatest part is never added at once.
func (p *plan) heap() {
	p.add(image.LayoutHeapMin, image.LayoutEADD, p.pages("HeapMinSize", p.HeapMinSize), flagsRW)
	if p.HeapInitSize > p.HeapMinSize {
		p.add(image.LayoutHeapInit, image.LayoutEADD|image.LayoutPostRemove|image.LayoutPostAdd, p.pages("HeapInitSize", p.HeapInitSize-p.HeapMinSize), flagsRW)
	}
	if p.HeapMaxSize > p.HeapInitSize {
		p.add(image.LayoutHeapMax, image.LayoutPostAdd, p.pages("HeapMaxSize", p.HeapMaxSize-p.HeapInitSize), flagsRW)
	}
}

// thread returns the entries of a thread: guard, stack, guard, TCS, SSA,
// guard, thread-local data.
func (p *plan) thread() []image.LayoutEntry {
	rw := flagsRW | isa.MakeSecInfoFlags(0, isa.PTREG)
	guard := image.LayoutEntry{ID: image.LayoutGuard, Pages: guardPages}
	t := []image.LayoutEntry{guard}
	if p.StackMaxSize > p.stackMin {
		t = append(t, image.LayoutEntry{
			ID: image.LayoutStackMax, Attributes: image.LayoutEADD | image.LayoutEEXTEND | image.LayoutGrowDown,
			Pages: p.pages("StackMaxSize", p.StackMaxSize-p.stackMin), Flags: rw, Fill: stackFill,
		})
	}
	measured := image.LayoutEADD | image.LayoutEEXTEND
	return append(t,
		image.LayoutEntry{ID: image.LayoutStackMin, Attributes: measured, Pages: p.pages("StackMinSize", p.stackMin), Flags: rw, Fill: stackFill},
		guard,
		image.LayoutEntry{ID: image.LayoutTCS, Attributes: measured, Pages: 1, Flags: isa.MakeSecInfoFlags(0, isa.PTTCS)},
		image.LayoutEntry{ID: image.LayoutSSA, Attributes: measured, Pages: nssa * p.ssaPages, Flags: rw},
		guard,
		image.LayoutEntry{ID: image.LayoutTD, Attributes: measured, Pages: p.tdPages, Flags: rw},
	)
}

// repeat adds a thread n times, the repetitions as a group.
func (p *plan) repeat(thread []image.LayoutEntry, n uint32, group uint16) {
	p.table = append(p.table, thread...)
	if n > 1 || group == layoutDynGroup {
		p.group(group, n-1)
	}
}

func (p *plan) group(id uint16, times uint32) {
	p.table = append(p.table, image.LayoutEntry{ID: id, Entries: uint16(p.threadLen), Times: times})
}

// threads adds the first thread, which also serves the runtime; the static
// ones; those that only machines without dynamic threads use; and the
// dynamic ones.
func (p *plan) threads() {
	t := p.thread()
	p.threadLen = len(t)
	first := slices.Clone(t)
	if p.sdk >= sdk2_1_3 { // a part of its stack comes and goes
		for i := range first {
			if first[i].ID == image.LayoutStackMax {
				first[i].Attributes |= image.LayoutPostAdd | image.LayoutPostRemove
			}
		}
	}
	p.table = append(p.table, first...)
	if p.pool > 0 {
		if p.sdk >= sdk2_1_3 {
			p.repeat(t, p.pool, image.LayoutThreadGroup)
		} else {
			p.group(image.LayoutThreadGroup, p.pool)
		}
	}
	if p.eremove > 0 {
		removed := slices.Clone(t)
		for i := range removed {
			if removed[i].ID != image.LayoutGuard {
				removed[i].Attributes |= image.LayoutEREMOVE
			}
		}
		p.repeat(removed, p.eremove, image.LayoutThreadGroup)
	}
	if p.TCSMaxNum <= p.pool+1 {
		return
	}
	dynamic := slices.Clone(t)
	for i := range dynamic {
		switch e := &dynamic[i]; e.ID {
		case image.LayoutGuard:
		case image.LayoutStackMax:
			e.ID += layoutDynThread
			e.Attributes = image.LayoutPostAdd | image.LayoutGrowDown
		default:
			e.ID += layoutDynThread
			e.Attributes = image.LayoutPostAdd | image.LayoutDynThread
		}
	}
	if p.sdk < sdk2_1_3 && p.TCSMaxNum <= p.TCSMinPool {
		p.table = append(p.table, dynamic...)
		return
	}
	p.repeat(dynamic, p.TCSMaxNum-p.pool, layoutDynGroup)
}

// reserved adds the reserved memory, if there is any.
func (p *plan) reserved() {
	if p.ReservedMemMaxSize == 0 {
		return
	}
	flags := flagsRW
	if p.ReservedMemExecutable {
		flags |= isa.SecInfoX
	}
	p.add(image.LayoutRsrvMin, image.LayoutEADD, p.pages("ReservedMemMinSize", p.ReservedMemMinSize), flags)
	if p.ReservedMemInitSize > p.ReservedMemMinSize {
		p.add(image.LayoutRsrvInit, image.LayoutEADD|image.LayoutPostRemove|image.LayoutPostAdd, p.pages("ReservedMemInitSize", p.ReservedMemInitSize-p.ReservedMemMinSize), flags)
	}
	if p.ReservedMemMaxSize > p.ReservedMemInitSize {
		p.add(layoutRsrvMax, image.LayoutPostAdd, p.pages("ReservedMemMaxSize", p.ReservedMemMaxSize-p.ReservedMemInitSize), flagsRW)
	}
}

// place gives the entries their offsets, one after the other behind the
// segments of the file.
func (p *plan) place() {
	next := p.object.imageSize() + p.zeroPage() + p.moduleSize
	for i := range p.table {
		e := &p.table[i]
		n := uint64(e.Pages) * isa.PageSize
		if e.IsGroup() {
			for _, r := range p.table[i-int(e.Entries) : i] {
				e.Step += uint64(r.Pages) * isa.PageSize
			}
			if uint64(e.Times) > image.MaxSize/max(e.Step, 1) {
				p.tooLarge()
				return
			}
			n = uint64(e.Times) * e.Step
		} else {
			e.RVA = next
		}
		if next += n; next > image.MaxSize {
			p.tooLarge()
			return
		}
	}
	p.size = next
}

func (p *plan) tooLarge() {
	if p.err == nil {
		p.err = layoutErr("the enclave exceeds %#x bytes, which is all that a processor can address: lower the sizes of heap and stacks, or the number of threads", uint64(image.MaxSize))
	}
}

// tail fills the enclave up to a power of two, and returns its size.
func (p *plan) tail() uint64 {
	size := uint64(isa.PageSize)
	for size < p.size {
		size *= 2
	}
	if size > image.MaxSize {
		p.tooLarge()
		return size
	}
	extra := size - p.size
	if extra == 0 {
		return size
	}
	last := &p.table[len(p.table)-1]
	grows := last.ID == layoutRsrvMax || last.ID == image.LayoutRsrvInit || last.ID == image.LayoutRsrvMin && last.Pages > 0
	if p.sdk >= sdk2_6 && p.sdk < sdk2_10 && grows {
		// The reserved memory takes the rest. What does not count as its
		// greatest part counts as initial.
		last.Pages += uint32(extra / isa.PageSize)
		if last.ID != layoutRsrvMax {
			p.rsrvInit += uint64(uint32(extra))
		}
		return size
	}
	p.table = append(p.table, image.LayoutEntry{ID: p.guardID(), RVA: p.size, Pages: p.pages("the enclave's unused end", extra)})
	return size
}

// find returns the first entry with an identifier, or nil.
func (p *plan) find(id uint16) *image.LayoutEntry {
	i := slices.IndexFunc(p.table, func(e image.LayoutEntry) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return &p.table[i]
}
