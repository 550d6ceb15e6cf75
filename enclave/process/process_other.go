//go:build !linux || !amd64

package process

import (
	"context"
	"syscall"
	"time"

	"github.com/feidi-dev/feidi/edl/uedge"
	"github.com/feidi-dev/feidi/enclave"
)

// Process is a Go program that runs in an enclave.
type Process struct{}

// New returns a process that is to be started.
func New(Config) *Process { return &Process{} }

// Option is given to Machine.Load.
func (p *Process) Option() enclave.Option { return enclave.WithOtherOCalls(nil) }

// Start returns ErrPlatform.
func (p *Process) Start(context.Context, *enclave.Enclave) error { return ErrPlatform }

// Wait returns ErrNotStarted.
func (p *Process) Wait() (State, error) { return State{}, ErrNotStarted }

// Signal returns ErrNotStarted.
func (p *Process) Signal(syscall.Signal) error { return ErrNotStarted }

// FirstRequest returns zero.
func (p *Process) FirstRequest() time.Time { return time.Time{} }

// CallAt returns ErrNotStarted.
func (p *Process) CallAt(context.Context, int, uint64, uedge.Table) error { return ErrNotStarted }

// Outside returns ErrNotStarted.
func (p *Process) Outside(int) (uedge.Memory, error) { return nil, ErrNotStarted }
