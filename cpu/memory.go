package cpu

import (
	"sync"

	"github.com/feidi-dev/feidi/isa"
)

// PA is a physical address. The EPC is the range [Processor.EPCBase,
// EPCBase+EPCSize); ENCLS leaves name EPC pages by it.
type PA uint64

// Memory holds the bytes of the EPC. The processor addresses it by page
// number; an engine gives the same bytes to enclave code at linear addresses.
//
// Pages start as zeros and cost nothing until they are touched. The processor
// calls Page from several goroutines at a time, and Discard from one.
type Memory interface {
	// Size returns the size of the EPC in bytes, a multiple of isa.PageSize.
	Size() uint64
	// Page returns the isa.PageSize bytes of page n, aliased.
	Page(n uint64) []byte
	// Discard makes pages [n, n+count) zeros again and gives their memory back.
	Discard(n, count uint64)
}

// heapChunk is the number of pages that HeapMemory allocates at a time.
const heapChunk = 64

// HeapMemory is Memory on the Go heap, for tests and for machines on which no
// enclave code is executed. It is safe for concurrent use.
type HeapMemory struct {
	size   uint64
	mu     sync.Mutex
	chunks map[uint64][]byte
}

// NewHeapMemory returns an EPC of size bytes, rounded down to whole pages.
func NewHeapMemory(size uint64) *HeapMemory {
	return &HeapMemory{size: size &^ (isa.PageSize - 1), chunks: map[uint64][]byte{}}
}

// Size implements Memory.
func (m *HeapMemory) Size() uint64 { return m.size }

// Page implements Memory.
func (m *HeapMemory) Page(n uint64) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.chunks[n/heapChunk]
	if c == nil {
		c = make([]byte, heapChunk*isa.PageSize)
		m.chunks[n/heapChunk] = c
	}
	off := n % heapChunk * isa.PageSize
	return c[off : off+isa.PageSize : off+isa.PageSize]
}

// Discard implements Memory. It clears what it cannot give back.
func (m *HeapMemory) Discard(n, count uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for ; count > 0; n, count = n+1, count-1 {
		if c := m.chunks[n/heapChunk]; c != nil {
			off := n % heapChunk * isa.PageSize
			clear(c[off : off+isa.PageSize])
		}
	}
}
