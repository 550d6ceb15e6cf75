package cpu

import "github.com/feidi-dev/feidi/isa"

// AccessKind is what a memory access does.
type AccessKind uint8

// Kinds of memory access.
const (
	AccessRead AccessKind = iota
	AccessWrite
	AccessFetch
)

// String returns "read", "write" or "fetch".
func (k AccessKind) String() string { return [...]string{"read", "write", "fetch"}[k] }

// perm returns the permission that the access needs.
func (k AccessKind) perm() Perm { return [...]Perm{PermR, PermW, PermX}[k] }

// pfBits returns the bits of a page fault's error code that tell the kind.
func (k AccessKind) pfBits() uint32 { return isa.PFUser | [...]uint32{0, isa.PFWrite, isa.PFFetch}[k] }

// OutcomeKind says where an access goes.
type OutcomeKind uint8

// Outcomes of the access check.
const (
	OutcomeMemory OutcomeKind = iota // ordinary memory, at PA
	OutcomeEPC                       // the enclave's own page, at PA
	OutcomeAbort                     // the abort page: reads are all ones, writes are dropped
	OutcomeFault                     // none: Fault
)

// Outcome is the result of the access check.
type Outcome struct {
	Kind  OutcomeKind
	PA    PA
	Fault *Fault // for OutcomeFault
}

// Access is the access check on every address translation: whether a memory
// access by software on an LP, or from outside every enclave if lp is nil, is
// allowed, and where it goes (SDM Vol. 3D, "Access-control Requirements" and
// "Page-based Access Control").
//
// Addresses outside as have no translation here: outside and, but for fetches,
// inside an enclave they are ordinary memory at the same address, which only
// an engine can reach.
func (p *Processor) Access(as *AddressSpace, lp *LP, linear uint64, kind AccessKind) Outcome {
	var e *enclave
	if lp != nil {
		e = lp.enc
	}
	inELRANGE := e != nil && e.contains(linear)
	if e != nil && !inELRANGE && kind == AccessFetch {
		return faulted(&Fault{Vector: isa.VectorGP, Reason: "fetch outside ELRANGE"})
	}
	if !as.Contains(linear) && !inELRANGE {
		return Outcome{Kind: OutcomeMemory, PA: PA(linear)}
	}
	pa, perm, ok := as.Lookup(linear)
	if !ok {
		return faulted(&Fault{Vector: isa.VectorPF, ErrorCode: kind.pfBits(), Addr: linear, Reason: "no translation"})
	}
	if perm&kind.perm() == 0 {
		return faulted(&Fault{
			Vector: isa.VectorPF, ErrorCode: isa.PFPresent | kind.pfBits(), Addr: linear,
			Reason: "page tables allow only " + perm.String(),
		})
	}
	n, inEPC := p.page(pa)
	switch {
	case !inELRANGE && !inEPC:
		return Outcome{Kind: OutcomeMemory, PA: pa}
	case !inELRANGE:
		return Outcome{Kind: OutcomeAbort, PA: pa}
	}
	reason := "ELRANGE is mapped to ordinary memory"
	if inEPC {
		p.mu.RLock()
		entry := p.epcm.get(n)
		p.mu.RUnlock()
		reason = entry.refuses(e, linear, uint64(kind.perm()))
	}
	if reason != "" {
		return faulted(&Fault{
			Vector: isa.VectorPF, ErrorCode: isa.PFPresent | isa.PFSGX | kind.pfBits(), Addr: linear, Reason: reason,
		})
	}
	return Outcome{Kind: OutcomeEPC, PA: pa}
}

func faulted(f *Fault) Outcome { return Outcome{Kind: OutcomeFault, Fault: f} }
