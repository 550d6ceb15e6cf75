package process

import (
	"context"
	"runtime"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// ocall serves the OCALLs of the enclave.
func (p *Process) ocall(ctx context.Context, c *enclave.Call) enclave.Status {
	if c.Index != goabi.OCallRequest {
		return enclave.ErrInvalidFunction
	}
	t := threadOf(ctx)
	if t == nil || t.p != p || c.Block != t.addr {
		return enclave.ErrInvalidParameter
	}
	t.serve()
	return enclave.Success
}

// serve serves the request in the thread's block.
func (t *thread) serve() {
	b := t.mem[:goabi.OffData]
	op := le.Uint64(b[goabi.OffOp:])
	if t.p.first.Load() == nil {
		t.p.noteFirst(op)
	}
	for i := range t.args {
		t.args[i] = le.Uint64(b[goabi.OffArgs+8*i:])
	}
	r := t.request(op)
	le.PutUint64(b[goabi.OffResult:], uint64(r))
	var signals uint64
	if t.p.pending.Load() != 0 {
		signals = t.p.pending.Swap(0)
	}
	le.PutUint64(b[goabi.OffSignals:], signals)
}

// noteFirst notes when the first request came that is the program's and not
// the runtime's own.
func (p *Process) noteFirst(op uint64) {
	switch op {
	case goabi.OpPark, goabi.OpUnpark, goabi.OpSpawn, goabi.OpKick, goabi.OpExit, unix.SYS_SCHED_YIELD:
		return
	}
	now := time.Now()
	p.first.CompareAndSwap(nil, &now)
}

// request returns the result of a request, or -errno. A handler finds the
// arguments in t.args, and changes them only by setArg.
func (t *thread) request(op uint64) int64 {
	if op < uint64(len(syscalls)) {
		if c := &syscalls[op]; c.serve != nil {
			return c.serve(t, c)
		}
		return -int64(unix.ENOSYS)
	}
	switch op {
	case goabi.OpPark:
		return t.parkFor()
	case goabi.OpUnpark:
		return t.unparkOther()
	case goabi.OpEpollWait:
		return t.epollWait()
	case goabi.OpPoll:
		return t.poll()
	case goabi.OpNextCall:
		return t.nextCall()
	case goabi.OpOCall:
		return t.outCall()
	case goabi.OpResume:
		return t.resume()
	case goabi.OpOutside:
		return t.outside()
	case goabi.OpSpawn:
		return t.p.spawn(goabi.ECallThread, 0)
	case goabi.OpKick:
		return t.kick()
	case goabi.OpExit:
		return t.exit()
	case goabi.OpSendMsg:
		return t.sendMsg()
	case goabi.OpRecvMsg:
		return t.recvMsg()
	case goabi.OpFcntl:
		return t.fcntl()
	case goabi.OpIoctl:
		return t.ioctl()
	}
	return -int64(unix.ENOSYS)
}

// setArg gives the enclave an argument back.
func (t *thread) setArg(i int, v uint64) { le.PutUint64(t.mem[goabi.OffArgs+8*i:], v) }

// data returns the n bytes at offset off of the block that an argument points
// to, or nil if they do not lie in the block's data.
func (t *thread) data(off, n uint64) []byte {
	if off < goabi.OffData || off > goabi.BlockSize || n > goabi.BlockSize-off {
		return nil
	}
	return t.mem[off:][:n:n]
}

// call makes a system call, as one that cannot block if raw.
func call(raw bool, nr uintptr, a *[6]uintptr) int64 {
	var r uintptr
	var e syscall.Errno
	if raw {
		r, _, e = syscall.RawSyscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	} else {
		r, _, e = syscall.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	}
	if e != 0 {
		return -int64(e)
	}
	return int64(r)
}

// yield serves sched_yield: what another thread needs may be a turn of a
// goroutine here.
func (t *thread) yield(*entry) int64 {
	runtime.Gosched()
	_, _, _ = syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	return 0
}
