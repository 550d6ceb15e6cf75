package scan_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/gobuild/scan"
)

// TestDecode decodes instructions that were encoded by hand from the SDM, with
// more bytes after them. The length is that of the bytes.
func TestDecode(t *testing.T) {
	for _, c := range []struct {
		code string
		op   scan.Op
	}{
		// One-byte opcodes and the lengths of their immediates.
		{"90", scan.Plain}, {"CC", scan.Plain}, {"C3", scan.Plain},
		{"04 11", scan.Plain}, {"05 11223344", scan.Plain}, {"66 05 1122", scan.Plain}, {"48 05 11223344", scan.Plain},
		{"66 48 05 11223344", scan.Plain}, // REX.W before the operand size
		{"48 66 05 1122", scan.Plain},     // a REX that is not last is ignored
		{"B8 11223344", scan.Plain}, {"66 B8 1122", scan.Plain}, {"48 B8 1122334455667788", scan.Plain}, {"66 49 BF 1122334455667788", scan.Plain},
		{"B0 11", scan.Plain}, {"48 C7 C0 11223344", scan.Plain}, {"66 C7 00 1122", scan.Plain}, {"C6 00 11", scan.Plain},
		{"A0 1122334455667788", scan.Plain}, {"48 A1 1122334455667788", scan.Plain}, {"67 A3 11223344", scan.Plain}, {"66 A3 1122334455667788", scan.Plain},
		{"F6 C0 11", scan.Plain}, {"F6 D0", scan.Plain}, {"F7 C0 11223344", scan.Plain}, {"66 F7 C0 1122", scan.Plain}, {"48 F7 C8 11223344", scan.Plain},
		{"48 F7 D8", scan.Plain}, {"F6 04 25 00112233 44", scan.Plain}, {"F7 74 24 08", scan.Plain},
		{"C8 1122 33", scan.Plain}, {"C2 1122", scan.Plain}, {"68 11223344", scan.Plain}, {"66 68 1122", scan.Plain}, {"6A 11", scan.Plain},
		{"69 C0 11223344", scan.Plain}, {"66 69 C0 1122", scan.Plain}, {"6B C0 11", scan.Plain}, {"63 C0", scan.Plain}, {"48 63 C0", scan.Plain},
		{"80 00 11", scan.Plain}, {"81 00 11223344", scan.Plain}, {"66 81 00 1122", scan.Plain}, {"83 00 11", scan.Plain}, {"C1 E0 05", scan.Plain}, {"D3 E0", scan.Plain},
		{"70 11", scan.Plain}, {"EB 11", scan.Plain}, {"E8 11223344", scan.Plain}, {"E9 11223344", scan.Plain}, {"0F 84 11223344", scan.Plain},
		{"66 E8 11223344", scan.Plain}, {"66 0F 84 11223344", scan.Plain}, {"E3 11", scan.Plain}, {"67 E3 11", scan.Plain},
		{"FF D0", scan.Plain}, {"FF E0", scan.Plain}, {"FF 25 11223344", scan.Plain}, {"8F 00", scan.Plain}, {"D9 3C 24", scan.Plain}, {"9B", scan.Plain}, {"D7", scan.Plain},
		{"8C D8", scan.Plain}, {"C7 F8 11223344", scan.Plain}, {"66 C7 F8 1122", scan.Plain}, {"C6 F8 11", scan.Plain},
		{"F0 48 0F B1 11", scan.Plain}, {"F3 48 A5", scan.Plain}, {"64 48 8B 04 25 F8FFFFFF", scan.Plain}, {"F3 90", scan.Plain},
		{"26 2E 36 3E 64 65 67 66 F2 F3 F0 40 01 00 ", scan.Plain}, {"66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", scan.Plain}, // 15 bytes

		// ModRM, SIB, displacement.
		{"8B 00", scan.Plain}, {"8B 05 11223344", scan.Plain}, {"8B 04 24", scan.Plain}, {"8B 04 25 11223344", scan.Plain}, {"8B 04 05 11223344", scan.Plain},
		{"8B 44 24 11", scan.Plain}, {"8B 45 11", scan.Plain}, {"8B 44 05 11", scan.Plain}, {"8B 80 11223344", scan.Plain}, {"8B 84 24 11223344", scan.Plain},
		{"8B 84 05 11223344", scan.Plain}, {"8B C4", scan.Plain}, {"8B C5", scan.Plain}, {"41 8B 04 24", scan.Plain}, {"43 8B 04 25 11223344", scan.Plain},

		// Map 0F and beyond.
		{"0F 1F 00", scan.Plain}, {"66 0F 1F 84 00 11223344", scan.Plain}, {"0F B6 C0", scan.Plain}, {"0F BA E0 11", scan.Plain}, {"0F A4 C0 11", scan.Plain}, {"0F C8", scan.Plain},
		{"0F 70 C0 11", scan.Plain}, {"66 0F 71 D0 11", scan.Plain}, {"66 0F 73 F8 11", scan.Plain}, {"66 0F C6 C0 11", scan.Plain}, {"0F 77", scan.Plain}, {"F2 0F C2 00 11", scan.Plain},
		{"66 0F 38 00 C1", scan.Plain}, {"66 0F 3A 0F C1 08", scan.Plain}, {"66 0F 3A 44 05 11223344 11", scan.Plain}, {"F2 48 0F 38 F1 00", scan.Plain}, {"66 48 0F 38 F6 C0", scan.Plain}, {"0F 3A CC C1 00", scan.Plain},
		{"F3 0F 1E FA", scan.Plain}, {"0F 0B", scan.Plain}, {"F3 48 0F B8 C0", scan.Plain}, {"0F 18 08", scan.Plain}, {"0F 0D 08", scan.Plain},
		// Legal in an enclave.
		{"0F 01 D7", scan.Plain}, {"0F 01 D0", scan.Plain}, {"0F C7 F0", scan.Plain}, {"48 0F C7 F8", scan.Plain}, {"F3 0F C7 F8", scan.Plain}, {"48 0F C7 21", scan.Plain}, {"48 0F AE 21", scan.Plain}, {"48 0F AE 29", scan.Plain}, {"48 0F AE 31", scan.Plain},
		{"F3 48 0F AE D0", scan.Plain}, {"F3 48 0F AE C0", scan.Plain}, {"F3 48 0F AE D8", scan.Plain}, {"0F AE E8", scan.Plain}, {"0F AE F0", scan.Plain}, {"0F AE F8", scan.Plain}, {"0F AE 38", scan.Plain}, {"48 0F C7 08", scan.Plain},
		{"0F 01 EE", scan.Plain}, {"0F 01 EF", scan.Plain}, {"0F 01 E8", scan.Plain}, {"0F A0", scan.Plain}, {"0F A8", scan.Plain}, {"66 0F AE F0", scan.Plain},

		// VEX: two and three bytes, with and without an immediate.
		{"C5 F8 77", scan.Plain}, {"C5 FC 77", scan.Plain}, {"C5 FD 6F 06", scan.Plain}, {"C5 FE 6F 44 24 11", scan.Plain}, {"C5 F9 70 C0 11", scan.Plain}, {"C5 F9 73 D0 11", scan.Plain},
		{"C5 F8 C6 C0 11", scan.Plain}, {"C5 F8 AE 14 24", scan.Plain}, {"C5 F8 92 C8", scan.Plain},
		{"C4 E2 7D 18 05 11223344", scan.Plain}, {"C4 E3 7D 19 C0 01", scan.Plain}, {"C4 E3 FB F0 C0 11", scan.Plain}, {"C4 E2 BB F6 39", scan.Plain}, {"C4 C1 7E 6F 44 00 E0", scan.Plain},
		{"C4 E2 FD 90 34 E5 F8FFFFFF", scan.Plain}, // gather
		{"C4 E3 75 46 04 25 11223344 31", scan.Plain}, {"C4 E2 78 F3 D8", scan.Plain}, {"C4 E3 F9 22 C0 01", scan.Plain},
		// EVEX: masks, broadcast, displacements of one byte that are scaled.
		{"62 F1 7C 48 10 00", scan.Plain}, {"62 F1 7C 48 10 40 01", scan.Plain}, {"62 F1 7C C9 10 80 11223344", scan.Plain}, {"62 F1 7C 58 58 00", scan.Plain},
		{"62 F3 7D 48 25 C0 FF", scan.Plain}, {"62 F2 7D 49 90 04 8D 11223344", scan.Plain}, {"62 F1 7D 48 72 E0 11", scan.Plain}, {"62 F1 7D 48 C2 C0 11", scan.Plain}, {"62 F2 FD 48 8D C0", scan.Plain},
		{"62 F3 FD 48 CE 44 24 01 11", scan.Plain}, {"62 F5 7C 48 58 C1", scan.Plain}, {"62 F6 7D 48 98 C1", scan.Plain}, {"62 61 95 20 58 6A 40", scan.Plain}, {"62 F1 FE 48 7F 05 11223344", scan.Plain},

		// Illegal in an enclave.
		{"0F A2", scan.CPUID}, {"48 0F A2", scan.CPUID}, {"66 F3 0F A2", scan.CPUID}, {"0F 37", scan.GETSEC}, {"0F 33", scan.RDPMC},
		{"0F 01 00", scan.SGDT}, {"0F 01 0C 24", scan.SIDT}, {"0F 00 C0", scan.SLDT}, {"48 0F 00 C8", scan.STR}, {"0F 01 E0", scan.SMSW}, {"0F 01 60 11", scan.SMSW},
		{"0F 01 C1", scan.VMCALL}, {"0F 01 D4", scan.VMFUNC}, {"0F 01 C2", scan.VMLAUNCH}, {"0F 01 C3", scan.VMRESUME}, {"0F 01 C4", scan.VMXOFF},
		{"F3 0F C7 30", scan.VMXON}, {"0F C7 30", scan.VMPTRLD}, {"66 0F C7 30", scan.VMCLEAR}, {"0F C7 38", scan.VMPTRST}, {"0F 78 C0", scan.VMREAD}, {"0F 79 C0", scan.VMWRITE},
		{"66 0F 38 80 00", scan.INVEPT}, {"66 0F 38 81 00", scan.INVVPID}, {"66 0F 38 82 00", scan.INVPCID},
		{"E4 11", scan.IN}, {"E5 11", scan.IN}, {"EC", scan.IN}, {"ED", scan.IN}, {"6C", scan.INS}, {"F3 6D", scan.INS}, {"E6 11", scan.OUT}, {"E7 11", scan.OUT}, {"EE", scan.OUT}, {"66 EF", scan.OUT}, {"6E", scan.OUTS}, {"F3 6F", scan.OUTS},
		{"FF 18", scan.FarCALL}, {"48 FF 58 11", scan.FarCALL}, {"FF 2D 11223344", scan.FarJMP}, {"CA 1122", scan.FarRET}, {"CB", scan.FarRET}, {"48 CB", scan.FarRET},
		{"CD 80", scan.INT}, {"CD 03", scan.INT3Long}, {"F1", scan.INT1}, {"48 CF", scan.IRET}, {"8E D8", scan.MOVToSeg}, {"8E 2C 25 11223344", scan.MOVToSeg},
		{"0F B2 00", scan.LSS}, {"0F B4 00", scan.LFS}, {"48 0F B5 00", scan.LGS}, {"0F A1", scan.POPSeg}, {"0F A9", scan.POPSeg},
		{"0F 05", scan.SYSCALL}, {"48 0F 05", scan.SYSCALL}, {"0F 34", scan.SYSENTER}, {"48 0F 07", scan.SYSRET}, {"0F 35", scan.SYSEXIT},
		{"F3 0F 01 EC", scan.UIRET}, {"F3 0F 01 ED", scan.TESTUI}, {"F3 0F 01 EE", scan.CLUI}, {"F3 0F 01 EF", scan.STUI}, {"F3 0F C7 F0", scan.SENDUIPI},
		// Privileged.
		{"0F 01 CF", scan.ENCLS}, {"0F 01 C0", scan.ENCLV}, {"66 0F 01 CF", scan.SEAMCALL}, {"0F 01 C5", scan.PCONFIG}, {"F4", scan.HLT}, {"FA", scan.CLI}, {"FB", scan.STI}, {"0F 06", scan.CLTS}, {"0F 08", scan.INVD}, {"0F 09", scan.WBINVD}, {"F3 0F 09", scan.WBNOINVD},
		{"0F 01 3C 24", scan.INVLPG}, {"0F 01 F0", scan.LMSW}, {"0F 01 10", scan.LGDT}, {"0F 01 18", scan.LIDT}, {"0F 00 10", scan.LLDT}, {"0F 00 D8", scan.LTR}, {"0F 00 E0", scan.VERR}, {"0F 00 E8", scan.VERW}, {"F2 0F 00 F0", scan.LKGS},
		{"0F 20 C0", scan.MOVCR}, {"0F 22 04", scan.MOVCR}, {"44 0F 22 C0", scan.MOVCR}, {"0F 23 85", scan.MOVDR}, // always registers: no SIB, no displacement
		{"0F 32", scan.RDMSR}, {"0F 30", scan.WRMSR}, {"0F 01 C6", scan.WRMSRNS}, {"0F 01 D1", scan.XSETBV}, {"48 0F C7 28", scan.XSAVES}, {"48 0F C7 19", scan.XRSTORS}, {"0F AA", scan.RSM},
		{"0F 01 C8", scan.MONITOR}, {"0F 01 C9", scan.MWAIT}, {"0F 01 CA", scan.CLAC}, {"0F 01 CB", scan.STAC}, {"0F 01 F8", scan.SWAPGS}, {"F3 0F AE 30", scan.CLRSSBSY}, {"66 0F 38 F5 00", scan.WRUSS}, {"F3 0F 38 F8 00", scan.ENQCMDS}, {"F3 0F 38 DC C0", scan.LOADIWKEY}, {"F3 0F 3A F0 C0 00", scan.HRESET},
		{"F3 0F 01 CA", scan.ERETU}, {"F2 0F 01 CA", scan.ERETS}, {"F3 0F 01 E8", scan.SETSSBSY}, {"0F 01 D9", scan.VMMCALL}, {"0F 01 FD", scan.RDPRU},
		// The clock.
		{"0F 31", scan.RDTSC}, {"0F 01 F9", scan.RDTSCP},
	} {
		code := unhex(t, c.code)
		inst, ok := scan.Decode(append(code, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88))
		if !ok || inst.Len != len(code) || inst.Op != c.op {
			t.Errorf("%s: %v, length %d, %v; want length %d, %v", c.code, ok, inst.Len, inst.Op, len(code), c.op)
		}
		for n := range code {
			if inst, ok := scan.Decode(code[:n]); ok {
				t.Errorf("%s cut to %d bytes: length %d", c.code, n, inst.Len)
			}
		}
	}
}

// TestDecodeNot decodes what is no instruction in 64-bit mode.
func TestDecodeNot(t *testing.T) {
	for _, c := range []string{
		"", "06", "07", "0E", "16", "17", "1E", "1F", "27", "2F", "37", "3F", "60", "61", "82 C0 11", "9A 1122334455", "CE", "D4 0A", "D5 0A", "D6", "EA 1122334455",
		"8F C8 11", "C6 C8 11", "C7 C8 11223344", "FE D0", "FF F8", "FF D8", "FF E8", "8D C0", "8E C8", "8C F0", // groups and registers
		"0F 04", "0F 0A", "0F 0E", "0F 0F C0 0D", "0F 24 C0", "0F 36", "0F 39 00", "0F A6 C0", "0F A7 C0", "0F B9 C0", "0F FF C0", "0F BA C0 11", "0F C7 00", "0F C7 C8", "0F 71 C0 11", "0F 73 C8 11", "0F 00 F8", "0F 01 D2", "66 0F 78 C0 11 22", "0F B8 C0",
		"0F 38 0C C0", "0F 3A 00 C0 11", "0F 38", "0F 3A",
		"66 C5 F8 77", "F2 C4 E2 7D 18 00", "F3 C5 F8 77", "F0 C5 F8 77", "48 C5 F8 77", // a prefix before VEX
		"C5 F8 05", "C4 E0 7D 18 00", "C4 E4 7D 18 00", "C4 E2 7D FF 00", "C4 E3 7D FF 00 11", "C4 E3 7D 69 C0 11", // FMA4
		"62 F1 78 48 10 00", "62 F9 7C 48 10 00", "62 F0 7C 48 10 00", "62 F4 7C 48 10 00", "62 F7 7C 48 10 00", "62 F1 7C 48 77", // EVEX bits, APX
		"66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", "2E 2E 2E 2E 2E 2E 2E 2E 2E 2E 2E 48 B8 1122334455667788", "66 66 66 66 66", // 16 bytes and more; prefixes alone
	} {
		code := unhex(t, c)
		if len(code) > 0 && c != "66 66 66 66 66" && c != "0F 38" && c != "0F 3A" {
			code = append(code, make([]byte, 16)...)
		}
		if inst, ok := scan.Decode(code); ok {
			t.Errorf("%s: length %d, %v", c, inst.Len, inst.Op)
		}
	}
}

func TestDecodeBranch(t *testing.T) {
	for code, want := range map[string]int32{
		"EB FE": -2, "74 7F": 127, "E2 80": -128, "E8 00000080": -1 << 31, "E9 FBFFFFFF": -5, "0F 8F 44332211": 0x11223344,
		"C7 F8 10000000": 16, "66 C7 F8 F0FF": -16, "66 E8 01000000": 1,
	} {
		if inst, ok := scan.Decode(unhex(t, code)); !ok || !inst.Branch || inst.Disp != want {
			t.Errorf("%s: %v, %+v; want a branch to %d", code, ok, inst, want)
		}
	}
	for _, code := range []string{"FF E0", "C3", "C7 00 11223344", "C7 C0 F8000000", "68 11223344", "6A 11", "0F 05", "C5 F8 77"} {
		if inst, ok := scan.Decode(unhex(t, code)); !ok || inst.Branch {
			t.Errorf("%s: %v, %+v; want no branch", code, ok, inst)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}
