package sdk

import (
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
)

// Sizes of what the enclave's memory manager keeps of a region: a node, and a
// bit array if its pages are committed.
const (
	emaNodeSize = 72
	bitsSize    = 24

	regionGuards = 2 * 0x8000 // about the records
)

// bookkeeping computes how much memory the enclave needs to manage its own,
// and adds the region for it and for the user's, where pages come and go.
func (p *plan) bookkeeping() error {
	records := p.records()
	user := p.UserRegionSize
	var size uint64
	switch {
	case p.sdk < sdk2_19:
		const reserve = 0x20000 // initial reserve and two guards
		size = roundUp(records+reserve) + user + roundUp(user>>15)
	case p.sdk < sdk2_20:
		// Each reserve is twice the one before, with two guards of its own.
		var times uint
		for units := alignUp(records, 1<<16) >> 16; units > 0; units >>= 1 {
			times++
		}
		if times >= 30 {
			return layoutErr("the memory needs %#x bytes of records, more than SDK %v can manage", records, p.sdk)
		}
		size = (1<<times-1+uint64(times))<<16 + user + roundUp(user>>15)
	default:
		const overhead = 32
		if user > 0 {
			records += max(roundUp(user>>15), isa.PageSize)
		}
		p.bookkeep = alignUp(records+overhead, 1<<16)
		size = user + p.bookkeep + regionGuards
	}
	p.add(image.LayoutUserRegion, image.LayoutPostAdd, p.pages("UserRegionSize", size), flagsRW)
	return nil
}

// records is the size in bytes of the records of all regions.
func (p *plan) records() uint64 {
	unit := func(n uint64) uint64 { return n }
	pageBits := uint64(8)
	switch {
	case p.sdk >= sdk2_20:
		unit = func(n uint64) uint64 { return max(alignUp(n+8, 8), 16) } // a block of its allocator
	case p.sdk >= sdk2_19:
		unit = func(n uint64) uint64 { return alignUp(n, 16) }
		pageBits = 128
	}
	node := unit(emaNodeSize)
	committed := func(pages uint64) uint64 {
		n := alignUp(pages, pageBits) / 8
		if p.sdk >= sdk2_20 {
			n = unit(n)
		}
		return node + unit(bitsSize) + n
	}
	grown := func(low, initial, high uint64) uint64 {
		n := committed(low / isa.PageSize)
		if initial > low {
			n += committed((initial - low) / isa.PageSize)
		}
		if high > initial {
			n += committed((high - initial) / isa.PageSize)
		}
		return n
	}
	total := grown(p.HeapMinSize, p.HeapInitSize, p.HeapMaxSize)
	total += grown(p.ReservedMemMinSize, p.ReservedMemInitSize, p.ReservedMemMaxSize)

	// A thread has three guards beside what is committed; of a removed thread
	// all regions are nodes.
	regions := uint64(7)
	thread := 3*node + committed(p.stackMin/isa.PageSize) + committed(1) +
		committed(nssa*uint64(p.ssaPages)) + committed(uint64(p.tdPages))
	if p.StackMaxSize > p.stackMin {
		regions++
		thread += committed((p.StackMaxSize - p.stackMin) / isa.PageSize)
	}
	live := 1 + uint64(p.pool)
	if p.TCSMaxNum > p.pool+1 {
		live += uint64(p.TCSMaxNum - p.pool)
	}
	total += live*thread + (1+uint64(p.eremove))*regions*node

	for _, s := range p.object.segments {
		total += committed(uint64(uint32(roundUp(s.size) / isa.PageSize)))
	}
	if p.sdk >= sdk2_20 {
		total += node // the last guard
	}
	return total
}
