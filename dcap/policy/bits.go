package policy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/isa"
)

type bitName struct {
	bit  uint64
	name string
}

// Names of bits, which are those of the manuals.
var (
	attributeBits = []bitName{
		{uint64(isa.AttrInit), "INIT"}, {uint64(isa.AttrDebug), "DEBUG"}, {uint64(isa.AttrMode64Bit), "MODE64BIT"},
		{uint64(isa.AttrProvisionKey), "PROVISION_KEY"}, {uint64(isa.AttrEinitTokenKey), "EINITTOKEN_KEY"},
		{uint64(isa.AttrCET), "CET"}, {uint64(isa.AttrKSS), "KSS"}, {uint64(isa.AttrAEXNotify), "AEXNOTIFY"},
	}
	xfrmBits = []bitName{
		{uint64(isa.XFRMX87), "x87"}, {uint64(isa.XFRMSSE), "SSE"}, {uint64(isa.XFRMAVX), "AVX"},
		{uint64(isa.XFRMBNDREGS), "BNDREGS"}, {uint64(isa.XFRMBNDCSR), "BNDCSR"}, {uint64(isa.XFRMOpmask), "opmask"},
		{uint64(isa.XFRMZMMHi256), "ZMM_Hi256"}, {uint64(isa.XFRMHi16ZMM), "Hi16_ZMM"}, {uint64(isa.XFRMPKRU), "PKRU"},
		{uint64(isa.XFRMTileCfg), "TILECFG"}, {uint64(isa.XFRMTileData), "TILEDATA"},
	}
	xfamBits = append(append([]bitName{}, xfrmBits...),
		bitName{1 << 8, "PT"}, bitName{1 << 10, "PASID"}, bitName{1 << 11, "CET_U"}, bitName{1 << 12, "CET_S"}, bitName{1 << 13, "HDC"},
		bitName{1 << 14, "UINTR"}, bitName{1 << 15, "LBR"}, bitName{1 << 16, "HWP"})
	miscBits        = []bitName{{uint64(isa.MiscEXINFO), "EXINFO"}, {uint64(isa.MiscCPINFO), "CPINFO"}}
	tdAttributeBits = []bitName{
		{uint64(dcap.TDDebug), "DEBUG"}, {uint64(dcap.TDHGSPlusProf), "HGS_PLUS_PROF"}, {uint64(dcap.TDPerfProf), "PERF_PROF"}, {uint64(dcap.TDPMTProf), "PMT_PROF"},
		{uint64(dcap.TDICSSD), "ICSSD"}, {uint64(dcap.TDLASS), "LASS"}, {uint64(dcap.TDSEPTVEDisable), "SEPT_VE_DISABLE"}, {uint64(dcap.TDMigratable), "MIGRATABLE"},
		{uint64(dcap.TDPKS), "PKS"}, {uint64(dcap.TDKeyLocker), "KL"}, {uint64(dcap.TDTPA), "TPA"}, {uint64(dcap.TDPerfmon), "PERFMON"},
	}
)

// nameBits names the bits of a word, and gives those without a name in hex.
func nameBits(v uint64, names []bitName) (out []string) {
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

// showBits is nameBits for a message.
func showBits(v uint64, names []bitName) string {
	if v == 0 {
		return "none"
	}
	return strings.Join(nameBits(v, names), ", ")
}

// bitForm is the form of one element of a list of bits: a name, or a word in
// hex of so many bits.
func bitForm(names []bitName, width int) form {
	var all []string
	for _, n := range names {
		all = append(all, n.name)
	}
	return form{
		kind: textual, list: true, what: "names of bits (" + strings.Join(all, ", ") + `), or "0x" and hexadecimal digits`,
		pattern: fmt.Sprintf("^(%s|0x[0-9a-fA-F]{1,%d})$", strings.Join(all, "|"), width/4),
	}
}

// readBit reads one element.
func readBit(s string, names []bitName, width int) (uint64, bool) {
	for _, n := range names {
		if n.name == s {
			return n.bit, true
		}
	}
	digits, ok := strings.CutPrefix(s, "0x")
	v, err := strconv.ParseUint(digits, 16, width)
	return v, ok && err == nil && len(digits) <= width/4
}
