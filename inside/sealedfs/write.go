package sealedfs

import (
	"crypto/cipher"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"
)

// WriteFile gives a file a new content, or makes it. The directory that it is
// in must exist.
func (f *FS) WriteFile(name string, data []byte) error {
	w, err := f.create(name, len(data))
	if err != nil {
		return pathError("write", name, err)
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return pathError("write", name, w.finish())
}

// Create returns a Writer of a file's new content. Until its Close the file is
// as it was.
func (f *FS) Create(name string) (*Writer, error) {
	w, err := f.create(name, chunkSize)
	if err != nil {
		return nil, pathError("create", name, err)
	}
	return w, nil
}

// create starts a data file; hint is the expected size.
func (f *FS) create(name string, hint int) (*Writer, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if err := checkName(name); err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	if _, err := f.index.place(name); err != nil {
		return nil, err
	}
	id := newFileID()
	aead, err := derive(&f.master, infoFile, id[:])
	if err != nil {
		return nil, err
	}
	out, err := f.disk.create(id.host())
	if err != nil {
		return nil, hostError(id.host(), err)
	}
	return &Writer{
		fs: f, name: name, id: id, aead: aead, out: out,
		buf: make([]byte, 0, min(hint, chunkSize)+tagSize),
	}, nil
}

// checkName reports whether a new file or directory may have a name. Package
// fstest wants names without backslashes, which some systems take for slashes.
func checkName(name string) error {
	switch {
	case !fs.ValidPath(name) || name == "." || strings.Contains(name, `\`):
		return fs.ErrInvalid
	case len(name) > maxPath:
		return errTooLong
	}
	return nil
}

// Writer writes a file's new content. It is safe for concurrent use.
type Writer struct {
	fs   *FS
	name string
	id   fileID
	aead cipher.AEAD
	out  diskWriter

	mu    sync.Mutex
	buf   []byte // of the chunk that is being filled
	size  int64
	chunk int64
	err   error // of a failed Write
	done  bool
}

var _ io.WriteCloser = (*Writer)(nil)

// Write adds to the new content. After an error the content is lost.
func (w *Writer) Write(p []byte) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return 0, pathError("write", w.name, fs.ErrClosed)
	}
	for len(p) > 0 && w.err == nil {
		if len(w.buf) == chunkSize {
			w.flush(false)
			continue
		}
		if int64(len(p)) > maxFileSize-w.size {
			w.err = fmt.Errorf("a file has at most %d bytes", int64(maxFileSize))
			continue
		}
		k := min(len(p), chunkSize-len(w.buf))
		w.buf = append(w.buf, p[:k]...)
		w.size += int64(k)
		p, n = p[k:], n+k
	}
	return n, pathError("write", w.name, w.err)
}

// flush writes the chunk in buf.
func (w *Writer) flush(last bool) {
	nonce := chunkNonce(w.chunk, last)
	sealed := w.aead.Seal(w.buf[:0], nonce[:], w.buf, nil)
	if _, err := w.out.Write(sealed); err != nil {
		w.err = hostError(w.id.host(), err)
	}
	w.buf = sealed[:0]
	w.chunk++
}

// Close puts the new content in place. After an error, the file is as it was,
// unless the error is about making the change durable: then it is new, and a
// crash of the machine may make it old again.
func (w *Writer) Close() error { return pathError("close", w.name, w.finish()) }

func (w *Writer) finish() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return fs.ErrClosed
	}
	w.done = true
	if w.err == nil {
		w.flush(true)
	}
	err := w.err
	if err == nil && w.fs.sync {
		if err = w.out.Sync(); err != nil {
			err = hostError(w.id.host(), err)
		}
	}
	if cerr := w.out.Close(); err == nil && cerr != nil {
		err = hostError(w.id.host(), cerr)
	}
	undone := true
	if err == nil {
		undone, err = w.fs.commit(func(x *index) (*index, []fileID, error) {
			return x.put(entry{name: w.name, mtime: time.Now().UnixNano(), size: w.size, id: w.id})
		})
	}
	if undone {
		_ = w.fs.disk.remove(w.id.host()) // else Open removes it
	}
	return err
}

// Abort discards the new content. After Close it does nothing.
func (w *Writer) Abort() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return
	}
	w.done = true
	_ = w.out.Close()
	_ = w.fs.disk.remove(w.id.host())
}
