package launch

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/feidi-dev/feidi/arch/le/edl"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/platform/internal/supervisor"
)

// Config is what a launch enclave starts with.
type Config struct {
	Machine *enclave.Machine
	Image   *image.Image // of arch/build.LE, signed by whom the machine launches without a token
	// Policy is a document of le.Policy.Sign, with the word of the image's signer.
	// Without it there is no white list, and only debug enclaves are launched.
	Policy    []byte
	WhiteList string   // the file for the white list; its directory must be there
	Stderr    *os.File // of the enclave; nil: it is lost
}

// Running is a launch enclave that runs, and its service.
type Running struct {
	*Service
	client  *edl.LaunchEnclave
	program *supervisor.Program
}

// Start starts a launch enclave, which runs until Close. That it refuses its policy
// shows at the first call, and on Stderr. Errors: those of New and of the machine.
func Start(ctx context.Context, c Config) (*Running, error) {
	args := []string{"le"}
	if c.Policy != nil {
		args = append(args, hex.EncodeToString(c.Policy))
	}
	p, err := supervisor.Start(ctx, c.Machine, c.Image, c.Stderr, args...)
	if err != nil {
		return nil, fmt.Errorf("launch: starting the launch enclave: %w", err)
	}
	r := &Running{client: edl.NewLaunchEnclave(p), program: p}
	if r.Service, err = New(ctx, r.client, c.WhiteList); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close ends the enclave. Calls that are under way fail.
func (r *Running) Close() error {
	r.client.Close()
	return r.program.Close()
}
