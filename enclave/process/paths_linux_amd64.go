package process

import (
	"bytes"
	"strconv"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// pathSize is that of a path with what may be put before it and behind it.
const pathSize = goabi.MaxPath + 64

// ownFiles are the paths that lead to descriptors by their numbers.
var ownFiles = [][]byte{[]byte("/proc/self/fd/"), []byte("/proc/thread-self/fd/"), []byte("/dev/fd/")}

// standardFiles lead to descriptors 0, 1 and 2.
var standardFiles = []string{"/dev/stdin", "/dev/stdout", "/dev/stderr"}

// path copies the path at an offset of the block to scratch.paths[n] and makes
// it one of the host. at says that the kernel is given the directory that it
// begins in. text is left as it is. It returns the path, with its NUL, or
// -errno; what it means is held by r.
func (t *thread) path(r *prepared, n int, off uint64, at, text bool) ([]byte, int64) {
	src, e := t.pathBytes(off)
	if e != 0 {
		return nil, e
	}
	buf := t.scratch.paths[n][:]
	size := copy(buf, src)
	buf[size] = 0
	p := buf[:size+1]
	switch {
	case text || size == 0:
		return p, 0
	case p[0] == '/':
		return t.ownPath(r, n, p)
	case at:
		return p, 0
	}
	r.links[n] = t.p.dir.get()
	if r.links[n] == nil {
		return nil, -int64(unix.ENOENT)
	}
	return prefixed(buf, p, r.links[n].fd, true), 0
}

// pathBytes returns the path at an offset of the block without its NUL. Its
// bytes may still change.
func (t *thread) pathBytes(off uint64) ([]byte, int64) {
	if off < goabi.OffData || off >= goabi.BlockSize {
		return nil, -int64(unix.EFAULT)
	}
	b := t.mem[off:min(off+goabi.MaxPath, goabi.BlockSize)]
	n := bytes.IndexByte(b, 0)
	switch {
	case n >= 0:
		return b[:n], 0
	case len(b) == goabi.MaxPath:
		return nil, -int64(unix.ENAMETOOLONG)
	}
	return nil, -int64(unix.EFAULT)
}

// prefixed puts /proc/self/fd/fd before rest, in buf, which rest may be a part
// of.
func prefixed(buf, rest []byte, fd int, slash bool) []byte {
	var pre [32]byte
	p := strconv.AppendInt(append(pre[:0], "/proc/self/fd/"...), int64(fd), 10)
	if slash {
		p = append(p, '/')
	}
	n := copy(buf[len(p):], rest)
	copy(buf, p)
	return buf[:len(p)+n]
}

// ownPath replaces a descriptor of the program in a path by the real one.
func (t *thread) ownPath(r *prepared, n int, p []byte) ([]byte, int64) {
	if p[1] != 'p' && p[1] != 'd' {
		return p, 0
	}
	v, rest := ownDescriptor(p)
	if rest == nil {
		return p, 0
	}
	f := t.p.files.get(v)
	if f == nil {
		return nil, -int64(unix.ENOENT)
	}
	r.links[n] = f
	return prefixed(t.scratch.paths[n][:], rest, f.fd, false), 0
}

// ownDescriptor returns the descriptor that a path begins with, and what comes
// after it, or nil. p ends with NUL.
func ownDescriptor(p []byte) (v uint64, rest []byte) {
	for i, s := range standardFiles {
		if rest, ok := bytes.CutPrefix(p, []byte(s)); ok && (rest[0] == 0 || rest[0] == '/') {
			return uint64(i), rest
		}
	}
	for _, pre := range ownFiles {
		rest, ok := bytes.CutPrefix(p, pre)
		if !ok {
			continue
		}
		n := 0
		for ; rest[n] >= '0' && rest[n] <= '9' && n < 9; n++ {
			v = v*10 + uint64(rest[n]-'0')
		}
		if n > 0 && (rest[n] == 0 || rest[n] == '/') {
			return v, rest[n:]
		}
	}
	return 0, nil
}
