package aesm

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrInUse: another service listens at the socket, or what has its name is no
// socket.
var ErrInUse = errors.New("socket is in use")

// socketMode lets every user connect, as with Intel's daemon: what can be had
// there is not secret, and who may have it is not AESM's to decide.
const socketMode = 0o666

// Listen makes a socket to which every user may connect, and its directory if
// there is none. A socket that was left behind is replaced, but only if nobody
// listens there. LegacyPath is taken for its abstract name. Closing the listener
// removes the socket.
func Listen(path string) (net.Listener, error) {
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("aesm: listen at %s: %w", path, err)
	}
	return l, nil
}

func listen(path string) (net.Listener, error) {
	if strings.HasPrefix(path, "@") {
		l, err := net.Listen("unix", address(path))
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, ErrInUse
		}
		return l, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	// A socket exists for a moment before anybody listens there, so that a
	// service which starts at the same time would take it for a stale one.
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	l, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := dead(path); err != nil {
			return nil, err
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
		l, err = net.Listen("unix", path)
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// dead returns nil if path is a socket at which nobody listens.
func dead(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("%w: there is something else of this name", ErrInUse)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	if err == nil {
		_ = conn.Close()
	}
	return fmt.Errorf("%w: another service listens there", ErrInUse)
}
