package native

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/feidi-dev/feidi/isa"
	"golang.org/x/sys/unix"
)

// memory is the EPC: a sparse memfd, mapped once as a whole for the processor
// and page by page into the linear ranges of enclaves.
type memory struct {
	fd   int
	base unsafe.Pointer
	size uint64
}

func newMemory(size uint64) (*memory, error) {
	size &^= isa.PageSize - 1
	fd, err := unix.MemfdCreate("feidi-epc", unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if err == unix.EINVAL { // before Linux 6.3 every memfd may be executed
		fd, err = unix.MemfdCreate("feidi-epc", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, fmt.Errorf("native: cannot create the EPC (is vm.memfd_noexec 2?): %w", err)
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("native: cannot size the EPC to %#x bytes: %w", size, err)
	}
	base, err := unix.MmapPtr(fd, 0, nil, uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("native: cannot map an EPC of %#x bytes: %w", size, err)
	}
	keepPrivate(base, uintptr(size))
	return &memory{fd: fd, base: base, size: size}, nil
}

// keepPrivate keeps enclave memory out of forked children and core dumps.
func keepPrivate(p unsafe.Pointer, n uintptr) {
	for _, advice := range [...]uintptr{unix.MADV_DONTFORK, unix.MADV_DONTDUMP} {
		_, _, _ = unix.RawSyscall(unix.SYS_MADVISE, uintptr(p), n, advice)
	}
}

// Size implements cpu.Memory.
func (m *memory) Size() uint64 { return m.size }

// Page implements cpu.Memory.
func (m *memory) Page(n uint64) []byte { return m.pages(n, 1) }

// pages returns count pages from n on, as one slice.
func (m *memory) pages(n, count uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(m.base, n*isa.PageSize)), count*isa.PageSize)
}

// Discard implements cpu.Memory.
func (m *memory) Discard(n, count uint64) {
	err := unix.Fallocate(m.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(n*isa.PageSize), int64(count*isa.PageSize))
	if err != nil {
		clear(m.pages(n, count))
	}
}

func (m *memory) close() error {
	if err := unix.MunmapPtr(m.base, uintptr(m.size)); err != nil {
		return err
	}
	return unix.Close(m.fd)
}

// buffer is ordinary memory for the untrusted side.
type buffer struct{ mem []byte }

func newBuffer(size int) (*buffer, error) {
	if size > math.MaxInt-isa.PageSize {
		return nil, fmt.Errorf("native: no memory for a buffer of %d bytes", size)
	}
	size = (size + isa.PageSize - 1) &^ (isa.PageSize - 1)
	mem, err := unix.Mmap(-1, 0, max(size, isa.PageSize), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("native: no memory for a buffer of %d bytes: %w", size, err)
	}
	return &buffer{mem}, nil
}

// Addr implements cpu.Buffer.
func (b *buffer) Addr() uint64 { return uint64(uintptr(unsafe.Pointer(&b.mem[0]))) }

// Bytes implements cpu.Buffer.
func (b *buffer) Bytes() []byte { return b.mem }

// Free implements cpu.Buffer.
func (b *buffer) Free() {
	if b.mem != nil {
		_ = unix.Munmap(b.mem)
		b.mem = nil
	}
}
