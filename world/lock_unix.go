//go:build unix

package world

import (
	"os"
	"syscall"
	"time"
)

// lock waits until nobody else holds the lock of a file, and holds it until the
// function is called that it returns, or the process ends. It waits for lockPatience
// at most, since a process that holds it may have been stopped: ErrBusy.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for start := time.Now(); ; time.Sleep(lockPause) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR && err != syscall.EWOULDBLOCK {
			break
		}
		if time.Since(start) > lockPatience {
			err = ErrBusy
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return func() { f.Close() }, nil
}
