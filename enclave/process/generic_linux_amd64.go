package process

import (
	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// prepared is a system call with its arguments as the kernel wants them.
type prepared struct {
	args  [6]uintptr
	held  [2]*file // descriptors, in the order of arguments
	links [2]*file // descriptors that paths have in them
	first *file    // the first argument, if that is a descriptor
	addr  int      // argument with the length of an address, or 0
	room  uint32   // its capacity
}

func (r *prepared) drop() {
	for i, f := range r.held {
		if f != nil {
			f.drop()
		}
		if f := r.links[i]; f != nil {
			f.drop()
		}
	}
}

// generic serves a call as goabi.Calls describes it.
func (t *thread) generic(c *entry) int64 {
	var r prepared
	if e := t.translate(c, &r); e != 0 {
		r.drop()
		return e
	}
	v := t.perform(c, &r)
	r.drop()
	return v
}

// translate finds what the arguments mean. It returns 0 or -errno. What is held
// is to be dropped anyway.
func (t *thread) translate(c *entry, r *prepared) int64 {
	held, paths := 0, 0
	for i := range c.args {
		v := t.args[i]
		switch a := &c.args[i]; a.Kind {
		case goabi.Scalar, goabi.Len:
			r.args[i] = uintptr(v)
		case goabi.DirFD, goabi.FD:
			if a.Kind == goabi.DirFD && int32(v) == unix.AT_FDCWD {
				r.held[held] = t.p.dir.get()
			} else {
				r.held[held] = t.p.files.get(v)
			}
			f := r.held[held]
			if f == nil {
				return -int64(unix.EBADF)
			}
			r.args[i] = uintptr(f.fd)
			if held++; i == 0 {
				r.first = f
			}
		case goabi.Path:
			if v == 0 {
				break
			}
			at := i > 0 && c.args[i-1].Kind == goabi.DirFD
			p, e := t.path(r, paths, v, at, c.text && paths == 0)
			if e != 0 {
				return e
			}
			paths++
			r.args[i] = addr(p)
		case goabi.In, goabi.Out, goabi.Addr, goabi.InFixed, goabi.OutFixed:
			if v == 0 {
				break
			}
			n := uint64(a.Size)
			if a.Kind == goabi.Addr {
				b := t.data(t.args[i+1], 4)
				if b == nil {
					return -int64(unix.EFAULT)
				}
				r.room = min(le.Uint32(b), goabi.DataSize)
				n = uint64(r.room)
			} else if n == 0 {
				n = t.args[i+1]
			}
			b := t.data(v, n)
			if b == nil {
				return -int64(unix.EFAULT)
			}
			r.args[i] = addr(b)
		case goabi.AddrLen:
			if r.args[i-1] != 0 { // the kernel is not to read it where it may change
				t.scratch.length = r.room
				r.args[i] = addr(bytesOf(&t.scratch.length))
				r.addr = i
			}
		}
	}
	return 0
}

// perform makes the call, waits where it would block, and translates what it
// returns.
func (t *thread) perform(c *entry, r *prepared) int64 {
	var cloexec bool
	mode := modeUnknown
	if c.flags >= 0 {
		mode, cloexec = t.creating(c, r)
	}
	v := t.make(c, r)
	if v < 0 {
		return v
	}
	if r.addr != 0 {
		if b := t.data(t.args[r.addr], 4); b != nil {
			le.PutUint32(b, t.scratch.length)
		}
	}
	if c.result == goabi.NewFD {
		return t.p.files.add(newFile(int(v), mode, cloexec), 0)
	}
	return v
}

// creating looks at the flags of a call that makes descriptors, and returns
// the mode of those and whether the program wants FD_CLOEXEC.
func (t *thread) creating(c *entry, r *prepared) (mode uint32, cloexec bool) {
	const cloexecFlag, nonblockFlag = unix.O_CLOEXEC, unix.O_NONBLOCK // by any of their names
	flags := r.args[c.flags]
	cloexec = flags&cloexecFlag != 0
	flags |= cloexecFlag
	if c.ours {
		if mode = modeBlock; flags&nonblockFlag != 0 {
			mode = modeNonblock
		}
		flags |= nonblockFlag
	}
	r.args[c.flags] = flags
	return mode, cloexec
}

// make makes the call as often as it takes.
func (t *thread) make(c *entry, r *prepared) int64 {
	if c.events == 0 {
		return call(c.raw, c.nr, &r.args)
	}
	mode := r.first.mode()
	if c.nowait != 0 && mode != modeNonblock {
		if r.args[c.nowait]&unix.MSG_DONTWAIT != 0 {
			mode = modeNonblock
		}
		r.args[c.nowait] |= unix.MSG_DONTWAIT
	} else if mode == modeShared {
		if e := t.await(r.first.fd, c.events); e != 0 {
			return e
		}
	}
	length := t.scratch.length
	for {
		v := call(mode == modeNonblock || mode == modeBlock, c.nr, &r.args)
		if v != -int64(unix.EAGAIN) || mode == modeNonblock {
			return v
		}
		if e := t.await(r.first.fd, c.events); e != 0 {
			return e
		}
		t.scratch.length = length
	}
}
