package cli

import (
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/isa"
)

// bits names the bits of a word, and gives those without a name in hex.
func bits(v uint64, names []bitName) []string {
	out := []string{}
	for _, n := range names {
		if v&n.bit != 0 {
			out = append(out, n.name)
			v &^= n.bit
		}
	}
	if v != 0 {
		out = append(out, fmt.Sprintf("%#x", v))
	}
	return out
}

type bitName struct {
	bit  uint64
	name string
}

var attributeNames = []bitName{
	{uint64(isa.AttrInit), "INIT"}, {uint64(isa.AttrDebug), "DEBUG"}, {uint64(isa.AttrMode64Bit), "MODE64BIT"},
	{uint64(isa.AttrProvisionKey), "PROVISION_KEY"}, {uint64(isa.AttrEinitTokenKey), "EINITTOKEN_KEY"},
	{uint64(isa.AttrCET), "CET"}, {uint64(isa.AttrKSS), "KSS"}, {uint64(isa.AttrAEXNotify), "AEXNOTIFY"},
}

var xfrmNames = []bitName{
	{uint64(isa.XFRMX87), "x87"}, {uint64(isa.XFRMSSE), "SSE"}, {uint64(isa.XFRMAVX), "AVX"},
	{uint64(isa.XFRMBNDREGS), "BNDREGS"}, {uint64(isa.XFRMBNDCSR), "BNDCSR"}, {uint64(isa.XFRMOpmask), "opmask"},
	{uint64(isa.XFRMZMMHi256), "ZMM_Hi256"}, {uint64(isa.XFRMHi16ZMM), "Hi16_ZMM"}, {uint64(isa.XFRMPKRU), "PKRU"},
	{uint64(isa.XFRMTileCfg), "TILECFG"}, {uint64(isa.XFRMTileData), "TILEDATA"},
}

var miscNames = []bitName{{uint64(isa.MiscEXINFO), "EXINFO"}, {uint64(isa.MiscCPINFO), "CPINFO"}}

// pageKind is a page's type and permissions, as in "REG rw-".
func pageKind(f isa.SecInfoFlags) string {
	perm := []byte("---")
	for i, b := range []isa.SecInfoFlags{isa.SecInfoR, isa.SecInfoW, isa.SecInfoX} {
		if f&b != 0 {
			perm[i] = "rwx"[i]
		}
	}
	return strings.TrimPrefix(f.PageType().String(), "PT_") + " " + string(perm)
}
