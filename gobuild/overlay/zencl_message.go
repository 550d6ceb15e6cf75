//go:build feidi

package runtime

import "unsafe"

// enclIovec is the kernel's struct iovec.
type enclIovec struct{ base, n uintptr }

// enclGather copies what an array of iovecs points to, up to max bytes, to the
// block; with out false it only counts.
func enclGather(td *enclTD, iov, count, at, max uintptr, copyIn bool) (n, e uintptr) {
	const maxIovecs = 1024
	if count > maxIovecs || !enclInside(iov, count*unsafe.Sizeof(enclIovec{})) {
		return 0, enclErr(enclEINVAL)
	}
	for i := uintptr(0); i < count; i++ {
		v := *(*enclIovec)(unsafe.Pointer(iov + i*unsafe.Sizeof(enclIovec{})))
		if v.n > 0 && !enclInside(v.base, v.n) {
			return 0, enclErr(enclEFAULT)
		}
		l := min(v.n, max-n)
		if copyIn {
			memmove(unsafe.Pointer(td.block+at+n), unsafe.Pointer(v.base), l)
		}
		n += l
	}
	return n, 0
}

// enclScatter copies n bytes of the block to where iovecs point, which
// enclGather has checked and which are read again: they are the program's.
func enclScatter(td *enclTD, iov, count, at, n uintptr) {
	for i := uintptr(0); i < count && n > 0; i++ {
		v := *(*enclIovec)(unsafe.Pointer(iov + i*unsafe.Sizeof(enclIovec{})))
		l := min(v.n, n)
		if !enclInside(v.base, l) {
			return
		}
		memmove(unsafe.Pointer(v.base), unsafe.Pointer(td.block+at), l)
		at, n = at+l, n-l
	}
}

// enclVectors serves readv, writev, preadv and pwritev by the calls with one
// buffer.
func enclVectors(td *enclTD, nr uintptr, a *[6]uintptr) uintptr {
	write := nr == enclSysWritev || nr == enclSysPwritev
	n, e := enclGather(td, a[1], a[2], enclOffData, enclMaxIO, write)
	if e != 0 {
		return e
	}
	p := [6]uintptr{a[0], enclOffData, n}
	op := uintptr(enclSysRead)
	switch nr {
	case enclSysWritev:
		op = enclSysWrite
	case enclSysPreadv:
		op, p[3] = enclSysPread64, a[3]
	case enclSysPwritev:
		op, p[3] = enclSysPwrite64, a[3]
	}
	r := enclRequest(td, op, &p)
	if enclIsErr(r) {
		return r
	}
	if r > n {
		enclLied(td, nr, r)
	}
	if !write {
		enclScatter(td, a[1], a[2], enclOffData, r)
	}
	return r
}

// enclSendfile serves sendfile from a file that can be read at an offset. What
// is sent stays outside.
func enclSendfile(td *enclTD, a *[6]uintptr) uintptr {
	const current, start = 1, 0
	out, in, ptr, n := a[0], a[1], a[2], min(a[3], enclMaxIO)
	if ptr != 0 && !enclInside(ptr, 8) {
		return enclErr(enclEFAULT)
	}
	var off uintptr
	if ptr != 0 {
		off = *(*uintptr)(unsafe.Pointer(ptr))
	} else {
		p := [6]uintptr{in, 0, current}
		if off = enclRequest(td, enclSysLseek, &p); enclIsErr(off) {
			return enclErr(enclEINVAL) // the caller reads and writes itself
		}
		if int(off) < 0 {
			enclLied(td, enclSysLseek, off)
		}
	}
	p := [6]uintptr{in, enclOffData, n, off}
	got := enclRequest(td, enclSysPread64, &p)
	if enclIsErr(got) || got == 0 {
		return got
	}
	if got > n {
		enclLied(td, enclSysPread64, got)
	}
	p = [6]uintptr{out, enclOffData, got}
	put := enclRequest(td, enclSysWrite, &p)
	if enclIsErr(put) {
		return put
	}
	if put > got {
		enclLied(td, enclSysWrite, put)
	}
	if ptr != 0 {
		*(*uintptr)(unsafe.Pointer(ptr)) = off + put
	} else {
		p = [6]uintptr{in, off + put, start}
		enclRequest(td, enclSysLseek, &p)
	}
	return put
}

// enclMsghdr is the kernel's struct msghdr.
type enclMsghdr struct {
	name       uintptr
	nameLen    uint32
	_          uint32
	iov        uintptr
	iovLen     uintptr
	control    uintptr
	controlLen uintptr
	flags      int32
	_          int32
}

// enclMessage copies a msghdr and checks what it points to.
func enclMessage(p uintptr) (m enclMsghdr, e uintptr) {
	if !enclInside(p, unsafe.Sizeof(m)) {
		return m, enclErr(enclEFAULT)
	}
	m = *(*enclMsghdr)(unsafe.Pointer(p))
	if m.name == 0 {
		m.nameLen = 0
	}
	if m.control == 0 {
		m.controlLen = 0
	}
	m.nameLen = min(m.nameLen, enclMsgNameMax)
	if m.controlLen > enclMsgControlMax {
		return m, enclErr(enclEINVAL)
	}
	if m.nameLen > 0 && !enclInside(m.name, uintptr(m.nameLen)) || m.controlLen > 0 && !enclInside(m.control, m.controlLen) {
		return m, enclErr(enclEFAULT)
	}
	return m, 0
}

func enclSendmsg(td *enclTD, fd, p, flags uintptr) uintptr {
	m, e := enclMessage(p)
	if e != 0 {
		return e
	}
	n, e := enclGather(td, m.iov, m.iovLen, enclMsgData, enclMsgDataMax, true)
	if e != 0 {
		return e
	}
	memmove(unsafe.Pointer(td.block+enclMsgName), unsafe.Pointer(m.name), uintptr(m.nameLen))
	memmove(unsafe.Pointer(td.block+enclMsgControl), unsafe.Pointer(m.control), m.controlLen)
	a := [6]uintptr{fd, flags, uintptr(m.nameLen), m.controlLen, n}
	r := enclRequest(td, enclOpSendMsg, &a)
	if !enclIsErr(r) && r > n {
		enclLied(td, enclSysSendmsg, r)
	}
	return r
}

func enclRecvmsg(td *enclTD, fd, p, flags uintptr) uintptr {
	m, e := enclMessage(p)
	if e != 0 {
		return e
	}
	n, e := enclGather(td, m.iov, m.iovLen, enclMsgData, enclMsgDataMax, false)
	if e != 0 {
		return e
	}
	a := [6]uintptr{fd, flags, uintptr(m.nameLen), m.controlLen, n}
	r := enclRequest(td, enclOpRecvMsg, &a)
	if enclIsErr(r) {
		return r
	}
	nameLen, controlLen, msgFlags := enclArg(td, 0), enclArg(td, 1), enclArg(td, 2)
	const truncate = 0x20
	if r > n && (r > enclMaxLength || flags&truncate == 0) || controlLen > m.controlLen {
		enclLied(td, enclSysRecvmsg, r)
	}
	nameLen = min(nameLen, uintptr(m.nameLen))
	memmove(unsafe.Pointer(m.name), unsafe.Pointer(td.block+enclMsgName), nameLen)
	memmove(unsafe.Pointer(m.control), unsafe.Pointer(td.block+enclMsgControl), controlLen)
	enclScatter(td, m.iov, m.iovLen, enclMsgData, min(r, n))
	enclReceivedFDs(td, m.control, controlLen)
	h := (*enclMsghdr)(unsafe.Pointer(p))
	h.nameLen, h.controlLen, h.flags = uint32(nameLen), controlLen, int32(msgFlags)
	return r
}

// enclReceivedFDs notes the descriptors that a message has brought.
func enclReceivedFDs(td *enclTD, p, n uintptr) {
	type cmsghdr struct {
		n           uintptr
		level, kind int32
	}
	const header, socket, rights, pidfd, none = unsafe.Sizeof(cmsghdr{}), 1, 1, 4, 1<<32 - 1
	for n >= header {
		c := (*cmsghdr)(unsafe.Pointer(p))
		if c.n < header || c.n > n {
			return
		}
		if c.level == socket && (c.kind == rights || c.kind == pidfd) {
			for at := header; at+4 <= c.n; at += 4 {
				fd := uintptr(*(*uint32)(unsafe.Pointer(p + at)))
				if fd != none && !enclOpenFD(fd) { // none: there was no room for it
					enclLied(td, enclSysRecvmsg, fd)
				}
			}
		}
		step := (c.n + 7) &^ 7
		if step > n {
			return
		}
		p, n = p+step, n-step
	}
}

// enclPoll serves poll and ppoll.
func enclPoll(td *enclTD, fds, n uintptr, ns int64, forever bool) uintptr {
	const size, most = 8, enclDataSize / 8
	if n > most {
		return enclErr(enclEINVAL)
	}
	if n > 0 && !enclInside(fds, n*size) {
		return enclErr(enclEFAULT)
	}
	if forever {
		ns = -1
	}
	memmove(unsafe.Pointer(td.block+enclOffData), unsafe.Pointer(fds), n*size)
	a := [6]uintptr{n, uintptr(ns)}
	r := enclRequest(td, enclOpPoll, &a)
	if enclIsErr(r) {
		return r
	}
	if r > n {
		enclLied(td, enclSysPoll, r)
	}
	for i := uintptr(0); i < n; i++ { // revents alone
		*(*uint16)(unsafe.Pointer(fds + i*size + 6)) = uint16(enclLoad(td.block+enclOffData+i*size) >> 48)
	}
	return r
}

// enclWatches are the descriptors that are in an epoll set, and what the
// program wants to be told of them. The host is told a token: the address of a
// structure of the program is nothing that it should know, nor be believed in.
var enclWatches [enclMaxFD]struct {
	data  uint64
	epoll uint32 // the set, plus 1; 0 for none
	gen   uint32
}

// enclEvent is the kernel's struct epoll_event, which is packed.
type enclEvent struct {
	events uint32
	data   [2]uint32
}

func enclEpollCtl(td *enclTD, a *[6]uintptr) uintptr {
	const add, del, mod = 1, 2, 3
	op, fd, ev := a[1], uintptr(uint32(a[2])), a[3]
	if fd >= enclMaxFD {
		return enclErr(enclEBADF)
	}
	w := &enclWatches[fd]
	set := uint32(a[0]) + 1
	var e enclEvent
	switch op {
	case add, mod:
		if !enclInside(ev, unsafe.Sizeof(e)) {
			return enclErr(enclEFAULT)
		}
		e = *(*enclEvent)(unsafe.Pointer(ev))
	case del:
	default:
		return enclErr(enclEINVAL)
	}
	before := *w
	if op == add {
		if w.epoll != 0 && w.epoll != set {
			// In two sets at once, a token would have two meanings. The other
			// may be gone, with the descriptor that had this number.
			w.epoll = 0
		}
		w.gen++
	}
	if op != del {
		w.data = uint64(e.data[0]) | uint64(e.data[1])<<32
		w.epoll = set
		*(*uint64)(unsafe.Pointer(td.block + enclOffData + 4)) = uint64(fd) | uint64(w.gen)<<32
		*(*uint32)(unsafe.Pointer(td.block + enclOffData)) = e.events
	}
	p := [6]uintptr{a[0], op, fd, enclOffData}
	r := enclRequest(td, enclSysEpollCtl, &p)
	switch {
	case enclIsErr(r):
		*w = before
	case r != 0:
		enclLied(td, enclSysEpollCtl, r)
	case op == del:
		w.epoll = 0
	}
	return r
}

func enclEpollWait(td *enclTD, a *[6]uintptr) uintptr {
	const size, most = 12, enclDataSize / 12
	n := a[2]
	if int(n) <= 0 {
		return enclErr(enclEINVAL)
	}
	n = min(n, most)
	if !enclInside(a[1], n*size) {
		return enclErr(enclEFAULT)
	}
	p := [6]uintptr{a[0], n, uintptr(int(int32(a[3])))}
	r := enclRequest(td, enclOpEpollWait, &p)
	if enclIsErr(r) {
		return r
	}
	if r > n {
		enclLied(td, enclSysEpollWait, r)
	}
	got := uintptr(0)
	for i := uintptr(0); i < r; i++ {
		at := td.block + enclOffData + i*size
		events := *(*uint32)(unsafe.Pointer(at))
		token := uint64(*(*uint32)(unsafe.Pointer(at + 4))) | uint64(*(*uint32)(unsafe.Pointer(at + 8)))<<32
		fd := token & (1<<32 - 1)
		if fd >= enclMaxFD {
			enclLied(td, enclSysEpollWait, uintptr(token))
		}
		w := enclWatches[fd]
		if w.epoll != uint32(a[0])+1 || w.gen != uint32(token>>32) {
			continue // of a descriptor that was closed meanwhile
		}
		e := (*enclEvent)(unsafe.Pointer(a[1] + got*size))
		e.events, e.data = events, [2]uint32{uint32(w.data), uint32(w.data >> 32)}
		got++
	}
	return got
}

// enclFcntl serves fcntl.
func enclFcntl(td *enclTD, a *[6]uintptr) uintptr {
	const (
		dupFD, getFD, setFD, getFL, setFL    = 0, 1, 2, 3, 4
		getLK, setLK, setLKW                 = 5, 6, 7
		ofdGetLK, ofdSetLK, ofdSetLKW        = 36, 37, 38
		dupFDCloexec, setPipeSize, getPipeSz = 1030, 1031, 1032
		addSeals, getSeals                   = 1033, 1034
		flock                                = 32
	)
	size := uintptr(0)
	switch a[1] {
	case dupFD, getFD, setFD, getFL, setFL, dupFDCloexec, setPipeSize, getPipeSz, addSeals, getSeals:
		if enclInside(a[2], 1) {
			return enclErr(enclEINVAL)
		}
	case getLK, setLK, setLKW, ofdGetLK, ofdSetLK, ofdSetLKW:
		size = flock
	default:
		return enclErr(enclEINVAL)
	}
	r := enclByCommand(td, enclOpFcntl, a, size)
	if enclIsErr(r) {
		return r
	}
	switch a[1] {
	case dupFD, dupFDCloexec:
		if !enclOpenFD(r) {
			enclLied(td, enclSysFcntl, r)
		}
	default:
		if r > 1<<31 {
			enclLied(td, enclSysFcntl, r)
		}
	}
	return r
}

// enclIoctl serves those ioctls whose arguments are known.
func enclIoctl(td *enclTD, a *[6]uintptr) uintptr {
	size := uintptr(0)
	switch a[1] {
	case 0x5401, 0x5402, 0x5403, 0x5404: // TCGETS TCSETS TCSETSW TCSETSF
		size = 36
	case 0x5413, 0x5414: // TIOCGWINSZ TIOCSWINSZ
		size = 8
	case 0x541B, 0x5421, 0x5411, 0x540F, 0x5410, 0x5429: // FIONREAD FIONBIO TIOCOUTQ TIOCGPGRP TIOCSPGRP TIOCGSID
		size = 4
	case 0x5450, 0x5451, 0x540E: // FIONCLEX FIOCLEX TIOCSCTTY
		if enclInside(a[2], 1) {
			return enclErr(enclEINVAL)
		}
	case 0x8912: // SIOCGIFCONF points further
		return enclErr(enclENOTTY)
	case 0x8910, 0x8913, 0x8915, 0x891B, 0x8921, 0x8927, 0x8933: // SIOCGIF...
		size = 40
	default:
		return enclErr(enclENOTTY)
	}
	r := enclByCommand(td, enclOpIoctl, a, size)
	if !enclIsErr(r) && r > 1<<31 {
		enclLied(td, enclSysIoctl, r)
	}
	return r
}

// enclByCommand makes a request whose third argument is a number, or points to
// size bytes that go and come.
func enclByCommand(td *enclTD, op uintptr, a *[6]uintptr, size uintptr) uintptr {
	p := [6]uintptr{a[0], uintptr(uint32(a[1])), a[2]}
	if size > 0 {
		if !enclInside(a[2], size) {
			return enclErr(enclEFAULT)
		}
		memmove(unsafe.Pointer(td.block+enclOffData), unsafe.Pointer(a[2]), size)
		p[2], p[3] = enclOffData, size
	}
	r := enclRequest(td, op, &p)
	if size > 0 && !enclIsErr(r) {
		memmove(unsafe.Pointer(a[2]), unsafe.Pointer(td.block+enclOffData), size)
	}
	return r
}

// enclTakeCall copies what the host says of an ECALL. Package tedge checks the
// address of its structure, and refuses the call.
func enclTakeCall(td *enclTD, p uintptr) {
	w := (*[5]uintptr)(unsafe.Pointer(p))
	for i := range w {
		w[i] = enclArg(td, uintptr(i))
	}
}

// enclRuntimeCall serves the requests that code of packages inside and tedge
// makes, as system calls with numbers of their own. Pointers to words are where
// the host's further answers go.
func enclRuntimeCall(td *enclTD, nr uintptr, a *[6]uintptr) uintptr {
	switch nr {
	case enclOpNextCall:
		if !enclInside(a[2], 40) {
			return enclErr(enclEFAULT)
		}
		p := [6]uintptr{a[0], a[1]}
		r := enclRequest(td, nr, &p)
		if enclIsErr(r) {
			return r
		}
		if r != 0 {
			enclLied(td, nr, r)
		}
		enclTakeCall(td, a[2])
		return 0
	case enclOpOCall, enclOpResume:
		if nr == enclOpOCall && a[1] != 0 && !enclOutside(a[1], 1) || !enclInside(a[4], 40) {
			return enclErr(enclEFAULT)
		}
		p := [6]uintptr{a[0], a[1], a[2], a[3]}
		r := enclRequest(td, nr, &p)
		if r == enclOCallNested {
			enclTakeCall(td, a[4])
		}
		return r
	case enclOpOutside:
		p := [6]uintptr{a[0], a[1]}
		r := enclRequest(td, nr, &p)
		if a[1] == 0 && !enclIsErr(r) && (r == 0 || r%8 != 0 || !enclOutside(r, a[0])) {
			enclLied(td, nr, r)
		}
		return r
	}
	return enclErr(enclENOSYS)
}
