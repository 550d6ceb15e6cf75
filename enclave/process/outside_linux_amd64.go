package process

import (
	"sync"

	"github.com/feidi-dev/feidi/enclave"
	"golang.org/x/sys/unix"
)

// What a program may have of memory outside, which it asks for itself.
const (
	maxOutside       = 1 << 30 // bytes
	maxOutsidePieces = 1 << 16
)

// allocations is the memory outside that the program has asked for.
type allocations struct {
	e interface {
		Alloc(size int) (*enclave.Buffer, error)
	}
	mu     sync.Mutex
	pieces map[uint64]*enclave.Buffer // by address
	size   uint64                     // of all
}

// outside serves OpOutside.
func (t *thread) outside() int64 {
	switch a := &t.p.outer; t.args[1] {
	case 0:
		return a.alloc(t.args[0])
	case 1:
		return a.free(t.args[0])
	}
	return -int64(unix.EINVAL)
}

func (a *allocations) alloc(n uint64) int64 {
	if n == 0 {
		return -int64(unix.EINVAL)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if n > maxOutside-a.size || len(a.pieces) >= maxOutsidePieces {
		return -int64(unix.ENOMEM)
	}
	b, err := a.e.Alloc(int(n))
	if err != nil {
		return -int64(unix.ENOMEM)
	}
	if a.pieces == nil {
		a.pieces = map[uint64]*enclave.Buffer{}
	}
	a.pieces[b.Addr()] = b
	a.size += n
	return int64(b.Addr())
}

func (a *allocations) free(addr uint64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.pieces[addr]
	if b == nil {
		return -int64(unix.EINVAL)
	}
	delete(a.pieces, addr)
	a.size -= uint64(len(b.Bytes()))
	b.Free()
	return 0
}

// close frees what the program has not.
func (a *allocations) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.pieces {
		b.Free()
	}
	a.pieces = nil
}
