package process

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// The kernel keeps the current directory and the umask for all threads of the
// host program together, and the names of Unix sockets and the modes of new
// files depend on them. What needs the program's own is done by a thread that
// has left the others in this (CLONE_FS).

// errand is a system call for that thread.
type errand struct {
	nr     uintptr
	args   *[6]uintptr
	result int64
	done   chan struct{}
}

// run makes a system call with the program's directory and umask.
func (d *directory) run(nr uintptr, r *prepared) int64 {
	e := &errand{nr: nr, args: &r.args, done: make(chan struct{})}
	d.mu.Lock()
	if d.errands == nil {
		d.errands = make(chan *errand)
		ready := make(chan struct{})
		go d.serve(d.errands, ready)
		<-ready
	}
	d.errands <- e // not for long: it takes one after the other
	d.mu.Unlock()
	<-e.done
	return e.result
}

// serve runs errands until there are no more. The thread ends with it, as it
// is locked and not fit for other goroutines; the first thread of a program
// cannot end, so that one is not used.
func (d *directory) serve(errands chan *errand, ready chan struct{}) {
	runtime.LockOSThread()
	if unix.Gettid() == os.Getpid() {
		second := make(chan struct{})
		go d.serve(errands, second) // on another thread: this one is taken
		<-second
		close(ready)
		runtime.UnlockOSThread()
		return
	}
	err := unix.Unshare(unix.CLONE_FS)
	close(ready)
	for e := range errands {
		e.result = -int64(unix.EPERM)
		if err == nil {
			e.result = d.perform(e)
		}
		close(e.done)
	}
}

func (d *directory) perform(e *errand) int64 {
	cwd := d.get()
	if cwd == nil {
		return -int64(unix.ENOENT)
	}
	defer cwd.drop()
	if err := unix.Fchdir(cwd.fd); err != nil {
		return -int64(err.(unix.Errno))
	}
	unix.Umask(int(d.umask.Load()))
	return call(false, e.nr, e.args)
}
