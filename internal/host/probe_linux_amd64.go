package host

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// syscallDispatch returns the best mode of syscall user dispatch that the
// kernel has: "inclusive", "exclusive" (Linux 5.11) or "none". The mode is
// switched on for a page that nothing runs from, on this thread, and off
// again.
func syscallDispatch() string {
	const (
		setSyscallUserDispatch = 59
		off, inclusive         = 0, 2
	)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	set := func(mode, start, length uintptr) bool {
		_, _, e := unix.RawSyscall6(unix.SYS_PRCTL, setSyscallUserDispatch, mode, start, length, 0, 0)
		return e == 0
	}
	if !set(off, 0, 0) {
		return "none"
	}
	const pageNobodyMaps = 4096 // below vm.mmap_min_addr
	if set(inclusive, pageNobodyMaps, 4096) {
		set(off, 0, 0)
		return "inclusive"
	}
	return "exclusive"
}

// executableMemfd maps a page of anonymous shared memory twice, to write and
// to execute, as the engine maps the EPC.
func executableMemfd() error {
	fd, err := unix.MemfdCreate("feidi-doctor", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	size := os.Getpagesize()
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return err
	}
	for _, prot := range []int{unix.PROT_READ | unix.PROT_WRITE, unix.PROT_READ | unix.PROT_EXEC} {
		m, err := unix.Mmap(fd, 0, size, prot, unix.MAP_SHARED)
		if err != nil {
			return err
		}
		if err := unix.Munmap(m); err != nil {
			return err
		}
	}
	return nil
}
