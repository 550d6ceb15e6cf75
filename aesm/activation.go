package aesm

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// What systemd does for a service with sockets, see sd_listen_fds(3).
const (
	firstActivated = 3  // file descriptor
	maxActivated   = 16 // sockets
)

// Activated returns the sockets that systemd listened at before this process
// was there, and that it hands over; none if it was not systemd, or for nobody
// or another process. It may be called once: the sockets are taken out of the
// environment, so that no child thinks that they are its own.
func Activated() ([]net.Listener, error) {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, fmt.Errorf("aesm: socket activation: %w", err)
		}
	}
	if pid != strconv.Itoa(os.Getpid()) || count == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > maxActivated {
		return nil, fmt.Errorf("aesm: socket activation: LISTEN_FDS is %q, want a number up to %d", count, maxActivated)
	}
	var all []net.Listener
	for i := range n {
		// FileListener makes a copy that children do not inherit.
		f := os.NewFile(uintptr(firstActivated+i), "socket "+strconv.Itoa(i))
		l, err := net.FileListener(f)
		_ = f.Close()
		if err != nil {
			for _, l := range all {
				_ = l.Close()
			}
			return nil, fmt.Errorf("aesm: socket activation: file descriptor %d is no socket that listens: %w", firstActivated+i, err)
		}
		all = append(all, l)
	}
	return all, nil
}
