package hostile

import (
	"github.com/feidi-dev/feidi/internal/goabi"
	"github.com/feidi-dev/feidi/status"
)

// booting is a lie about a word of the boot block.
func booting(name string, off int, want status.Code, v func(h *host, b []byte) uint64) lie {
	return lie{name: "boot/" + name, jobs: "raw", want: ends, limit: wait, status: want, addresses: true, boot: func(h *host, b []byte) {
		le.PutUint64(b[off:], v(h, b))
	}}
}

func is(v uint64) func(*host, []byte) uint64 { return func(*host, []byte) uint64 { return v } }

func in(off uint64) func(*host, []byte) uint64 {
	return func(h *host, _ []byte) uint64 { return h.base + off }
}

// rows changes the rows of the CPUID table.
func rows(name string, want status.Code, outcome outcome, change func(row []byte)) lie {
	return lie{name: "boot/CPUID/" + name, jobs: "raw,files,threads", want: outcome, status: want, boot: func(_ *host, b []byte) {
		at := le.Uint64(b[goabi.BootCPUID:])
		for i := range le.Uint64(b[goabi.BootCPUIDRows:]) {
			change(b[at+24*i:][:24])
		}
	}}
}

func leaf1(change func(row []byte)) func([]byte) {
	return func(row []byte) {
		if le.Uint32(row) == 1 {
			change(row)
		}
	}
}

const invalid, unexpected = status.ErrInvalidParameter, status.ErrUnexpected

// boots are lies about the boot block.
var boots = []lie{
	booting("no magic", goabi.BootMagicOff, invalid, is(1)),
	booting("size 0", goabi.BootSize, invalid, is(0)),
	booting("size too large", goabi.BootSize, invalid, is(goabi.MaxBoot+1)),
	booting("size without end", goabi.BootSize, invalid, is(^uint64(0))),
	booting("blocks inside", goabi.BootBlocks, invalid, in(0x10000)),
	booting("blocks that reach inside", goabi.BootBlocks, invalid, func(h *host, _ []byte) uint64 { return h.base - 4096 }),
	booting("blocks that reach inside from behind", goabi.BootBlocks, invalid, func(h *host, _ []byte) uint64 { return h.base + h.size - 8 }),
	booting("blocks at the end", goabi.BootBlocks, invalid, is(^uint64(0xFFF))),
	booting("blocks unaligned", goabi.BootBlocks, invalid, func(_ *host, b []byte) uint64 { return le.Uint64(b[goabi.BootBlocks:]) + 4 }),
	booting("no blocks", goabi.BootCount, invalid, is(0)),
	booting("too many blocks", goabi.BootCount, invalid, is(4097)),
	booting("so many blocks that their size is small", goabi.BootCount, invalid, is(1<<60)),
	booting("a block that there is not", goabi.BootBlock, invalid, func(_ *host, b []byte) uint64 { return le.Uint64(b[goabi.BootCount:]) }),
	booting("clock inside", goabi.BootClock, invalid, in(0x10000)),
	booting("clock that reaches inside", goabi.BootClock, invalid, func(h *host, _ []byte) uint64 { return h.base - 8 }),
	booting("clock unaligned", goabi.BootClock, invalid, func(_ *host, b []byte) uint64 { return le.Uint64(b[goabi.BootClock:]) + 1 }),
	booting("arguments outside of it", goabi.BootArgs, invalid, func(_ *host, b []byte) uint64 { return le.Uint64(b[goabi.BootSize:]) }),
	booting("arguments before it", goabi.BootArgs, invalid, is(^uint64(15))),
	booting("arguments inside", goabi.BootArgs, invalid, in(0)),
	booting("too many arguments", goabi.BootArgCount, invalid, is(1<<63)),
	booting("environment without end", goabi.BootEnvCount, invalid, is(1<<20)),
	booting("CPUID before it", goabi.BootCPUID, invalid, is(^uint64(23))),
	booting("CPUID inside", goabi.BootCPUID, invalid, in(0)),
	booting("no CPUID", goabi.BootCPUIDRows, invalid, is(0)),
	booting("too much CPUID", goabi.BootCPUIDRows, invalid, is(goabi.MaxCPUIDRows+1)),
	booting("so much CPUID that its size is small", goabi.BootCPUIDRows, invalid, is(1<<62)),
	booting("many processors", goabi.BootCPUs, 0, is(1<<62)),
	booting("no processors", goabi.BootCPUs, 0, is(0)),
	booting("a block of another thread", goabi.BootBlock, 0, func(_ *host, b []byte) uint64 { return le.Uint64(b[goabi.BootCount:]) - 1 }),
	rows("without AES", unexpected, ends, leaf1(func(row []byte) { le.PutUint32(row[16:], le.Uint32(row[16:])&^(1<<25)) })),
	rows("without RDRAND", unexpected, ends, leaf1(func(row []byte) { le.PutUint32(row[16:], le.Uint32(row[16:])&^(1<<30)) })),
	rows("without leaf 1", unexpected, ends, leaf1(func(row []byte) { le.PutUint32(row, 0x77) })),
	rows("leaf 1 of another subleaf", unexpected, ends, leaf1(func(row []byte) { le.PutUint32(row[4:], 5) })),
	rows("nothing but leaf 1", 0, goesOn, func(row []byte) {
		if le.Uint32(row) != 1 {
			clear(row[8:])
		}
	}),
}
