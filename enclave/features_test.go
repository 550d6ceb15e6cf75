package enclave

import (
	"encoding/binary"
	"runtime"
	"testing"
)

// bits returns a word with the given bits set.
func bits(n ...int) (w uint64) {
	for _, b := range n {
		w |= 1 << b
	}
	return w
}

// TestCPUFeatures feeds one CPUID bit after another to the computation of the
// SDK's feature words. Numbers are those of se_cpu_feature_defs.h (legacy) and
// se_cpu_feature_defs_ext.h.
func TestCPUFeatures(t *testing.T) {
	const all = ^uint64(0)
	const avx, avx512 = 1<<1 | 1<<2, 1<<1 | 1<<2 | 7<<5
	for _, c := range []struct {
		name        string
		reg         featureReg
		word        uint32
		xcr0        uint64
		intel       bool
		legacy, ext uint64
	}{
		{"nothing", r1ECX, 0, all, true, bits(0), bits(0)},
		{"SSE2", r1EDX, 1 << 26, 3, false, bits(0, 6), bits(0, 6)},
		{"SSE4.1", r1ECX, 1 << 19, 3, false, bits(0, 9), bits(0, 9)},
		{"MOVBE, which the lists number differently", r1ECX, 1 << 22, 3, false, bits(0, 12), bits(0, 11)},
		{"POPCNT, likewise", r1ECX, 1 << 23, 3, false, bits(0, 11), bits(0, 12)},
		{"AES", r1ECX, 1 << 25, 3, false, bits(0, 14), bits(0, 14)},
		{"RDRAND", r1ECX, 1 << 30, 3, false, bits(0, 17), bits(0, 17)},
		{"AVX", r1ECX, 1 << 28, avx, false, bits(0, 16), bits(0, 16)},
		{"AVX that XCR0 disables", r1ECX, 1 << 28, 3, false, bits(0, 16), bits(0)},
		{"AVX2", r7EBX, 1 << 5, avx, false, bits(0, 23), bits(0, 23)},
		{"BMI1 without BMI2", r7EBX, 1 << 3, all, true, bits(0), bits(0)},
		{"BMI", r7EBX, 1<<3 | 1<<8, 3, false, bits(0, 19), bits(0, 19)},
		{"LZCNT", x1ECX, 1 << 5, 3, true, bits(0, 20), bits(0, 20)},
		{"LZCNT of another vendor", x1ECX, 1 << 5, 3, false, bits(0), bits(0)},
		{"RTM", r7EBX, 1 << 11, 3, true, bits(0, 22), bits(0, 22)},
		{"RDSEED", r7EBX, 1 << 18, 3, false, bits(0, 26), bits(0, 29)},
		{"ADX", r7EBX, 1 << 19, 3, false, bits(0, 27), bits(0, 28)},
		{"PREFETCHW, legacy only", x1ECX, 1 << 8, 3, false, bits(0, 25), bits(0)},
		{"AVX512F, extended only", r7EBX, 1 << 16, avx512, false, bits(0), bits(0, 27)},
		{"AVX512F that XCR0 disables", r7EBX, 1 << 16, avx, false, bits(0), bits(0)},
		{"AVX512VNNI", r7ECX, 1 << 11, avx512, false, bits(0), bits(0, 48)},
		{"SHA", r7EBX, 1 << 29, 3, false, bits(0), bits(0, 35)},
		{"GFNI", r7ECX, 1 << 8, 3, false, bits(0), bits(0, 45)},
		{"VAES", r7ECX, 1 << 9, avx, false, bits(0), bits(0, 46)},
		{"CET_SS", r7ECX, 1 << 7, 3, false, bits(0), bits(0, 52)},
		{"WBNOINVD", x8EBX, 1 << 9, 3, false, bits(0), bits(0, 54)},
		{"PTWRITE", r14EBX, 1 << 4, 3, false, bits(0), bits(0, 25)},
	} {
		var regs [featureRegs]uint32
		regs[c.reg] = c.word
		legacy, ext := cpuFeatures(&regs, c.xcr0, c.intel)
		if legacy != c.legacy || ext != c.ext {
			t.Errorf("%s: %#x and %#x, want %#x and %#x", c.name, legacy, ext, c.legacy, c.ext)
		}
	}
}

// TestFeatureTable: no bit of a word has two meanings.
func TestFeatureTable(t *testing.T) {
	var legacy, ext uint64
	for _, f := range features {
		if f.legacy != none {
			if legacy&(1<<f.legacy) != 0 {
				t.Errorf("legacy bit %d twice", f.legacy)
			}
			legacy |= 1 << f.legacy
		}
		if f.ext != none {
			if ext&(1<<f.ext) != 0 {
				t.Errorf("extended bit %d twice", f.ext)
			}
			ext |= 1 << f.ext
		}
		if f.mask == 0 || f.legacy > 61 || f.ext > 61 {
			t.Errorf("%+v asks for nothing, or is beyond the word", f)
		}
	}
}

// TestSystemFeatures checks the layout of what INIT is given on this machine.
func TestSystemFeatures(t *testing.T) {
	b := systemFeatures()
	le := binary.LittleEndian
	legacy, ext := le.Uint64(b[0:]), le.Uint64(b[164:])
	if len(b) != 176 || le.Uint32(b[8:]) != 0 || le.Uint64(b[12:]) != 1<<63|1<<62 || le.Uint64(b[156:]) != 176 {
		t.Errorf("% x", b)
	}
	if int(le.Uint32(b[172:])) != runtime.NumCPU() {
		t.Errorf("%d cores, the machine has %d", le.Uint32(b[172:]), runtime.NumCPU())
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("no CPUID here")
	}
	if base := bits(0, 1, 2, 3, 4, 5, 6); legacy&base != base || ext&base != base {
		t.Errorf("feature words %#x and %#x are without the base of amd64", legacy, ext)
	}
	// Row 0 of the CPUID leaves: the largest leaf, and the vendor.
	if le.Uint32(b[20:]) < 7 || le.Uint32(b[24:]) == 0 {
		t.Errorf("CPUID leaf 0: % x", b[20:36])
	}
	if got := le.Uint32(b[36+12:]); got&(1<<26) == 0 { // row 1, EDX: SSE2
		t.Errorf("CPUID leaf 1 has EDX %#x", got)
	}
}
