package enclave

import (
	"encoding/binary"
	"runtime"

	"github.com/feidi-dev/feidi/internal/cpuid"
)

// systemFeaturesSize is the size of the SDK's system_features_t, which the
// INIT ECALL is given.
const systemFeaturesSize = 176

// Bits of system_features_t.system_feature_set[0].
const (
	featureSetEnd      = 1 << 63 // this is the last word
	featureSetExtended = 1 << 62 // size and the fields after it are valid
)

// A feature is a bit of one of the SDK's two CPU feature words and what CPUID
// must say for it. Words are those of the SDK's headers: the legacy one, and
// the extended one, whose bits differ.
type feature struct {
	legacy, ext int // bit, or none
	reg         featureReg
	mask        uint32
	xcr0        uint64 // components that must be enabled for the extended word
	intel       bool   // only trusted on Intel processors
}

const none = -1

// featureReg names a CPUID output.
type featureReg uint8

const (
	r1ECX featureReg = iota
	r1EDX
	r7EBX
	r7ECX
	r7EDX
	x1ECX  // leaf 80000001H
	x8EBX  // leaf 80000008H
	r14EBX // leaf 14H
	featureRegs
)

const (
	ymm = 1<<1 | 1<<2
	bnd = 1<<3 | 1<<4 | ymm
	zmm = 1<<5 | 1<<6 | 1<<7 | ymm
)

var features = []feature{
	{1, 1, r1EDX, 1 << 0, 0, false},        // x87
	{2, 2, r1EDX, 1 << 15, 0, false},       // CMOV
	{3, 3, r1EDX, 1 << 23, 0, false},       // MMX
	{4, 4, r1EDX, 1 << 24, 0, false},       // FXSAVE
	{5, 5, r1EDX, 1 << 25, 0, false},       // SSE
	{6, 6, r1EDX, 1 << 26, 0, false},       // SSE2
	{7, 7, r1ECX, 1 << 0, 0, false},        // SSE3
	{8, 8, r1ECX, 1 << 9, 0, false},        // SSSE3
	{9, 9, r1ECX, 1 << 19, 0, false},       // SSE4.1
	{10, 10, r1ECX, 1 << 20, 0, false},     // SSE4.2
	{12, 11, r1ECX, 1 << 22, 0, false},     // MOVBE
	{11, 12, r1ECX, 1 << 23, 0, false},     // POPCNT
	{13, 13, r1ECX, 1 << 1, 0, false},      // PCLMULQDQ
	{14, 14, r1ECX, 1 << 25, 0, false},     // AES
	{15, 15, r1ECX, 1 << 29, ymm, false},   // F16C
	{16, 16, r1ECX, 1 << 28, ymm, false},   // AVX
	{17, 17, r1ECX, 1 << 30, 0, false},     // RDRAND
	{18, 18, r1ECX, 1 << 12, ymm, false},   // FMA
	{19, 19, r7EBX, 1<<3 | 1<<8, 0, false}, // BMI1 and BMI2
	{20, 20, x1ECX, 1 << 5, 0, true},       // LZCNT
	{21, 21, r7EBX, 1 << 4, 0, true},       // HLE
	{22, 22, r7EBX, 1 << 11, 0, true},      // RTM
	{23, 23, r7EBX, 1 << 5, ymm, false},    // AVX2
	{none, 24, r7EBX, 1 << 17, zmm, false}, // AVX512DQ
	{25, none, x1ECX, 1 << 8, 0, false},    // PREFETCHW
	{none, 25, r14EBX, 1 << 4, 0, false},   // PTWRITE
	{none, 27, r7EBX, 1 << 16, zmm, false}, // AVX512F
	{27, 28, r7EBX, 1 << 19, 0, false},     // ADX
	{26, 29, r7EBX, 1 << 18, 0, false},     // RDSEED
	{none, 30, r7EBX, 1 << 21, zmm, false}, // AVX512IFMA
	{none, 32, r7EBX, 1 << 27, zmm, false}, // AVX512ER
	{none, 33, r7EBX, 1 << 26, zmm, false}, // AVX512PF
	{none, 34, r7EBX, 1 << 28, zmm, false}, // AVX512CD
	{none, 35, r7EBX, 1 << 29, 0, false},   // SHA
	{none, 36, r7EBX, 1 << 14, bnd, false}, // MPX
	{none, 37, r7EBX, 1 << 30, zmm, false}, // AVX512BW
	{none, 38, r7EBX, 1 << 31, zmm, false}, // AVX512VL
	{none, 39, r7ECX, 1 << 1, zmm, false},  // AVX512VBMI
	{none, 40, r7EDX, 1 << 3, zmm, false},  // AVX512_4FMAPS
	{none, 41, r7EDX, 1 << 2, zmm, false},  // AVX512_4VNNIW
	{none, 42, r7ECX, 1 << 14, zmm, false}, // AVX512_VPOPCNTDQ
	{none, 43, r7ECX, 1 << 12, zmm, false}, // AVX512_BITALG
	{none, 44, r7ECX, 1 << 6, zmm, false},  // AVX512_VBMI2
	{none, 45, r7ECX, 1 << 8, 0, false},    // GFNI
	{none, 46, r7ECX, 1 << 9, ymm, false},  // VAES
	{none, 47, r7ECX, 1 << 10, ymm, false}, // VPCLMULQDQ
	{none, 48, r7ECX, 1 << 11, zmm, false}, // AVX512_VNNI
	{none, 49, r7EBX, 1 << 24, 0, false},   // CLWB
	{none, 50, r7ECX, 1 << 22, 0, false},   // RDPID
	{none, 51, r7EDX, 1 << 20, 0, false},   // CET_IBT
	{none, 52, r7ECX, 1 << 7, 0, false},    // CET_SS
	{none, 53, r7EBX, 1 << 2, 0, true},     // SGX
	{none, 54, x8EBX, 1 << 9, 0, false},    // WBNOINVD
	{none, 55, r7EDX, 1 << 18, 0, false},   // PCONFIG
}

// cpuFeatures computes the SDK's two feature words from CPUID and XCR0. The
// trusted runtime strips what XFRM forbids from the legacy word.
func cpuFeatures(regs *[featureRegs]uint32, xcr0 uint64, intel bool) (legacy, ext uint64) {
	legacy, ext = 1, 1 // a generic IA-32 processor
	for _, f := range features {
		if regs[f.reg]&f.mask != f.mask || f.intel && !intel {
			continue
		}
		if f.legacy != none {
			legacy |= 1 << f.legacy
		}
		if f.ext != none && xcr0&f.xcr0 == f.xcr0 {
			ext |= 1 << f.ext
		}
	}
	return legacy, ext
}

// systemFeatures encodes the host's system_features_t for a runtime without
// dynamic memory management.
func systemFeatures() []byte {
	var regs [featureRegs]uint32
	l0, l1, l7 := cpuid.Leaf(0, 0), cpuid.Leaf(1, 0), cpuid.Leaf(7, 0)
	regs[r1ECX], regs[r1EDX] = l1.ECX, l1.EDX
	regs[r7EBX], regs[r7ECX], regs[r7EDX] = l7.EBX, l7.ECX, l7.EDX
	regs[x1ECX] = cpuid.Leaf(0x80000001, 0).ECX
	regs[x8EBX] = cpuid.Leaf(0x80000008, 0).EBX
	regs[r14EBX] = cpuid.Leaf(0x14, 0).EBX
	const genu, inei, ntel = 0x756E6547, 0x49656E69, 0x6C65746E
	intel := l0.EBX == genu && l0.EDX == inei && l0.ECX == ntel
	legacy, ext := cpuFeatures(&regs, cpuid.XCR0(), intel)

	b := make([]byte, systemFeaturesSize)
	le := binary.LittleEndian
	le.PutUint64(b[0:], legacy)
	le.PutUint64(b[12:], featureSetEnd|featureSetExtended)
	for _, leaf := range [...]uint32{0, 1, 4, 7} {
		r := cpuid.Leaf(leaf, 0)
		for i, v := range [...]uint32{r.EAX, r.EBX, r.ECX, r.EDX} {
			le.PutUint32(b[20+16*leaf+4*uint32(i):], v)
		}
	}
	le.PutUint64(b[156:], systemFeaturesSize)
	le.PutUint64(b[164:], ext)
	le.PutUint32(b[172:], uint32(runtime.NumCPU()))
	return b
}
