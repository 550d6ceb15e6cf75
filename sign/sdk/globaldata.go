package sdk

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
)

const (
	tcsTemplateSize = 72
	layoutEntrySize = 32
	gprAreaSize     = 184 // GPRSGX, at the end of an SSA frame
)

// appendTCS appends the template of the threads' TCSs: 72 bytes whose offsets
// are relative to the TCS, to which the loader adds its own.
func (p *plan) appendTCS(b []byte) []byte {
	var bias, flags uint64 // of the image in its ELRANGE
	if p.ELRange != nil {
		bias = p.ELRange.ImageAddress - p.ELRange.Start
	}
	if p.EnableAEXNotify {
		flags = 1 << 1 // TCS.FLAGS.AEXNOTIFY
	}
	le := binary.LittleEndian
	tcs, td := p.find(p.tcsID()), p.find(p.tdID())
	ossa := p.find(p.ssaID()).RVA - tcs.RVA
	self := td.RVA - tcs.RVA + uint64(td.Pages-1)*isa.PageSize
	b = le.AppendUint64(le.AppendUint64(b, 0), flags)
	b = le.AppendUint64(b, ossa+bias)
	b = le.AppendUint32(le.AppendUint32(b, 0), nssa)
	b = le.AppendUint64(le.AppendUint64(b, p.object.entry+bias), 0)
	b = le.AppendUint64(le.AppendUint64(b, self+bias), self+bias) // OFSBASGX, OGSBASGX
	return le.AppendUint32(le.AppendUint32(b, 1<<32-1), 1<<32-1)
}

// globalData collects the template of g_global_data.
type globalData struct{ b []byte }

func (g *globalData) words(v ...uint64) {
	for _, w := range v {
		g.b = binary.LittleEndian.AppendUint64(g.b, w)
	}
}

// appendGlobalData appends what the enclave's runtime knows of its layout.
// The template replaces g_global_data in memory, and is measured: its form is
// that of the runtime's release. In the metadata, contentAt is where the TCS
// template lies.
func (p *plan) appendGlobalData(b []byte, enclaveSize uint64, contentAt uint32) ([]byte, error) {
	g := globalData{}
	if p.sdk >= sdk2_9_1 {
		g.words(0) // the version, which only the file holds
	}
	g.words(enclaveSize, p.find(image.LayoutHeapMin).RVA)
	if p.sdk < sdk2_0 {
		g.words(p.HeapMaxSize)
	} else {
		g.words(p.HeapInitSize)
	}
	if p.sdk >= sdk2_6 {
		var at, size, executable uint64
		if r := p.find(image.LayoutRsrvMin); r != nil {
			at, size = r.RVA, p.rsrvInit
			if p.ReservedMemExecutable {
				executable = 1
			}
		}
		g.words(at, size)
		if p.sdk >= sdk2_8 {
			g.words(executable)
		}
	}
	g.words(uint64(p.policy()))
	if p.sdk >= sdk2_8 {
		g.words(uint64(p.TCSMaxNum))
	}
	if p.sdk >= sdk2_17 {
		g.words(uint64(p.TCSNum))
	}
	p.threadData(&g)
	if p.sdk >= sdk2_0 {
		g.b = p.appendTCS(g.b)
		if err := p.layoutTable(&g, contentAt); err != nil {
			return nil, err
		}
	}
	if p.sdk >= sdk2_14 {
		switch r := p.ELRange; {
		case r != nil:
			g.words(r.ImageAddress, r.Start, r.Size)
		case p.sdk >= sdk2_25:
			g.words(0, 0, 0)
		default:
			g.words(0, 0, enclaveSize)
		}
	}
	if p.sdk >= sdk2_20 {
		g.words(p.bookkeep)
	}
	if p.sdk >= sdk2_25 {
		var on uint64
		if p.EnableIPPFIPS {
			on = 1
		}
		g.words(on)
	}
	return append(b, g.b...), nil
}

// threadData adds the template of a thread's data, with addresses relative to
// its TCS.
func (p *plan) threadData(g *globalData) {
	tcs, td := p.find(p.tcsID()).RVA, p.find(p.tdID())
	ssa := p.find(p.ssaID()).RVA - tcs
	tls := td.RVA - tcs
	self := tls + uint64(td.Pages-1)*isa.PageSize
	if p.object.hasTLS {
		tls = self - p.object.tlsSize
	}
	var base, limit uint64
	if s := p.find(image.LayoutStackMin); p.sdk >= sdk2_0 {
		base = s.RVA + p.stackMin - tcs
		limit = base - p.StackMaxSize
	} else {
		limit = p.find(layout1Stack).RVA - tcs
		base = limit + p.StackMaxSize
	}
	saved := uint64(p.xsave)
	if p.sdk < sdk2_0 {
		saved = uint64(p.ssaPages)
	}
	start := len(g.b)
	g.words(self, base, base, limit, ssa+uint64(p.ssaPages)*isa.PageSize-gprAreaSize)
	g.words(0, 0, saved, 0) // stack guard, flags, XSAVE size, last error
	if p.sdk >= sdk2_20 {
		g.words(0, 0, ssa) // AEX handlers, AEX flag, first XSAVE area
	}
	tlsAt := uint64(len(g.b)-start) + 8
	g.words(0, tls, self+tlsAt, 0) // next, TLS, its array, exceptions
	g.words(0, 0, 0, 0, 0, 0)      // C++ exceptions
	if p.sdk >= sdk2_0 {
		g.words(0) // committed stack
	}
	if p.sdk >= sdk2_20 {
		g.words(0) // entropy
	}
}

// layoutTable adds the layout with room for as many entries as the runtime
// has.
func (p *plan) layoutTable(g *globalData, contentAt uint32) error {
	room := 38
	if p.sdk >= sdk2_6 {
		room = 42
	}
	if p.sdk >= sdk2_19 {
		room = 43
	}
	if len(p.table) > room {
		return layoutErr("the layout has %d entries, and the runtime of SDK %v has room for %d: use fewer of dynamic heap, stack, threads and reserved memory", len(p.table), p.sdk, room)
	}
	g.words(uint64(len(p.table)))
	for i := range p.table {
		g.b = appendEntry(g.b, &p.table[i], contentAt)
	}
	g.b = append(g.b, make([]byte, (room-len(p.table))*layoutEntrySize)...)
	return nil
}

// appendEntry appends a layout entry or group, 32 bytes. The content of a TCS
// lies at contentAt.
func appendEntry(b []byte, e *image.LayoutEntry, contentAt uint32) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, e.ID)
	if e.IsGroup() {
		b = le.AppendUint32(le.AppendUint16(b, e.Entries), e.Times)
		return append(le.AppendUint64(b, e.Step), make([]byte, 16)...)
	}
	b = le.AppendUint64(le.AppendUint32(le.AppendUint16(b, e.Attributes), e.Pages), e.RVA)
	if e.Flags.PageType() == isa.PTTCS && e.Flags != 0 {
		b = le.AppendUint32(le.AppendUint32(b, tcsTemplateSize), contentAt)
	} else {
		b = le.AppendUint64(b, uint64(e.Fill))
	}
	return le.AppendUint64(b, uint64(e.Flags))
}
