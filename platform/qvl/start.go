package qvl

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/feidi-dev/feidi/arch/qve/edl"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
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
	program *supervisor.Program
}

// Start starts a QvE on a machine, which runs until Close. That it refuses its root
// shows at the first call, and on Stderr.
func Start(ctx context.Context, c Config) (*Running, error) {
	args := []string{"qve"}
	if c.Root != nil {
		args = append(args, hex.EncodeToString(c.Root))
	}
	p, err := supervisor.Start(ctx, c.Machine, c.Image, c.Stderr, args...)
	if err != nil {
		return nil, fmt.Errorf("qvl: starting the QvE: %w", err)
	}
	client := edl.NewQve(p)
	return &Running{New(client, c.Source), client, p}, nil
}

// Close ends the QvE. Calls that are under way fail.
func (r *Running) Close() error {
	r.client.Close()
	return r.program.Close()
}
