package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// openat serves openat.
func (t *thread) openat(c *entry) int64 {
	var r prepared
	defer r.drop()
	if e := t.translate(c, &r); e != 0 {
		return e
	}
	if r.args[1] == 0 {
		return -int64(unix.EFAULT)
	}
	flags := r.args[2]
	if flags&(unix.O_NONBLOCK|unix.O_PATH|unix.O_DIRECTORY) == 0 && flags&unix.O_ACCMODE != unix.O_RDWR && t.isFIFO(&r) {
		return t.openFIFO(c, &r)
	}
	makes := flags&unix.O_CREAT != 0 || flags&unix.O_TMPFILE == unix.O_TMPFILE
	if !makes || t.p.dir.umask.Load() == t.p.dir.host {
		return t.perform(c, &r)
	}
	mode, cloexec := t.creating(c, &r)
	fd := t.p.dir.run(c.nr, &r)
	if fd < 0 {
		return fd
	}
	return t.p.files.add(newFile(int(fd), mode, cloexec), 0)
}

// isFIFO reports whether the path of openat leads to a FIFO, where it would
// wait for the other side.
func (t *thread) isFIFO(r *prepared) bool {
	s := &t.scratch.stat
	_, _, e := syscall.Syscall6(unix.SYS_NEWFSTATAT, r.args[0], r.args[1], addr(bytesOf(s)), 0, 0, 0)
	return e == 0 && s.Mode&unix.S_IFMT == unix.S_IFIFO
}

// openFIFO opens a FIFO from another goroutine. If the process ends before
// there is another side, it plays that side.
func (t *thread) openFIFO(c *entry, r *prepared) int64 {
	_, cloexec := t.creating(c, r)
	flags := r.args[2]
	r.args[2] = unix.O_PATH | unix.O_CLOEXEC | flags&unix.O_NOFOLLOW
	held := call(false, c.nr, &r.args)
	if held < 0 {
		return held
	}
	fifo := newFile(int(held), modeFile, true)
	defer fifo.drop()
	path := prefixed(make([]byte, 64), []byte{0}, fifo.fd, false)
	open := func(flags uintptr) int64 {
		at := int64(unix.AT_FDCWD)
		return call(false, unix.SYS_OPENAT, &[6]uintptr{uintptr(at), addr(path), flags})
	}
	opened := make(chan int64, 1)
	go func() { opened <- open(flags &^ (unix.O_NOFOLLOW | unix.O_CREAT | unix.O_EXCL)) }()
	fd := int64(0)
	select {
	case fd = <-opened:
	case <-t.p.ctx.Done():
		other := open(unix.O_RDWR | unix.O_NONBLOCK | unix.O_CLOEXEC)
		fd = <-opened
		if other >= 0 {
			_ = unix.Close(int(other))
		}
	}
	if fd < 0 {
		return fd
	}
	return t.p.files.add(newFile(int(fd), modeUnknown, cloexec), 0)
}

// flock serves flock. A lock that is not free is asked for again and again, as
// nothing says when it is.
func (t *thread) flock(c *entry) int64 {
	var r prepared
	defer r.drop()
	if e := t.translate(c, &r); e != 0 {
		return e
	}
	wait := r.args[1]&unix.LOCK_NB == 0
	r.args[1] |= unix.LOCK_NB
	return t.again(wait, c.nr, &r.args, unix.EAGAIN, unix.EAGAIN)
}

// again makes a call until it does not fail with one of two errors.
func (t *thread) again(wait bool, nr uintptr, args *[6]uintptr, e1, e2 syscall.Errno) int64 {
	for ns := int64(1e6); ; ns = min(2*ns, 50e6) {
		v := call(false, nr, args)
		if !wait || v != -int64(e1) && v != -int64(e2) {
			return v
		}
		if e := t.sleepOn(0, ns, blocked); e != 0 {
			return e
		}
	}
}
