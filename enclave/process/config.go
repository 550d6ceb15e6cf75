package process

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
)

// Config is what a process starts with.
type Config struct {
	// Args and Env are the arguments, the first of them the program's name,
	// and the environment, as NAME=VALUE. The program sees exactly these.
	Args, Env []string
	// Dir is the current directory; empty for that of the host program.
	Dir string
	// Stdin, Stdout and Stderr become descriptors 0, 1 and 2. Those that are
	// nil are /dev/null. The process has copies: the files may be closed
	// after Start.
	Stdin, Stdout, Stderr *os.File
	// CPUs is how many processors the program should use; 0 for as many as
	// the host program has.
	CPUs int
	// OCalls serves OCALLs that the program makes while it serves no ECALL,
	// and those that the table of the ECALL lacks.
	OCalls uedge.Table
	// Tamper is for tests. It is nil for a host that does not lie.
	Tamper *Tamper
}

// Tamper is a host that lies, for tests of what an enclave makes of one. Each
// function may be nil.
type Tamper struct {
	// Boot may change the boot block (package goabi) before the program starts.
	Boot func(block []byte)
	// OCall is called for each OCALL in place of honest, which serves it.
	OCall func(ctx context.Context, c *enclave.Call, honest enclave.OCall) enclave.Status
	// Ended is called when the program has ended, before its memory outside is
	// freed.
	Ended func()
}

// State is how a process ended.
type State struct {
	ExitCode int
	// Signal is the signal that the program ended by, or 0.
	Signal syscall.Signal
}

// Errors of this package. They are wrapped with detail.
var (
	ErrPlatform = errors.New("process: Go enclaves run on linux/amd64 only")
	// ErrEnded is returned by a call into a process that has ended.
	ErrEnded = errors.New("process: the program has ended")
	// ErrStarted is returned by Start of a process that was started before.
	ErrStarted = errors.New("process: was started before")
	// ErrNotStarted is returned by what needs a started process.
	ErrNotStarted = errors.New("process: is not started")
	// ErrProgram is returned for a program that breaks the protocol.
	ErrProgram = errors.New("process: the program ended in a way that no Go program does")
)
