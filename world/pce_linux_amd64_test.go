package world

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/feidi-dev/feidi/arch/build"
	"github.com/feidi-dev/feidi/arch/derive"
	"github.com/feidi-dev/feidi/cpu"
	_ "github.com/feidi-dev/feidi/cpu/native" // executes enclaves
	"github.com/feidi-dev/feidi/enclave"
	"github.com/feidi-dev/feidi/enclave/process"
	"github.com/feidi-dev/feidi/gobuild"
	"github.com/feidi-dev/feidi/image"
)

// The PCE that a world certifies for is the one that runs on its machines: as it is
// built and loaded, EGETKEY sees what the factory computes with.
func TestOwnPCE(t *testing.T) {
	if testing.Short() {
		t.Skip("builds an enclave")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	w, _ := newWorld(t)
	m, err := w.NewMachine("m", MachineOptions{LockedLaunch: true})
	if err != nil {
		t.Fatal(err)
	}
	on, err := enclave.PowerOn(enclave.MachineConfig{CPU: m.CPU(), LockedLaunch: m.LockedLaunch})
	if errors.Is(err, enclave.ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	tools, err := gobuild.FindToolchain(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b, err := tools.Build(t.Context(), ".", build.PCE.Package, nil, build.PCE.Options(w.EnclaveKey(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), nil)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	e, err := on.Load(t.Context(), img, process.New(process.Config{}).Option())
	if err != nil {
		t.Fatal(err) // also if launch control, which is locked, does not let it run
	}
	secs := e.SECS()
	r := derive.ProvisioningRequest([16]byte{}, 0)
	if derive.PPID(cpu.ProvisioningKey(m.CPU().Fuses.RootProvisioningKey, &secs, &r)) != ppidOf(w, m) {
		t.Errorf("the world certifies for another PCE than %+v", pceOf(&secs))
	}
	if err := errors.Join(e.Destroy(), on.Close()); err != nil {
		t.Error(err)
	}
}
