// Package cpuid executes CPUID and XGETBV for the few leaves that no library
// reports: SGX's own, and the layout of the XSAVE area. On other
// architectures every leaf reads as zeros.
package cpuid

// Regs are the four result registers of CPUID.
type Regs struct{ EAX, EBX, ECX, EDX uint32 }

// Leaf executes CPUID for leaf and subleaf (SDM Vol. 2A, "CPUID"). A leaf
// above the processor's highest one reads as zeros, unlike on the silicon,
// which repeats another leaf.
func Leaf(leaf, subleaf uint32) Regs {
	var highest Regs
	highest.EAX, highest.EBX, highest.ECX, highest.EDX = cpuid(leaf&0xC0000000, 0)
	if leaf > highest.EAX {
		return Regs{}
	}
	var r Regs
	r.EAX, r.EBX, r.ECX, r.EDX = cpuid(leaf, subleaf)
	return r
}

// XCR0 returns the XSAVE components that the operating system has enabled,
// or zero if it has enabled none.
func XCR0() uint64 {
	const osxsave = 1 << 27
	if Leaf(1, 0).ECX&osxsave == 0 {
		return 0
	}
	lo, hi := xgetbv()
	return uint64(hi)<<32 | uint64(lo)
}
