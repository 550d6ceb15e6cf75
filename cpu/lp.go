package cpu

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/isa"
)

// LP is a logical processor: the registers that SGX adds to one, and what it
// remembers of the enclaves that it entered. An LP is always in 64-bit mode
// at CPL 3. It may be used by one goroutine at a time.
type LP struct {
	p  *Processor
	as *AddressSpace

	enc    *enclave // CR_ACTIVE_SECS; nil if CR_ENCLAVE_MODE is 0
	tcs    *thread  // CR_TCS_PA
	tcsLA  uint64   // CR_TCS_LA
	frame  *frame   // what an AEX fills (CR_XSAVE_PAGE_n and CR_GPR_PA)
	optIn  bool     // CR_DBGOPTIN
	saveTF uint64   // CR_SAVE_TF
	saveFS uint64   // CR_SAVE_FS.base
	saveGS uint64   // CR_SAVE_GS.base

	notified bool
	cache    [entrySlots]entry
}

// NewLP returns a logical processor that runs under the page tables as.
func (p *Processor) NewLP(as *AddressSpace) *LP { return &LP{p: p, as: as} }

// InEnclave reports CR_ENCLAVE_MODE.
func (lp *LP) InEnclave() bool { return lp.enc != nil }

// TCS returns the linear address of the TCS that was entered last (CR_TCS_LA).
func (lp *LP) TCS() uint64 { return lp.tcsLA }

// SECS returns the physical address of the SECS of the enclave that the LP is
// in (CR_ACTIVE_SECS), or zero.
func (lp *LP) SECS() PA {
	if lp.enc == nil {
		return 0
	}
	return lp.p.pa(uint64(lp.enc.page))
}

// XFRM returns what XCR0 enables now: inside an enclave what its XFRM says,
// outside what the processor does (SDM Vol. 3D, "EENTER").
func (lp *LP) XFRM() isa.XFRM {
	if lp.enc == nil {
		return lp.p.xfrm
	}
	return lp.enc.secs.Attributes.XFRM
}

// AEP returns the asynchronous exit pointer of the thread that the LP is in.
func (lp *LP) AEP() uint64 {
	if lp.tcs == nil {
		return 0
	}
	return lp.tcs.aep.Load()
}

// OptIn reports whether the enclave was entered with TCS.FLAGS.DBGOPTIN
// (CR_DBGOPTIN): then it can be single-stepped, and its INT3 delivers #BP
// where otherwise it delivers #UD (SDM Vol. 3D, "Behavior of INT3 Inside an
// Enclave").
func (lp *LP) OptIn() bool { return lp.optIn }

// Notified reports whether the last ERESUME entered the enclave anew, as
// AEX-Notify has it, in place of resuming it: then the enclave's XSAVE state
// is what it was outside.
func (lp *LP) Notified() bool { return lp.notified }

// entrySlots is the number of threads whose resolved state an LP remembers.
const entrySlots = 8

// entryFrames is the number of SSA frames of each that it remembers.
const entryFrames = 3

// entry is a TCS resolved to what EENTER needs. It is good as long as the
// page tables are the same and the enclave has the same version.
type entry struct {
	linear  uint64
	runs    *[]Mapping
	version uint64
	tcs     *thread
	busy    uint64 // thread.state once entered

	target, fs, gs uint64
	frames         [entryFrames]*frame // by CSSA; nil if not resolved yet
}

// slot returns the place of a TCS in the cache. TCSs lie at regular distances
// of a few tens of pages; the multiplication spreads them.
func (lp *LP) slot(linear uint64) *entry {
	return &lp.cache[(linear>>12)*0x9E3779B97F4A7C15>>61]
}

// frame is an SSA frame, resolved.
type frame struct {
	xsave [][]byte // the pages of the XSAVE area, in order
	gpr   []byte   // isa.GPRSGXSize bytes
	misc  []byte   // the MISC region, below them
}

// ssaFrame resolves the SSA frame n of a TCS, with the checks that EENTER,
// ERESUME and EDECCSSA have in common. The caller holds Processor.mu.
func (lp *LP) ssaFrame(leaf string, t *thread, n uint32) (*frame, error) {
	e, p := t.enc, lp.p
	first := e.secs.BaseAddr + t.ossa + e.frameSize()*uint64(n)
	xsize := uint64(p.xsave.Size(e.secs.Attributes.XFRM))
	f := &frame{xsave: make([][]byte, 0, (xsize+isa.PageSize-1)/isa.PageSize)}
	for off := uint64(0); off < xsize; off += isa.PageSize {
		b, err := lp.ssaPage(leaf, e, first+off)
		if err != nil {
			return nil, err
		}
		f.xsave = append(f.xsave, b)
	}
	last := first + e.frameSize() - isa.PageSize
	b, err := lp.ssaPage(leaf, e, last)
	if err != nil {
		return nil, err
	}
	f.gpr = b[isa.PageSize-isa.GPRSGXSize:]
	f.misc = b[isa.PageSize-isa.GPRSGXSize-miscSize(e.secs.MiscSelect) : isa.PageSize-isa.GPRSGXSize]
	return f, nil
}

// ssaPage returns the bytes of a page that must be readable and writable
// PT_REG memory of e.
func (lp *LP) ssaPage(leaf string, e *enclave, linear uint64) ([]byte, error) {
	n, err := lp.translate(leaf, linear, PermR|PermW)
	if err != nil {
		return nil, err
	}
	if reason := lp.p.epcm.get(n).refuses(e, linear, epcmR|epcmW); reason != "" {
		return nil, pfUser(leaf, linear, isa.PFWrite, reason)
	}
	return lp.p.mem.Page(n), nil
}

// translate walks the page tables for an operand that must be in the EPC.
func (lp *LP) translate(leaf string, linear uint64, need Perm) (uint64, error) {
	pa, perm, ok := lp.as.Lookup(linear)
	write := uint32(0)
	if need&PermW != 0 {
		write = isa.PFWrite
	}
	switch {
	case !ok:
		return 0, &Fault{Vector: isa.VectorPF, ErrorCode: isa.PFUser | write, Addr: linear, Leaf: leaf, Reason: "no translation"}
	case perm&need != need:
		return 0, &Fault{Vector: isa.VectorPF, ErrorCode: isa.PFPresent | isa.PFUser | write, Addr: linear, Leaf: leaf, Reason: "page tables allow only " + perm.String()}
	}
	n, ok := lp.p.page(pa)
	if !ok {
		return 0, pfUser(leaf, linear, write, "address is not in the EPC")
	}
	return n, nil
}

// pfUser returns the #PF that a leaf of ENCLU raises for an operand.
func pfUser(leaf string, addr uint64, bits uint32, reason string) error {
	return &Fault{
		Vector: isa.VectorPF, ErrorCode: isa.PFPresent | isa.PFUser | isa.PFSGX | bits,
		Addr: addr, Leaf: leaf, Reason: reason,
	}
}

// refuses returns why code in enclave e may not access the page at linear
// with all of the permissions need, or "".
func (e epcmEntry) refuses(enc *enclave, linear uint64, need uint64) string {
	switch {
	case !e.valid():
		return "EPC page is not valid"
	case e.is(epcmBlocked):
		return "EPC page is blocked"
	case e.pt() != isa.PTREG:
		return "EPC page is " + e.pt().String()
	case e.secs != enc.page:
		return "EPC page belongs to another enclave"
	case e.is(epcmPending):
		return "EPC page is pending"
	case e.is(epcmModified):
		return "EPC page is modified"
	case e.linear() != linear&^(isa.PageSize-1):
		return "EPC page belongs at another linear address"
	case e.state&need != need:
		return "EPCM allows only " + Perm(e.state&epcmRWX).String()
	}
	return ""
}

// operand resolves an operand of a leaf that runs inside the enclave: aligned,
// within ELRANGE, and in a PT_REG page with the permission need. It returns
// the bytes from there to the end of the page. The caller holds Processor.mu.
func (lp *LP) operand(leaf string, linear, align, need uint64) ([]byte, error) {
	if linear%align != 0 {
		return nil, gp(leaf, "operand is not aligned")
	}
	if !lp.enc.contains(linear) {
		return nil, gp(leaf, "operand is outside ELRANGE")
	}
	n, err := lp.translate(leaf, linear, Perm(need))
	if err != nil {
		return nil, err
	}
	if reason := lp.p.epcm.get(n).refuses(lp.enc, linear, need); reason != "" {
		bits := uint32(0)
		if need&epcmW != 0 {
			bits = isa.PFWrite
		}
		return nil, pfUser(leaf, linear, bits, reason)
	}
	return lp.p.mem.Page(n)[linear%isa.PageSize:], nil
}

func put64(b []byte, off int, v uint64) { binary.LittleEndian.PutUint64(b[off:], v) }
func get64(b []byte, off int) uint64    { return binary.LittleEndian.Uint64(b[off:]) }
