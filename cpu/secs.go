package cpu

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
)

// enclave is a SECS in the EPC, decoded. Its fields are guarded by
// Processor.mu, except where they are atomic.
type enclave struct {
	// version changes, under Processor.mu, with every change of the SECS or
	// of the EPCM entry of one of the enclave's pages. An LP that entered the
	// enclave remembers what it resolved together with the version; it may
	// use that without the lock if, after it took the TCS, the version is
	// still the same. A leaf that needs the enclave quiet changes the version
	// first and looks at the TCSs then, so that one of the two sees the other.
	version atomic.Uint64

	page     uint32 // of the SECS
	secs     isa.SECS
	eid      uint64
	init     bool
	measure  *measure.Hash // until EINIT
	children uint64        // pages in the EPC that belong to the enclave
	threads  []*thread     // those of them that are TCSs
	epoch    uint32        // tracking epoch: the number of ETRACKs, plus one

	isvFamilyID, isvExtProdID [16]byte
}

// contains reports whether linear is in ELRANGE.
func (e *enclave) contains(linear uint64) bool { return linear-e.secs.BaseAddr < e.secs.Size }

func (e *enclave) debug() bool { return e.secs.Attributes.Flags&isa.AttrDebug != 0 }
func (e *enclave) kss() bool   { return e.secs.Attributes.Flags&isa.AttrKSS != 0 }

// frameSize is the size of an SSA frame in bytes.
func (e *enclave) frameSize() uint64 { return uint64(e.secs.SSAFrameSize) * isa.PageSize }

// active reports whether a thread is inside that entered in tracking epoch
// last or earlier. The caller holds Processor.mu for writing and has changed
// version since, or does not mind a thread that enters just now.
func (e *enclave) active(last uint32) bool {
	for _, t := range e.threads {
		if s := t.state.Load(); s != 0 && uint32(s>>1) <= last {
			return true
		}
	}
	return false
}

// anyEpoch makes active look at every thread.
const anyEpoch = ^uint32(0)

// Where the encoding of an evicted SECS keeps what isa.SECS has no field for:
// in the reserved bytes at the end, whose layout is the processor's own.
const (
	secsExtEID    = 0
	secsExtInit   = 8
	secsExtEpoch  = 12
	secsExtFamily = 16
	secsExtProd   = 32
)

// encode returns the 4096 bytes of the SECS for EWB.
func (e *enclave) encode() []byte {
	s := e.secs
	ext := s.Reserved4[:]
	binary.LittleEndian.PutUint64(ext[secsExtEID:], e.eid)
	if e.init {
		ext[secsExtInit] = 1
	}
	binary.LittleEndian.PutUint32(ext[secsExtEpoch:], e.epoch)
	copy(ext[secsExtFamily:], e.isvFamilyID[:])
	copy(ext[secsExtProd:], e.isvExtProdID[:])
	b, _ := s.AppendBinary(make([]byte, 0, isa.SECSSize))
	return b
}

// decodeSECS is the inverse of encode.
func decodeSECS(b []byte, page uint32) *enclave {
	e := &enclave{page: page}
	if err := e.secs.UnmarshalBinary(b); err != nil {
		panic(err) // unreachable: b is a page
	}
	ext := e.secs.Reserved4[:]
	e.eid = binary.LittleEndian.Uint64(ext[secsExtEID:])
	e.init = ext[secsExtInit] != 0
	e.epoch = binary.LittleEndian.Uint32(ext[secsExtEpoch:])
	copy(e.isvFamilyID[:], ext[secsExtFamily:])
	copy(e.isvExtProdID[:], ext[secsExtProd:])
	e.secs.Reserved4 = [len(e.secs.Reserved4)]byte{}
	return e
}

// SECSInfo returns a copy of the SECS at pa, and whether one is there. Before
// EINIT its MREnclave is zero.
func (p *Processor) SECSInfo(pa PA) (isa.SECS, bool) {
	n, ok := p.page(pa)
	if !ok || pa%isa.PageSize != 0 {
		return isa.SECS{}, false
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	e := p.enclaves[uint32(n)]
	if e == nil {
		return isa.SECS{}, false
	}
	return e.secs, true
}

// secsOperand resolves an operand that must be the SECS of an enclave.
func (p *Processor) secsOperand(leaf string, pa PA) (*enclave, error) {
	n, err := p.epcPage(leaf, pa)
	if err != nil {
		return nil, err
	}
	return p.secsAt(leaf, n)
}

// secsAt returns the SECS in page n.
func (p *Processor) secsAt(leaf string, n uint64) (*enclave, error) {
	e := p.enclaves[uint32(n)]
	if e == nil {
		return nil, pf(leaf, uint64(p.pa(n)), "page is not a valid SECS")
	}
	return e, nil
}
