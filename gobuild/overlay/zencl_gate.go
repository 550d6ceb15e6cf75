//go:build feidi

package runtime

import (
	"internal/runtime/atomic"
	"unsafe"
)

// The gate runs on stacks of its own, with a g that has nothing but the bounds
// of that stack. So its code must not allocate, panic on purpose, use maps or
// interfaces, or store pointers that the collector cares for; but it may call
// functions like any other.

// enclDispatch serves a system call of the program: its registers are in
// td.regs, and the result goes there.
//
//go:nowritebarrierrec
func enclDispatch(td *enclTD) {
	r := &td.regs
	if atomic.Load(&enclGone) != 0 {
		enclPoisoned(td)
	}
	a := [6]uintptr{
		uintptr(r[enclDI]), uintptr(r[enclSI]), uintptr(r[enclDX]),
		uintptr(r[enclR10]), uintptr(r[enclR8]), uintptr(r[enclR9]),
	}
	if nr := uintptr(r[enclAX]); nr == enclSysRtSigreturn {
		enclSigreturn(td)
	} else {
		r[enclAX] = uint64(enclSyscall(td, nr, &a))
	}
	if atomic.Load64(&td.pending)&^td.mask != 0 {
		enclDeliverPending(td)
	}
}

// enclErr is how an error is returned.
func enclErr(errno uintptr) uintptr { return -errno }

const (
	enclEPERM     = 1
	enclESRCH     = 3
	enclEINTR     = 4
	enclEIO       = 5
	enclEBADF     = 9
	enclECHILD    = 10
	enclEAGAIN    = 11
	enclENOMEM    = 12
	enclEACCES    = 13
	enclEFAULT    = 14
	enclENODEV    = 19
	enclEINVAL    = 22
	enclENOTTY    = 25
	enclENOSYS    = 38
	enclETIMEDOUT = 110
	enclENOENT    = 2
)

// enclSyscall serves one system call inside, or has the host serve it.
func enclSyscall(td *enclTD, nr uintptr, a *[6]uintptr) uintptr {
	switch nr {
	case enclSysFutex:
		return enclFutex(td, a)
	case enclSysClockGettime:
		return enclClockGettime(td, a[0], a[1])
	case enclSysMmap:
		return enclMmap(td, a[0], a[1], a[2], a[3], int32(a[4]), a[5])
	case enclSysMunmap:
		return enclMunmap(a[0], a[1])
	case enclSysMprotect:
		return enclMprotect(a[0], a[1], a[2])
	case enclSysMadvise:
		return enclMadvise(a[0], a[1], a[2])
	case enclSysRtSigprocmask:
		return enclSigprocmask(td, a[0], a[1], a[2])
	case enclSysRtSigaction:
		return enclSigaction(a[0], a[1], a[2])
	case enclSysSigaltstack:
		return enclSigaltstack(td, a[0], a[1])
	case enclSysTgkill:
		return enclTgkill(td, int32(a[1]), a[2])
	case enclSysTkill:
		return enclTgkill(td, int32(a[0]), a[1])
	case enclSysKill:
		if pid := int32(a[0]); pid != 1 && pid != 0 && pid != -1 {
			return enclErr(enclESRCH)
		}
		return enclTgkill(td, td.tid, a[1])
	case enclSysClone, enclSysClone3, enclSysFork, enclSysVfork:
		return enclClone(td, nr, a)
	case enclExitThread, enclSysExit:
		enclThreadExit(td, nr == enclExitThread, a[0])
	case enclSysExitGroup:
		enclExit(td, a[0]&0xFF, 0)
	case enclSysGetpid, enclSysGetpgrp, enclSysGetsid:
		return 1
	case enclSysGettid:
		return uintptr(td.tid)
	case enclSysSetTidAddress:
		return uintptr(td.tid)
	case enclSysSetRobustList, enclSysArchPrctl:
		return 0 // FS is the thread's for good
	case enclSysGetrandom:
		return enclGetrandom(a[0], a[1])
	case enclSysSchedGetaffinity:
		return enclAffinity(a[1], a[2])
	case enclSysPrlimit64:
		return enclLimit(a[1], a[2], a[3])
	case enclSysGetrlimit:
		return enclLimit(a[0], 0, a[1])
	case enclSysSetrlimit:
		return 0
	case enclSysGetgroups:
		return 0
	case enclSysWait4, enclSysWaitid:
		return enclErr(enclECHILD)
	case enclSysSendfile:
		return enclSendfile(td, a)
	case enclSysSplice, enclSysTee, enclSysVmsplice, enclSysCopyFileRange:
		return enclErr(enclEINVAL) // callers fall back to reading and writing
	case enclSysPrctl, enclSysBrk:
		return enclErr(enclEINVAL)
	case enclSysReadv, enclSysPreadv, enclSysWritev, enclSysPwritev:
		return enclVectors(td, nr, a)
	case enclSysSendmsg:
		return enclSendmsg(td, a[0], a[1], a[2])
	case enclSysRecvmsg:
		return enclRecvmsg(td, a[0], a[1], a[2])
	case enclSysPoll:
		return enclPoll(td, a[0], a[1], int64(int32(a[2]))*1000000, int32(a[2]) < 0)
	case enclSysPpoll:
		if a[2] == 0 {
			return enclPoll(td, a[0], a[1], 0, true)
		}
		ns, ok := enclTimespec(a[2])
		if !ok {
			return enclErr(enclEINVAL)
		}
		return enclPoll(td, a[0], a[1], ns, false)
	case enclSysEpollCreate:
		*a = [6]uintptr{}
		return enclForward(td, enclSysEpollCreate1, a)
	case enclSysEpollCtl:
		return enclEpollCtl(td, a)
	case enclSysEpollWait, enclSysEpollPwait:
		return enclEpollWait(td, a)
	case enclSysFcntl:
		return enclFcntl(td, a)
	case enclSysIoctl:
		return enclIoctl(td, a)
	case enclSysPipe:
		a[1] = 0
		return enclForward(td, enclSysPipe2, a)
	case enclSysAccept:
		a[3] = 0
		return enclForward(td, enclSysAccept4, a)
	case enclSysSocket:
		const netlink, packet, raw, mask = 16, 17, 3, 0xF
		if a[0] == packet || a[0] != netlink && a[1]&mask == raw {
			enclNote(td, &enclNotedRaw, "an enclave has no raw sockets: use TCP, UDP or unix sockets, or a helper outside")
			return enclErr(enclEPERM)
		}
	case enclSysOpenat, enclSysOpen:
		// The runtime looks for cgroups and huge pages before it runs anything:
		// nothing that the host could say is worth believing.
		if atomic.Load(&enclSpawns) == 0 {
			return enclErr(enclENOENT)
		}
	case enclSysExecve, enclSysExecveat:
		enclNote(td, &enclNotedExec, "an enclave cannot execute programs: have the host do it, by an OCALL or a socket")
		return enclErr(enclENOSYS)
	}
	if nr >= 1<<16 && nr < enclOpNextCall+16 && nr != enclExitThread {
		return enclRuntimeCall(td, nr, a)
	}
	return enclForward(td, nr, a)
}

// Once, for each thing that a program cannot do in an enclave, it is told why.
var enclNotedExec, enclNotedFork, enclNotedRaw, enclNotedHeap, enclNotedThreads uint32

func enclNote(td *enclTD, once *uint32, text string) {
	if !atomic.Cas(once, 0, 1) {
		return
	}
	enclSay(td, "feidi: ")
	enclSay(td, text)
	enclSay(td, "\n")
}

// enclSay writes text to the program's standard error.
func enclSay(td *enclTD, text string) {
	enclSayBytes(td, unsafe.Pointer(unsafe.StringData(text)), uintptr(len(text)))
}

func enclSayBytes(td *enclTD, p unsafe.Pointer, n uintptr) {
	a := [6]uintptr{2, enclOffData, n}
	memmove(unsafe.Pointer(td.block+enclOffData), p, n)
	enclRequest(td, enclSysWrite, &a)
}

// enclSayNumber writes a number to the program's standard error.
func enclSayNumber(td *enclTD, v uint64) {
	var buf [20]byte
	i := len(buf)
	for {
		i--
		buf[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			break
		}
	}
	enclSayBytes(td, unsafe.Pointer(uintptr(unsafe.Pointer(&buf))+uintptr(i)), uintptr(len(buf)-i))
}

// enclRequest has the host serve a request: a are its arguments as the block
// has them. It returns the host's result, unchecked, and takes over signals.
func enclRequest(td *enclTD, op uintptr, a *[6]uintptr) uintptr {
	b := td.block
	enclStore(b+enclOffOp, uint64(op))
	for i := range a {
		enclStore(b+enclOffArgs+8*uintptr(i), uint64(a[i]))
	}
	enclocall()
	if atomic.Load(&enclGone) != 0 {
		enclPoisoned(td)
	}
	if s := enclLoad(b + enclOffSignals); s != 0 {
		enclSignalled(td, s)
	}
	return uintptr(enclLoad(b + enclOffResult))
}

// enclArg reads an argument that the host has changed.
func enclArg(td *enclTD, i uintptr) uintptr {
	return uintptr(enclLoad(td.block + enclOffArgs + 8*i))
}

// enclIsErr reports whether a result of the host is an error.
func enclIsErr(r uintptr) bool { return r > ^uintptr(4095) }

// enclLied ends the program: the host has given an answer that no kernel gives.
func enclLied(td *enclTD, nr, r uintptr) {
	enclSay(td, "feidi: the host's answer to system call ")
	enclSayNumber(td, uint64(nr))
	enclSay(td, " is impossible: ")
	enclSayNumber(td, uint64(r))
	enclSay(td, "\n")
	enclExit(td, 134, 0)
}

// enclExit ends the program. Nothing of it runs after that, whatever the host
// does.
func enclExit(td *enclTD, code, sig uintptr) {
	a := [6]uintptr{code, sig}
	atomic.Store(&enclGone, 1)
	for {
		b := td.block
		enclStore(b+enclOffOp, enclOpExit)
		for i := range a {
			enclStore(b+enclOffArgs+8*uintptr(i), uint64(a[i]))
		}
		enclocall()
	}
}

// enclPoisoned keeps a thread from going on after the program's end.
func enclPoisoned(td *enclTD) {
	for {
		enclStore(td.block+enclOffOp, enclOpPark)
		enclStore(td.block+enclOffArgs, ^uint64(0))
		enclocall()
	}
}
