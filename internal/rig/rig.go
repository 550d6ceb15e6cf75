// Package rig powers on machines of a world and has their system enclaves at
// work: what a computer does before anybody can ask it for a quote.
package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/images"
	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/world"
)

// PowerOn powers on a machine. trace may be nil, see cpu.Config.
func PowerOn(m *world.Machine, trace func(cpu.Event)) (*enclave.Machine, error) {
	c := m.CPU()
	c.Trace = trace
	return enclave.PowerOn(enclave.MachineConfig{CPU: c, LockedLaunch: m.LockedLaunch})
}

// Enclaves gets the images of system enclaves, each once.
type Enclaves struct {
	World *world.World
	Cache string    // directory for what is built
	Log   io.Writer // of the build; nil for none

	mu   sync.Mutex
	have map[string]*image.Image
}

// Image returns an enclave signed by the world. All get the same, which is not to be
// changed.
func (e *Enclaves) Image(ctx context.Context, b build.Enclave) (*image.Image, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if img := e.have[b.Name]; img != nil {
		return img, nil
	}
	img, err := images.Image(ctx, b, e.World.EnclaveKey(), e.World.Created(), images.Options{Cache: e.Cache, Log: e.Log})
	if err != nil {
		return nil, err
	}
	if e.have == nil {
		e.have = map[string]*image.Image{}
	}
	e.have[b.Name] = img
	return img, nil
}

// Options say how a machine's services are started.
type Options struct {
	Enclaves *Enclaves
	On       *enclave.Machine // what PowerOn returned; nil to have it powered on
	PCE      *image.Image     // in place of the world's own; nil for that
	PCK      platform.PCKSource
	Signers  [][32]byte // MRSIGNERs that a machine with locked launch control launches, besides the world's
	Stderr   *os.File
	Log      *slog.Logger
}

// Rig is a machine that is at work.
type Rig struct {
	Machine  *enclave.Machine
	Platform *platform.Platform
	Services aesm.Services // what AESM offers

	close []func() error
}

// Start starts the services of a machine.
func Start(ctx context.Context, m *world.Machine, o Options) (_ *Rig, err error) {
	w := o.Enclaves.World
	if m.World != w.Name() {
		return nil, fmt.Errorf("machine %s is not of this world: `feidi machine new --adopt %s` has the factory know it", m.Name, m.Name)
	}
	if o.PCE != nil && m.LockedLaunch && (o.PCE.SigStruct == nil || sign.MRSigner(o.PCE.SigStruct) != w.LEPubKeyHash()) {
		return nil, fmt.Errorf("machine %s launches no PCE but the world's own, since its launch control is locked", m.Name)
	}
	r := new(Rig)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	c := platform.Config{
		PCE: o.PCE, PPIDKey: w.PPIDDocument(), PCK: o.PCK,
		Dir: m.Dir(), Stderr: o.Stderr, Log: o.Log,
	}
	if c.PCE == nil {
		if c.PCE, err = o.Enclaves.Image(ctx, build.PCE); err != nil {
			return nil, err
		}
	}
	if c.QE, err = o.Enclaves.Image(ctx, build.QE); err != nil {
		return nil, err
	}
	if o.On == nil {
		if o.On, err = PowerOn(m, nil); err != nil {
			return nil, err
		}
		r.close = append(r.close, o.On.Close)
	}
	r.Machine = o.On
	if m.LockedLaunch {
		le, err := Launch(ctx, m, o)
		if err != nil {
			return nil, err
		}
		r.close, r.Services.Launch = append(r.close, le.Close), le
	}
	c.Machine = r.Machine
	if r.Platform, err = platform.Start(ctx, c); err != nil {
		return nil, err
	}
	r.close = append(r.close, r.Platform.Close)
	if o.PCE != nil {
		// The factory has to know whose keys it is to certify.
		secs, err := r.Platform.PCE(ctx)
		if err != nil {
			return nil, err
		}
		if err := w.AddPCE(&secs); err != nil {
			return nil, err
		}
	}
	r.Services.Quote = []aesm.QuoteService{r.Platform}
	e := newEPID(m, o)
	r.close, r.Services.EPID = append(r.close, e.Close), e
	return r, nil
}

// Close ends the services, and powers off what Start has powered on.
func (r *Rig) Close() error {
	var errs []error
	for _, f := range slices.Backward(r.close) {
		errs = append(errs, f())
	}
	r.close = nil
	return errors.Join(errs...)
}
