//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sealedfs

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the lock of a file, which lasts until the file is closed, be
// it by the end of the process.
func lockFile(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrLocked
		}
		return err
	}
}
