package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/inside"
	"github.com/feidi-dev/feidi/internal/rig"
)

// beside is what of a machine is at work beside a program that runs on it.
type beside struct {
	env    []string            // by which the program finds AESM's socket
	tokens enclave.TokenSource // nil if it needs none
	stop   func() error
}

// launch has the launch enclave at work. It takes the place of AESM where a program
// does not attest.
func (s *services) launch(ctx context.Context, on *enclave.Machine) (*beside, error) {
	s.options.On = on
	le, err := rig.Launch(ctx, s.machine, s.options)
	if err != nil {
		return nil, err
	}
	return &beside{tokens: le.LaunchToken, stop: le.Close}, nil
}

// attest has all services of the machine at work.
func (s *services) attest(ctx context.Context, on *enclave.Machine) (*beside, error) {
	dir, err := os.MkdirTemp("", "feidi-aesm-")
	if err != nil {
		return nil, err
	}
	s.options.On = on
	up, err := rig.Start(ctx, s.machine, s.options)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	socket := filepath.Join(dir, "aesm.socket")
	l, err := aesm.Listen(socket)
	if err != nil {
		return nil, errors.Join(err, up.Close(), os.RemoveAll(dir))
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- (&aesm.Server{Services: up.Services, Log: s.options.Log}).Serve(ctx, l) }()
	b := &beside{env: []string{inside.AESMSocket + "=" + socket}, stop: func() error {
		cancel()
		return errors.Join(<-ended, up.Close(), os.RemoveAll(dir))
	}}
	if le := up.Services.Launch; le != nil {
		b.tokens = le.LaunchToken
	}
	return b, nil
}
