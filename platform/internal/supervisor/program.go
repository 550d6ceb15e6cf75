// Package supervisor has system enclaves run on a machine: as programs of their own,
// or such that are started when they are called, and again when they have died.
package supervisor

import (
	"context"
	"errors"
	"os"

	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/image"
)

// Program is a Go enclave that runs.
type Program struct {
	*process.Process
	Enclave *enclave.Enclave

	end context.CancelFunc
}

// Start loads a Go enclave and starts its program, which does not end with ctx. The
// first argument is its name. stderr may be nil.
func Start(ctx context.Context, m *enclave.Machine, img *image.Image, stderr *os.File, args ...string) (*Program, error) {
	p := process.New(process.Config{Args: args, Stderr: stderr})
	e, err := m.Load(ctx, img, p.Option())
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	if err := p.Start(life, e); err != nil {
		end()
		return nil, errors.Join(err, e.Destroy())
	}
	return &Program{p, e, end}, nil
}

// Close ends the program and destroys the enclave. Calls that are under way fail.
// That it has died is no error.
func (p *Program) Close() error {
	p.end()
	_, _ = p.Wait() // that it was ended, or what it died of
	return destroy(p.Enclave)
}

// destroy destroys an enclave, unless it was.
func destroy(e *enclave.Enclave) error {
	if err := e.Destroy(); err != nil && !errors.Is(err, enclave.ErrDestroyed) {
		return err
	}
	return nil
}
