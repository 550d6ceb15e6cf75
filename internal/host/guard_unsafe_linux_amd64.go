package host

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Guard has the kernel kill this process when code at [base, base+size) makes a
// system call: size is a power of two, and base a multiple of it. It is for all
// threads, now and later, and for good. A kernel that cannot do it is an
// errors.ErrUnsupported.
func Guard(base, size uint64) error {
	if size < 2 || size&(size-1) != 0 || base&(size-1) != 0 {
		return fmt.Errorf("host: [%#x, %#x) is no range to be guarded", base, base+size)
	}
	filter := guardFilter(base, size)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread() // the first call is for the thread, and the second takes it to the others
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("host: no_new_privs: %w", err)
	}
	tid, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(&program)
	switch {
	case errno == unix.ENOSYS || errno == unix.EINVAL:
		return fmt.Errorf("host: this kernel has no seccomp filters: %w", errors.ErrUnsupported)
	case errno != 0:
		return fmt.Errorf("host: seccomp: %w", errno)
	case tid != 0:
		return fmt.Errorf("host: thread %d has a seccomp filter of its own", tid)
	}
	return nil
}

// CanGuard reports whether Guard works here.
func CanGuard() bool {
	action := uint32(unix.SECCOMP_RET_KILL_PROCESS)
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0
}

// Offsets in struct seccomp_data.
const offArch, offIP = 4, 8

// guardFilter is the filter for Guard. The instruction pointer that it sees is
// that behind the instruction, so that the end belongs to the range; and INT
// 0x80 and SYSENTER, which are system calls of a 32-bit machine, are nobody's.
func guardFilter(base, size uint64) []unix.SockFilter {
	end, mask := base+size, -size
	const load, and, equal, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	return []unix.SockFilter{
		{Code: load, K: offArch},
		{Code: equal, Jf: 11, K: unix.AUDIT_ARCH_X86_64}, // kill
		{Code: load, K: offIP + 4},
		{Code: equal, Jf: 2, K: uint32(end >> 32)},
		{Code: load, K: offIP},
		{Code: equal, Jt: 7, K: uint32(end)}, // kill
		{Code: load, K: offIP + 4},
		{Code: and, K: uint32(mask >> 32)},
		{Code: equal, Jf: 3, K: uint32(base >> 32)}, // allow
		{Code: load, K: offIP},
		{Code: and, K: uint32(mask)},
		{Code: equal, Jt: 1, K: uint32(base)}, // kill
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
		{Code: ret, K: unix.SECCOMP_RET_KILL_PROCESS},
	}
}
