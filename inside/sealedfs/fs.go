package sealedfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Generation returns the number of the directory's state, which every change
// increases by one. See Options.MinGeneration.
func (f *FS) Generation() uint64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.index.generation
}

// Reseal protects the master key anew, for instance by the seal key of a new
// security version. The old protection stays valid for who kept a copy.
func (f *FS) Reseal(s Sealer) error {
	f.change.Lock()
	defer f.change.Unlock()
	f.mu.RLock()
	defer f.mu.RUnlock()
	err := f.check()
	if err == nil {
		var h []byte
		if h, err = sealHeader(s, &f.master); err == nil {
			err = f.replace(headerName, h)
		}
	}
	return pathError("reseal", ".", err)
}

// Close ends the use of the directory and releases its lock. Files that are
// open for reading stay readable; those that are open for writing are lost.
func (f *FS) Close() error {
	f.change.Lock()
	defer f.change.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return pathError("close", ".", fs.ErrClosed)
	}
	f.closed = true
	clear(f.master[:])
	return pathError("close", ".", f.lock.Close())
}

// check reports whether the directory is open and the host's index is the one
// that this run knows. The caller holds mu.
func (f *FS) check() error {
	if f.closed {
		return fs.ErrClosed
	}
	found, err := readStamp(f.disk)
	if err != nil || found == f.stamp {
		return err
	}
	// Which of the two evils?
	file, err := slurp(f.disk, indexName, int64(stampSize+maxPlain+indexBlock))
	if err != nil {
		return err
	}
	x, err := openIndex(&f.master, file)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: generation %d instead of %d", ErrRolledBack, x.generation, f.index.generation)
}

// readStamp reads the start of the host's index.
func readStamp(d disk) (s stamp, err error) {
	r, err := d.open(indexName)
	if err != nil {
		return s, hostError(indexName, err)
	}
	defer r.Close()
	n, err := r.ReadAt(s[:], 0)
	if n == len(s) {
		return s, nil
	}
	if errors.Is(err, io.EOF) {
		return s, tampered(indexName, "%d bytes", n)
	}
	return s, hostError(indexName, err)
}
