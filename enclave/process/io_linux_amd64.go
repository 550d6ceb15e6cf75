package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// read serves read.
func (t *thread) read(*entry) int64 {
	f := t.p.files.get(t.args[0])
	if f == nil {
		return -int64(unix.EBADF)
	}
	b := t.data(t.args[1], t.args[2])
	r := -int64(unix.EFAULT)
	if b != nil || t.args[1] == 0 && t.args[2] == 0 {
		r = t.transfer(f, b, unix.SYS_READ)
	}
	f.drop()
	return r
}

// write serves write. Where the program wants to wait, all is written.
func (t *thread) write(*entry) int64 {
	f := t.p.files.get(t.args[0])
	if f == nil {
		return -int64(unix.EBADF)
	}
	defer f.drop()
	b := t.data(t.args[1], t.args[2])
	if b == nil && (t.args[1] != 0 || t.args[2] != 0) {
		return -int64(unix.EFAULT)
	}
	done := int64(0)
	for {
		r := t.transfer(f, b[done:], unix.SYS_WRITE)
		switch {
		case r < 0 && done > 0:
			return done
		case r < 0:
			return r
		}
		if done += r; done == int64(len(b)) || r == 0 {
			return done
		}
		if m := f.desc.mode.Load(); m == modeNonblock || m == modeFile {
			return done
		}
	}
}

// transfer reads to b or writes it, as often as it takes.
func (t *thread) transfer(f *file, b []byte, nr uintptr) int64 {
	at, n := addr(b), uintptr(len(b))
	switch mode := f.mode(); mode {
	case modeNonblock:
		r, _, e := syscall.RawSyscall(nr, uintptr(f.fd), at, n)
		if e != 0 {
			return -int64(e)
		}
		return int64(r)
	case modeFile:
		r, _, e := syscall.Syscall(nr, uintptr(f.fd), at, n)
		if e != 0 {
			return -int64(e)
		}
		return int64(r)
	}
	events, vector := int16(unix.POLLIN), uintptr(unix.SYS_PREADV2)
	if nr == unix.SYS_WRITE {
		events, vector = unix.POLLOUT, unix.SYS_PWRITEV2
	}
	return t.transferWaiting(f, b, nr, vector, events)
}

// pipeChunk is what can be written without waiting once ppoll says that
// something can (pipe(7), PIPE_BUF).
const pipeChunk = 4096

// transferWaiting is transfer for what waits. The kernel is asked not to; if it
// cannot do that for this kind of file, ppoll comes first.
func (t *thread) transferWaiting(f *file, b []byte, nr, vector uintptr, events int16) int64 {
	for n := 0; ; n++ {
		r := -int64(unix.EOPNOTSUPP)
		switch {
		case f.ours():
			r = call(true, nr, &[6]uintptr{uintptr(f.fd), addr(b), uintptr(len(b))})
		case !f.desc.waits.Load():
			t.scratch.iov = unix.Iovec{Len: uint64(len(b))}
			setBase(&t.scratch.iov, b)
			r = call(false, vector, &[6]uintptr{uintptr(f.fd), addr(bytesOf(&t.scratch.iov)), 1, ^uintptr(0), ^uintptr(0), unix.RWF_NOWAIT})
		}
		switch r {
		case -int64(unix.EOPNOTSUPP), -int64(unix.ENOSYS):
			f.desc.waits.Store(true)
		case -int64(unix.EAGAIN):
		default:
			return r
		}
		if e := t.await(f.fd, events); e != 0 {
			return e
		}
		if f.desc.waits.Load() {
			if nr == unix.SYS_WRITE {
				b = b[:min(len(b), pipeChunk)]
			}
			return call(false, nr, &[6]uintptr{uintptr(f.fd), addr(b), uintptr(len(b))})
		}
	}
}

// dup serves dup.
func (t *thread) dup(*entry) int64 { return t.duplicate(0, false) }

// duplicate makes the first argument's lowest free duplicate from least on.
func (t *thread) duplicate(least int, cloexec bool) int64 {
	d, e := t.copyOf(t.args[0], cloexec)
	if e != 0 {
		return e
	}
	return t.p.files.add(d, least)
}

func (t *thread) copyOf(v uint64, cloexec bool) (*file, int64) {
	f := t.p.files.get(v)
	if f == nil {
		return nil, -int64(unix.EBADF)
	}
	defer f.drop()
	return f.dup(cloexec)
}

// dup2 serves dup2.
func (t *thread) dup2(*entry) int64 {
	if uint32(t.args[0]) == uint32(t.args[1]) {
		f := t.p.files.get(t.args[0])
		if f == nil {
			return -int64(unix.EBADF)
		}
		f.drop()
		return int64(uint32(t.args[0]))
	}
	return t.dupTo(false)
}

// dup3 serves dup3.
func (t *thread) dup3(*entry) int64 {
	flags := t.args[2]
	if uint32(t.args[0]) == uint32(t.args[1]) || flags&^unix.O_CLOEXEC != 0 {
		return -int64(unix.EINVAL)
	}
	return t.dupTo(flags != 0)
}

func (t *thread) dupTo(cloexec bool) int64 {
	d, e := t.copyOf(t.args[0], cloexec)
	if e != 0 {
		return e
	}
	return t.p.files.set(uint64(uint32(t.args[1])), d)
}

// pair serves calls that make two descriptors: pipe2 and socketpair.
func (t *thread) pair(c *entry) int64 {
	at := len(c.args) - 1
	if c.nr == unix.SYS_PIPE2 {
		at = 0
	}
	b := t.data(t.args[at], 8)
	if b == nil {
		return -int64(unix.EFAULT)
	}
	a := [6]uintptr{uintptr(t.args[0]), uintptr(t.args[1]), uintptr(t.args[2])}
	a[at] = addr(bytesOf(&t.scratch.fds))
	r := prepared{args: a}
	mode, cloexec := t.creating(c, &r)
	if e := call(true, c.nr, &r.args); e < 0 {
		return e
	}
	files := [2]*file{newFile(int(t.scratch.fds[0]), mode, cloexec), newFile(int(t.scratch.fds[1]), mode, cloexec)}
	first := t.p.files.add(files[0], 0)
	if first < 0 {
		files[1].drop()
		return first
	}
	second := t.p.files.add(files[1], 0)
	if second < 0 {
		t.p.files.remove(uint64(first))
		return second
	}
	le.PutUint32(b, uint32(first))
	le.PutUint32(b[4:], uint32(second))
	return 0
}
