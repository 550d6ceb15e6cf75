package process

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// directory is the current directory of the program and its umask.
type directory struct {
	cwd   atomic.Pointer[file] // an O_PATH descriptor
	host  uint32               // umask of the host program
	umask atomic.Uint32

	mu      sync.Mutex
	errands chan *errand // to the goroutine that runs errands, or nil
}

const dirFlags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC

// open begins in a directory of the host.
func (d *directory) open(path string) error {
	if path == "" {
		path = "."
	}
	fd, err := unix.Open(path, dirFlags, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	d.host = hostUmask()
	d.umask.Store(d.host)
	d.enter(fd)
	return nil
}

// hostUmask returns the umask of the host program, which can be read without
// changing it only here.
func hostUmask() uint32 {
	b, _ := os.ReadFile("/proc/thread-self/status")
	_, rest, _ := strings.Cut(string(b), "\nUmask:\t")
	line, _, _ := strings.Cut(rest, "\n")
	mask, err := strconv.ParseUint(line, 8, 32)
	if err != nil {
		return 0o022
	}
	return uint32(mask)
}

// get returns the current directory, held, or nil when the process has ended.
func (d *directory) get() *file {
	for {
		f := d.cwd.Load()
		if f == nil || f.hold() {
			return f
		}
	}
}

func (d *directory) enter(fd int) {
	if old := d.cwd.Swap(newFile(fd, modeFile, true)); old != nil {
		old.drop()
	}
}

func (d *directory) close() {
	if old := d.cwd.Swap(nil); old != nil {
		old.drop()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.errands != nil {
		close(d.errands)
		d.errands = nil
	}
}

// changeTo changes to the directory at path, below the directory dir.
func (t *thread) changeTo(dir *file, path []byte) int64 {
	fd, _, e := syscall.Syscall6(unix.SYS_OPENAT, uintptr(dir.fd), addr(path), dirFlags, 0, 0, 0)
	if e != 0 {
		return -int64(e)
	}
	t.p.dir.enter(int(fd))
	return 0
}

// chdir serves chdir. The path is followed by a dot, so that the directory
// must be one that may be searched.
func (t *thread) chdir(*entry) int64 {
	var r prepared
	defer r.drop()
	p, e := t.path(&r, 0, t.args[0], true, false)
	if e != 0 {
		return e
	}
	if len(p) == 1 {
		return -int64(unix.ENOENT)
	}
	dir := t.p.dir.get()
	if dir == nil {
		return -int64(unix.ENOENT)
	}
	defer dir.drop()
	return t.changeTo(dir, append(p[:len(p)-1], "/.\x00"...)) // there is room: see pathSize
}

// fchdir serves fchdir.
func (t *thread) fchdir(*entry) int64 {
	f := t.p.files.get(t.args[0])
	if f == nil {
		return -int64(unix.EBADF)
	}
	defer f.drop()
	return t.changeTo(f, append(t.scratch.paths[0][:0], ".\x00"...))
}

// getcwd serves getcwd.
func (t *thread) getcwd(*entry) int64 {
	dir := t.p.dir.get()
	if dir == nil {
		return -int64(unix.ENOENT)
	}
	defer dir.drop()
	var st unix.Stat_t
	if err := unix.Fstat(dir.fd, &st); err == nil && st.Nlink == 0 {
		return -int64(unix.ENOENT) // it was removed
	}
	var buf [pathSize]byte
	n, err := unix.Readlink("/proc/self/fd/"+strconv.Itoa(dir.fd), buf[:])
	if err != nil {
		return -int64(err.(unix.Errno)) // ENAMETOOLONG
	}
	n++ // the NUL
	if uint64(n) > t.args[1] {
		return -int64(unix.ERANGE)
	}
	b := t.data(t.args[0], uint64(n))
	if b == nil {
		return -int64(unix.EFAULT)
	}
	copy(b, buf[:n])
	return int64(n)
}

// setUmask serves umask.
func (t *thread) setUmask(*entry) int64 {
	return int64(t.p.dir.umask.Swap(uint32(t.args[0]) & 0o777))
}

// create serves calls that make files in directories.
func (t *thread) create(c *entry) int64 {
	if t.p.dir.umask.Load() == t.p.dir.host {
		return t.generic(c)
	}
	var r prepared
	defer r.drop()
	if e := t.translate(c, &r); e != 0 {
		return e
	}
	return t.p.dir.run(c.nr, &r)
}
