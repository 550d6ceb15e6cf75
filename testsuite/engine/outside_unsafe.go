package engine

import (
	"sync/atomic"
	"unsafe"

	"github.com/feidi-dev/feidi/cpu"
)

// load32 and store32 access memory that enclave code uses at the same time.
func load32(b cpu.Buffer, off int) uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(&b.Bytes()[off])))
}

func store32(b cpu.Buffer, off int, v uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&b.Bytes()[off])), v)
}
