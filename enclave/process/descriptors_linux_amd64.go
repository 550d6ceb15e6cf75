package process

import (
	"math/bits"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// A description is what the kernel calls an open file description: descriptors
// that are duplicates of each other share it.
type description struct {
	// mode says how a request that may block is made.
	mode atomic.Uint32
	// waits says that the kernel cannot be asked not to wait (RWF_NOWAIT).
	waits atomic.Bool
}

// Modes of descriptions.
//
// Nothing may block in the kernel, where nothing could wake it. So what the
// program creates itself (sockets, pipes) is always O_NONBLOCK for the kernel,
// and waiting is done here, where the program wants it.
const (
	modeUnknown  uint32 = iota // not looked at yet
	modeFile                   // a file or directory: never blocks, or not for long
	modeNonblock               // ours, and O_NONBLOCK for the program, too
	modeBlock                  // ours, and the program wants it to block
	// Others may know the description and change its flags: it is as it is,
	// and is asked each time.
	modeShared
)

// A file is an open descriptor of the program. It is in the table once, and
// held by each request that uses it: a descriptor that is closed meanwhile
// stays open for those, as in the kernel.
type file struct {
	fd      int // the real one, always FD_CLOEXEC
	desc    *description
	cloexec atomic.Bool // what the program knows
	refs    atomic.Int32
}

func newFile(fd int, mode uint32, cloexec bool) *file {
	f := &file{fd: fd, desc: &description{}}
	f.desc.mode.Store(mode)
	f.cloexec.Store(cloexec)
	f.refs.Store(1)
	return f
}

// hold takes a reference, unless there is none any more.
func (f *file) hold() bool {
	for {
		n := f.refs.Load()
		if n == 0 {
			return false
		}
		if f.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// drop gives a reference back. The last closes the descriptor.
func (f *file) drop() int64 {
	if f.refs.Add(-1) > 0 {
		return 0
	}
	_, _, e := syscall.Syscall(unix.SYS_CLOSE, uintptr(f.fd), 0, 0)
	return -int64(e)
}

// mode returns the description's mode, which the first one to ask finds out.
// It is modeFile, modeNonblock or modeBlock, or modeShared if a request may
// block in the kernel.
func (f *file) mode() uint32 {
	m := f.desc.mode.Load()
	if m == modeUnknown {
		m = modeShared
		var st unix.Stat_t
		if unix.Fstat(f.fd, &st) == nil {
			switch st.Mode & unix.S_IFMT {
			case unix.S_IFREG, unix.S_IFDIR, unix.S_IFBLK:
				m = modeFile
			}
		}
		f.desc.mode.CompareAndSwap(modeUnknown, m)
	}
	if m == modeShared {
		if fl, _, e := syscall.RawSyscall(unix.SYS_FCNTL, uintptr(f.fd), unix.F_GETFL, 0); e != 0 || fl&unix.O_NONBLOCK != 0 {
			return modeNonblock
		}
	}
	return m
}

// ours reports whether the description is O_NONBLOCK for the kernel, and the
// program's flag is kept here.
func (f *file) ours() bool {
	m := f.desc.mode.Load()
	return m == modeNonblock || m == modeBlock
}

// share is called before somebody else comes to know the description.
func (f *file) share() {
	if f.desc.mode.Swap(modeShared) == modeBlock {
		_ = unix.SetNonblock(f.fd, false)
	}
}

const chunkSize = 256 // descriptors

// table is the descriptor table: who looks up does so without the lock.
type table struct {
	chunks [goabi.MaxFD / chunkSize]atomic.Pointer[[chunkSize]atomic.Pointer[file]]

	mu     sync.Mutex
	used   [goabi.MaxFD / 64]uint64
	lowest int // no descriptor below it is free
	closed bool
}

// slot returns where descriptor v is, or nil if its chunk is not there.
func (t *table) slot(v uint64) *atomic.Pointer[file] {
	if v >= goabi.MaxFD {
		return nil
	}
	c := t.chunks[v/chunkSize].Load()
	if c == nil {
		return nil
	}
	return &c[v%chunkSize]
}

// get returns the file of a descriptor, held, or nil. As for the kernel, the
// upper half of v does not matter.
func (t *table) get(v uint64) *file {
	s := t.slot(uint64(uint32(v)))
	if s == nil {
		return nil
	}
	for {
		f := s.Load()
		if f == nil || f.hold() {
			return f
		}
	}
}

// put sets descriptor v and returns what it was. mu is held.
func (t *table) put(v int, f *file) *file {
	s := t.slot(uint64(v))
	if s == nil {
		t.chunks[v/chunkSize].Store(new([chunkSize]atomic.Pointer[file]))
		s = t.slot(uint64(v))
	}
	if f != nil {
		t.used[v/64] |= 1 << (v % 64)
	} else {
		t.used[v/64] &^= 1 << (v % 64)
		t.lowest = min(t.lowest, v)
	}
	return s.Swap(f)
}

// add gives f the lowest free descriptor from least on, or drops it and returns
// -EMFILE.
func (t *table) add(f *file, least int) int64 {
	t.mu.Lock()
	for v := max(least, t.lowest); !t.closed && v < goabi.MaxFD; {
		free := ^t.used[v/64] >> (v % 64)
		if free == 0 {
			v = (v/64 + 1) * 64
			continue
		}
		v += bits.TrailingZeros64(free)
		if least <= t.lowest {
			t.lowest = v + 1
		}
		t.put(v, f)
		t.mu.Unlock()
		return int64(v)
	}
	t.mu.Unlock()
	f.drop()
	return -int64(unix.EMFILE)
}

// set makes f descriptor v, as dup2 does, and closes what that was.
func (t *table) set(v uint64, f *file) int64 {
	t.mu.Lock()
	if t.closed || v >= goabi.MaxFD {
		t.mu.Unlock()
		f.drop()
		return -int64(unix.EBADF)
	}
	old := t.put(int(v), f)
	t.mu.Unlock()
	if old != nil {
		old.drop()
	}
	return int64(v)
}

// remove closes descriptor v.
func (t *table) remove(v uint64) int64 {
	v = uint64(uint32(v))
	t.mu.Lock()
	if s := t.slot(v); s == nil || s.Load() == nil {
		t.mu.Unlock()
		return -int64(unix.EBADF)
	}
	f := t.put(int(v), nil)
	t.mu.Unlock()
	return f.drop()
}

// close closes all descriptors, for good.
func (t *table) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	for i := range t.chunks {
		c := t.chunks[i].Load()
		if c == nil {
			continue
		}
		for j := range c {
			if f := c[j].Swap(nil); f != nil {
				f.drop()
			}
		}
	}
}

// dup returns a copy of a descriptor of the kernel that f shares.
func (f *file) dup(cloexec bool) (*file, int64) {
	fd, _, e := syscall.RawSyscall(unix.SYS_FCNTL, uintptr(f.fd), unix.F_DUPFD_CLOEXEC, 0)
	if e != 0 {
		return nil, -int64(e)
	}
	d := &file{fd: int(fd), desc: f.desc}
	d.cloexec.Store(cloexec)
	d.refs.Store(1)
	return d, 0
}

// standard returns a copy of a file of the host program, or of /dev/null.
func standard(f *os.File) (*file, error) {
	if f == nil {
		fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: "/dev/null", Err: err}
		}
		return newFile(fd, modeUnknown, false), nil
	}
	c, err := f.SyscallConn() // Fd would make it block
	if err != nil {
		return nil, err
	}
	fd := 0
	cerr := c.Control(func(real uintptr) {
		fd, err = unix.FcntlInt(real, unix.F_DUPFD_CLOEXEC, 0)
	})
	if cerr != nil {
		err = cerr
	}
	if err != nil {
		return nil, &os.PathError{Op: "dup", Path: f.Name(), Err: err}
	}
	return newFile(fd, modeUnknown, false), nil
}
