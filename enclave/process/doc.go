// Package process runs a Go enclave as a process: it is the untrusted side of a
// Go program inside an enclave, and serves the system calls of the program,
// which come out as OCALLs by the protocol of package goabi.
//
//	p := process.New(process.Config{Args: []string{"hello"}, Stdout: os.Stdout})
//	e, err := m.Load(ctx, img, p.Option())
//	err = p.Start(ctx, e)
//	state, err := p.Wait()
//	err = e.Destroy()
//
// The program has descriptors, a current directory and a umask of its own, as
// a process has; those of the host program are not touched. What it does to
// files is done with the rights of the user that the host program runs as, and
// nothing here confines it: a path leads the program to whatever it leads the
// user to, the files of /proc about the host program included, except that
// /proc/self/fd and /dev/fd followed by a number are the program's own.
//
// The enclave is not trusted with the host's memory, though: each offset and
// length is checked against the thread's block, and requests that would have
// the kernel follow an address that it finds in memory are refused (most of
// ioctl, some options of sockets). What makes no sense gets an errno.
//
// ECALLs of the program's own EDL are made by Process.CallAt, which makes a
// Process an uedge.Enclave. Each goes to a thread of the program that waits
// for one, or to the one that has made the OCALL that it is nested in.
//
// The package works on linux/amd64. Elsewhere Start returns ErrPlatform.
//
// Locks: Process.mu guards the threads, their blocks and how the process
// ended; table.mu what is written to the descriptor table; calls.mu the workers
// and ECALLs; allocations.mu the memory outside; directory.mu the thread that
// runs errands, and who holds it may wait for an errand to end. None is taken
// while another is held.
package process
