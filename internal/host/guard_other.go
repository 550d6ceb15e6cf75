//go:build !linux || !amd64

package host

import (
	"errors"
	"fmt"
)

// Guard returns an errors.ErrUnsupported.
func Guard(uint64, uint64) error {
	return fmt.Errorf("host: seccomp filters are Linux's: %w", errors.ErrUnsupported)
}

// CanGuard reports whether Guard works here.
func CanGuard() bool { return false }
