package sdk

import (
	"time"

	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/sign/config"
)

// Sets of XSAVE components.
const (
	xfrmAVX    = isa.XFRMAVX | isa.XFRMSSE
	xfrmAVX512 = isa.XFRMOpmask | isa.XFRMZMMHi256 | isa.XFRMHi16ZMM | xfrmAVX
	xfrmMPX    = isa.XFRMBNDREGS | isa.XFRMBNDCSR
	xfrmAMX    = isa.XFRMTileCfg | isa.XFRMTileData
)

// attrUnchecked are the ATTRIBUTES that SIGSTRUCTs since SDK 2.18 leave to the
// processor, beside DEBUG.
const attrUnchecked = isa.AttributeFlags(0xFF) << 48

// fillSigStruct fills the fields that follow from the configuration.
func (p *plan) fillSigStruct(s *isa.SigStruct, date time.Time) {
	*s = isa.SigStruct{
		Header: isa.SigStructHeader, Header2: isa.SigStructHeader2, Date: sign.Date(date), SWDefined: p.HW,
		MiscSelect: isa.MiscSelect(p.MiscSelect), MiscMask: isa.MiscSelect(p.MiscMask),
		ISVFamilyID: p.ISVFamilyID, ISVExtProdID: p.ISVExtProdID, ISVProdID: p.ProdID, ISVSVN: p.ISVSVN,
	}
	if p.sdk >= sdk2_22 {
		s.MiscSelect &= s.MiscMask
	}
	if p.ReleaseType {
		s.Type = isa.SigStructDebug
	}
	if p.IntelSigned {
		s.Vendor = isa.VendorIntel
	}

	s.Attributes.Flags = isa.AttrMode64Bit
	s.AttributeMask.Flags = ^isa.AttrDebug
	if p.sdk >= sdk2_18 {
		s.AttributeMask.Flags &^= attrUnchecked
	}
	for flag, on := range map[isa.AttributeFlags]bool{
		isa.AttrProvisionKey: p.ProvisionKey, isa.AttrEinitTokenKey: p.LaunchKey,
		isa.AttrKSS: p.EnableKSS, isa.AttrAEXNotify: p.EnableAEXNotify,
	} {
		if on {
			s.Attributes.Flags |= flag
		}
	}
	if p.DisableDebug {
		s.AttributeMask.Flags |= isa.AttrDebug
	}

	known := isa.XFRMLegacy | xfrmAVX
	if p.sdk >= sdk2_5 {
		known |= xfrmAVX512
	}
	s.Attributes.XFRM, s.AttributeMask.XFRM = isa.XFRMLegacy, ^known|isa.XFRMLegacy
	for _, x := range [...]struct {
		bits  isa.XFRM
		state config.Feature
	}{{isa.XFRMPKRU, p.PKRU}, {xfrmAMX, p.AMX}} {
		switch x.state {
		case config.FeatureOn:
			s.Attributes.XFRM |= x.bits
		case config.FeatureLoader:
			s.AttributeMask.XFRM &^= x.bits
		}
	}
}

// loaderAttributes are the ATTRIBUTES that the loader gives the enclave on a
// machine with every feature: what must be on, and what need not be off.
func loaderAttributes(s *isa.SigStruct) isa.Attributes {
	return isa.Attributes{Flags: s.Attributes.Flags, XFRM: ^s.AttributeMask.XFRM | s.Attributes.XFRM&s.AttributeMask.XFRM}
}

// xsaveSize is the size in bytes of the XSAVE area of an enclave that may run
// with the components of x.
func xsaveSize(x isa.XFRM, sdk release) uint32 {
	const legacy, avx, avx512, pkru, amx = 512 + 64, 256, 1600, 64, 64 + 8192
	mpx := uint32(256)
	if sdk < sdk2_1 {
		mpx = 80
	}
	n := uint32(legacy)
	for _, c := range [...]struct {
		bits isa.XFRM
		size uint32
	}{
		{xfrmAVX, legacy + avx},
		{xfrmMPX, legacy + avx + mpx},
		{xfrmAVX512, legacy + avx + mpx + avx512},
		{isa.XFRMPKRU, legacy + avx + mpx + avx512 + pkru},
		{xfrmAMX, legacy + avx + mpx + avx512 + pkru + amx},
	} {
		if x&c.bits == c.bits {
			n = c.size
		}
	}
	return n
}
