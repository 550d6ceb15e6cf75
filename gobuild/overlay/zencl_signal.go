//go:build feidi

package runtime

import (
	"internal/runtime/atomic"
	"unsafe"
)

const (
	enclSigDFL = 0
	enclSigIGN = 1

	enclSIGILL  = 4
	enclSIGTRAP = 5
	enclSIGBUS  = 7
	enclSIGFPE  = 8
	enclSIGSEGV = 11
)

// enclHandlers are what rt_sigaction has set: handler, flags, restorer and
// mask, as the kernel has them.
var enclHandlers [65][4]uint64

// enclFaults are the signals that only a fault inside raises. The host cannot
// send them.
const enclFaults = 1<<(enclSIGILL-1) | 1<<(enclSIGTRAP-1) | 1<<(enclSIGBUS-1) | 1<<(enclSIGFPE-1) | 1<<(enclSIGSEGV-1)

// enclHostSignals are the signals that the host may send: those of a terminal,
// of other processes and of timers.
const enclHostSignals = 1<<(1-1) | 1<<(2-1) | 1<<(3-1) | 1<<(10-1) | 1<<(12-1) | 1<<(14-1) | 1<<(15-1) |
	1<<(17-1) | 1<<(18-1) | 1<<(20-1) | 1<<(21-1) | 1<<(22-1) | 1<<(23-1) | 1<<(28-1)

// enclIgnores reports whether a signal does nothing: it is ignored, or its
// default is to be.
func enclIgnores(sig uintptr) bool {
	switch enclHandlers[sig][0] {
	case enclSigIGN:
		return true
	case enclSigDFL:
		switch sig {
		case 17, 18, 20, 21, 22, 23, 28: // CHLD CONT TSTP TTIN TTOU URG WINCH
			return true
		}
	}
	return false
}

// enclSignalled takes over the signals that the host sends with an answer.
func enclSignalled(td *enclTD, set uint64) {
	set &= enclHostSignals
	for sig := uintptr(1); set != 0; sig++ {
		if set&1 != 0 {
			enclRaise(td, td, sig)
		}
		set >>= 1
	}
}

// enclRaise sends thread to a signal. Called on thread td.
func enclRaise(td, to *enclTD, sig uintptr) {
	if enclIgnores(sig) {
		return
	}
	if enclHandlers[sig][0] == enclSigDFL {
		enclExit(td, 128+sig, sig)
	}
	atomic.Or64(&to.pending, 1<<(sig-1))
}

// enclTgkill serves tgkill for a thread of the program.
func enclTgkill(td *enclTD, tid int32, sig uintptr) uintptr {
	if sig > 64 {
		return enclErr(enclEINVAL)
	}
	for i := uint64(0); i < enclParams[enclPThreads]; i++ {
		to := enclThread(i)
		if to.state == enclFree || to.tid != tid {
			continue
		}
		if sig == 0 {
			return 0
		}
		enclRaise(td, to, sig)
		if to != td && to.state == enclIn {
			a := [6]uintptr{uintptr(to.blockNr)}
			enclRequest(td, enclOpKick, &a)
		}
		return 0
	}
	return enclErr(enclESRCH)
}

// enclSigaction serves rt_sigaction.
func enclSigaction(sig, act, old uintptr) uintptr {
	if sig == 0 || sig > 64 {
		return enclErr(enclEINVAL)
	}
	h := &enclHandlers[sig]
	if old != 0 {
		if !enclInside(old, 32) {
			return enclErr(enclEFAULT)
		}
		*(*[4]uint64)(unsafe.Pointer(old)) = *h
	}
	if act != 0 {
		if !enclInside(act, 32) || sig == 9 || sig == 19 {
			return enclErr(enclEINVAL)
		}
		*h = *(*[4]uint64)(unsafe.Pointer(act))
	}
	return 0
}

// enclSigprocmask serves rt_sigprocmask.
func enclSigprocmask(td *enclTD, how, set, old uintptr) uintptr {
	if old != 0 {
		if !enclInside(old, 8) {
			return enclErr(enclEFAULT)
		}
		*(*uint64)(unsafe.Pointer(old)) = td.mask
	}
	if set == 0 {
		return 0
	}
	if !enclInside(set, 8) {
		return enclErr(enclEFAULT)
	}
	const unblockable = 1<<(9-1) | 1<<(19-1)
	v := *(*uint64)(unsafe.Pointer(set)) &^ unblockable
	switch how {
	case 0: // SIG_BLOCK
		td.mask |= v
	case 1: // SIG_UNBLOCK
		td.mask &^= v
	case 2: // SIG_SETMASK
		td.mask = v
	default:
		return enclErr(enclEINVAL)
	}
	return 0
}

// enclStackT is the kernel's stack_t.
type enclStackT struct {
	sp    uintptr
	flags int32
	_     int32
	size  uintptr
}

// enclSigaltstack serves sigaltstack.
func enclSigaltstack(td *enclTD, new, old uintptr) uintptr {
	const disable = 2
	if old != 0 {
		if !enclInside(old, unsafe.Sizeof(enclStackT{})) {
			return enclErr(enclEFAULT)
		}
		s := (*enclStackT)(unsafe.Pointer(old))
		*s = enclStackT{sp: td.altSP, size: td.altSize}
		if td.altSize == 0 {
			s.flags = disable
		}
	}
	if new == 0 {
		return 0
	}
	if !enclInside(new, unsafe.Sizeof(enclStackT{})) {
		return enclErr(enclEFAULT)
	}
	s := *(*enclStackT)(unsafe.Pointer(new))
	switch {
	case s.flags&disable != 0:
		td.altSP, td.altSize = 0, 0
	case !enclInside(s.sp, s.size) || s.size < 2*enclFrameSize:
		return enclErr(enclENOMEM)
	default:
		td.altSP, td.altSize = s.sp, s.size
	}
	return 0
}

// A signal frame, as the kernel builds one: the address that the handler
// returns to, the ucontext, the siginfo, and the XSAVE image.
const (
	enclFrameUC   = 8
	enclFrameInfo = enclFrameUC + 1024
	enclFrameFP   = enclFrameInfo + 128
	enclFPMax     = 2816
	enclFrameSize = enclFrameFP + enclFPMax

	// Offsets in the ucontext.
	enclUCFPState = 224
	enclUCMask    = 296
	enclUCFlags   = 176
	enclUCErr     = 192
	enclUCTrap    = 200
	enclUCCR2     = 216
)

// enclUCReg is where the ucontext has a register.
var enclUCReg = [enclRegs]uint16{
	enclR8: 40, enclR9: 48, enclR10: 56, enclR11: 64, enclR12: 72, enclR13: 80, enclR14: 88, enclR15: 96,
	enclDI: 104, enclSI: 112, enclBP: 120, enclBX: 128, enclDX: 136, enclAX: 144, enclCX: 152, enclSP: 160,
	enclIP: 168, enclFlags: enclUCFlags,
}

// enclDeliver makes registers, which are the program's, those of the handler
// of a signal: it builds a frame on the signal stack. fp is the address of the
// XSAVE image that the handler's return is to bring back, or 0. It reports
// false if there is no handler or no room.
func enclDeliver(td *enclTD, r *[enclRegs]uint64, fp uintptr, sig uintptr, code int32, addr, trap, errcode uint64) bool {
	h := &enclHandlers[sig]
	if h[0] <= enclSigIGN {
		return false
	}
	const redZone = 128
	sp := uintptr(r[enclSP]) - redZone
	if lo := td.altSP; td.altSize != 0 && (sp < lo || sp >= lo+td.altSize) {
		sp = lo + td.altSize
	}
	sp = (sp-enclFrameSize)&^15 - 8 // as after a call
	if !enclInside(sp, enclFrameSize) || td.altSize != 0 && sp < td.altSP {
		return false
	}
	_, ret, _, _ := enclText()
	put := func(off uintptr, v uint64) { *(*uint64)(unsafe.Pointer(sp + off)) = v }
	memclrNoHeapPointers(unsafe.Pointer(sp), enclFrameFP)
	put(0, uint64(ret))
	const uc = enclFrameUC
	put(uc+16, uint64(td.altSP))
	put(uc+32, uint64(td.altSize))
	for i := range r {
		put(uc+uintptr(enclUCReg[i]), r[i])
	}
	put(uc+184, 0x33) // CS
	put(uc+enclUCErr, errcode)
	put(uc+enclUCTrap, trap)
	put(uc+enclUCCR2, addr)
	put(uc+enclUCMask, td.mask)
	if fp != 0 {
		image := sp + enclFrameFP
		memmove(unsafe.Pointer(image), unsafe.Pointer(fp), enclFPMax)
		put(uc+enclUCFPState, uint64(image))
	}
	*(*int32)(unsafe.Pointer(sp + enclFrameInfo)) = int32(sig)
	*(*int32)(unsafe.Pointer(sp + enclFrameInfo + 8)) = code
	put(enclFrameInfo+16, addr)

	const noDefer = 0x40000000
	td.mask |= h[3]
	if h[1]&noDefer == 0 {
		td.mask |= 1 << (sig - 1)
	}
	r[enclDI] = uint64(sig)
	r[enclSI] = uint64(sp + enclFrameInfo)
	r[enclDX] = uint64(sp + uc)
	r[enclAX] = 0
	r[enclSP] = uint64(sp)
	r[enclIP] = h[0]
	r[enclFlags] = 0x202
	return true
}

// enclSigreturn serves rt_sigreturn: the frame is above the stack pointer.
func enclSigreturn(td *enclTD) {
	sp := uintptr(td.regs[enclSP]) - 8
	if !enclInside(sp, enclFrameSize) {
		enclExit(td, 128+enclSIGSEGV, enclSIGSEGV)
	}
	get := func(off uintptr) uint64 { return *(*uint64)(unsafe.Pointer(sp + enclFrameUC + off)) }
	for i := range td.regs {
		td.regs[i] = get(uintptr(enclUCReg[i]))
	}
	const user = 0x8D5 // CF PF AF ZF SF OF
	td.regs[enclFlags] = td.regs[enclFlags]&user | 0x202
	const unblockable = 1<<(9-1) | 1<<(19-1)
	td.mask = get(enclUCMask) &^ unblockable
	td.full = 1
	if fp := uintptr(get(enclUCFPState)); fp != 0 && enclInside(fp, enclFPMax) {
		memmove(unsafe.Pointer(td.self+enclFPOff), unsafe.Pointer(fp), enclFPMax)
		td.fp = 1
	}
}

// enclDeliverPending delivers the first signal that waits and is not blocked,
// at the end of a call of the gate.
func enclDeliverPending(td *enclTD) {
	for sig := uintptr(1); sig <= 64; sig++ {
		bit := uint64(1) << (sig - 1)
		if (atomic.Load64(&td.pending)&^td.mask)&bit == 0 {
			continue
		}
		atomic.And64(&td.pending, ^bit)
		fp := uintptr(0)
		if td.fp != 0 {
			fp = td.self + enclFPOff
		}
		const siTkill = -6
		if !enclDeliver(td, &td.regs, fp, sig, siTkill, 0, 0, 0) {
			if enclHandlers[sig][0] == enclSigDFL && !enclIgnores(sig) {
				enclExit(td, 128+sig, sig)
			}
			continue
		}
		td.full, td.fp = 1, 0
		return
	}
}

// enclExcept serves an entry on the second SSA frame: what interrupted the
// thread is in the first. It returns a status. There are no OCALLs here.
//
//go:nowritebarrierrec
func enclExcept(td *enclTD, cmd int) uintptr {
	if cmd != enclCmdExcept {
		return enclUnexpected
	}
	r := (*[enclRegs]uint64)(unsafe.Pointer(td.ssa))
	const offExitInfo, offExInfo, frame = 160, 16, 4096 - 184
	fp := td.ssa - frame
	info := (*uint32)(unsafe.Pointer(td.ssa + offExitInfo))
	ip := uintptr(r[enclIP])
	busy := td.inGate != 0 || td.state != enclIn || ip >= enclGateText && ip <= enclGateTextEnd
	const valid = 1 << 31
	if *info&valid == 0 {
		if busy {
			return enclLater
		}
		for sig := uintptr(1); sig <= 64; sig++ {
			bit := uint64(1) << (sig - 1)
			if (atomic.Load64(&td.pending)&^td.mask)&bit == 0 {
				continue
			}
			const siTkill = -6
			if enclDeliver(td, r, fp, sig, siTkill, 0, 0, 0) {
				atomic.And64(&td.pending, ^bit)
			}
			return enclSuccess
		}
		return enclSuccess
	}
	if busy {
		return enclCrashed
	}
	if atomic.Load(&enclGone) != 0 {
		// The program ends on another thread. This one goes to the gate, which
		// keeps it.
		_, to, _, _ := enclText()
		r[enclIP], r[enclSP] = uint64(to), uint64(td.gateSP)
		*info = 0
		return enclSuccess
	}
	vector := uint64(*info & 0xFF)
	var addr, errcode uint64
	if vector == 13 || vector == 14 {
		addr = *(*uint64)(unsafe.Pointer(td.ssa - offExInfo))
		errcode = uint64(*(*uint32)(unsafe.Pointer(td.ssa - offExInfo + 8)))
	}
	if vector == 14 && enclSilent() && enclInside(uintptr(addr), 1) {
		// The enclave's pages are there from its start to its end. A host that
		// takes one away would have the program panic at any instruction, and
		// perhaps recover from that.
		return enclCrashed
	}
	sig, code := uintptr(enclSIGILL), int32(2) // ILL_ILLOPN
	switch vector {
	case 0:
		sig, code, addr = enclSIGFPE, 1, r[enclIP] // FPE_INTDIV
	case 1, 3:
		sig, code = enclSIGTRAP, 0x80
	case 13:
		sig, code, addr = enclSIGSEGV, 0x80, 0 // SI_KERNEL
	case 14:
		sig, code = enclSIGSEGV, 1 // SEGV_MAPERR
		if errcode&1 != 0 {
			code = 2 // SEGV_ACCERR
		}
	case 16, 19:
		sig, code, addr = enclSIGFPE, 7, r[enclIP]
	case 17:
		sig, code = enclSIGBUS, 1
	}
	if td.mask&(1<<(sig-1)) != 0 || !enclDeliver(td, r, fp, sig, code, addr, vector, errcode) {
		return enclCrashed
	}
	*info = 0 // it is dealt with
	return enclSuccess
}
