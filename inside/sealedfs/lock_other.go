//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package sealedfs

import "os"

// lockFile does nothing: package syscall knows no such lock here, and enclaves
// run on Linux. Two processes on one directory notice each other as
// ErrRolledBack.
func lockFile(*os.File) error { return nil }
