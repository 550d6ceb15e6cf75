package isa

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

type codec interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// layouts gives the size of every structure and the offset of each of its
// fields, reserved ones too, from the tables of SDM Vol. 3D. They are
// numbers on purpose. Nested structures are listed by their own fields.
var layouts = []struct {
	new    func() codec
	size   int
	offset map[string]int
}{
	{func() codec { return new(Attributes) }, 16, map[string]int{"Flags": 0, "XFRM": 8}},
	{func() codec { return new(SECS) }, 4096, map[string]int{
		"Size": 0, "BaseAddr": 8, "SSAFrameSize": 16, "MiscSelect": 20, "CETLegBitmapOffset": 24, "CETAttributes": 32, "Reserved1": 33,
		"Attributes.Flags": 48, "Attributes.XFRM": 56, "MREnclave": 64, "Reserved2": 96, "MRSigner": 128, "Reserved3": 160, "ConfigID": 192,
		"ISVProdID": 256, "ISVSVN": 258, "ConfigSVN": 260, "Reserved4": 262,
	}},
	{func() codec { return new(TCS) }, 4096, map[string]int{
		"State": 0, "Flags": 8, "OSSA": 16, "CSSA": 24, "NSSA": 28, "OEntry": 32, "AEP": 40, "OFSBasGX": 48, "OGSBasGX": 56,
		"FSLimit": 64, "GSLimit": 68, "OCETSSA": 72, "PrevSSP": 80, "Reserved": 88,
	}},
	{func() codec { return new(SecInfo) }, 64, map[string]int{"Flags": 0, "Reserved": 8}},
	{func() codec { return new(PageInfo) }, 32, map[string]int{"LinAddr": 0, "SrcPge": 8, "SecInfo": 16, "SECS": 24}},
	{func() codec { return new(PCMD) }, 128, map[string]int{"SecInfo.Flags": 0, "SecInfo.Reserved": 8, "EnclaveID": 64, "Reserved": 72, "MAC": 112}},
	{func() codec { return new(Report) }, 432, map[string]int{
		"CPUSVN": 0, "MiscSelect": 16, "CETAttributes": 20, "Reserved1": 21, "ISVExtProdID": 32, "Attributes.Flags": 48, "Attributes.XFRM": 56,
		"MREnclave": 64, "Reserved2": 96, "MRSigner": 128, "Reserved3": 160, "ConfigID": 192, "ISVProdID": 256, "ISVSVN": 258, "ConfigSVN": 260,
		"Reserved4": 262, "ISVFamilyID": 304, "ReportData": 320, "KeyID": 384, "MAC": 416,
	}},
	{func() codec { return new(ReportBody) }, 384, map[string]int{
		"CPUSVN": 0, "MiscSelect": 16, "CETAttributes": 20, "Reserved1": 21, "ISVExtProdID": 32, "Attributes.Flags": 48, "Attributes.XFRM": 56,
		"MREnclave": 64, "Reserved2": 96, "MRSigner": 128, "Reserved3": 160, "ConfigID": 192, "ISVProdID": 256, "ISVSVN": 258, "ConfigSVN": 260,
		"Reserved4": 262, "ISVFamilyID": 304, "ReportData": 320,
	}},
	{func() codec { return new(TargetInfo) }, 512, map[string]int{
		"Measurement": 0, "Attributes.Flags": 32, "Attributes.XFRM": 40, "CETAttributes": 48, "Reserved1": 49, "ConfigSVN": 50,
		"MiscSelect": 52, "Reserved2": 56, "ConfigID": 64, "Reserved3": 128,
	}},
	{func() codec { return new(Report2MACStruct) }, 256, map[string]int{
		"Type.Type": 0, "Type.Subtype": 1, "Type.Version": 2, "Type.Reserved": 3, "Reserved1": 4, "CPUSVN": 16,
		"TEETCBInfoHash": 32, "TEEInfoHash": 80, "ReportData": 128, "Reserved2": 192, "MAC": 224,
	}},
	{func() codec { return new(KeyRequest) }, 512, map[string]int{
		"KeyName": 0, "KeyPolicy": 2, "ISVSVN": 4, "Reserved1": 6, "CPUSVN": 8, "AttributeMask.Flags": 24, "AttributeMask.XFRM": 32,
		"KeyID": 40, "MiscMask": 72, "ConfigSVN": 76, "Reserved2": 78,
	}},
	{func() codec { return new(EinitToken) }, 304, map[string]int{
		"Valid": 0, "Reserved1": 4, "Attributes.Flags": 48, "Attributes.XFRM": 56, "MREnclave": 64, "Reserved2": 96, "MRSigner": 128,
		"Reserved3": 160, "CPUSVNLE": 192, "ISVProdIDLE": 208, "ISVSVNLE": 210, "Reserved4": 212, "MaskedMiscSelectLE": 236,
		"MaskedAttributesLE.Flags": 240, "MaskedAttributesLE.XFRM": 248, "KeyID": 256, "MAC": 288,
	}},
	{func() codec { return new(SigStruct) }, 1808, map[string]int{
		"Header": 0, "Type": 12, "Vendor": 16, "Date": 20, "Header2": 24, "SWDefined": 40, "Reserved1": 44, "Modulus": 128, "Exponent": 512,
		"Signature": 516, "MiscSelect": 900, "MiscMask": 904, "CETAttributes": 908, "CETAttributesMask": 909, "Reserved2": 910,
		"ISVFamilyID": 912, "Attributes.Flags": 928, "Attributes.XFRM": 936, "AttributeMask.Flags": 944, "AttributeMask.XFRM": 952,
		"EnclaveHash": 960, "Reserved3": 992, "ISVExtProdID": 1008, "ISVProdID": 1024, "ISVSVN": 1026, "Reserved4": 1028, "Q1": 1040, "Q2": 1424,
	}},
	{func() codec { return new(GPRSGX) }, 184, map[string]int{
		"RAX": 0, "RCX": 8, "RDX": 16, "RBX": 24, "RSP": 32, "RBP": 40, "RSI": 48, "RDI": 56, "R8": 64, "R9": 72, "R10": 80, "R11": 88,
		"R12": 96, "R13": 104, "R14": 112, "R15": 120, "RFLAGS": 128, "RIP": 136, "URSP": 144, "URBP": 152, "ExitInfo": 160,
		"Reserved": 164, "AEXNotify": 167, "FSBase": 168, "GSBase": 176,
	}},
	{func() codec { return new(ExInfo) }, 16, map[string]int{"MAddr": 0, "ErrCD": 8, "Reserved": 12}},
}

// leaves calls visit for every field that is no structure.
func leaves(v reflect.Value, prefix string, visit func(name string, f reflect.Value)) {
	for i := range v.NumField() {
		name := prefix + v.Type().Field(i).Name
		if f := v.Field(i); f.Kind() == reflect.Struct {
			if v.Type().Field(i).Anonymous {
				leaves(f, prefix, visit)
				continue
			}
			leaves(f, name+".", visit)
		} else {
			visit(name, f)
		}
	}
}

func size(f reflect.Value) int { return int(f.Type().Size()) }

// setFirst makes the first byte of the field's encoding 0xA5; setLast its
// last.
func setFirst(f reflect.Value) {
	if f.Kind() == reflect.Array {
		f.Index(0).SetUint(0xA5)
		return
	}
	f.SetUint(0xA5)
}

func setLast(f reflect.Value) {
	if f.Kind() == reflect.Array {
		f.Index(f.Len() - 1).SetUint(0xA5)
		return
	}
	f.SetUint(0xA5 << (8 * (size(f) - 1)))
}

// TestLayouts sets one field at a time and looks where its first and its last
// byte go.
func TestLayouts(t *testing.T) {
	for _, l := range layouts {
		structure := reflect.TypeOf(l.new()).Elem()
		covered := 0
		leaves(reflect.ValueOf(l.new()).Elem(), "", func(name string, f reflect.Value) {
			want, ok := l.offset[name]
			if !ok {
				t.Errorf("%v.%s is not in the table", structure, name)
				return
			}
			covered += size(f)
			for _, set := range []struct {
				f  func(reflect.Value)
				at int
			}{{setFirst, want}, {setLast, want + size(f) - 1}} {
				s := l.new()
				leaves(reflect.ValueOf(s).Elem(), "", func(n string, f reflect.Value) {
					if n == name {
						set.f(f)
					}
				})
				b, err := s.AppendBinary(nil)
				if err != nil || len(b) != l.size {
					t.Fatalf("%v: %d bytes, %v; want %d", structure, len(b), err, l.size)
				}
				wantBytes := make([]byte, l.size)
				wantBytes[set.at] = 0xA5
				if !bytes.Equal(b, wantBytes) {
					t.Errorf("%v.%s is at %d, want %d", structure, name, bytes.IndexByte(b, 0xA5), set.at)
				}
			}
		})
		if covered != l.size {
			t.Errorf("%v: fields of %d bytes, want %d", structure, covered, l.size)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, l := range layouts {
		raw := make([]byte, l.size)
		for i := range raw {
			raw[i] = byte(i*31 + i>>8 + 1)
		}
		s := l.new()
		if err := s.UnmarshalBinary(raw); err != nil {
			t.Fatal(err)
		}
		b, err := s.AppendBinary([]byte("head"))
		if err != nil || string(b[:4]) != "head" || !bytes.Equal(b[4:], raw) {
			t.Errorf("%T: does not round-trip, %v", s, err)
		}
		for _, n := range []int{0, l.size - 1, l.size + 1} {
			before := fmt.Sprintf("%v", s)
			err := s.UnmarshalBinary(make([]byte, n))
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("is %d bytes, got %d", l.size, n)) {
				t.Errorf("%T of %d bytes: %v", s, n, err)
			}
			if fmt.Sprintf("%v", s) != before {
				t.Errorf("%T: a failed UnmarshalBinary changed it", s)
			}
		}
	}
}

// TestSizes compares the exported sizes with the manual's.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want int
	}{
		{"page", PageSize, 4096}, {"ATTRIBUTES", AttributesSize, 16}, {"SECS", SECSSize, 4096}, {"TCS", TCSSize, 4096},
		{"SECINFO", SecInfoSize, 64}, {"PAGEINFO", PageInfoSize, 32}, {"PCMD", PCMDSize, 128}, {"REPORT", ReportSize, 432},
		{"REPORT before MAC", ReportMACOffset, 384}, {"TARGETINFO", TargetInfoSize, 512}, {"KEYREQUEST", KeyRequestSize, 512},
		{"key", KeySize, 16}, {"EINITTOKEN", EinitTokenSize, 304}, {"EINITTOKEN before MAC", EinitTokenMACOffset, 192},
		{"SIGSTRUCT", SigStructSize, 1808}, {"RSA key", RSAKeySize, 384}, {"GPRSGX", GPRSGXSize, 184}, {"EXINFO", ExInfoSize, 16},
		{"REPORTMACSTRUCT", Report2MACStructSize, 256}, {"REPORTMACSTRUCT before MAC", Report2MACOffset, 224},
		{"GPRSGX RSP", GPRSGXOffRSP, 32}, {"GPRSGX RBP", GPRSGXOffRBP, 40}, {"GPRSGX RDI", GPRSGXOffRDI, 56}, {"GPRSGX RIP", GPRSGXOffRIP, 136},
		{"GPRSGX URSP", GPRSGXOffURSP, 144}, {"GPRSGX URBP", GPRSGXOffURBP, 152}, {"GPRSGX EXITINFO", GPRSGXOffExitInfo, 160},
		{"VA slots", VASlots * 8, PageSize},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.name, c.got, c.want)
		}
	}
}

// TestSigned: the signature covers the encoding's bytes 0-127 and 900-1027.
func TestSigned(t *testing.T) {
	raw := make([]byte, SigStructSize)
	for i := range raw {
		raw[i] = byte(i*7 + i>>8)
	}
	var s SigStruct
	if err := s.UnmarshalBinary(raw); err != nil {
		t.Fatal(err)
	}
	if got, want := s.AppendSigned(nil), append(append([]byte{}, raw[:128]...), raw[900:1028]...); !bytes.Equal(got, want) {
		t.Errorf("signed bytes hash to %x, want %x", sha256.Sum256(got), sha256.Sum256(want))
	}
}

func TestHeaderConstants(t *testing.T) {
	if got := fmt.Sprintf("%X", SigStructHeader); got != "06000000E100000000000100" {
		t.Errorf("HEADER %s", got)
	}
	if got := fmt.Sprintf("%X", SigStructHeader2); got != "01010000600000006000000001000000" {
		t.Errorf("HEADER2 %s", got)
	}
	if EncluOpcode != [3]byte{0x0F, 0x01, 0xD7} {
		t.Errorf("ENCLU % X", EncluOpcode)
	}
}

// TestNumbers checks codes and bits against the manual's numbers.
func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want uint64 }{
		{uint64(AttrInit), 1}, {uint64(AttrDebug), 2}, {uint64(AttrMode64Bit), 4}, {uint64(AttrProvisionKey), 0x10},
		{uint64(AttrEinitTokenKey), 0x20}, {uint64(AttrCET), 0x40}, {uint64(AttrKSS), 0x80}, {uint64(AttrAEXNotify), 0x400},
		{uint64(AttrReserved), 0xFFFFFFFFFFFFFB08}, {uint64(MiscReserved), 0xFFFFFFFC},
		{uint64(XFRMLegacy), 3}, {uint64(XFRMPKRU), 0x200}, {uint64(XFRMTileCfg), 1 << 17}, {uint64(XFRMTileData), 1 << 18},
		{uint64(MakeSecInfoFlags(SecInfoR|SecInfoX, PTREG)), 0x205}, {uint64(MakeSecInfoFlags(0, PTTCS)), 0x100},
		{uint64(SecInfoReserved), 0xFFFFFFFFFFFF00C0}, {uint64(PolicyReserved), 0xFFC0}, {uint64(PolicyKSS), 0x3C},
		{uint64(EACCEPT), 5}, {uint64(EDECCSSA), 9}, {uint64(EMODT), 0xF}, {uint64(EWB), 0xB}, {uint64(PFSGX), 0x8000},
		{uint64(MakeExitInfo(VectorUD, ExitTypeHardware)), 0x80000306}, {uint64(MakeExitInfo(VectorBP, ExitTypeSoftware)), 0x80000603},
		{uint64(TCSReserved), 0xFFFFFFFFFFFFFFFC},
	} {
		if c.got != c.want {
			t.Errorf("%#x, want %#x", c.got, c.want)
		}
	}
	if e := MakeExitInfo(VectorPF, ExitTypeHardware); !e.Valid() || e.Vector() != VectorPF || e.Type() != ExitTypeHardware || ExitInfo(0).Valid() {
		t.Errorf("EXITINFO %#x", uint32(e))
	}
	if f := MakeSecInfoFlags(SecInfoRWX, PTTRIM); f.PageType() != PTTRIM {
		t.Errorf("page type %v", f.PageType())
	}
}

// TestNames: every code has the manual's name, and what is unknown a number.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		got  fmt.Stringer
		want string
	}{
		{EREPORT, "EREPORT"}, {EDECCSSA, "EDECCSSA"}, {EVERIFYREPORT2, "EVERIFYREPORT2"}, {ENCLU(0x99), "ENCLU[0x99]"},
		{ECREATE, "ECREATE"}, {EMODT, "EMODT"}, {ENCLS(0x99), "ENCLS[0x99]"}, {VectorPF, "#PF"}, {VectorSS, "#SS"}, {Vector(99), "vector 99"},
		{KeySeal, "SEAL_KEY"}, {KeyName(9), "RESERVED_KEY"}, {PTVA, "PT_VA"}, {PageType(9), "PT_RESERVED"},
	} {
		if c.got.String() != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for code, want := range map[ErrorCode]string{
		1: "SGX_INVALID_SIG_STRUCT", 2: "SGX_INVALID_ATTRIBUTE", 3: "SGX_BLSTATE", 4: "SGX_INVALID_MEASUREMENT", 5: "SGX_NOTBLOCKABLE",
		6: "SGX_PG_INVLD", 7: "SGX_EPC_PAGE_CONFLICT", 8: "SGX_INVALID_SIGNATURE", 9: "SGX_MAC_COMPARE_FAIL", 10: "SGX_PAGE_NOT_BLOCKED",
		11: "SGX_NOT_TRACKED", 12: "SGX_VA_SLOT_OCCUPIED", 13: "SGX_CHILD_PRESENT", 14: "SGX_ENCLAVE_ACT", 15: "SGX_ENTRYEPOCH_LOCKED",
		16: "SGX_INVALID_EINITTOKEN", 17: "SGX_PREV_TRK_INCMPL", 18: "SGX_PG_IS_SECS", 19: "SGX_PAGE_ATTRIBUTES_MISMATCH",
		20: "SGX_PAGE_NOT_MODIFIABLE", 21: "SGX_PAGE_NOT_DEBUGGABLE", 32: "SGX_INVALID_CPUSVN", 64: "SGX_INVALID_ISVSVN",
		128: "SGX_UNMASKED_EVENT", 256: "SGX_INVALID_KEYNAME", 77: "SGX error code 77",
	} {
		if code.Error() != want {
			t.Errorf("code %d is %q, want %q", uint32(code), code.Error(), want)
		}
	}
	if got := (Attributes{Flags: 7, XFRM: 0xE7}).And(Attributes{Flags: ^AttrDebug, XFRM: 3}); got != (Attributes{Flags: 5, XFRM: 3}) {
		t.Errorf("And: %+v", got)
	}
}
