package cpu

import "github.com/feidi-dev/feidi/isa"

// Bits of epcmEntry.state below the page's linear address. Permissions,
// PENDING, MODIFIED, PR and the page type sit where SECINFO.FLAGS has them.
const (
	epcmRWX      = uint64(isa.SecInfoRWX)
	epcmR        = uint64(isa.SecInfoR)
	epcmW        = uint64(isa.SecInfoW)
	epcmX        = uint64(isa.SecInfoX)
	epcmPending  = uint64(isa.SecInfoPending)
	epcmModified = uint64(isa.SecInfoModified)
	epcmPR       = uint64(isa.SecInfoPR)
	epcmValid    = 1 << 6
	epcmBlocked  = 1 << 7
	epcmPTShift  = 8
	epcmPTMask   = 7 << epcmPTShift
	epcmDirty    = 1 << 11 // not VALID, and the page's bytes may not be zeros

	// epcmSecInfo are the bits that EWB writes to SECINFO and ELDU reads back.
	epcmSecInfo = epcmRWX | epcmPending | epcmModified | epcmPR | epcmPTMask
)

// zeroFill in epcmEntry.epoch marks a page that EADD filled with zeros and
// that nothing has written since. It is only seen before EINIT, when the
// tracking epoch is not in use.
const zeroFill = ^uint32(0)

// epcmEntry is the EPCM entry of one EPC page, 16 bytes.
type epcmEntry struct {
	state uint64 // ENCLAVEADDRESS and, in its low 12 bits, everything else
	secs  uint32 // page number of the SECS (ENCLAVESECS)
	epoch uint32 // tracking epoch of the last EBLOCK, EMODPR or EMODT
}

func (e epcmEntry) valid() bool         { return e.state&epcmValid != 0 }
func (e epcmEntry) is(bits uint64) bool { return e.state&bits != 0 }
func (e epcmEntry) linear() uint64      { return e.state &^ (isa.PageSize - 1) }
func (e epcmEntry) pt() isa.PageType    { return isa.PageType(e.state & epcmPTMask >> epcmPTShift) }

// hasType reports whether the page is valid and of type pt.
func (e epcmEntry) hasType(pt isa.PageType) bool {
	return e.state&(epcmValid|epcmPTMask) == epcmValid|uint64(pt)<<epcmPTShift
}

// child reports whether the page is of a type that belongs to an enclave.
func (e epcmEntry) child() bool { return e.pt() != isa.PTSECS && e.pt() != isa.PTVA }

// epcmChunkPages is the number of entries that are allocated at a time.
const epcmChunkPages = 4096

type epcmChunk [epcmChunkPages]epcmEntry

// epcm is the enclave page cache map. Entries come into being, in chunks,
// when a page of the chunk is first used.
type epcm struct{ chunks []*epcmChunk }

func newEPCM(pages uint64) epcm {
	return epcm{chunks: make([]*epcmChunk, (pages+epcmChunkPages-1)/epcmChunkPages)}
}

// get returns the entry of page n.
func (m *epcm) get(n uint64) epcmEntry {
	if c := m.chunks[n/epcmChunkPages]; c != nil {
		return c[n%epcmChunkPages]
	}
	return epcmEntry{}
}

// at returns the entry of page n to write to.
func (m *epcm) at(n uint64) *epcmEntry {
	c := m.chunks[n/epcmChunkPages]
	if c == nil {
		c = new(epcmChunk)
		m.chunks[n/epcmChunkPages] = c
	}
	return &c[n%epcmChunkPages]
}

// EPCMEntry is a snapshot of the EPCM entry of one EPC page (SDM Vol. 3D,
// "Enclave Page Cache Map (EPCM)").
type EPCMEntry struct {
	Valid    bool
	Blocked  bool
	Pending  bool
	Modified bool
	PR       bool // a permission restriction waits for EACCEPT
	Perm     Perm // R, W and X
	PT       isa.PageType
	Address  uint64 // ENCLAVEADDRESS
	SECS     PA     // ENCLAVESECS, zero for PT_SECS and PT_VA
}

// EPCM returns the EPCM entry of the page that contains pa. Outside the EPC
// it returns the zero value, which is not Valid.
func (p *Processor) EPCM(pa PA) EPCMEntry {
	n, ok := p.page(pa)
	if !ok {
		return EPCMEntry{}
	}
	p.mu.RLock()
	e := p.epcm.get(n)
	p.mu.RUnlock()
	if !e.valid() {
		return EPCMEntry{}
	}
	s := EPCMEntry{
		Valid: true, Blocked: e.is(epcmBlocked), Pending: e.is(epcmPending),
		Modified: e.is(epcmModified), PR: e.is(epcmPR),
		Perm: Perm(e.state & epcmRWX), PT: e.pt(), Address: e.linear(),
	}
	if e.child() {
		s.SECS = p.pa(uint64(e.secs))
	}
	return s
}
