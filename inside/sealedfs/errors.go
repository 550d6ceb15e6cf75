package sealedfs

import (
	"errors"
	"fmt"
	"io/fs"
)

// Errors that the functions of this package wrap, next to those of package
// fs. All come in an fs.PathError that names the file.
var (
	// ErrTampered: what the host stores is not what was written.
	ErrTampered = errors.New("stored data was changed or removed by the host")

	// ErrRolledBack: the host put another state of the directory, usually an
	// older one, in the place of the one that this run or the caller's counter
	// knows.
	ErrRolledBack = errors.New("stored directory was replaced by an older state")

	// ErrLocked: another process, or this one, has the directory open.
	ErrLocked = errors.New("directory is in use")
)

// pathError gives an error the operation and the file that it is about.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// tampered says how a host file differs from what was written.
func tampered(host, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrTampered, host, fmt.Sprintf(format, args...))
}

// hostError describes a failed operation on a host file that must be there.
// That it is not is never passed on as fs.ErrNotExist, which programs take for
// an answer about the sealed file.
func hostError(host string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return tampered(host, "%v", err)
	}
	return fmt.Errorf("%s: %w", host, err)
}
