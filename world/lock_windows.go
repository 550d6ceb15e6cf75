package world

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const sharingViolation = syscall.Errno(32) // ERROR_SHARING_VIOLATION

// lock waits until nobody else has a file open, and keeps it open for nobody else
// until the function is called that it returns, or the process ends. It waits for
// lockPatience at most: ErrBusy.
func lock(path string) (unlock func(), err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	for start := time.Now(); ; time.Sleep(lockPause) {
		h, err := syscall.CreateFile(name, syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
		if err == nil {
			return func() { _ = syscall.CloseHandle(h) }, nil
		}
		if errors.Is(err, sharingViolation) {
			if time.Since(start) <= lockPatience {
				continue
			}
			err = ErrBusy
		}
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
}
