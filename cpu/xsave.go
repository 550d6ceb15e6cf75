package cpu

import (
	"encoding/binary"

	"github.com/feidi-dev/feidi/isa"
)

// XSaveComponent says where the standard format of the XSAVE area keeps one
// state component, in bytes.
type XSaveComponent struct{ Offset, Size uint32 }

// XSaveLayout is the standard format of the XSAVE area, indexed by the
// component's bit in XCR0 (CPUID leaf 0DH). x87 and SSE, bits 0 and 1, share
// the legacy region and have no entry.
type XSaveLayout [19]XSaveComponent

// DefaultXSaveLayout is the layout that every Intel processor so far reports.
var DefaultXSaveLayout = XSaveLayout{
	2:  {576, 256},   // AVX
	3:  {960, 64},    // BNDREGS
	4:  {1024, 64},   // BNDCSR
	5:  {1088, 64},   // opmask
	6:  {1152, 512},  // ZMM_Hi256
	7:  {1664, 1024}, // Hi16_ZMM
	9:  {2688, 8},    // PKRU
	17: {2752, 64},   // TILECFG
	18: {2816, 8192}, // TILEDATA
}

// Offsets in the XSAVE area.
const (
	xsaveMXCSR   = 24
	xsaveBV      = isa.XSaveLegacySize
	xsaveHeadEnd = isa.XSaveLegacySize + isa.XSaveHeaderSize
)

// mxcsrMask are the bits that MXCSR may have set without a #GP.
const mxcsrMask = 0xFFFF

// Size returns the size in bytes of an area that holds the components of x.
func (l *XSaveLayout) Size(x isa.XFRM) uint32 {
	size := uint32(xsaveHeadEnd)
	for i := 2; i < len(l); i++ {
		if x>>i&1 != 0 {
			size = max(size, l[i].Offset+l[i].Size)
		}
	}
	return size
}

// legalXFRM reports whether x is a value that XSETBV would accept on a
// processor that supports the components of supported (SDM Vol. 1, "Enabling
// the XSAVE Feature Set and XSAVE-Enabled Features").
func legalXFRM(x, supported isa.XFRM) bool {
	all := func(set isa.XFRM) bool { return x&set == 0 || x&set == set }
	const avx512 = isa.XFRMOpmask | isa.XFRMZMMHi256 | isa.XFRMHi16ZMM
	switch {
	case x&^supported != 0, x&isa.XFRMX87 == 0:
		return false
	case x&isa.XFRMAVX != 0 && x&isa.XFRMSSE == 0:
		return false
	case x&avx512 != 0 && x&isa.XFRMAVX == 0:
		return false
	}
	return all(isa.XFRMBNDREGS|isa.XFRMBNDCSR) && all(avx512) && all(isa.XFRMTileCfg|isa.XFRMTileData)
}

// checkXSave applies the checks of XRSTOR to an image in the standard format
// and returns the reason for a #GP, or "". XRSTOR ignores the last 40 bytes of
// the header, though they are reserved (SDM Vol. 1, "Standard Form of XRSTOR").
func checkXSave(img []byte, xfrm isa.XFRM) string {
	if bv := binary.LittleEndian.Uint64(img[xsaveBV:]); isa.XFRM(bv)&^xfrm != 0 {
		return "XSTATE_BV names components outside XFRM"
	}
	if binary.LittleEndian.Uint64(img[xsaveBV+8:])|binary.LittleEndian.Uint64(img[xsaveBV+16:]) != 0 {
		return "bytes 8 to 23 of the XSAVE header are not zero"
	}
	if mxcsr := binary.LittleEndian.Uint32(img[xsaveMXCSR:]); mxcsr&^mxcsrMask != 0 {
		return "reserved bits of MXCSR are set"
	}
	return ""
}

// copyXSave copies the components of xfrm from one area to another, both in
// the standard format, and gives dst a header that describes them. Components
// in their initial configuration become zeros. Areas may be shorter than the
// layout: what lies beyond is left out.
func (l *XSaveLayout) copyXSave(dst, src []byte, xfrm isa.XFRM) {
	if len(dst) < xsaveHeadEnd || len(src) < xsaveHeadEnd {
		return
	}
	copy(dst[:isa.XSaveLegacySize], src)
	bv := binary.LittleEndian.Uint64(src[xsaveBV:]) & uint64(xfrm)
	clear(dst[xsaveBV:xsaveHeadEnd])
	for i := 2; i < len(l); i++ {
		from, to := int(l[i].Offset), int(l[i].Offset+l[i].Size)
		if xfrm>>i&1 == 0 || to > len(dst) {
			continue
		}
		if to > len(src) {
			bv &^= 1 << i
		}
		if bv>>i&1 != 0 {
			copy(dst[from:to], src[from:to])
		} else {
			clear(dst[from:to])
		}
	}
	binary.LittleEndian.PutUint64(dst[xsaveBV:], bv)
}
