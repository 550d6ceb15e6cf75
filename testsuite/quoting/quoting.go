// Package quoting is a machine that makes quotes, for tests: its system enclaves run,
// and a fake Intel (package testpki) has certified it.
package quoting

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"os"
	"testing"

	"github.com/feidi-dev/feidi/aesm"
	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/arch/ppid"
	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native" // the engine, where there is one
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/image"
	"github.com/feidi-dev/feidi/isa"
	"github.com/feidi-dev/feidi/pcs"
	"github.com/feidi-dev/feidi/platform"
	"github.com/feidi-dev/feidi/testpki"
	"github.com/feidi-dev/feidi/testsuite/system"
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
	m.Machine = system.PowerOn(t, enclave.MachineConfig{CPU: cpu.Config{Fuses: fuses, CPUSVN: m.Platform.SGX.CPUSVN}})
	pce, qe := system.Image(t, cache, build.PCE, key), system.Image(t, cache, build.QE, key)
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
	return system.Serve(t, aesm.Services{Quote: []aesm.QuoteService{q}})
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
