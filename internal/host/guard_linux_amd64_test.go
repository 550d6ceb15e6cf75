package host

import (
	"testing"

	"golang.org/x/sys/unix"
)

// runFilter does what the kernel does with a filter, for the instructions that
// ours has.
func runFilter(t *testing.T, filter []unix.SockFilter, arch uint32, ip uint64) uint32 {
	t.Helper()
	a := uint32(0)
	for pc := 0; ; pc++ {
		switch i := filter[pc]; i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = map[uint32]uint32{4: arch, 8: uint32(ip), 12: uint32(ip >> 32)}[i.K]
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			if a == i.K {
				pc += int(i.Jt)
			} else {
				pc += int(i.Jf)
			}
		case unix.BPF_RET | unix.BPF_K:
			return i.K
		default:
			t.Fatalf("instruction %d is %#x", pc, i.Code)
		}
	}
}

func TestGuardFilter(t *testing.T) {
	for _, r := range []struct{ base, size uint64 }{
		{0x7f12_0000_0000, 1 << 30}, {0x7f12_4000_0000, 1 << 30}, {0x7f00_0000_0000, 1 << 38}, {0x10_0000, 1 << 12}, {0xFFFF_F000, 1 << 12}, {1 << 32, 1 << 32},
	} {
		f := guardFilter(r.base, r.size)
		for _, ip := range []uint64{
			0, r.base - 1, r.base, r.base + 1, r.base + r.size/2, r.base + r.size - 1, r.base + r.size, r.base + r.size + 1,
			r.base ^ 1<<32, r.base ^ 1<<45, r.base + r.size + 1<<32, r.base + r.size - 1<<40, 0x40_1000, 0x7fff_ffff_f000,
		} {
			want := uint32(unix.SECCOMP_RET_ALLOW)
			if ip >= r.base && ip <= r.base+r.size {
				want = unix.SECCOMP_RET_KILL_PROCESS
			}
			if got := runFilter(t, f, unix.AUDIT_ARCH_X86_64, ip); got != want {
				t.Errorf("[%#x, +%#x): %#x gets %#x, want %#x", r.base, r.size, ip, got, want)
			}
			if got := runFilter(t, f, unix.AUDIT_ARCH_I386, ip); got != unix.SECCOMP_RET_KILL_PROCESS {
				t.Errorf("a 32-bit call at %#x gets %#x", ip, got)
			}
		}
	}
	for _, r := range [][2]uint64{{0x1000, 0x3000}, {0x1000, 0x2000}, {0, 0}, {0, 1}} {
		if err := Guard(r[0], r[1]); err == nil {
			t.Fatalf("[%#x, +%#x) was guarded", r[0], r[1])
		}
	}
}
