package aesm

import (
	"net"

	"github.com/feidi-dev/feidi/internal/systemd"
)

// Activated returns the sockets that systemd listened at before this process
// was there, and that it hands over; none if it was not systemd, or for nobody
// or another process. It may be called once: the sockets are taken out of the
// environment, so that no child thinks that they are its own.
func Activated() ([]net.Listener, error) { return systemd.Activated() }
