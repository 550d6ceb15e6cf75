package cpuid

import (
	"runtime"
	"testing"

	"golang.org/x/sys/cpu"
)

func TestAgreesWithSysCPU(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		if r := Leaf(0, 0); r != (Regs{}) || XCR0() != 0 {
			t.Fatalf("leaf 0 is %+v, XCR0 %#x: want zeros on %s", r, XCR0(), runtime.GOARCH)
		}
		t.Skip("no CPUID on " + runtime.GOARCH)
	}
	bit := func(r uint32, n int) bool { return r>>n&1 == 1 }
	l1 := Leaf(1, 0)
	for _, c := range []struct {
		name      string
		got, want bool
	}{
		{"AES", bit(l1.ECX, 25), cpu.X86.HasAES},
		{"OSXSAVE", bit(l1.ECX, 27), cpu.X86.HasOSXSAVE},
		{"RDRAND", bit(l1.ECX, 30), cpu.X86.HasRDRAND},
		{"SSE2", bit(l1.EDX, 26), cpu.X86.HasSSE2},
		{"BMI1", bit(Leaf(7, 0).EBX, 3), cpu.X86.HasBMI1},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, golang.org/x/sys/cpu says %v", c.name, c.got, c.want)
		}
	}
	if cpu.X86.HasOSXSAVE && XCR0()&3 != 3 {
		t.Errorf("XCR0 is %#x: x87 and SSE are always enabled under a 64-bit system", XCR0())
	}
}

func TestLeafAboveHighest(t *testing.T) {
	if r := Leaf(0x7FFFFFFF, 0); r != (Regs{}) {
		t.Errorf("leaf 0x7fffffff is %+v, want zeros", r)
	}
}
