package sealedfs

import (
	"crypto/cipher"
	"errors"
	"io"
	"io/fs"
	"sync"
)

// File is a file that is open for reading. It is safe for concurrent use.
type File struct {
	e    *entry
	aead cipher.AEAD

	mu     sync.Mutex
	r      diskReader
	closed bool
	off    int64  // of Read
	have   int64  // number of the chunk in plain, or -1
	plain  []byte // one chunk, decrypted
	sealed []byte // room for a chunk as it is on the host
}

// chunk decrypts chunk n into dst, which has room for it. Reading one byte
// beyond the last chunk shows whether the host's file ends there.
func (f *File) chunk(dst []byte, n int64) error {
	host := f.e.id.host()
	length, last := chunkLen(f.e.size, n), n == lastChunk(f.e.size)
	want := length + tagSize
	room := want
	if last {
		room++
	}
	if cap(f.sealed) < room {
		f.sealed = make([]byte, room)
	}
	sealed := f.sealed[:room]
	got, err := f.r.ReadAt(sealed, n*(chunkSize+tagSize))
	switch {
	case got < want && errors.Is(err, io.EOF):
		return tampered(host, "it ends in chunk %d", n)
	case got < want:
		return hostError(host, err)
	case got > want:
		return tampered(host, "it goes on after chunk %d", n)
	}
	nonce := chunkNonce(n, last)
	if _, err := f.aead.Open(dst[:0:length], nonce[:], sealed[:want], nil); err != nil {
		return tampered(host, "chunk %d has a wrong tag", n)
	}
	return nil
}

// Stat returns the description of the file.
func (f *File) Stat() (fs.FileInfo, error) { return info{f.e}, nil }

// Read reads from where the last Read or Seek ended.
func (f *File) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.read(p, f.off)
	f.off += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// ReadAt reads from an offset.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read(p, off)
}

// read fills p from an offset, or returns io.EOF at the file's end. The caller
// holds mu.
func (f *File) read(p []byte, off int64) (done int, err error) {
	switch {
	case f.closed:
		return 0, pathError("read", f.e.name, fs.ErrClosed)
	case off < 0:
		return 0, pathError("read", f.e.name, fs.ErrInvalid)
	}
	if f.e.size == 0 && len(p) > 0 { // it, too, has a chunk to authenticate
		if err := f.fetch(0); err != nil {
			return 0, pathError("read", f.e.name, err)
		}
	}
	for len(p) > 0 && off < f.e.size {
		n := off / chunkSize
		k := chunkLen(f.e.size, n)
		if off%chunkSize == 0 && len(p) >= k && n != f.have {
			err = f.chunk(p, n) // needs no copy
		} else if err = f.fetch(n); err == nil {
			k = copy(p, f.plain[off%chunkSize:])
		}
		if err != nil {
			return done, pathError("read", f.e.name, err)
		}
		p, off, done = p[k:], off+int64(k), done+k
	}
	if len(p) > 0 {
		return done, io.EOF
	}
	return done, nil
}

// fetch makes plain chunk n.
func (f *File) fetch(n int64) error {
	if n == f.have {
		return nil
	}
	f.have = -1
	length := chunkLen(f.e.size, n)
	if cap(f.plain) < length {
		f.plain = make([]byte, length)
	}
	f.plain = f.plain[:length]
	err := f.chunk(f.plain, n)
	if err == nil {
		f.have = n
	}
	return err
}

// Seek sets where the next Read begins.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.off
	case io.SeekEnd:
		offset += f.e.size
	default:
		offset = -1
	}
	switch {
	case f.closed:
		return 0, pathError("seek", f.e.name, fs.ErrClosed)
	case offset < 0:
		return 0, pathError("seek", f.e.name, fs.ErrInvalid)
	}
	f.off = offset
	return offset, nil
}

// Close ends the use of the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return pathError("close", f.e.name, fs.ErrClosed)
	}
	f.closed = true
	clear(f.plain)
	return pathError("close", f.e.name, f.r.Close())
}
