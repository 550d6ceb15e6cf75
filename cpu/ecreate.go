package cpu

import (
	"math/bits"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/measure"
)

// Sizes of ELRANGE that ECREATE accepts are below these powers of two (CPUID
// leaf 12H, subleaf 0, EDX).
const (
	maxSizeNot64 = 31
	maxSize64    = 56
)

// CreateInfo is what the PAGEINFO of ECREATE points to.
type CreateInfo struct {
	SECS    *isa.SECS // the source page
	SecInfo isa.SecInfo
}

// ECREATE makes dst the SECS of a new enclave (SDM Vol. 3D, "ECREATE").
func (p *Processor) ECREATE(dst PA, pi CreateInfo) error {
	secs := *pi.SECS // what is checked is what is used
	pi.SECS = &secs
	p.mu.Lock()
	err := p.ecreate(dst, &pi)
	p.unlock()
	if p.trace != nil {
		p.traceENCLS(isa.ECREATE, err, Operand{"BASEADDR", pi.SECS.BaseAddr}, Operand{"SIZE", pi.SECS.Size},
			Operand{"ATTRIBUTES", uint64(pi.SECS.Attributes.Flags)}, Operand{"XFRM", uint64(pi.SECS.Attributes.XFRM)},
			Operand{"EPCPAGE", uint64(dst)})
	}
	return err
}

func (p *Processor) ecreate(dst PA, pi *CreateInfo) error {
	const leaf = "ECREATE"
	n, err := p.epcPage(leaf, dst)
	if err != nil {
		return err
	}
	if pi.SecInfo.Reserved != [56]byte{} || pi.SecInfo.Flags&isa.SecInfoReserved != 0 || pi.SecInfo.Flags.PageType() != isa.PTSECS {
		return gp(leaf, "SECINFO is not that of a SECS, or has reserved bits set")
	}
	if p.epcm.get(n).valid() {
		return pf(leaf, uint64(dst), "EPC page is already valid")
	}
	if reason := p.checkSECS(pi.SECS); reason != "" {
		return gp(leaf, reason)
	}
	e := &enclave{page: uint32(n), secs: *pi.SECS, eid: p.nextEID, epoch: 1}
	p.nextEID++
	e.secs.MREnclave, e.secs.MRSigner = [32]byte{}, [32]byte{}
	e.secs.ISVProdID, e.secs.ISVSVN = 0, 0
	e.measure = measure.New(e.secs.Size, e.secs.SSAFrameSize)
	p.enclaves[e.page] = e
	*p.epcm.at(n) = epcmEntry{state: epcmValid | uint64(isa.PTSECS)<<epcmPTShift}
	return nil
}

// checkSECS returns the reason why ECREATE raises #GP for a SECS, or "".
func (p *Processor) checkSECS(s *isa.SECS) string {
	flags, xfrm := s.Attributes.Flags, s.Attributes.XFRM
	mode64 := flags&isa.AttrMode64Bit != 0
	switch {
	case xfrm&isa.XFRMLegacy != isa.XFRMLegacy:
		return "XFRM lacks x87 or SSE"
	case !legalXFRM(xfrm, p.xfrm):
		return "XFRM is illegal"
	case s.CETAttributes != 0 || s.CETLegBitmapOffset != 0:
		return "CET is not supported"
	case s.MiscSelect&^p.misc != 0:
		return "MISCSELECT has unsupported bits"
	case uint64(s.SSAFrameSize)*isa.PageSize < uint64(p.ssaSize(xfrm, s.MiscSelect)):
		return "SSAFRAMESIZE is too small"
	case mode64 && !canonical(s.BaseAddr):
		return "BASEADDR is not canonical"
	case !mode64 && s.BaseAddr>>32 != 0:
		return "BASEADDR is beyond 4 GiB"
	case !mode64 && s.Size >= 1<<maxSizeNot64:
		return "SIZE is too large for a 32-bit enclave"
	case mode64 && s.Size >= 1<<maxSize64:
		return "SIZE is too large"
	case s.Size < 2*isa.PageSize || bits.OnesCount64(s.Size) != 1:
		return "SIZE is not a power of two of at least two pages"
	case s.BaseAddr&(s.Size-1) != 0:
		return "BASEADDR is not aligned to SIZE"
	case flags&^p.attributes != 0:
		return "ATTRIBUTES has unsupported bits"
	case s.Reserved1 != [15]byte{} || s.Reserved2 != [32]byte{} || s.Reserved3 != [32]byte{} || s.Reserved4 != [3834]byte{}:
		return "reserved fields of the SECS are not zero"
	case flags&isa.AttrKSS == 0 && (s.ConfigID != [64]byte{} || s.ConfigSVN != 0):
		return "CONFIGID or CONFIGSVN without KSS"
	}
	return ""
}

// miscSize returns the size of the MISC region of an SSA frame.
func miscSize(m isa.MiscSelect) uint32 {
	if m&isa.MiscEXINFO != 0 {
		return isa.ExInfoSize
	}
	return 0
}

// ssaSize returns the number of bytes that an SSA frame must hold.
func (p *Processor) ssaSize(x isa.XFRM, m isa.MiscSelect) uint32 {
	return p.xsave.Size(x) + isa.GPRSGXSize + miscSize(m)
}

// canonical reports whether a linear address is canonical with 48 bits.
func canonical(a uint64) bool { return uint64(int64(a<<16)>>16) == a }
