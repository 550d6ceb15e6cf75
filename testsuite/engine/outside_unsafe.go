package engine

import (
	"sync/atomic"
	"unsafe"

	"github.com/feidi-dev/feidi/cpu"
)

// load32 reads memory that enclave code writes at the same time.
func load32(b cpu.Buffer, off int) uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(&b.Bytes()[off])))
}
