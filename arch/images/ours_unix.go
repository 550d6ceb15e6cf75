//go:build unix

package images

import (
	"os"
	"syscall"
)

// ours reports whether a file or folder belongs to the user or to root, and is not
// for everybody to write.
func ours(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && (s.Uid == 0 || int(s.Uid) == os.Geteuid()) && info.Mode().Perm()&0o002 == 0
}
