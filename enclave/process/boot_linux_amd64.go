package process

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/feidi-dev/feidi/internal/cpuid"
	"github.com/feidi-dev/feidi/internal/goabi"
)

var le = binary.LittleEndian

// anySubleaf is the subleaf of a row that serves every subleaf.
const anySubleaf = ^uint32(0)

// cpuidRows are the leaves that the program is told of: the first, and how many
// subleaves; 0 for a leaf that has none.
var cpuidRows = []struct{ leaf, subleaves uint32 }{
	{0, 0}, {1, 0}, {2, 0}, {4, 5}, {6, 0}, {7, 3}, {0xB, 2}, {0xD, 2}, {0x14, 2}, {0x15, 0}, {0x16, 0}, {0x19, 0}, {0x1F, 2}, {0x24, 1},
	{0x80000000, 0}, {0x80000001, 0}, {0x80000002, 0}, {0x80000003, 0}, {0x80000004, 0},
	{0x80000005, 0}, {0x80000006, 0}, {0x80000007, 0}, {0x80000008, 0},
}

// bootBlock returns what ECallStart is given. blocks and clock are addresses.
func bootBlock(cfg *Config, blocks uint64, count int, clock uint64, cpus int) ([]byte, error) {
	b := make([]byte, goabi.BootHeader)
	put := func(off int, v int) { le.PutUint64(b[off:], uint64(v)) }
	strs := func(what string, off int, list []string) error {
		put(off, len(b))
		put(off+8, len(list))
		for _, s := range list {
			if strings.IndexByte(s, 0) >= 0 {
				return fmt.Errorf("process: %s %q has a NUL byte", what, s)
			}
			b = append(append(b, s...), 0)
		}
		return nil
	}
	le.PutUint64(b[goabi.BootMagicOff:], goabi.BootMagic)
	le.PutUint64(b[goabi.BootBlocks:], blocks)
	put(goabi.BootCount, count)
	le.PutUint64(b[goabi.BootClock:], clock)
	put(goabi.BootCPUs, cpus)
	if err := strs("argument", goabi.BootArgs, cfg.Args); err != nil {
		return nil, err
	}
	if err := strs("environment string", goabi.BootEnv, cfg.Env); err != nil {
		return nil, err
	}
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	put(goabi.BootCPUID, len(b))
	rows := 0
	row := func(leaf, subleaf, label uint32) {
		r := cpuid.Leaf(leaf, subleaf)
		for _, v := range []uint32{leaf, label, r.EAX, r.EBX, r.ECX, r.EDX} {
			b = le.AppendUint32(b, v)
		}
		rows++
	}
	for _, l := range cpuidRows {
		if l.subleaves == 0 {
			row(l.leaf, 0, anySubleaf)
		}
		for s := range l.subleaves {
			row(l.leaf, s, s)
		}
	}
	put(goabi.BootCPUIDRows, rows)
	put(goabi.BootBlock, 0)
	put(goabi.BootSize, len(b))
	if len(b) > goabi.MaxBoot {
		return nil, fmt.Errorf("process: arguments and environment take %d bytes, and %d is the most", len(b), goabi.MaxBoot)
	}
	return b, nil
}
