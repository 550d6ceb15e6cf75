package cpu

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/feidi-dev/feidi/isa"
)

// Offsets in a TCS. Without CET, which this processor does not have, the
// bytes from tcsLimit on are reserved.
const (
	tcsState = 0
	tcsFlags = 8
	tcsCSSA  = 24
	tcsAEP   = 40
	tcsLimit = 72
)

// thread is a TCS in the EPC, decoded. The EPC page keeps the bytes as EADD
// wrote them; sync brings them up to date.
type thread struct {
	enc    *enclave
	page   uint32
	linear uint64

	// state is TCS.STATE: zero for INACTIVE, otherwise twice the tracking
	// epoch in which the thread entered, plus one. Whoever turns zero into
	// something else owns the thread.
	state atomic.Uint64
	cssa  atomic.Uint32 // written by the owner
	aep   atomic.Uint64 // written by the owner
	flags atomic.Uint64 // isa.TCSFlags, written by EDBGWR

	// These never change.
	nssa           uint32
	ossa, oentry   uint64
	ofsbas, ogsbas uint64
}

// has reports whether FLAGS has one of the bits f.
func (t *thread) has(f isa.TCSFlags) bool { return isa.TCSFlags(t.flags.Load())&f != 0 }

// busy returns the state of a thread that enters in a tracking epoch.
func busy(epoch uint32) uint64 { return uint64(epoch)<<1 | 1 }

// decodeTCS returns the thread of the bytes of a TCS page.
func decodeTCS(b []byte, enc *enclave, page uint32, linear uint64) *thread {
	u64 := func(off int) uint64 { return binary.LittleEndian.Uint64(b[off:]) }
	t := &thread{
		enc: enc, page: page, linear: linear,
		ossa: u64(16), nssa: binary.LittleEndian.Uint32(b[28:]),
		oentry: u64(32), ofsbas: u64(48), ogsbas: u64(56),
	}
	t.cssa.Store(binary.LittleEndian.Uint32(b[tcsCSSA:]))
	t.aep.Store(u64(tcsAEP))
	t.flags.Store(u64(tcsFlags))
	return t
}

// sync writes what changes in the life of a thread to the bytes of its page.
func (t *thread) sync(b []byte) {
	state := uint64(0)
	if t.state.Load() != 0 {
		state = 1
	}
	binary.LittleEndian.PutUint64(b[tcsState:], state)
	binary.LittleEndian.PutUint64(b[tcsFlags:], t.flags.Load())
	binary.LittleEndian.PutUint32(b[tcsCSSA:], t.cssa.Load())
	binary.LittleEndian.PutUint64(b[tcsAEP:], t.aep.Load())
}

// addThread makes page n, whose bytes are b, a TCS of e.
func (p *Processor) addThread(b []byte, e *enclave, n, linear uint64) {
	t := decodeTCS(b, e, uint32(n), linear)
	p.threads[t.page] = t
	e.threads = append(e.threads, t)
}

// dropThread forgets the TCS in page n, if there is one.
func (p *Processor) dropThread(n uint64) {
	t := p.threads[uint32(n)]
	if t == nil {
		return
	}
	delete(p.threads, t.page)
	for i, u := range t.enc.threads {
		if u == t {
			last := len(t.enc.threads) - 1
			t.enc.threads[i] = t.enc.threads[last]
			t.enc.threads[last] = nil
			t.enc.threads = t.enc.threads[:last]
			return
		}
	}
}
