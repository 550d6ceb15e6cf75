// Package demo plays the whole path of remote attestation on one machine, from
// the fuses to a relying party that gives a secret away: with real formats on
// every edge, real sockets between the services, and real enclaves. Each step is
// checked; one that does not come out as on hardware ends the demo.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/rig"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/world"
)

// Step is a step that came out as it should.
type Step struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// ErrUnexpected is the error of a step that did not come out as it must.
var ErrUnexpected = errors.New("this must not be")

// Options say what the demo works with.
type Options struct {
	Cache string     // directory for what is built
	Log   io.Writer  // gets a line when a build takes long, and what the compiler says; may be nil
	Say   func(Step) // is told of each step
}

// demo is a demo under way.
type demo struct {
	Options
	dir string

	world    *world.World
	enclaves *rig.Enclaves
	signers  chan signer  // of vaults
	program  []byte       // of the vault
	image    *image.Image // of the vault, signed
	pcs      *pcs.Client  // of the machines' services
	service  pcs.Config   // of the relying party
	relying  *relying

	laptop, desktop *computer
	vault           *vault // on the laptop
	secret          []byte
	blob            []byte // the secret, sealed on the laptop

	cleanup []func() error
}

// Run plays the demo.
func Run(ctx context.Context, o Options) (err error) {
	if len(cpu.Engines()) == 0 {
		return enclave.ErrNoEngine
	}
	d := &demo{Options: o}
	defer func() {
		for _, f := range slices.Backward(d.cleanup) {
			err = errors.Join(err, f())
		}
	}()
	if d.dir, err = os.MkdirTemp("", "feidi-demo-"); err != nil {
		return err
	}
	d.defers(func() error { return os.RemoveAll(d.dir) })
	for _, s := range []struct {
		name string
		make func(context.Context) error
	}{
		{"factory", d.factory}, {"build", d.build}, {"boot", d.start}, {"local attestation", d.local},
		{"remote attestation", d.remote}, {"recovery", d.recovery}, {"tampered enclaves", d.tampered}, {"revocation", d.revoked},
	} {
		if err := s.make(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// defers has something done when the demo ends, whatever was deferred later first.
func (d *demo) defers(f func() error) { d.cleanup = append(d.cleanup, f) }

func (d *demo) say(name, format string, args ...any) {
	if d.Say != nil {
		d.Say(Step{name, fmt.Sprintf(format, args...)})
	}
}

// serve serves something at a listener until the demo ends.
func (d *demo) serve(ctx context.Context, serve func(context.Context, net.Listener) error, l net.Listener) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, l) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	d.defers(stop)
	return stop
}

// short is the beginning of a hash.
func short(b []byte) string { return fmt.Sprintf("%x…", b[:8]) }
