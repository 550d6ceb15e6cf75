package process

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// addr returns the address of the first byte of b for a system call. b must not
// be on a stack, and the caller keeps it alive: it belongs to a thread, to the
// process or to no Go memory at all.
func addr(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// bytesOf returns the memory of *v, which addr is for.
func bytesOf[T any](v *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v)) }

// sliceBytes returns the memory of the elements of s.
func sliceBytes[T any](s []T) []byte {
	var v T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), uintptr(len(s))*unsafe.Sizeof(v))
}

// word is the aligned word at offset off of b, which another side may read or
// write at the same time.
func word(b []byte, off int) *atomic.Uint64 {
	_ = b[off : off+8 : len(b)]
	return (*atomic.Uint64)(unsafe.Pointer(&b[off]))
}

// setBase has an iovec point to b.
func setBase(v *unix.Iovec, b []byte) { v.Base = unsafe.SliceData(b) }

// setName and setControl have a message header point to b.
func setName(h *unix.Msghdr, b []byte) { h.Name, h.Namelen = unsafe.SliceData(b), uint32(len(b)) }
func setControl(h *unix.Msghdr, b []byte) {
	h.Control, h.Controllen = unsafe.SliceData(b), uint64(len(b))
}
