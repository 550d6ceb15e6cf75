//go:build linux && amd64

package main

import (
	"runtime"
	"time"
)

// faults makes exceptions, and has secrets among the arguments of functions
// meanwhile.
func faults() {
	for i := range 5 {
		if !recovers(func() { **fresh[*int]() = i }) {
			fail("a nil pointer that has a value")
		}
		if zero := *fresh[int](); !recovers(func() { *fresh[int]() = i / zero }) {
			fail("a division by zero that has a result")
		}
	}
	told([4]uint64{word(1), word(2), word(3), word(4)}, word(5))
}

func recovers(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

//go:noinline
func told(secret [4]uint64, another uint64) {
	time.Sleep(3 * time.Millisecond)
	runtime.KeepAlive(&secret)
	runtime.KeepAlive(&another)
}

// trespass writes to the enclave's memory where it may not.
func trespass() {
	defer func() {
		_ = recover()
		fail("a constant")
	}()
	b := constant()
	b[0] = 'x'
}
