// Package systemd is the daemon's end of two protocols of systemd: sockets that
// are open before the daemon is there, and telling that it is ready.
package systemd

import (
	"fmt"
	"net"
	"os"
)

// States that Notify tells.
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
)

// Notify tells systemd a state of this process (sd_notify), and nobody if it was
// not started by it with Type=notify.
func Notify(state string) error {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"}) // "@" is an abstract one
	if err != nil {
		return fmt.Errorf("cannot tell systemd %s: %w", state, err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte(state)); err != nil {
		return fmt.Errorf("cannot tell systemd %s: %w", state, err)
	}
	return nil
}
