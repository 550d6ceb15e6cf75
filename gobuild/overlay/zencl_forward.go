//go:build feidi

package runtime

import (
	"internal/runtime/atomic"
	"unsafe"
)

// enclCall describes a system call that the host serves as it is. The builder
// writes the table, enclCalls, from package goabi.
type enclCall struct {
	args   uint8
	result uint8
	kind   [6]uint8
	size   [6]uint16
}

// enclFDs says which descriptors are open, so that the host cannot give out
// one twice. Three are from the start.
var enclFDs = [enclMaxFD / 64]uint64{7}

// enclOpenFD notes a descriptor that is open now, and reports whether it was
// closed before and may be one.
func enclOpenFD(fd uintptr) bool {
	if fd >= enclMaxFD {
		return false
	}
	bit := uint64(1) << (fd % 64)
	return atomic.Or64(&enclFDs[fd/64], bit)&bit == 0
}

// enclCloseFD notes that a descriptor is closed. What was to be told of it by
// epoll is not told any more.
func enclCloseFD(fd uintptr) {
	if fd < enclMaxFD {
		enclWatches[fd].epoll = 0
		atomic.And64(&enclFDs[fd/64], ^(uint64(1) << (fd % 64)))
	}
}

// enclForward has the host serve a system call: it copies what the arguments
// point to into the thread's block, and what came back, after it was checked,
// out of it.
func enclForward(td *enclTD, nr uintptr, a *[6]uintptr) uintptr {
	if nr >= uintptr(len(enclCalls)) || enclCalls[nr].kind[0] == enclKindNone && enclCalls[nr].args == 0 && !enclBare(nr) {
		return enclErr(enclENOSYS)
	}
	c := &enclCalls[nr]
	var out [6]uintptr   // as the block has them
	var limit [6]uintptr // bytes that an argument points to
	at := uintptr(enclOffData)
	const room = enclBlockSize
	n := int(c.args)
	for i := 0; i < n; i++ {
		v := a[i]
		switch c.kind[i] {
		case enclKindScalar:
			if enclInside(v, 1) {
				return enclErr(enclEFAULT) // an address is nobody's business
			}
			out[i] = v
		case enclKindFD, enclKindDirFD:
			out[i] = uintptr(int(int32(v)))
		case enclKindPath:
			if v == 0 {
				continue
			}
			l, e := enclCopyPath(td, v, at)
			if e != 0 {
				return e
			}
			out[i] = at
			at += (l + 7) &^ 7
		case enclKindIn, enclKindOut:
			l := a[i+1]
			if l > enclMaxIO {
				if c.result != enclResultCount {
					return enclErr(enclEINVAL)
				}
				l = enclMaxIO
			}
			limit[i], out[i+1] = l, l
			if v == 0 {
				continue
			}
			if !enclInside(v, l) || at+l > room {
				return enclErr(enclEFAULT)
			}
			if c.kind[i] == enclKindIn {
				memmove(unsafe.Pointer(td.block+at), unsafe.Pointer(v), l)
			}
			out[i] = at
			at += (l + 7) &^ 7
		case enclKindInFixed, enclKindOutFixed:
			if v == 0 {
				continue
			}
			l := uintptr(c.size[i])
			if !enclInside(v, l) {
				return enclErr(enclEFAULT)
			}
			if c.kind[i] == enclKindInFixed {
				memmove(unsafe.Pointer(td.block+at), unsafe.Pointer(v), l)
			}
			out[i] = at
			at += (l + 7) &^ 7
		case enclKindAddr:
			if v == 0 || a[i+1] == 0 {
				continue
			}
			if !enclInside(a[i+1], 4) {
				return enclErr(enclEFAULT)
			}
			l := min(uintptr(*(*uint32)(unsafe.Pointer(a[i+1]))), 4096)
			if !enclInside(v, l) {
				return enclErr(enclEFAULT)
			}
			limit[i] = l
			out[i] = at
			at += (l + 7) &^ 7
			enclStore(td.block+at, uint64(l))
			out[i+1] = at
			at += 8
		}
	}
	if nr == enclSysClose {
		enclCloseFD(uintptr(uint32(a[0]))) // before: another thread may be given the number at once
	}
	r := enclRequest(td, nr, &out)
	if enclIsErr(r) {
		return r
	}
	return enclReturn(td, nr, c, a, &out, &limit, r)
}

// enclBare reports whether a call has no arguments.
func enclBare(nr uintptr) bool {
	switch nr {
	case enclSysSchedYield, enclSysGetuid, enclSysGetgid, enclSysGeteuid, enclSysGetegid, enclSysGetppid, enclSysSync:
		return true
	}
	return false
}

// enclCopyPath copies a string of the program to the block.
func enclCopyPath(td *enclTD, p, at uintptr) (n, e uintptr) {
	const nameTooLong = 36
	for n < enclMaxPath {
		if !enclInside(p+n, 1) {
			return 0, enclErr(enclEFAULT)
		}
		b := *(*uint8)(unsafe.Pointer(p + n))
		n++
		if b == 0 {
			if at+n > enclBlockSize {
				return 0, enclErr(enclEFAULT)
			}
			memmove(unsafe.Pointer(td.block+at), unsafe.Pointer(p), n)
			return n, 0
		}
	}
	return 0, enclErr(nameTooLong)
}

// enclReturn checks the result of a call and hands over what came back.
func enclReturn(td *enclTD, nr uintptr, c *enclCall, a, out, limit *[6]uintptr, r uintptr) uintptr {
	n := int(c.args)
	switch c.result {
	case enclResultZero, enclResultPair:
		if r != 0 {
			enclLied(td, nr, r)
		}
	case enclResultNumber:
		if int(r) < 0 {
			enclLied(td, nr, r)
		}
	case enclResultFD:
		if !enclOpenFD(r) {
			enclLied(td, nr, r)
		}
	}
	counted := c.result == enclResultCount // what the first buffer has
	for i := 0; i < n; i++ {
		switch c.kind[i] {
		case enclKindIn, enclKindOut:
			if counted && r > limit[i] && (r > enclMaxLength || !enclMayExceed(nr, a, limit[i])) {
				enclLied(td, nr, r)
			}
			counted = false
		}
		if out[i] == 0 {
			continue
		}
		switch c.kind[i] {
		case enclKindOut:
			memmove(unsafe.Pointer(a[i]), unsafe.Pointer(td.block+out[i]), min(r, limit[i]))
		case enclKindOutFixed:
			memmove(unsafe.Pointer(a[i]), unsafe.Pointer(td.block+out[i]), uintptr(c.size[i]))
			if c.result == enclResultPair {
				enclCheckPair(td, nr, a[i])
			}
		case enclKindAddr:
			l := min(uintptr(uint32(enclLoad(td.block+out[i+1]))), limit[i])
			memmove(unsafe.Pointer(a[i]), unsafe.Pointer(td.block+out[i]), l)
			*(*uint32)(unsafe.Pointer(a[i+1])) = uint32(l)
		}
	}
	if nr == enclSysDup2 || nr == enclSysDup3 {
		if r != uintptr(uint32(a[1])) || r >= enclMaxFD {
			enclLied(td, nr, r)
		}
		if r != uintptr(uint32(a[0])) {
			enclCloseFD(r)
		}
		enclOpenFD(r)
	}
	return r
}

// enclMaxLength is more than any length that a kernel returns.
const enclMaxLength = 1<<31 - 1

// enclMayExceed reports whether a call returns a length that is larger than
// what there was room for: that of a datagram (MSG_TRUNC), or of what
// getxattr and listxattr were not to copy.
func enclMayExceed(nr uintptr, a *[6]uintptr, limit uintptr) bool {
	const truncate = 0x20
	return nr == enclSysRecvfrom && a[3]&truncate != 0 || nr >= enclSysGetxattr && nr <= enclSysFlistxattr && limit == 0
}

// enclCheckPair checks two new descriptors, which are in the program's memory
// already.
func enclCheckPair(td *enclTD, nr, p uintptr) {
	fds := (*[2]uint32)(unsafe.Pointer(p))
	for i := range fds {
		if fd := uintptr(fds[i]); !enclOpenFD(fd) {
			enclLied(td, nr, fd)
		}
	}
}
