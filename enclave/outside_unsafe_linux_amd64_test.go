package enclave_test

import (
	"testing"
	"unsafe"

	"github.com/feidi-dev/feidi/internal/toy"
	"golang.org/x/sys/unix"
)

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// syscallPair is what every system call from Go pays to the scheduler, and
// every entry into an enclave.
//
//go:nosplit
//go:noinline
func syscallPair() {
	entersyscall()
	exitsyscall()
}

// emptySyscall is a system call that does nothing: it closes no file.
func emptySyscall() { _ = unix.Close(-1) }

// outside returns toy.ComputeCode as a function of this process, so that the
// same instructions can be timed outside an enclave.
func outside(tb testing.TB) func(n uint64) uint64 {
	tb.Helper()
	mem, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = unix.Munmap(mem) })
	// Go passes and returns the number in RAX; the code wants it in RDI and
	// uses RCX, which no caller keeps. The padding gives the loop the
	// alignment that it has inside.
	movRDIRAX := []byte{0x48, 0x89, 0xC7}
	const nop, align = 0x90, 16
	n := align
	for i := range n {
		mem[i] = nop
	}
	copy(mem[n-len(movRDIRAX):], movRDIRAX)
	copy(mem[n:], toy.ComputeCode())
	if err := unix.Mprotect(mem, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		tb.Fatal(err)
	}
	code := &mem[0] // a function value points to the address of its code
	closure := &code
	return *(*func(uint64) uint64)(unsafe.Pointer(&closure))
}
