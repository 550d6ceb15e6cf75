package enclave

import (
	"fmt"
	"slices"
	"sort"

	"github.com/feidi-dev/feidi/cpu"
)

// Buffer is memory outside the enclave that does not move, so that the
// enclave may be told its address.
type Buffer struct {
	e    *Enclave
	mem  cpu.Buffer
	size int
}

// Alloc returns a zeroed buffer of size bytes, aligned to a page.
func (e *Enclave) Alloc(size int) (*Buffer, error) {
	if size < 0 {
		return nil, fmt.Errorf("enclave: %w: a buffer of %d bytes", ErrInvalidParameter, size)
	}
	mem, err := e.m.engine.Alloc(size)
	if err != nil {
		return nil, fmt.Errorf("enclave: %w: %w", ErrOutOfMemory, err)
	}
	b := &Buffer{e: e, mem: mem, size: size}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead.Load() {
		mem.Free()
		return nil, ErrDestroyed
	}
	e.buffers = slices.Insert(e.buffers, e.bufferAfter(b.Addr()), b)
	return b, nil
}

// bufferAfter returns the index of the first buffer beyond addr.
func (e *Enclave) bufferAfter(addr uint64) int {
	return sort.Search(len(e.buffers), func(i int) bool { return e.buffers[i].Addr() > addr })
}

// Addr returns the address of the buffer.
func (b *Buffer) Addr() uint64 { return b.mem.Addr() }

// Bytes returns the buffer's memory, which the enclave may change at any time.
func (b *Buffer) Bytes() []byte { return b.mem.Bytes()[:b.size] }

// Free gives the memory back. The enclave must not use it any more.
func (b *Buffer) Free() {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	if i := slices.Index(b.e.buffers, b); i >= 0 {
		b.e.buffers = slices.Delete(b.e.buffers, i, i+1)
		b.mem.Free()
	}
}

// Bytes returns the n bytes at addr, aliased, which must lie within one
// buffer. An address from an enclave is not to be trusted: this is the check.
func (e *Enclave) Bytes(addr uint64, n int) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := e.bufferAfter(addr); i > 0 && n >= 0 {
		b := e.buffers[i-1]
		if off := addr - b.Addr(); off <= uint64(b.size) && uint64(n) <= uint64(b.size)-off {
			return b.mem.Bytes()[off:][:n:n], nil
		}
	}
	return nil, fmt.Errorf("enclave: %w: [%#x, %#x) is not in memory that the enclave was given", ErrInvalidParameter, addr, addr+uint64(n))
}
