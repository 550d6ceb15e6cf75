package process

import (
	"syscall"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// flockSize is the size of struct flock.
const flockSize = 32

// fcntl serves OpFcntl. Commands that it does not know are refused: their
// argument may be an address.
func (t *thread) fcntl() int64 {
	f := t.p.files.get(t.args[0])
	if f == nil {
		return -int64(unix.EBADF)
	}
	defer f.drop()
	cmd, v := int(int32(t.args[1])), t.args[2]
	plain := func() int64 {
		return call(false, unix.SYS_FCNTL, &[6]uintptr{uintptr(f.fd), uintptr(cmd), uintptr(v)})
	}
	switch cmd {
	case unix.F_DUPFD, unix.F_DUPFD_CLOEXEC:
		if v >= goabi.MaxFD {
			return -int64(unix.EINVAL)
		}
		return t.duplicate(int(v), cmd == unix.F_DUPFD_CLOEXEC)
	case unix.F_GETFD:
		if f.cloexec.Load() {
			return unix.FD_CLOEXEC
		}
		return 0
	case unix.F_SETFD:
		f.cloexec.Store(v&unix.FD_CLOEXEC != 0)
		return 0
	case unix.F_GETFL:
		r := plain()
		if r >= 0 && f.desc.mode.Load() == modeBlock {
			r &^= unix.O_NONBLOCK
		}
		return r
	case unix.F_SETFL:
		return t.setFlags(f, v)
	case unix.F_GETOWN, unix.F_GETSIG:
		return 0
	case unix.F_GETPIPE_SZ, unix.F_SETPIPE_SZ, unix.F_GET_SEALS, unix.F_ADD_SEALS, unix.F_GETLEASE:
		return plain()
	case unix.F_GETLK, unix.F_SETLK, unix.F_OFD_GETLK, unix.F_OFD_SETLK, unix.F_SETLKW, unix.F_OFD_SETLKW:
		return t.lock(f, cmd)
	}
	return -int64(unix.EINVAL)
}

// setFlags serves F_SETFL. O_ASYNC would send signals to the host program.
func (t *thread) setFlags(f *file, v uint64) int64 {
	v &^= unix.O_ASYNC
	ours := f.ours()
	r := call(true, unix.SYS_FCNTL, &[6]uintptr{uintptr(f.fd), unix.F_SETFL, uintptr(v | nonblockIf(ours))})
	if r < 0 || !ours {
		return r
	}
	if v&unix.O_NONBLOCK != 0 {
		f.desc.mode.CompareAndSwap(modeBlock, modeNonblock)
	} else {
		f.desc.mode.CompareAndSwap(modeNonblock, modeBlock)
	}
	return 0
}

func nonblockIf(ours bool) uint64 {
	if ours {
		return unix.O_NONBLOCK
	}
	return 0
}

// lock serves the locks of fcntl. They are the host program's, where they
// belong to a process.
func (t *thread) lock(f *file, cmd int) int64 {
	b := t.data(t.args[2], flockSize)
	if b == nil {
		return -int64(unix.EFAULT)
	}
	wait := true
	switch cmd {
	case unix.F_SETLKW:
		cmd = unix.F_SETLK
	case unix.F_OFD_SETLKW:
		cmd = unix.F_OFD_SETLK
	default:
		wait = false
	}
	return t.again(wait, unix.SYS_FCNTL, &[6]uintptr{uintptr(f.fd), uintptr(cmd), addr(b)}, unix.EAGAIN, unix.EACCES)
}

// ioctls are the requests that are served, with the size of what their argument
// points to, which has no address in it; 0 for those whose argument is a
// number, or nothing.
var ioctls = map[uint32]uint64{
	unix.TCGETS: 36, unix.TCSETS: 36, unix.TCSETSW: 36, unix.TCSETSF: 36,
	unix.TCGETS2: 44, unix.TCSETS2: 44, unix.TCSETSW2: 44, unix.TCSETSF2: 44,
	unix.TCFLSH: 0, unix.TCXONC: 0,
	unix.TIOCGWINSZ: 8, unix.TIOCSWINSZ: 8, unix.TIOCGPGRP: 4, unix.TIOCGSID: 4,
	unix.TIOCINQ: 4, unix.TIOCOUTQ: 4, // FIONREAD and SIOCINQ, SIOCOUTQ
	unix.TIOCGPTN: 4, unix.TIOCSPTLCK: 4,
	fionbio: 4, fioclex: 0, fionclex: 0,
	unix.SIOCGIFNAME: 40, unix.SIOCGIFINDEX: 40, unix.SIOCGIFFLAGS: 40, unix.SIOCGIFADDR: 40,
	unix.SIOCGIFNETMASK: 40, unix.SIOCGIFBRDADDR: 40, unix.SIOCGIFMTU: 40, unix.SIOCGIFHWADDR: 40,
	unix.SIOCATMARK: 4, unix.BLKGETSIZE64: 8, unix.BLKSSZGET: 4,
	unix.FS_IOC_GETFLAGS: 8, unix.FS_IOC_SETFLAGS: 8,
}

// Requests of any descriptor (asm-generic/ioctls.h).
const fionclex, fioclex, fionbio = 0x5450, 0x5451, 0x5421

// ioctl serves OpIoctl.
func (t *thread) ioctl() int64 {
	f := t.p.files.get(t.args[0])
	if f == nil {
		return -int64(unix.EBADF)
	}
	defer f.drop()
	cmd := uint32(t.args[1])
	size, ok := ioctls[cmd]
	if !ok {
		return -int64(unix.ENOTTY)
	}
	v := uintptr(t.args[2])
	var b []byte
	if size > 0 {
		if b = t.data(t.args[2], max(size, t.args[3])); b == nil || t.args[3] < size {
			return -int64(unix.EFAULT)
		}
		v = addr(b)
	}
	switch cmd {
	case fioclex, fionclex:
		f.cloexec.Store(cmd == fioclex)
		return 0
	case fionbio:
		fl := call(true, unix.SYS_FCNTL, &[6]uintptr{uintptr(f.fd), unix.F_GETFL})
		if fl < 0 {
			return fl
		}
		fl &^= unix.O_NONBLOCK
		if le.Uint32(b) != 0 {
			fl |= unix.O_NONBLOCK
		}
		return t.setFlags(f, uint64(fl))
	}
	_, _, e := syscall.Syscall(unix.SYS_IOCTL, uintptr(f.fd), uintptr(cmd), v)
	return -int64(e)
}
