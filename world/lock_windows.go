package world

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// lockPause is how long a process waits before it looks again.
const lockPause = 5 * time.Millisecond

const sharingViolation = syscall.Errno(32) // ERROR_SHARING_VIOLATION

// lock waits until nobody else has a file open, and keeps it open for nobody else
// until the function is called that it returns, or the process ends.
func lock(path string) (unlock func(), err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	for {
		h, err := syscall.CreateFile(name, syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
		if err == nil {
			return func() { _ = syscall.CloseHandle(h) }, nil
		}
		if !errors.Is(err, sharingViolation) {
			return nil, &os.PathError{Op: "lock", Path: path, Err: err}
		}
		time.Sleep(lockPause)
	}
}

// syncDir does nothing: the system has names on the disk when it renames.
func syncDir(string) error { return nil }
