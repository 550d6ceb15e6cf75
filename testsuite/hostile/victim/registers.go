//go:build linux && amd64

package main

import (
	"syscall"

	"github.com/feidi-dev/feidi/internal/cpuid"
)

func hold(nr uintptr, p *[64]uint64, wide bool) (r uintptr)

// registers makes system calls with the secret in the registers.
func registers() {
	var secret [64]uint64
	for i := range secret {
		secret[i] = word(i)
	}
	const avx512 = 1<<16 | 1<<30 // F and BW
	wide := cpuid.Leaf(7, 0).EBX&avx512 == avx512
	for range 20 {
		hold(syscall.SYS_GETPPID, &secret, wide)
		hold(syscall.SYS_SCHED_YIELD, &secret, wide)
		hold(syscall.SYS_GETUID, &secret, wide)
	}
}
