package world

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/feidi-dev/feidi/internal/atomicfile"
)

// snapshot is a state of the factory, and what follows from it. It is not
// changed.
type snapshot struct {
	factory
	head  []byte // of its file
	index map[[16]byte]named
}

// state returns what the factory knows now.
func (w *World) state() (*snapshot, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	path := w.path(factoryFile)
	f, err := os.Open(path)
	if notThere(err) {
		if _, err := os.Stat(filepath.Dir(path)); notThere(err) {
			return nil, fmt.Errorf("%s: %w", w.dir, ErrNone)
		}
		return nil, damaged(path, "it is missing")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	head = head[:n]
	if w.last != nil && !w.stale && bytes.Equal(head, w.last.head) {
		return w.last, nil
	}
	if err != nil {
		return nil, damaged(path, "it ends too early")
	}
	rest, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(rest) > maxFile {
		return nil, damaged(path, "it has more than %d bytes", maxFile)
	}
	s := &snapshot{head: head}
	if err := decode(path, append(slices.Clip(head), rest...), &s.factory); err != nil {
		return nil, err
	}
	if !bytes.Equal(s.World, w.file.ID) && w.last != nil {
		return nil, fmt.Errorf("%s: another world is there than was opened: %w", w.dir, ErrNone)
	}
	if err := s.check(w.file.ID); err != nil {
		return nil, damaged(path, "%v", err)
	}
	s.index = indexOf(&s.factory)
	w.last, w.stale = s, false
	return s, nil
}

// locked calls a function while nobody else changes the world.
func (w *World) locked(f func() error) error {
	if _, err := w.state(); err != nil { // where there is no world there is no lock
		return err
	}
	unlock, err := lock(w.path(lockFile))
	if err != nil {
		return err
	}
	defer unlock()
	atomicfile.Clean(filepath.Dir(w.path(lockFile)), 0)
	// What is changed is what the file has, as a whole: a damaged one is not replaced
	// by what is remembered of it.
	w.mu.Lock()
	w.stale = true
	w.mu.Unlock()
	return f()
}

// errUnchanged ends a change without one: all is as it is to be.
var errUnchanged = errors.New("unchanged")

// change changes what the factory knows, inside of locked. The function changes
// the state that it gets; if it returns an error, nothing is written.
func (w *World) change(f func(*factory) error) error {
	s, err := w.state()
	if err != nil {
		return err
	}
	next := s.clone()
	if err := f(next); err == errUnchanged {
		return nil
	} else if err != nil {
		return err
	}
	next.Generation++
	if err := next.check(w.file.ID); err != nil {
		return fmt.Errorf("world: a change for the worse: %w", err)
	}
	b, err := encode(next)
	if err != nil {
		return err
	}
	if len(b) > maxFile {
		return fmt.Errorf("%w: the factory would know more than %d bytes", ErrOptions, maxFile)
	}
	return atomicfile.Write(w.path(factoryFile), b, 0o600)
}
