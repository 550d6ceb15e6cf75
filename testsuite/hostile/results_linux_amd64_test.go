package hostile

import (
	"bytes"
	"slices"
	"syscall"

	"github.com/feidi-dev/feidi/internal/goabi"
)

// System calls that package syscall has no number for.
const (
	sysPipe2 = 293
	sysDup3  = 292
)

// returning is a lie about the result of a request.
func returning(name string, op uint64, jobs string, want outcome, v func(h *host, r *request) uint64) lie {
	return lie{name: name, op: op, jobs: jobs, want: want, after: func(h *host, r *request) { r.set(v(h, r)) }}
}

// more is a result that is larger than an argument.
func more(arg int, by uint64) func(*host, *request) uint64 {
	return func(_ *host, r *request) uint64 { return r.args[arg] + by }
}

// always is the same result each time.
func always(v uint64) func(*host, *request) uint64 {
	return func(*host, *request) uint64 { return v }
}

// returningAddress has the result be an address of the enclave.
func returningAddress(name string, op uint64, jobs string, want outcome) lie {
	l := returning(name, op, jobs, want, func(h *host, _ *request) uint64 { return h.base + 0x2000 })
	l.addresses = true
	return l
}

// again is a descriptor that the program has already.
func again(h *host, r *request) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.opened) > 0 && !r.failed() {
		return h.opened[0]
	}
	if !r.failed() {
		h.opened = append(h.opened, r.result())
	}
	return r.result()
}

const (
	negative = ^uint64(0) - 5000 // no error of a kernel
	huge     = 1 << 40
)

// results are lies about results.
var results = []lie{
	returning("read/one more than asked for", syscall.SYS_READ, "files", refused, more(2, 1)),
	returning("read/far more than asked for", syscall.SYS_READ, "pipes", refused, more(2, 1<<33)),
	returning("read/negative", syscall.SYS_READ, "pipes", refused, always(negative)),
	returningAddress("read/an address", syscall.SYS_READ, "pipes", refused),
	returning("read/always the end", syscall.SYS_READ, "pipes,files", ends, always(0)),
	returning("read/always interrupted", syscall.SYS_READ, "raw", goesOn, always(^uint64(3))),
	returning("read/all that was asked for", syscall.SYS_READ, "files", ends, more(2, 0)),
	returning("pread64/one more", syscall.SYS_PREAD64, "files", refused, more(2, 1)),
	returning("write/one more", syscall.SYS_WRITE, "files", ends, more(2, 1)), // nor can it say so
	returning("pwrite64/one more", syscall.SYS_PWRITE64, "files", refused, more(2, 1)),
	returning("pwrite64/nothing", syscall.SYS_PWRITE64, "files", ends, always(0)),
	returning("close/5", syscall.SYS_CLOSE, "raw", refused, always(5)),
	returning("close/fails", syscall.SYS_CLOSE, "raw", goesOn, always(^uint64(8))),
	returning("openat/standard output", syscall.SYS_OPENAT, "files", refused, always(1)),
	returning("openat/beyond all", syscall.SYS_OPENAT, "files", refused, always(goabi.MaxFD)),
	returning("openat/one that it has", syscall.SYS_OPENAT, "files", refused, again),
	returningAddress("openat/an address", syscall.SYS_OPENAT, "files", refused),
	returning("socket/one that it has", syscall.SYS_SOCKET, "sockets", refused, again),
	returning("accept4/standard error", syscall.SYS_ACCEPT4, "sockets", refused, always(2)),
	returning("epoll_create1/standard input", syscall.SYS_EPOLL_CREATE1, "polls", refused, always(0)),
	returning("dup3/another", sysDup3, "raw", refused, always(201)),
	returning("fcntl/a descriptor that it has", goabi.OpFcntl, "raw", refused, func(_ *host, r *request) uint64 {
		if r.args[1] == syscall.F_DUPFD {
			return 0
		}
		return r.result()
	}),
	returning("fcntl/huge", goabi.OpFcntl, "raw", refused, always(huge)),
	returning("ioctl/huge", goabi.OpIoctl, "raw", refused, always(huge)),
	returning("lseek/negative", syscall.SYS_LSEEK, "files", refused, always(negative)),
	returning("fstat/1", syscall.SYS_FSTAT, "names,files", refused, always(1)),
	returningAddress("newfstatat/an address", syscall.SYS_NEWFSTATAT, "names", refused),
	returning("getdents64/more", syscall.SYS_GETDENTS64, "names", refused, more(2, 1)),
	returning("getdents64/all", syscall.SYS_GETDENTS64, "names", ends, more(2, 0)),
	returning("getcwd/more", syscall.SYS_GETCWD, "names", refused, more(1, 1)),
	returning("readlinkat/more", syscall.SYS_READLINKAT, "names", refused, more(3, 1)),
	returning("getxattr/huge, where only the size was asked for", syscall.SYS_GETXATTR, "names", refused, always(huge)),
	returning("getxattr/large, where only the size was asked for", syscall.SYS_GETXATTR, "names", goesOn, always(1<<20)),
	returning("listxattr/more", syscall.SYS_LISTXATTR, "names", refused, more(2, 1)),
	returning("socketpair/1", syscall.SYS_SOCKETPAIR, "messages", refused, always(1)),
	returning("sendto/more", syscall.SYS_SENDTO, "messages", refused, more(2, 1)),
	returning("recvfrom/more", syscall.SYS_RECVFROM, "datagrams", refused, more(2, 1)),
	returning("recvfrom/a length with MSG_TRUNC", syscall.SYS_RECVFROM, "messages", goesOn, always(60000)),
	returning("recvfrom/huge with MSG_TRUNC", syscall.SYS_RECVFROM, "messages", refused, always(huge)),
	returning("sendmsg/more", goabi.OpSendMsg, "messages", refused, more(4, 1)),
	returning("recvmsg/more", goabi.OpRecvMsg, "messages", refused, more(4, 1)),
	returning("recvmsg/negative", goabi.OpRecvMsg, "messages", refused, always(negative)),
	returning("poll/more", goabi.OpPoll, "polls", refused, more(0, 1)),
	returning("poll/negative", goabi.OpPoll, "polls", refused, always(negative)),
	returning("epoll_wait/more", goabi.OpEpollWait, "polls", refused, more(1, 1)),
	returningAddress("epoll_wait/an address", goabi.OpEpollWait, "sockets", refused),
	returning("epoll_ctl/1", syscall.SYS_EPOLL_CTL, "polls", refused, always(1)),
	returning("nanosleep/1", syscall.SYS_NANOSLEEP, "clocks", refused, always(1)),
	returning("getuid/negative", syscall.SYS_GETUID, "raw", refused, always(negative)),
	returningAddress("park/an address", goabi.OpPark, "threads", goesOn),
	returning("unpark/an error", goabi.OpUnpark, "threads", goesOn, always(^uint64(0))),
	returningAddress("kick/an address", goabi.OpKick, "memory", goesOn),
	returningAddress("exit/an address", goabi.OpExit, "raw", goesOn),
	returning("next call/7", goabi.OpNextCall, "calls,clocks,pipes", refused, always(7)),
	returningAddress("outside/an address", goabi.OpOutside, "calls,threads,clocks", ends),
}

// contents are lies about what a request brings beside its result.
var contents = []lie{
	{name: "pipe2/one descriptor twice", op: sysPipe2, jobs: "raw", want: refused, after: func(_ *host, r *request) {
		copy(r.data()[4:8], r.data()[:4])
	}},
	{name: "pipe2/beyond all", op: sysPipe2, jobs: "raw", want: refused, after: func(_ *host, r *request) {
		le.PutUint32(r.data()[4:], goabi.MaxFD)
	}},
	{name: "pipe2/negative", op: sysPipe2, jobs: "raw", want: refused, after: func(_ *host, r *request) {
		le.PutUint32(r.data(), ^uint32(0))
	}},
	{name: "getsockname/a length of 4 GB", op: syscall.SYS_GETSOCKNAME, jobs: "sockets,messages", want: ends, after: setLengths},
	{name: "accept4/a length of 4 GB", op: syscall.SYS_ACCEPT4, jobs: "sockets", want: goesOn, after: setLengths},
	{name: "recvfrom/a length of 4 GB", op: syscall.SYS_RECVFROM, jobs: "datagrams,messages", want: goesOn, after: setLengths},
	{name: "getsockopt/a length of 4 GB", op: syscall.SYS_GETSOCKOPT, jobs: "sockets,messages", want: ends, after: setLengths},
	{name: "recvmsg/lengths of an address", op: goabi.OpRecvMsg, jobs: "messages", want: refused, addresses: true, after: func(h *host, r *request) {
		if !r.failed() {
			r.setArg(0, h.base)
			r.setArg(1, h.base)
		}
	}},
	{name: "recvmsg/a name of 4 GB", op: goabi.OpRecvMsg, jobs: "messages", want: goesOn, after: func(_ *host, r *request) { r.setArg(0, 1<<32) }},
	{name: "recvmsg/a descriptor that it has", op: goabi.OpRecvMsg, jobs: "messages", want: refused, after: func(_ *host, r *request) {
		if control := r.block[goabi.MsgControl:]; le.Uint64(control) >= 20 && !r.failed() {
			le.PutUint32(control[16:], 2)
		}
	}},
	{name: "recvmsg/no descriptor", op: goabi.OpRecvMsg, jobs: "messages", want: goesOn, after: func(_ *host, r *request) {
		if control := r.block[goabi.MsgControl:]; le.Uint64(control) >= 20 && !r.failed() {
			le.PutUint32(control[16:], ^uint32(0))
		}
	}},
	{name: "recvmsg/control data with bad lengths", op: goabi.OpRecvMsg, jobs: "messages", want: goesOn, after: func(h *host, r *request) {
		le.PutUint64(r.block[goabi.MsgControl:], h.draw(64)<<h.draw(60))
	}},
	{name: "poll/events of others", op: goabi.OpPoll, jobs: "polls", want: goesOn, after: func(_ *host, r *request) {
		for i := range 100 {
			r.data()[i] ^= 0x55
		}
	}},
	{name: "epoll_wait/a token of no descriptor", op: goabi.OpEpollWait, jobs: "polls,sockets", want: refused, after: func(_ *host, r *request) {
		le.PutUint32(r.data()[4:], goabi.MaxFD)
		r.set(1)
	}},
	{name: "epoll_wait/a token that is an address", op: goabi.OpEpollWait, jobs: "sockets", want: refused, addresses: true, after: func(h *host, r *request) {
		le.PutUint64(r.data()[4:], h.base+0x123456) // whose lower half is no descriptor
		r.set(1)
	}},
	{name: "epoll_wait/tokens of a past", op: goabi.OpEpollWait, jobs: "sockets,pipes", want: ends, limit: wait, after: func(_ *host, r *request) {
		for i := range r.result() & 127 {
			b := r.data()[12*i+8:]
			le.PutUint32(b, le.Uint32(b)-1)
		}
	}},
	{name: "epoll_wait/everything is ready", op: goabi.OpEpollWait, jobs: "sockets,pipes,polls", want: ends, limit: wait, after: func(_ *host, r *request) {
		n := min(r.args[1], 100)
		for i := range n {
			le.PutUint32(r.data()[12*i:], 1|4)
			le.PutUint64(r.data()[12*i+4:], i|1<<32)
		}
		r.set(n)
	}},
	{name: "epoll_wait/an event many times", op: goabi.OpEpollWait, jobs: "sockets,pipes", want: goesOn, after: func(_ *host, r *request) {
		if !r.failed() && r.result() > 0 {
			n := min(r.args[1], 100)
			copy(r.data()[12:12*n], bytes.Repeat(slices.Clone(r.data()[:12]), int(n)))
			r.set(n)
		}
	}},
	{name: "getdents64/noise", op: syscall.SYS_GETDENTS64, jobs: "names", want: ends, after: noise},
	{name: "fstat/noise", op: syscall.SYS_FSTAT, jobs: "files", want: ends, after: noise},
	{name: "newfstatat/noise", op: syscall.SYS_NEWFSTATAT, jobs: "names", want: ends, after: noise},
	{name: "getcwd/no end", op: syscall.SYS_GETCWD, jobs: "names", want: goesOn, after: func(_ *host, r *request) {
		for i := range 4096 {
			r.data()[i] = 'a'
		}
		r.set(r.args[1])
	}},
	{name: "everything/noise", op: everything, jobs: "all", want: ends, limit: wait, after: noise},
	{name: "everything/nothing is served", op: everything, jobs: "all", want: ends, limit: wait, before: func(h *host, r *request) bool {
		return r.n > 300 && h.draw(10) == 0
	}},
}

// setLengths makes all lengths of addresses that are in the block large.
func setLengths(_ *host, r *request) {
	for _, c := range goabi.Calls {
		if uint64(c.Nr) != r.op {
			continue
		}
		for i, a := range c.Args {
			if off := r.args[i]; a.Kind == goabi.AddrLen && off >= goabi.OffData && off < goabi.BlockSize-8 {
				le.PutUint64(r.block[off:], ^uint64(0))
			}
		}
	}
}

// noise fills the data of a block.
func noise(h *host, r *request) {
	if r.op == goabi.OpExit {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := 0; i < 8192; i += 8 {
		le.PutUint64(r.data()[i:], h.rand.Uint64())
	}
}
