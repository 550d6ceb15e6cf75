package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unixPath is where the path begins in a sockaddr_un, and unixMax its size.
const (
	unixPath = 2
	unixMax  = 110
)

// relative reports whether b is the address of a Unix socket by a path that
// begins in the current directory.
func relative(b []byte) bool {
	return len(b) > unixPath && le.Uint16(b) == unix.AF_UNIX && b[unixPath] != 0 && b[unixPath] != '/'
}

// name has arguments at and at+1 be a copy of the socket address that they are.
// A relative path to a Unix socket is made one that leads there from anywhere.
// It returns 0 or -errno.
func (t *thread) name(r *prepared, at int) int64 {
	n := t.args[at+1]
	if r.args[at] == 0 || n == 0 {
		r.args[at], r.args[at+1] = 0, 0
		return 0
	}
	b := t.data(t.args[at], n)
	if b == nil {
		return -int64(unix.EFAULT)
	}
	b, e := t.address(r, b)
	if e != 0 {
		return e
	}
	r.args[at], r.args[at+1] = addr(b), uintptr(len(b))
	return 0
}

// address copies a socket address to the scratch, as name says.
func (t *thread) address(r *prepared, b []byte) ([]byte, int64) {
	if len(b) > 128 { // struct sockaddr_storage
		return nil, -int64(unix.EINVAL)
	}
	s := t.scratch.name[:]
	s = s[:copy(s, b)]
	if !relative(s) {
		return s, 0
	}
	if r.links[0] = t.p.dir.get(); r.links[0] == nil {
		return nil, -int64(unix.ENOENT)
	}
	var path [unixMax + 32]byte
	p := prefixed(path[:], s[unixPath:], r.links[0].fd, true)
	if len(p) > unixMax-unixPath {
		return nil, -int64(unix.ENAMETOOLONG)
	}
	return append(s[:unixPath], p...), 0
}

// bind serves bind. What it makes of a Unix socket's path depends on directory
// and umask.
func (t *thread) bind(c *entry) int64 {
	var r prepared
	defer r.drop()
	if e := t.translate(c, &r); e != 0 {
		return e
	}
	b := t.data(t.args[1], t.args[2])
	if len(b) > unixMax || len(b) <= unixPath || le.Uint16(b) != unix.AF_UNIX {
		return call(true, c.nr, &r.args)
	}
	s := t.scratch.name[:]
	s = s[:copy(s, b)]
	r.args[1] = addr(s)
	if s[unixPath] == 0 || s[unixPath] == '/' && t.p.dir.umask.Load() == t.p.dir.host {
		return call(false, c.nr, &r.args)
	}
	return t.p.dir.run(c.nr, &r)
}

// sendTo serves sendto.
func (t *thread) sendTo(c *entry) int64 {
	var r prepared
	e := t.translate(c, &r)
	if e == 0 && t.args[4] != 0 {
		e = t.name(&r, 4)
	}
	if e == 0 {
		e = t.make(c, &r)
	}
	r.drop()
	return e
}

// connect serves connect.
func (t *thread) connect(c *entry) int64 {
	var r prepared
	defer r.drop()
	if e := t.translate(c, &r); e != 0 {
		return e
	}
	long := false
	switch e := t.name(&r, 1); {
	case e == -int64(unix.ENAMETOOLONG):
		long = true // the thread for errands is in the directory
		r.args[1] = addr(t.scratch.name[:])
	case e != 0:
		return e
	}
	f := r.first
	mode := f.mode()
	if mode == modeShared && f.desc.mode.Load() == modeShared {
		_ = unix.SetNonblock(f.fd, true)
		defer func() { _ = unix.SetNonblock(f.fd, false) }()
	}
	for {
		var v int64
		if long {
			v = t.p.dir.run(c.nr, &r)
		} else {
			v = call(mode != modeFile, c.nr, &r.args)
		}
		switch {
		case mode == modeNonblock:
			return v
		case v == -int64(unix.EINPROGRESS):
			if e := t.await(f.fd, unix.POLLOUT); e != 0 {
				return e
			}
			e, err := unix.GetsockoptInt(f.fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if err != nil {
				return -int64(err.(syscall.Errno))
			}
			return -int64(e)
		case v != -int64(unix.EAGAIN): // a Unix socket's, whose backlog is full
			return v
		}
		if e := t.sleepOn(0, nap, blocked); e != 0 {
			return e
		}
	}
}

// socketOption serves setsockopt and getsockopt.
func (t *thread) socketOption(c *entry) int64 {
	if !optionAllowed(int(int32(t.args[1])), int(int32(t.args[2]))) {
		return -int64(unix.ENOPROTOOPT)
	}
	var r prepared
	defer r.drop()
	if e := t.translate(c, &r); e != 0 {
		return e
	}
	c2 := *c
	c2.raw = true
	return t.perform(&c2, &r)
}

// Options that are not served, as what they hold has an address in it, is
// larger than they say, or makes descriptors.
var refusedOptions = map[[2]int]bool{
	{unix.SOL_SOCKET, unix.SO_ATTACH_FILTER}:         true, // the same number gets it
	{unix.SOL_SOCKET, unix.SO_ATTACH_BPF}:            true,
	{unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF}: true,
	{unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_EBPF}: true,
	{unix.SOL_SOCKET, unix.SO_PASSPIDFD}:             true,
	{unix.SOL_SOCKET, unix.SO_PEERPIDFD}:             true,
	{unix.SOL_TCP, unix.TCP_ZEROCOPY_RECEIVE}:        true,
	{unix.SOL_IPV6, 64}:                              true, // of netfilter
	{unix.SOL_IPV6, 65}:                              true,
	{unix.SOL_IPV6, 68}:                              true,
	{unix.SOL_IPV6, 69}:                              true,
}

const mptcpInfo = 1 // MPTCP_INFO

// optionAllowed reports whether a socket option is plain data.
func optionAllowed(level, option int) bool {
	if refusedOptions[[2]int{level, option}] {
		return false
	}
	switch level {
	case unix.SOL_SOCKET:
		return option < 78 // SO_DEVMEM_LINEAR and what is newer
	case unix.SOL_IP:
		return option < 64 // netfilter, multicast routing and such
	case unix.SOL_IPV6:
		return option < 128
	case unix.SOL_TCP, unix.SOL_UDP, unix.IPPROTO_UDPLITE, unix.SOL_ICMPV6, unix.SOL_RAW, unix.SOL_NETLINK, unix.SOL_TLS, unix.AF_VSOCK:
		return true
	case unix.SOL_MPTCP:
		return option == mptcpInfo
	}
	return false
}
