//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aesm

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lock keeps other processes that call it out of a directory. It waits for a
// second: whoever holds it is about to listen, or up to no good.
func lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for range 100 {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = f.Close()
	return nil, fmt.Errorf("lock %s: %w", dir, err)
}
