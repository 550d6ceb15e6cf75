package qvl_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/qve"
	"github.com/feidi-dev/feidi/attest/tvl"
	_ "github.com/feidi-dev/feidi/cpu/native" // executes enclaves
	"github.com/feidi-dev/feidi/dcap"
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/platform/qvl"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// A QvE starts, verifies and ends.
func TestStart(t *testing.T) {
	m := system.PowerOn(t, enclave.MachineConfig{})
	ctx, pki := t.Context(), testpki.New()
	signer, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	img := system.Image(t, t.TempDir(), build.QVE, signer)
	root, err := qve.SignRoot(pki.Root.DER, signer)
	if err != nil {
		t.Fatal(err)
	}
	starting, cancel := context.WithCancel(ctx)
	r, err := qvl.Start(starting, qvl.Config{Machine: m, Image: img, Root: root})
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	p := pki.Platform()
	request := &qvl.Request{Quote: p.SGXQuote().Bytes(), Collateral: p.Collateral(dcap.TEESGX), At: pki.Now}
	if got, err := r.Verify(ctx, request); err != nil || got.Result != tvl.OK {
		t.Errorf("%+v, %v", got, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	// One that refuses its root ends by itself.
	if r, err = qvl.Start(ctx, qvl.Config{Machine: m, Image: img, Root: []byte("none")}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(ctx, request); !errors.Is(err, process.ErrEnded) {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
