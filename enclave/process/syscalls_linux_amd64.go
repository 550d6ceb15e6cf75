package process

import (
	"github.com/feidi-dev/feidi/internal/goabi"
	"golang.org/x/sys/unix"
)

// entry is how a system call is served.
type entry struct {
	serve  func(*thread, *entry) int64
	nr     uintptr // the real one
	args   []goabi.Arg
	result goabi.Result
	raw    bool  // never blocks, on no descriptor
	events int16 // it may block until the first descriptor has these
	flags  int   // argument that has FD_CLOEXEC and O_NONBLOCK of a new descriptor, or -1
	ours   bool  // the new descriptor is always O_NONBLOCK for the kernel
	text   bool  // the first Path is no path
	nowait int   // argument that takes MSG_DONTWAIT, or 0
	umask  int   // argument that is a mode which the umask applies to, or 0
}

// syscalls are the system calls by number.
var syscalls [512]entry

func init() {
	for _, c := range goabi.Calls {
		syscalls[c.Nr] = entry{serve: (*thread).generic, nr: uintptr(c.Nr), args: c.Args, result: c.Result, flags: -1}
	}
	for nr, change := range special {
		change(&syscalls[nr])
	}
	for nr, f := range served {
		syscalls[nr].serve = f
	}
	for _, nr := range quick {
		syscalls[nr].raw = true
	}
}

// quick are calls that never block.
var quick = []int{
	unix.SYS_LSEEK, unix.SYS_SOCKET, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME,
	unix.SYS_SOCKETPAIR, unix.SYS_UNAME, unix.SYS_GETRUSAGE, unix.SYS_SYSINFO,
	unix.SYS_GETUID, unix.SYS_GETGID, unix.SYS_GETEUID, unix.SYS_GETEGID, unix.SYS_GETPPID,
	unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_EPOLL_CTL, unix.SYS_EVENTFD2, unix.SYS_EPOLL_CREATE1,
	unix.SYS_PIPE2, unix.SYS_INOTIFY_INIT1, unix.SYS_SHUTDOWN,
}

// served are calls that are not served by generic.
var served = map[int]func(*thread, *entry) int64{
	unix.SYS_READ:            (*thread).read,
	unix.SYS_WRITE:           (*thread).write,
	unix.SYS_CLOSE:           func(t *thread, _ *entry) int64 { return t.p.files.remove(t.args[0]) },
	unix.SYS_DUP:             (*thread).dup,
	unix.SYS_DUP2:            (*thread).dup2,
	unix.SYS_DUP3:            (*thread).dup3,
	unix.SYS_SCHED_YIELD:     (*thread).yield,
	unix.SYS_NANOSLEEP:       func(t *thread, _ *entry) int64 { return t.nanosleep() },
	unix.SYS_CLOCK_NANOSLEEP: func(t *thread, _ *entry) int64 { return t.clockNanosleep() },
	unix.SYS_CONNECT:         (*thread).connect,
	unix.SYS_BIND:            (*thread).bind,
	unix.SYS_SENDTO:          (*thread).sendTo,
	unix.SYS_SETSOCKOPT:      (*thread).socketOption,
	unix.SYS_GETSOCKOPT:      (*thread).socketOption,
	unix.SYS_SOCKETPAIR:      (*thread).pair,
	unix.SYS_PIPE2:           (*thread).pair,
	unix.SYS_FLOCK:           (*thread).flock,
	unix.SYS_GETCWD:          (*thread).getcwd,
	unix.SYS_CHDIR:           (*thread).chdir,
	unix.SYS_FCHDIR:          (*thread).fchdir,
	unix.SYS_UMASK:           (*thread).setUmask,
	unix.SYS_OPENAT:          (*thread).openat,
	unix.SYS_MKNODAT:         (*thread).create,
	unix.SYS_MKDIRAT:         (*thread).create,
}

// special are what generic is to know of a call.
var special = map[int]func(*entry){
	unix.SYS_RECVFROM:      func(c *entry) { c.events, c.nowait = unix.POLLIN, 3 },
	unix.SYS_SENDTO:        func(c *entry) { c.events, c.nowait = unix.POLLOUT, 3 },
	unix.SYS_ACCEPT4:       func(c *entry) { c.events, c.flags, c.ours = unix.POLLIN, 3, true },
	unix.SYS_SOCKET:        func(c *entry) { c.flags, c.ours = 1, true },
	unix.SYS_SOCKETPAIR:    func(c *entry) { c.flags, c.ours = 1, true },
	unix.SYS_EVENTFD2:      func(c *entry) { c.flags, c.ours = 1, true },
	unix.SYS_INOTIFY_INIT1: func(c *entry) { c.flags, c.ours = 0, true },
	unix.SYS_PIPE2:         func(c *entry) { c.flags, c.ours = 1, true },
	unix.SYS_EPOLL_CREATE1: func(c *entry) { c.flags = 0 },
	unix.SYS_OPENAT:        func(c *entry) { c.flags, c.umask = 2, 3 },
	unix.SYS_MKDIRAT:       func(c *entry) { c.umask = 2 },
	unix.SYS_MKNODAT:       func(c *entry) { c.umask = 2 },
	unix.SYS_SYMLINKAT:     func(c *entry) { c.text = true },

	// Calls without a directory are those with one. See legacy.
	unix.SYS_OPEN:     legacy(unix.SYS_OPENAT, cwd, 0, 1, 2),
	unix.SYS_STAT:     legacy(unix.SYS_NEWFSTATAT, cwd, 0, 1, flag(0)),
	unix.SYS_LSTAT:    legacy(unix.SYS_NEWFSTATAT, cwd, 0, 1, flag(unix.AT_SYMLINK_NOFOLLOW)),
	unix.SYS_ACCESS:   legacy(unix.SYS_FACCESSAT, cwd, 0, 1),
	unix.SYS_RENAME:   legacy(unix.SYS_RENAMEAT, cwd, 0, cwd, 1),
	unix.SYS_MKDIR:    legacy(unix.SYS_MKDIRAT, cwd, 0, 1),
	unix.SYS_RMDIR:    legacy(unix.SYS_UNLINKAT, cwd, 0, flag(unix.AT_REMOVEDIR)),
	unix.SYS_UNLINK:   legacy(unix.SYS_UNLINKAT, cwd, 0, flag(0)),
	unix.SYS_LINK:     legacy(unix.SYS_LINKAT, cwd, 0, cwd, 1, flag(0)),
	unix.SYS_SYMLINK:  legacy(unix.SYS_SYMLINKAT, 0, cwd, 1),
	unix.SYS_READLINK: legacy(unix.SYS_READLINKAT, cwd, 0, 1, 2),
	unix.SYS_CHMOD:    legacy(unix.SYS_FCHMODAT, cwd, 0, 1),
	unix.SYS_CHOWN:    legacy(unix.SYS_FCHOWNAT, cwd, 0, 1, 2, flag(0)),
	unix.SYS_LCHOWN:   legacy(unix.SYS_FCHOWNAT, cwd, 0, 1, 2, flag(unix.AT_SYMLINK_NOFOLLOW)),
}

// cwd stands for AT_FDCWD, and flag for a number, in the arguments of legacy.
const cwd = -1

func flag(v int) int { return 1<<20 | v }

// legacy makes a call one by another number, whose arguments are those of the
// call, or cwd, or a flag.
func legacy(nr int, from ...int) func(*entry) {
	return func(c *entry) {
		c.serve = func(t *thread, _ *entry) int64 {
			old := t.args
			t.args = [6]uint64{}
			for i, f := range from {
				switch {
				case f == cwd:
					fd := int64(unix.AT_FDCWD)
					t.args[i] = uint64(fd)
				case f >= 1<<20:
					t.args[i] = uint64(f &^ (1 << 20))
				default:
					t.args[i] = old[f]
				}
			}
			return syscalls[nr].serve(t, &syscalls[nr])
		}
	}
}
