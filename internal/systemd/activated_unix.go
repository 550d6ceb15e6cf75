//go:build unix

package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// The descriptors of a socket unit begin here (sd_listen_fds).
const firstDescriptor = 3

// maxSockets is far above what a unit of ours has.
const maxSockets = 64

// Activated returns the listeners that systemd opened for this process, none if
// it did not. They can be had once: the environment variables that name them are
// gone then, so that no child takes them for its own.
func Activated() ([]net.Listener, error) {
	pid, fds := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name)
	}
	if pid != strconv.Itoa(os.Getpid()) || fds == "" {
		return nil, nil // meant for another
	}
	n, err := strconv.Atoi(fds)
	if err != nil || n < 0 || n > maxSockets {
		return nil, fmt.Errorf("socket activation: LISTEN_FDS is %.20q, not a number up to %d", fds, maxSockets)
	}
	var listeners []net.Listener
	for fd := firstDescriptor; fd < firstDescriptor+n; fd++ {
		syscall.CloseOnExec(fd)
		f := os.NewFile(uintptr(fd), "LISTEN_FD_"+strconv.Itoa(fd))
		l, err := net.FileListener(f) // has a descriptor of its own
		_ = f.Close()
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			return nil, fmt.Errorf("socket activation: descriptor %d is no socket that listens: %w", fd, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}
