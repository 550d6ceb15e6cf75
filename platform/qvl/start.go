package qvl

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/image"
)

// Config is what a QvE starts with.
type Config struct {
	Machine *enclave.Machine
	Image   *image.Image // of arch/build.QVE
	// Root is a document of qve.SignRoot: the root certificate to trust, with the
	// word of the image's signer. Without it Intel's root is trusted.
	Root   []byte
	Source Source
	Stderr *os.File // of the enclave; nil: it is lost
}

// Running is a QvE that runs, and its client.
type Running struct {
	*Verifier
	client  *edl.Qve
	process *process.Process
	enclave *enclave.Enclave
}

// Start starts a QvE on a machine, which runs until Close. That it refuses its root
// shows at the first call, and on Stderr.
func Start(ctx context.Context, c Config) (*Running, error) {
	args := []string{"qve"}
	if c.Root != nil {
		args = append(args, hex.EncodeToString(c.Root))
	}
	p := process.New(process.Config{Args: args, Stderr: c.Stderr})
	e, err := c.Machine.Load(ctx, c.Image, p.Option())
	if err != nil {
		return nil, fmt.Errorf("qvl: loading the QvE: %w", err)
	}
	if err := p.Start(context.WithoutCancel(ctx), e); err != nil {
		return nil, errors.Join(fmt.Errorf("qvl: starting the QvE: %w", err), e.Destroy())
	}
	client := edl.NewQve(p)
	return &Running{New(client, c.Source), client, p, e}, nil
}

// Close ends the QvE. Calls that are under way fail.
func (r *Running) Close() error {
	r.client.Close()
	err := r.process.Signal(syscall.SIGTERM)
	if errors.Is(err, process.ErrEnded) {
		err = nil
	}
	_, waited := r.process.Wait()
	return errors.Join(err, waited, r.enclave.Destroy())
}
