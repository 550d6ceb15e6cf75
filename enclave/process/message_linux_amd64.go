package process

import (
	"os"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// Sizes in control data (cmsg(3)).
const (
	cmsgHeader = 16
	cmsgAlign  = 8
	ucredSize  = 12
	scmPIDFD   = 4
)

// message prepares the header of a message with its parts in the block and the
// scratch. It returns -errno if they do not fit.
func (t *thread) message() (h *unix.Msghdr, name, control []byte, e int64) {
	n, c, d := t.args[2], t.args[3], t.args[4]
	if n > goabi.MsgNameMax || c > goabi.MsgControlMax || d > goabi.MsgDataMax {
		return nil, nil, nil, -int64(unix.EINVAL)
	}
	s := &t.scratch
	if s.control == nil {
		s.control = make([]byte, goabi.MsgControlMax)
	}
	s.iov = unix.Iovec{Len: d}
	setBase(&s.iov, t.mem[goabi.MsgData:][:d:d])
	s.header = unix.Msghdr{Iov: &s.iov, Iovlen: 1}
	return &s.header, s.name[:n], s.control[:c], 0
}

// sendMsg serves OpSendMsg.
func (t *thread) sendMsg() int64 {
	f := t.p.files.get(t.args[0])
	if f == nil {
		return -int64(unix.EBADF)
	}
	r := prepared{first: f}
	r.held[0] = f
	defer r.drop()
	h, name, control, e := t.message()
	if e != 0 {
		return e
	}
	if len(name) > 0 {
		if name, e = t.address(&r, t.mem[goabi.MsgName:][:len(name)]); e != 0 {
			return e
		}
		setName(h, name)
	}
	if len(control) > 0 {
		copy(control, t.mem[goabi.MsgControl:])
		defer t.dropHeld()
		if e := t.controlOut(control); e != 0 {
			return e
		}
		setControl(h, control)
	}
	r.args = [6]uintptr{uintptr(f.fd), addr(bytesOf(h)), uintptr(t.args[1])}
	return t.make(&sendmsg, &r)
}

// recvMsg serves OpRecvMsg.
func (t *thread) recvMsg() int64 {
	f := t.p.files.get(t.args[0])
	if f == nil {
		return -int64(unix.EBADF)
	}
	r := prepared{first: f}
	r.held[0] = f
	defer r.drop()
	h, name, control, e := t.message()
	if e != 0 {
		return e
	}
	if len(name) > 0 {
		setName(h, name)
	}
	if len(control) > 0 {
		setControl(h, control)
	}
	cloexec := t.args[1]&unix.MSG_CMSG_CLOEXEC != 0
	r.args = [6]uintptr{uintptr(f.fd), addr(bytesOf(h)), uintptr(t.args[1]) | unix.MSG_CMSG_CLOEXEC}
	n := t.make(&recvmsg, &r)
	if n < 0 {
		return n
	}
	got := control[:min(uint64(len(control)), h.Controllen)]
	lost := t.controlIn(got, cloexec)
	copy(t.mem[goabi.MsgName:][:len(name)], name[:min(len(name), int(h.Namelen))])
	copy(t.mem[goabi.MsgControl:], got)
	flags := uint64(uint32(h.Flags)) &^ unix.MSG_CMSG_CLOEXEC
	if lost {
		flags |= unix.MSG_CTRUNC
	}
	t.setArg(0, uint64(h.Namelen))
	t.setArg(1, uint64(len(got)))
	t.setArg(2, flags)
	return n
}

var (
	sendmsg = entry{nr: unix.SYS_SENDMSG, events: unix.POLLOUT, nowait: 2, flags: -1}
	recvmsg = entry{nr: unix.SYS_RECVMSG, events: unix.POLLIN, nowait: 2, flags: -1}
)

// eachControl calls f for each control message that b holds: its level, type
// and data. It reports whether b is well-formed.
func eachControl(b []byte, f func(level, kind uint32, data []byte) int64) int64 {
	for len(b) >= cmsgHeader {
		n := le.Uint64(b)
		if n < cmsgHeader || n > uint64(len(b)) {
			return -int64(unix.EINVAL)
		}
		if e := f(le.Uint32(b[8:]), le.Uint32(b[12:]), b[cmsgHeader:n]); e != 0 {
			return e
		}
		b = b[min((n+cmsgAlign-1)&^(cmsgAlign-1), uint64(len(b))):]
	}
	return 0
}

// controlOut makes control data of the program that of the host: descriptors,
// which are held until dropHeld, and the process that sends.
func (t *thread) controlOut(b []byte) int64 {
	return eachControl(b, func(level, kind uint32, data []byte) int64 {
		switch {
		case level != unix.SOL_SOCKET:
		case kind == unix.SCM_RIGHTS:
			for ; len(data) >= 4; data = data[4:] {
				f := t.p.files.get(uint64(le.Uint32(data)))
				if f == nil {
					return -int64(unix.EBADF)
				}
				t.scratch.held = append(t.scratch.held, f)
				f.share()
				le.PutUint32(data, uint32(f.fd))
			}
		case kind == unix.SCM_CREDENTIALS && len(data) >= ucredSize:
			le.PutUint32(data, uint32(os.Getpid()))
		}
		return 0
	})
}

// controlIn makes control data of the kernel that of the program. It reports
// whether there was no room for a descriptor.
func (t *thread) controlIn(b []byte, cloexec bool) (lost bool) {
	eachControl(b, func(level, kind uint32, data []byte) int64 {
		if level != unix.SOL_SOCKET || kind != unix.SCM_RIGHTS && kind != scmPIDFD {
			return 0
		}
		for ; len(data) >= 4; data = data[4:] {
			v := int64(-1)
			if fd := int32(le.Uint32(data)); fd >= 0 {
				v = t.p.files.add(newFile(int(fd), modeUnknown, cloexec), 0)
			}
			if v < 0 {
				lost, v = true, -1
			}
			le.PutUint32(data, uint32(v))
		}
		return 0
	})
	return lost
}
