// Package quoting is a machine that makes quotes, for tests: its system enclaves run,
// and a fake Intel (package testpki) has certified it.
//
// A test program that uses it sets GOMAXPROCS as the command does: to the number of
// processors and of the threads that may be inside of enclaves.
package quoting

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native" // the engine, where there is one
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/testpki"
)

// Machine is a machine that makes quotes.
type Machine struct {
	*enclave.Machine
	PKI      *testpki.PKI
	Platform *testpki.Platform // its certificates
	Quotes   *platform.Platform

	factory factory
}

// New starts a machine with PCE and QE, which it builds in the directory cache and
// signs with the key. It skips the test where there are no enclaves.
func New(t testing.TB, cache string, key *rsa.PrivateKey) *Machine {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil || testing.Short() {
		t.Skip("builds enclaves with the go command")
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	m := &Machine{PKI: testpki.New()}
	m.Platform = m.PKI.Platform()
	fuses, err := cpu.NewFuses(rand.Reader)
	ok(err)
	m.Machine, err = enclave.PowerOn(enclave.MachineConfig{CPU: cpu.Config{Fuses: fuses, CPUSVN: m.Platform.SGX.CPUSVN}})
	if errors.Is(err, enclave.ErrNoEngine) {
		t.Skip(err)
	}
	ok(err)
	t.Cleanup(func() { closed(t, m.Close) })

	pce, qe := compile(t, cache, build.PCE, key), compile(t, cache, build.QE, key)
	ppidKey, err := rsa.GenerateKey(rand.Reader, 3072)
	ok(err)
	doc, err := ppid.Sign(&ppidKey.PublicKey, key)
	ok(err)
	m.factory = factory{m.Platform, fuses.RootProvisioningKey, secs(t, m.Machine, pce), ppidKey}
	m.PKI.QE.MRSigner = m.factory.pce.MRSigner // of all system enclaves
	m.PKI.QE.MiscSelectMask = 0                // EXINFO is the machine's to have
	m.Quotes, err = platform.Start(t.Context(), platform.Config{Machine: m.Machine, PCE: pce, QE: qe, PPIDKey: doc, PCK: &m.factory, Stderr: os.Stderr})
	ok(err)
	t.Cleanup(func() { closed(t, m.Quotes.Close) })
	return m
}

// Serve serves a maker of quotes at a socket, as AESM does, and returns its path.
func Serve(t testing.TB, q aesm.QuoteService) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "aesm.socket")
	l, err := aesm.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := &aesm.Server{Services: aesm.Services{Quote: []aesm.QuoteService{q}}}
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		closed(t, func() error { return <-done })
	})
	return path
}

// factory is who knows the secrets of a machine and certifies it. It is a
// platform.PCKSource.
type factory struct {
	machine             *testpki.Platform
	rootProvisioningKey [16]byte
	pce                 *isa.SECS
	key                 *rsa.PrivateKey // that PPIDs are encrypted to
}

// provisioningKey computes the PCE's.
func (f *factory) provisioningKey(cpuSVN [16]byte, pceSVN uint16) [16]byte {
	r := derive.ProvisioningRequest(cpuSVN, pceSVN)
	return cpu.ProvisioningKey(f.rootProvisioningKey, f.pce, &r)
}

// PCKCert implements platform.PCKSource.
func (f *factory) PCKCert(_ context.Context, r pcs.PCKRequest) (*pcs.PCKCert, error) {
	name := derive.PPID(f.provisioningKey([16]byte{}, 0))
	if got, err := rsa.DecryptOAEP(sha256.New(), nil, f.key, r.EncryptedPPID, nil); err != nil || [16]byte(got) != name {
		return nil, pcs.ErrNotFound
	}
	sgx := &f.machine.SGX
	sgx.PPID, sgx.PCESVN = name, r.PCESVN
	var pck crypto.Signer = derive.PCK(f.provisioningKey(sgx.CPUSVN, sgx.PCESVN))
	f.machine.Reissue(func(c *testpki.Template) { c.Key = pck })
	return &pcs.PCKCert{Chain: f.machine.ChainPEM(), FMSPC: sgx.FMSPC, CPUSVN: sgx.CPUSVN, PCESVN: sgx.PCESVN}, nil
}

// compile builds a system enclave.
func compile(t testing.TB, cache string, e build.Enclave, key *rsa.PrivateKey) *image.Image {
	t.Helper()
	tc, err := gobuild.FindToolchain(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	b, err := tc.Build(t.Context(), ".", e.Package, nil, e.Options(key, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), nil)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// secs returns the SECS that an enclave has on a machine.
func secs(t testing.TB, m *enclave.Machine, img *image.Image) *isa.SECS {
	t.Helper()
	e, err := m.Load(t.Context(), img, process.New(process.Config{}).Option())
	if err != nil {
		t.Fatal(err)
	}
	s := e.SECS()
	closed(t, e.Destroy)
	return &s
}

func closed(t testing.TB, f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Error(err)
	}
}
