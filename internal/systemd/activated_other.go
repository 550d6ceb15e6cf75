//go:build !unix

package systemd

import "net"

// Activated returns no listeners: there is no systemd here.
func Activated() ([]net.Listener, error) { return nil, nil }
