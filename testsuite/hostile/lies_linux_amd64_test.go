package hostile

import (
	"context"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/internal/goabi"
)

// wait is how long a program is given that may wait for ever.
const wait = 3 * time.Second

// addressArgs fills the arguments of an answer with addresses of the enclave.
func addressArgs(h *host, r *request) {
	for i := range r.args {
		r.setArg(i, h.base+uint64(i)<<12)
	}
}

// signalling has each answer bring signals.
func signalling(name string, set uint64, want outcome) lie {
	return lie{name: "signals/" + name, op: everything, jobs: "all", want: want, after: func(_ *host, r *request) {
		le.PutUint64(r.block[goabi.OffSignals:], set)
	}}
}

func quits(_ *host, r *request) { le.PutUint64(r.block[goabi.OffSignals:], bit(syscall.SIGQUIT)) }

func bit(s syscall.Signal) uint64 { return 1 << (s - 1) }

const hostMay = 1<<0 | 1<<1 | 1<<2 | 1<<9 | 1<<11 | 1<<13 | 1<<14 // those that end a program

// conduct are lies about more than an answer.
var conduct = []lie{
	signalling("those of faults, and of kills", ^uint64(hostMay)&^bit(syscall.SIGURG), goesOn),
	signalling("all", ^uint64(0), ends),
	signalling("URG", bit(syscall.SIGURG), goesOn),
	{name: "signals/QUIT, to see the stacks", op: syscall.SYS_NANOSLEEP, jobs: "faults", want: ends, says: "SIGQUIT: quit", after: quits},
	{name: "signals/QUIT, to see the stacks and registers", op: everything, jobs: "registers,faults", want: ends, says: "SIGQUIT: quit", after: func(h *host, r *request) {
		if r.n > 100 {
			quits(h, r)
		}
	}},
	{name: "next call/marshalling in the enclave", op: goabi.OpNextCall, jobs: "calls,clocks,pipes", want: goesOn, addresses: true, after: func(h *host, r *request) {
		r.setArg(1, h.base+0x3000)
	}},
	{name: "next call/marshalling across the border", op: goabi.OpNextCall, jobs: "calls,clocks,pipes", want: goesOn, addresses: true, after: func(h *host, r *request) {
		r.setArg(1, h.base-4)
	}},
	{name: "next call/marshalling at the end", op: goabi.OpNextCall, jobs: "calls,clocks,pipes", want: goesOn, after: func(h *host, r *request) {
		r.setArg(1, ^uint64(3))
	}},
	{name: "next call/other indexes", op: goabi.OpNextCall, jobs: "calls,threads", want: goesOn, after: func(h *host, r *request) {
		r.setArg(0, h.draw(1<<32)<<h.draw(32))
	}},
	{name: "next call/nested, and the last", op: goabi.OpNextCall, jobs: "calls,threads", want: goesOn, after: func(h *host, r *request) {
		r.setArg(2, 1)
		r.setArg(3, h.draw(3)<<h.draw(63))
		r.setArg(4, h.draw(100))
	}},
	{name: "OCALL/any status", op: goabi.OpOCall, jobs: "calls,threads", want: goesOn, after: func(h *host, r *request) { r.set(h.draw(1 << 63)) }},
	{name: "arguments/addresses", op: everything, jobs: "files,names,raw,pipes,polls,sockets,clocks,threads,memory", want: goesOn, addresses: true, after: addressArgs},
	{name: "request/another", op: everything, jobs: "raw,files,threads", want: goesOn, after: func(_ *host, r *request) {
		le.PutUint64(r.block[goabi.OffOp:], goabi.OpExit)
	}},
	{name: "park/never", op: goabi.OpPark, jobs: "all", want: goesOn, before: func(h *host, r *request) bool {
		time.Sleep(10 * time.Microsecond)
		r.set(0)
		return true
	}},
	{name: "unpark/a third is lost", op: goabi.OpUnpark, jobs: "threads,pipes", want: ends, limit: wait, before: func(h *host, r *request) bool {
		r.set(0)
		return h.draw(3) == 0
	}},
	{name: "unpark/others", op: goabi.OpUnpark, jobs: "threads,pipes,clocks", want: goesOn, before: func(h *host, r *request) bool {
		_ = r.honest(r.ctx, r.c)
		r.setArg(0, h.draw(threads))
		return false
	}},
	{name: "spawn/fails for a while", op: goabi.OpSpawn, jobs: "threads,pipes", want: goesOn, before: func(h *host, r *request) bool {
		if h.draw(3) > 0 {
			return false
		}
		r.fail(int(syscall.EAGAIN))
		return true
	}},
	{name: "spawn/never", op: goabi.OpSpawn, jobs: "threads", want: ends, before: func(_ *host, r *request) bool {
		r.fail(int(syscall.EAGAIN))
		return true
	}},
	{name: "spawn/done and denied", op: goabi.OpSpawn, jobs: "all", want: ends, limit: wait, after: func(h *host, r *request) {
		if h.draw(2) == 0 {
			time.Sleep(time.Duration(h.draw(2000)) * time.Microsecond)
			r.fail(int(syscall.EAGAIN))
		}
	}},
	{name: "spawn/done and denied, with another between", op: goabi.OpSpawn, jobs: "threads,pipes,sockets,clocks", want: ends, limit: wait, before: denyWithAnother()},
	{name: "kick/nobody", op: goabi.OpKick, jobs: "memory,threads", want: ends, limit: wait, before: func(_ *host, r *request) bool {
		r.set(0)
		return true
	}},
	{name: "exit/returns", op: goabi.OpExit, jobs: "raw", want: goesOn, after: func(h *host, r *request) {
		for i := range r.block[:goabi.OffData] {
			r.block[i] = 0
		}
	}},
	{name: "blocks/written all the time", jobs: "all", want: ends, limit: wait, during: scribble},
	{name: "blocks/results written all the time", jobs: "all", want: ends, limit: wait, during: scribbleResults},
	{name: "interrupts/all the time", jobs: "all", want: goesOn, during: func(ctx context.Context, _ *host, _ *enclave.Enclave, p *process.Process) {
		until(ctx, func() {
			_ = p.Signal(syscall.SIGURG)
			time.Sleep(20 * time.Microsecond)
		})
	}},
	{name: "entries/of idle threads", jobs: "all", want: goesOn, rounds: 3, during: enterIdle},
	{name: "entries/threads that nobody asked for", jobs: "all", want: ends, limit: wait, during: stealThreads},
	{name: "entries/of threads in OCALLs", op: everything, jobs: "all", want: goesOn, before: func(h *host, r *request) bool {
		if h.draw(20) == 0 {
			for _, index := range []int{goabi.ECallStart, goabi.ECallThread, 0, 1, 1<<31 - 1} {
				if err := r.c.ECall(r.ctx, index, make([]byte, 64)); err == nil {
					h.leak("a thread in an OCALL was entered by %#x", index)
				}
			}
		}
		return false
	}},
	{name: "clock/noise", jobs: "clocks,threads", want: ends, limit: wait, during: func(ctx context.Context, h *host, e *enclave.Enclave, _ *process.Process) {
		until(ctx, func() {
			if page := h.clockPage(e); page != nil {
				for i := 0; i < goabi.ClockSize; i += 8 {
					le.PutUint64(page[i:], h.draw(1<<63)<<h.draw(2)>>h.draw(60))
				}
			}
			time.Sleep(50 * time.Microsecond)
		})
	}},
	{name: "clock/going back", jobs: "clocks,threads", want: goesOn, rounds: 3, during: func(ctx context.Context, h *host, e *enclave.Enclave, _ *process.Process) {
		until(ctx, func() {
			if page := h.clockPage(e); page != nil {
				le.PutUint64(page[goabi.ClockMono:], le.Uint64(page[goabi.ClockMono:])-1e6)
				le.PutUint64(page[goabi.ClockReal:], le.Uint64(page[goabi.ClockReal:])-1e9)
			}
			time.Sleep(50 * time.Microsecond)
		})
	}},
	{name: "clock/being written for ever", jobs: "clocks", want: goesOn, during: func(ctx context.Context, h *host, e *enclave.Enclave, _ *process.Process) {
		until(ctx, func() {
			if page := h.clockPage(e); page != nil {
				page[goabi.ClockSeq] |= 1
			}
			time.Sleep(50 * time.Microsecond)
		})
	}},
	{name: "clock_gettime/no nanoseconds", op: syscall.SYS_CLOCK_GETTIME, jobs: "clocks", want: refused, boot: noClock, after: func(_ *host, r *request) {
		le.PutUint64(r.data()[8:], 1e9)
	}},
	{name: "clock_gettime/before the beginning", op: syscall.SYS_CLOCK_GETTIME, jobs: "clocks", want: refused, boot: noClock, after: func(_ *host, r *request) {
		le.PutUint64(r.data(), ^uint64(0))
	}},
	{name: "clock_gettime/going back", op: syscall.SYS_CLOCK_GETTIME, jobs: "clocks", want: goesOn, boot: noClock, after: func(h *host, r *request) {
		le.PutUint64(r.data(), le.Uint64(r.data())-h.draw(2))
	}},
	{name: "clock_gettime/1", op: syscall.SYS_CLOCK_GETTIME, jobs: "clocks", want: refused, boot: noClock, after: func(_ *host, r *request) { r.set(1) }},
}

// denyWithAnother has a thread begin, and says that it could not when another is
// about to, whose place in the enclave's list is that of the first.
func denyWithAnother() func(h *host, r *request) bool {
	var first atomic.Pointer[chan bool] // of a thread that is to be denied
	return func(h *host, r *request) bool {
		if c := first.Load(); c != nil && first.CompareAndSwap(c, nil) {
			*c <- true
			time.Sleep(5 * time.Millisecond) // until it is denied
			return false
		}
		c := make(chan bool, 1)
		if !first.CompareAndSwap(nil, &c) {
			return false
		}
		_ = r.honest(r.ctx, r.c)
		select {
		case <-c:
			h.denied.Add(1)
			r.fail(int(syscall.EAGAIN))
		case <-time.After(50 * time.Millisecond):
			first.CompareAndSwap(&c, nil)
		}
		return true
	}
}

func noClock(_ *host, b []byte) { le.PutUint64(b[goabi.BootClock:], 0) }

// until calls f until ctx ends.
func until(ctx context.Context, f func()) {
	for ctx.Err() == nil {
		f()
	}
}

// memoryOf returns the blocks, while they are there.
func (h *host) memoryOf(e *enclave.Enclave) []byte {
	b, err := e.Bytes(h.blocks.Load(), threads*goabi.BlockSize)
	if err != nil {
		return nil
	}
	return b
}

// clockPage returns the clock page, while it is there.
func (h *host) clockPage(e *enclave.Enclave) []byte {
	b, err := e.Bytes(h.clock.Load(), goabi.ClockSize)
	if err != nil {
		return nil
	}
	return b
}

// scribble writes noise over the data of all blocks.
func scribble(ctx context.Context, h *host, e *enclave.Enclave, _ *process.Process) {
	until(ctx, func() {
		if b := h.memoryOf(e); b != nil {
			n := h.draw(threads) * goabi.BlockSize
			le.PutUint64(b[n+goabi.OffData+8*h.draw(600):], h.draw(1<<63))
		}
	})
}

// scribbleResults writes noise over results and arguments, so that a value that
// is read twice is another the second time.
func scribbleResults(ctx context.Context, h *host, e *enclave.Enclave, _ *process.Process) {
	until(ctx, func() {
		if b := h.memoryOf(e); b != nil {
			n := h.draw(threads) * goabi.BlockSize
			v := h.draw(1 << 16)
			if h.draw(50) == 0 {
				v = h.draw(1<<63) << 1
			}
			le.PutUint64(b[n+goabi.OffResult+8*h.draw(7):], v)
		}
	})
}

// enterIdle enters threads that are not in use in all ways that mean nothing.
func enterIdle(ctx context.Context, h *host, e *enclave.Enclave, _ *process.Process) {
	until(ctx, func() {
		if h.count.Load() == 0 { // a start with nonsense would be the only one
			time.Sleep(time.Millisecond)
			return
		}
		commands := []uint64{
			^uint64(0), ^uint64(1), ^uint64(2), goabi.ECallStart, goabi.ECallStart + 2, 0, 1, h.draw(1 << 63), h.base,
		}
		r := cpu.Regs{
			RDI: commands[h.draw(uint64(len(commands)))], RSI: []uint64{0, 1, h.base, h.base + h.size - 8, h.blocks.Load(), h.draw(1<<63) << 1}[h.draw(6)],
			RDX: h.draw(1 << 63), R8: h.base, R14: h.base, R15: 1,
		}
		cmd := r.RDI
		if err := e.Enter(ctx, &r); err == nil && (r.RDI != ^uint64(0) || uint32(r.RSI) == 0) {
			h.leak("an idle thread was entered by %#x: RDI %#x, RSI %#x", cmd, r.RDI, r.RSI)
		}
		time.Sleep(20 * time.Microsecond)
	})
}

// stealThreads begins threads that the program has asked another host thread
// for, on blocks of others.
func stealThreads(ctx context.Context, h *host, e *enclave.Enclave, _ *process.Process) {
	until(ctx, func() {
		r := cpu.Regs{RDI: goabi.ECallThread, RSI: h.draw(threads + 2)}
		_ = e.Enter(ctx, &r)
		time.Sleep(10 * time.Microsecond)
	})
}
