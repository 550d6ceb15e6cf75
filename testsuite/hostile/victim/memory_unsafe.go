//go:build linux && amd64

package main

import "unsafe"

// at returns the address of what is on the heap, where it stays.
func at[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// memoryOf returns the memory of w.
func memoryOf(w []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w))), 8*len(w))
}

// constant returns memory that is not to be written.
func constant() []byte {
	const text = "what does not change"
	return unsafe.Slice(unsafe.StringData(text), len(text))
}
