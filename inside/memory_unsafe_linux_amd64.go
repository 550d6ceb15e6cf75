//go:build feidi

package inside

import (
	"syscall"
	"unsafe"

	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/status"
)

// lfence keeps loads from running ahead of the check that allows them.
// Implemented in leaf_linux_amd64.s.
func lfence()

// Where the enclave is, and how many threads it has; from package runtime.
//
//go:linkname enclBegin runtime.enclBegin
var enclBegin uintptr

//go:linkname enclEnd runtime.enclEnd
var enclEnd uintptr

//go:linkname enclThreads runtime.enclThreads
func enclThreads() uint64

func threads() uint64 { return enclThreads() }

// isOutside reports whether the n bytes at addr lie wholly outside the enclave.
func isOutside(addr, n uint64) bool {
	end := addr + n
	return end >= addr && (end <= uint64(enclBegin) || addr >= uint64(enclEnd))
}

// at is untrusted memory, which the caller has checked to be outside.
func at(addr uint64, n int) []byte {
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&addr))), n)
}

// next tells the host the status of a call and waits for another one.
func next(done, number uint64, c *nextCall) syscall.Errno {
	_, _, errno := syscall.Syscall(goabi.OpNextCall, uintptr(done), uintptr(number), uintptr(unsafe.Pointer(c)))
	return errno
}

// leave makes an OCALL for the ECALL with a number, or resumes one, and returns
// what the host did: a status, or goabi.OCallNested with an ECALL in c.
func leave(index int, ms, number uint64, nests uintptr, c *nextCall) (uint64, syscall.Errno) {
	r, _, errno := syscall.Syscall6(goabi.OpOCall, uintptr(index), uintptr(ms), uintptr(number), nests, uintptr(unsafe.Pointer(c)), 0)
	return uint64(r), errno
}

func resume(done status.Code, c *nextCall) (uint64, syscall.Errno) {
	r, _, errno := syscall.Syscall6(goabi.OpResume, uintptr(done), uintptr(c.number), uintptr(c.ocall), 1, uintptr(unsafe.Pointer(c)), 0)
	return uint64(r), errno
}

// outside has the host allocate n bytes, and release give them back.
func outside(n uint64) (uint64, syscall.Errno) {
	a, _, errno := syscall.Syscall(goabi.OpOutside, uintptr(n), 0, 0)
	return uint64(a), errno
}

func release(addr uint64) { _, _, _ = syscall.Syscall(goabi.OpOutside, uintptr(addr), 1, 0) }
