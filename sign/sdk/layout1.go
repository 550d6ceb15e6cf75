package sdk

import (
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
)

// Identifiers of layout entries in SDK 1.x.
const (
	layout1TCS   = 2
	layout1TD    = 3
	layout1SSA   = 4
	layout1Stack = 5
	layout1Group = image.LayoutGroup | 6
	layout1Guard = 7

	guardPages1 = 1
)

// static lays out an enclave of SDK 1.x, whose heap, stacks and threads have
// one size each.
func (p *plan) static() {
	p.add(image.LayoutHeapMin, image.LayoutEADD, p.pages("HeapMaxSize", p.HeapMaxSize), flagsRW)
	measured := image.LayoutEADD | image.LayoutEEXTEND
	p.add(layout1Guard, 0, guardPages1, 0)
	p.add(layout1Stack, measured, p.pages("StackMaxSize", p.StackMaxSize), flagsRW)
	p.table[len(p.table)-1].Fill = stackFill
	p.add(layout1Guard, 0, guardPages1, 0)
	p.add(layout1TCS, measured, 1, 0)
	p.table[len(p.table)-1].Flags = isa.MakeSecInfoFlags(0, isa.PTTCS)
	p.add(layout1SSA, measured, nssa*p.ssaPages, flagsRW)
	p.add(layout1Guard, 0, guardPages1, 0)
	p.add(layout1TD, measured, p.tdPages, flagsRW)
	p.threadLen = len(p.table) - 1
	if p.TCSNum > 1 {
		p.group(layout1Group, p.TCSNum-1)
	}
}

// zeroPage is the size of the page that the loader of metadata 1.3 adds behind
// the image, if the last segment reaches a page further when its size is
// rounded up before its unaligned start is added.
func (p *plan) zeroPage() uint64 {
	last := p.object.last()
	if p.sdk < sdk1_9 && roundUp(last.address+last.size) < roundUp(last.address+roundUp(last.size)) {
		return isa.PageSize
	}
	return 0
}

// The identifiers that differ between SDK 1.x and later ones.

func (p *plan) guardID() uint16 { return p.either(layout1Guard, image.LayoutGuard) }
func (p *plan) tcsID() uint16   { return p.either(layout1TCS, image.LayoutTCS) }
func (p *plan) ssaID() uint16   { return p.either(layout1SSA, image.LayoutSSA) }
func (p *plan) tdID() uint16    { return p.either(layout1TD, image.LayoutTD) }

func (p *plan) either(old, current uint16) uint16 {
	if p.sdk < sdk2_0 {
		return old
	}
	return current
}
