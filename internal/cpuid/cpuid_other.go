//go:build !amd64

package cpuid

func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32) { return 0, 0, 0, 0 }

func xgetbv() (lo, hi uint32) { return 0, 0 }
