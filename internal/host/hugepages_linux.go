package host

import "golang.org/x/sys/unix"

// AdviseHugePages asks the kernel for large pages of memory where they pay: half of the
// time that reading a large file takes is that of page faults. It is fine if
// it fails.
func AdviseHugePages(b []byte) {
	if len(b) >= 8<<20 {
		_ = unix.Madvise(b, unix.MADV_HUGEPAGE)
	}
}
