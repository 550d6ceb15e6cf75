package native

import (
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct sigaction on x86-64.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	sigDFL, sigIGN = 0, 1
	saOnstack      = 0x08000000
	numSignals     = 64
)

var wrapMu sync.Mutex

// wrapSignals puts the engine's handler in front of every handler that is
// installed and is not wrapped yet. It may be called again at any time, and is
// whenever a thread is made: a handler that the process installs later, as
// os/signal does after signal.Ignore, is not wrapped until then.
func wrapSignals() error {
	wrapMu.Lock()
	defer wrapMu.Unlock()
	for sig := 1; sig <= numSignals; sig++ {
		if sig == int(unix.SIGKILL) || sig == int(unix.SIGSTOP) {
			continue
		}
		var sa sigaction
		if err := rtSigaction(sig, nil, &sa); err != nil {
			return err
		}
		if sa.handler == sigDFL || sa.handler == sigIGN || sa.handler == handlerPC() {
			continue
		}
		oldHandlers[sig] = sa.handler
		sa.handler = handlerPC()
		sa.flags |= saOnstack
		sa.mask = ^uint64(0)
		if err := rtSigaction(sig, &sa, nil); err != nil {
			return err
		}
	}
	return nil
}

func rtSigaction(sig int, set, old *sigaction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
	if errno != 0 {
		return fmt.Errorf("native: sigaction for signal %d: %w", sig, errno)
	}
	return nil
}
