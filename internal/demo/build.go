package demo

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/images"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/rig"
	"github.com/feidi-dev/feidi/measure"
	"github.com/feidi-dev/feidi/sign"
)

// signer is the key of somebody who signs enclaves.
type signer struct {
	key *rsa.PrivateKey
	err error
}

// build builds the enclaves, or finds them where they were built before, and draws
// the keys of two who sign vaults meanwhile.
func (d *demo) build(ctx context.Context) error {
	d.signers = make(chan signer, 2)
	go func() {
		for range cap(d.signers) {
			key, err := sign.GenerateKey(rand.Reader)
			d.signers <- signer{key, err}
		}
	}()
	d.enclaves = &rig.Enclaves{World: d.world, Cache: d.Cache, Log: d.Log}
	for _, e := range []build.Enclave{build.PCE, build.QE} {
		if _, err := d.enclaves.Image(ctx, e); err != nil {
			return err
		}
	}
	var err error
	vault := build.Enclave{Name: "vault", Package: "github.com/feidi-dev/feidi/internal/demo/vault"}
	if d.program, err = images.Program(ctx, vault, images.Options{Cache: d.Cache, Log: d.Log}); err != nil {
		return err
	}
	if d.image, err = d.sign(); err != nil {
		return err
	}
	hash, signer := measure.Image(d.image), sign.MRSigner(d.image.SigStruct)
	d.say("build", "the vault, a Go program, is an enclave: MRENCLAVE %s, MRSIGNER %s", short(hash[:]), short(signer[:]))
	return nil
}

// sign returns the vault, signed by somebody new.
func (d *demo) sign() (*image.Image, error) {
	s := <-d.signers
	if s.err != nil {
		return nil, s.err
	}
	b, err := gobuild.Link(d.program, gobuild.Options{Heap: gobuild.MinHeap, Threads: 16, ISVProdID: 1, ISVSVN: 1, Key: s.key, Date: time.Now()})
	if err != nil {
		return nil, err
	}
	return image.Parse(b)
}
