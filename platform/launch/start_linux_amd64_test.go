package launch_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/le"
	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native" // executes enclaves
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/internal/toy"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/platform/launch"
	"github.com/feidi-dev/feidi/sign"
	"github.com/feidi-dev/feidi/testsuite/system"
)

// From a machine that launches nobody's enclaves to one that launches Ann's: all
// through AESM's messages, and with a real launch enclave.
func TestMachine(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + build.LE.Threads))
	signer, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	system.PowerOn(t, enclave.MachineConfig{}) // skips where there can be no machine
	img := system.Image(t, t.TempDir(), build.LE, signer)
	m := system.PowerOn(t, enclave.MachineConfig{LockedLaunch: true, CPU: cpu.Config{LEPubKeyHash: sign.MRSigner(img.SigStruct)}})

	h := newHost() // for its root
	c := launch.Config{Machine: m, Image: img, WhiteList: filepath.Join(t.TempDir(), "list"), Stderr: os.Stderr}
	if c.Policy, err = (&le.Policy{WhiteListRoot: &h.root.PublicKey}).Sign(signer); err != nil {
		t.Fatal(err)
	}
	annsKey, err := sign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := toy.Build(toy.Options{Key: annsKey})
	if err != nil {
		t.Fatal(err)
	}
	app := parse(t, b)
	token := func(r *launch.Running) (*isa.EinitToken, aesm.Code) {
		t.Helper()
		a := isa.Attributes{Flags: app.Attributes.Flags, XFRM: app.Attributes.XFRM & m.Processor().XFRM()}
		services, q := aesm.Services{Launch: r}, &aesm.GetLaunchTokenRequest{MREnclave: app.SigStruct.EnclaveHash[:], MRSigner: app.SigStruct.Modulus[:]}
		if q.Attributes, err = a.AppendBinary(nil); err != nil {
			t.Fatal(err)
		}
		resp := services.Answer(t.Context(), q).(*aesm.GetLaunchTokenResponse)
		if resp.ErrorCode != aesm.Success {
			return nil, resp.ErrorCode
		}
		e := new(isa.EinitToken)
		if err := e.UnmarshalBinary(resp.Token); err != nil {
			t.Fatal(err)
		}
		return e, aesm.Success
	}
	for i, want := range []aesm.Code{aesm.ErrUnexpected, aesm.Success} { // the second has what the first has kept
		r, err := launch.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if _, code := token(r); code != want {
			t.Errorf("start %d: %v, want %v", i+1, code, want)
		}
		if i == 0 {
			if err := r.RegisterWhiteList(t.Context(), h.list(t, 4, &app.SigStruct.Modulus)); err != nil {
				t.Fatal(err)
			}
		}
		einit, code := token(r)
		if code != aesm.Success {
			t.Fatalf("start %d: %v", i+1, code)
		}
		e, err := m.Load(context.Background(), app, enclave.WithEinitToken(einit))
		if err != nil {
			t.Fatal(err)
		}
		if got := e.SECS().MRSigner; got != sha256.Sum256(app.SigStruct.Modulus[:]) {
			t.Errorf("MRSIGNER %x", got)
		}
		if err := errors.Join(e.Destroy(), r.Close()); err != nil {
			t.Error(err)
		}
	}

	// Another's word for a policy.
	if c.Policy, err = (&le.Policy{WhiteListRoot: &h.root.PublicKey}).Sign(annsKey); err != nil {
		t.Fatal(err)
	}
	c.Stderr = nil
	if r, err := launch.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "white list") {
		t.Errorf("a policy of another: %v, %v", r, err)
	}
}

func parse(t *testing.T, b []byte) *image.Image {
	t.Helper()
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}
