package demo

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/inside"
	"github.com/feidi-dev/feidi/internal/demo/vault/edge"
	"github.com/feidi-dev/feidi/internal/rig"
)

// computer is a machine that is powered on: its services, and vaults that run on it.
type computer struct {
	name   string
	rig    *rig.Rig
	socket string
	stop   func() error // of AESM
	vaults []*vault
}

// boot powers on a machine, starts its system enclaves and AESM.
func (d *demo) boot(ctx context.Context, name string) (*computer, error) {
	m, err := d.world.Machine(name)
	if err != nil {
		return nil, err
	}
	c := &computer{name: name, socket: filepath.Join(d.dir, name+".socket")}
	if c.rig, err = rig.Start(ctx, m, rig.Options{Enclaves: d.enclaves, PCK: d.pcs, Stderr: os.Stderr}); err != nil {
		return nil, err
	}
	d.defers(c.powerOff)
	l, err := aesm.Listen(c.socket)
	if err != nil {
		return nil, err
	}
	s := &aesm.Server{Services: c.rig.Services}
	c.stop = d.serve(ctx, s.Serve, l)
	return c, nil
}

// powerOff ends all that runs on the computer. It may be called again.
func (c *computer) powerOff() error {
	var errs []error
	for _, v := range c.vaults {
		errs = append(errs, v.close())
	}
	if c.stop != nil {
		errs = append(errs, c.stop())
	}
	if c.rig != nil {
		errs = append(errs, c.rig.Close())
	}
	*c = computer{name: c.name}
	return errors.Join(errs...)
}

// vault is an enclave of the demo that runs.
type vault struct {
	*edge.Vault
	enclave *enclave.Enclave
	process *process.Process
	end     context.CancelFunc
}

// start starts a vault. Where AESM's socket is, it is told by its host.
func (c *computer) start(ctx context.Context, img *image.Image) (*vault, error) {
	v := &vault{process: process.New(process.Config{
		Args: []string{"vault"}, Env: []string{inside.AESMSocket + "=" + c.socket}, Stderr: os.Stderr,
	})}
	var err error
	if v.enclave, err = c.rig.Machine.Load(ctx, img, v.process.Option()); err != nil {
		return nil, err
	}
	ctx, v.end = context.WithCancel(ctx)
	if err := v.process.Start(ctx, v.enclave); err != nil {
		v.end()
		return nil, errors.Join(err, v.enclave.Destroy())
	}
	v.Vault = edge.NewVault(v.process)
	c.vaults = append(c.vaults, v)
	return v, nil
}

func (v *vault) close() error {
	v.Vault.Close()
	v.end()
	_, _ = v.process.Wait() // it was stopped
	return v.enclave.Destroy()
}
