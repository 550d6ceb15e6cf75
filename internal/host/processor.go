package host

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/feidi-dev/feidi/internal/cpuid"
)

func bit(r uint32, n uint) bool { return r>>n&1 == 1 }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// need is OK if b, and else v.
func need(b bool, v Verdict) Verdict {
	if b {
		return OK
	}
	return v
}

// processor adds what CPUID says (SDM Vol. 2A, "CPUID"; leaf 12H is
// described in Vol. 3D, "Intel SGX Resource Enumeration Leaves").
func (s *Survey) processor() {
	if runtime.GOARCH != "amd64" {
		s.add("cpu.arch", "Architecture", runtime.GOARCH, Missing, "enclaves are x86-64 code; no engine here interprets it")
		return
	}
	s.add("cpu.vendor", "Vendor", vendor(), Info, "")
	s.add("cpu.model", "Model", brand(), Info, "")
	s.add("cpu.hypervisor", "Hypervisor", hypervisor(), Info, "")
	l7 := cpuid.Leaf(7, 0)
	s.sgx(l7)

	l1 := cpuid.Leaf(1, 0)
	s.add("cpu.sse41", "SSE4.1", yes(bit(l1.ECX, 19)), need(bit(l1.ECX, 19), Warn), unless(bit(l1.ECX, 19), "enclaves of the Intel SDK refuse to start"))
	s.add("cpu.xsave", "XSAVE enabled", yes(bit(l1.ECX, 27)), need(bit(l1.ECX, 27), Missing), unless(bit(l1.ECX, 27), "the engine saves the state of enclaves with it"))
	s.add("cpu.xcr0", "XCR0", fmt.Sprintf("%#x (%s)", cpuid.XCR0(), components(cpuid.XCR0())), Info, "")
	xsavec := bit(cpuid.Leaf(0xD, 1).EAX, 1)
	s.add("cpu.xsavec", "XSAVEC", yes(xsavec), need(xsavec, Warn), unless(xsavec, "enclaves of the Intel SDK that use AVX execute it"))
	s.add("cpu.fsgsbase", "FSGSBASE", yes(bit(l7.EBX, 0)), need(bit(l7.EBX, 0), Warn), unless(bit(l7.EBX, 0), "FS and GS are switched by system calls, which makes each entry slower"))
}

func (s *Survey) sgx(l7 cpuid.Regs) {
	has := bit(l7.EBX, 2)
	s.add("sgx.cpuid", "SGX", yes(has), Info, unless(has, "not needed: the processor is emulated"))
	if !has {
		return
	}
	s.add("sgx.launch_control", "Flexible launch control", yes(bit(l7.ECX, 30)), Info, "")
	l12 := cpuid.Leaf(0x12, 0)
	var sets []string
	for _, f := range []struct {
		bit  uint
		name string
	}{{0, "SGX1"}, {1, "SGX2"}, {7, "EVERIFYREPORT2"}, {10, "EUPDATESVN"}, {11, "EDECCSSA"}} {
		if bit(l12.EAX, f.bit) {
			sets = append(sets, f.name)
		}
	}
	s.add("sgx.sets", "Instruction sets", list(sets), Info, unless(len(sets) > 0, "the firmware has SGX switched off"))
	s.add("sgx.epc", "EPC of the hardware", Bytes(epc()), Info, "")
}

// epc sums the EPC sections that CPUID leaf 12H enumerates.
func epc() uint64 {
	var total uint64
	for sub := uint32(2); sub < 2+64; sub++ {
		r := cpuid.Leaf(0x12, sub)
		if r.EAX&0xF != 1 {
			break
		}
		total += uint64(r.EDX&0xFFFFF)<<32 | uint64(r.ECX&^0xFFF)
	}
	return total
}

func unless(ok bool, note string) string {
	if ok {
		return ""
	}
	return note
}

func list(v []string) string {
	if len(v) == 0 {
		return "none"
	}
	return strings.Join(v, " ")
}

func text(regs ...uint32) string {
	var b []byte
	for _, r := range regs {
		b = append(b, byte(r), byte(r>>8), byte(r>>16), byte(r>>24))
	}
	return strings.TrimSpace(strings.TrimRight(string(b), "\x00"))
}

func vendor() string {
	r := cpuid.Leaf(0, 0)
	return text(r.EBX, r.EDX, r.ECX)
}

func brand() string {
	var s string
	for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
		r := cpuid.Leaf(leaf, 0)
		s += text(r.EAX, r.EBX, r.ECX, r.EDX) + " "
	}
	l1 := cpuid.Leaf(1, 0).EAX
	family, model := l1>>8&0xF, l1>>4&0xF
	if family == 0xF || family == 6 {
		model |= l1 >> 12 & 0xF0
	}
	if family == 0xF {
		family += l1 >> 20 & 0xFF
	}
	return fmt.Sprintf("%s (family %d, model %d, stepping %d)", strings.Join(strings.Fields(s), " "), family, model, l1&0xF)
}

func hypervisor() string {
	if !bit(cpuid.Leaf(1, 0).ECX, 31) {
		return "none"
	}
	r := cpuid.Leaf(0x40000000, 0)
	if name := text(r.EBX, r.ECX, r.EDX); name != "" {
		return name
	}
	return "unnamed"
}

// components names the bits of XCR0.
func components(xcr0 uint64) string {
	names := map[uint]string{
		0: "x87", 1: "SSE", 2: "AVX", 3: "BNDREGS", 4: "BNDCSR", 5: "opmask", 6: "ZMM_Hi256",
		7: "Hi16_ZMM", 9: "PKRU", 17: "TILECFG", 18: "TILEDATA", 19: "APX",
	}
	var v []string
	for n := range uint(63) {
		if xcr0>>n&1 == 0 {
			continue
		}
		if name, ok := names[n]; ok {
			v = append(v, name)
		} else {
			v = append(v, fmt.Sprintf("bit %d", n))
		}
	}
	return list(v)
}

// Bytes formats a number of bytes with the largest unit that keeps it above
// one.
func Bytes(n uint64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	v, u := float64(n), 0
	for v >= 1024 {
		v, u = v/1024, u+1
	}
	if v == float64(uint64(v)) {
		return fmt.Sprintf("%d %s", uint64(v), units[u])
	}
	return fmt.Sprintf("%.1f %s", v, units[u])
}
