package world

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/feidi-dev/feidi/cpu"
	"github.com/feidi-dev/feidi/dcap"
)

func TestNewMachine(t *testing.T) {
	w, _ := newWorld(t)
	a, err := w.NewMachine("a", MachineOptions{LockedLaunch: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.NewMachine("b", MachineOptions{FMSPC: [6]byte{9}, CPUSVN: [16]byte{3, 2, 1}, Packages: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a.CPU().Fuses == (cpu.Fuses{}) || a.CPU().Fuses == b.CPU().Fuses || a.CPU().CPUSVN != DefaultCPUSVN || b.CPU().CPUSVN != [16]byte{3, 2, 1} {
		t.Error("no fuses of their own, or not the CPUSVN")
	}
	if a.CPU().LEPubKeyHash != w.LEPubKeyHash() || !a.LockedLaunch || b.CPU().LEPubKeyHash != [32]byte{} || b.LockedLaunch {
		t.Error("launch control")
	}
	if a.Manifest() != nil || a.Packages != 1 || a.World != "test" || !a.Created.Equal(w.now()) || a.FMSPC != DefaultFMSPC || b.FMSPC != [6]byte{9} {
		t.Errorf("%+v", a)
	}
	for _, m := range []*Machine{a, b} {
		again, err := w.reopen(t).Machine(m.Name)
		if err != nil || again.CPU().Fuses != m.CPU().Fuses || again.CPUSVN != m.CPUSVN || again.FMSPC != m.FMSPC {
			t.Errorf("%s: another the second time, %v", m.Name, err)
		}
	}
	// The factory keeps the root provisioning key, and not the root seal key.
	file, err := os.ReadFile(w.path(factoryFile))
	if err != nil {
		t.Fatal(err)
	}
	f := a.CPU().Fuses
	provisioning, _ := octets(f.RootProvisioningKey[:]).MarshalText()
	seal, _ := octets(f.RootSealKey[:]).MarshalText()
	if !strings.Contains(string(file), string(provisioning)) || strings.Contains(string(file), string(seal)) {
		t.Error("the factory knows not the root provisioning key, or the root seal key")
	}
	if info, err := os.Stat(a.Dir()); err != nil || !info.IsDir() || a.Dir() == b.Dir() {
		t.Errorf("%s: %v", a.Dir(), err)
	}

	for _, c := range []struct {
		name string
		o    MachineOptions
		want error
	}{
		{"a", MachineOptions{}, ErrMachineExists}, {"c", MachineOptions{Packages: 9}, ErrOptions}, {"c", MachineOptions{Packages: -1}, ErrOptions},
		{"", MachineOptions{}, ErrName}, {"../a", MachineOptions{}, ErrName}, {"a/b", MachineOptions{}, ErrName}, {"-a", MachineOptions{}, ErrName},
		{strings.Repeat("a", 65), MachineOptions{}, ErrName},
	} {
		if _, err := w.NewMachine(c.name, c.o); !errors.Is(err, c.want) {
			t.Errorf("%q %+v: %v", c.name, c.o, err)
		}
		if _, err := w.Machine(c.name); c.want == ErrName && !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", c.name, err)
		}
	}
	if _, err := w.Machine("c"); !errors.Is(err, ErrNoMachine) {
		t.Errorf("no machine: %v", err)
	}
	families, err := w.FMSPCs()
	if want := []FMSPC{{DefaultFMSPC, "E5"}, {[6]byte{9}, "E5"}}; err != nil || !slices.Equal(families, want) {
		t.Errorf("families %v, %v", families, err)
	}
}

// A machine without a world is drawn once, works, and can be adopted.
func TestUseAndAdopt(t *testing.T) {
	w, _ := newWorld(t)
	var wait sync.WaitGroup
	fuses := make([]cpu.Fuses, 16)
	for i := range fuses {
		wait.Go(func() {
			m, err := UseMachine(w.dir, "free")
			if err != nil {
				t.Error(err)
				return
			}
			fuses[i] = m.CPU().Fuses
		})
	}
	wait.Wait()
	if fuses[0] == (cpu.Fuses{}) || !slices.Equal(fuses, slices.Repeat(fuses[:1], len(fuses))) {
		t.Fatal("of many that want a machine for the first time, not one draws its fuses")
	}
	if files, err := os.ReadDir(filepath.Join(w.dir, machinesDir)); err != nil || len(files) != 1 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
	if _, err := UseMachine(w.dir, "../x"); !errors.Is(err, ErrName) {
		t.Errorf("a bad name: %v", err)
	}

	// As it was written before there were worlds.
	f := cpu.Fuses{RootProvisioningKey: [16]byte{1}, RootSealKey: [16]byte{2}}
	b, err := json.MarshalIndent(map[string]any{
		"warning": "SOFTWARE", "root_provisioning_key": f.RootProvisioningKey[:], "root_seal_key": f.RootSealKey[:], "cpu_svn": make([]byte, 16),
	}, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, machinesDir, "old.json")
	for _, bad := range []string{"", "{", "{}", `{"root_seal_key": "AAAA"}`, strings.Replace(string(b), "AQAA", "A", 1), strings.Replace(string(b), "AQAAAA", "AQ", 1)} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := UseMachine(w.dir, "old"); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := w.Machines(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: all machines: %v", bad, err)
		}
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	old, err := UseMachine(w.dir, "old")
	if err != nil || old.CPU().Fuses != f || old.World != "" || old.Packages != 1 || old.CPUSVN != [16]byte{} {
		t.Fatalf("%+v, %v", old, err)
	}
	if _, err := w.PCKs(ppidOf(w, old), 0); !errors.Is(err, ErrUnknownPlatform) {
		t.Errorf("certified without being known: %v", err)
	}
	if _, err := w.Recover("old", RecoverOptions{}); !errors.Is(err, ErrNotAdopted) {
		t.Errorf("recovered without being known: %v", err)
	}
	for range 2 {
		m, err := w.Adopt("old")
		if err != nil || m.CPU().Fuses != f || m.World != "test" || m.CPUSVN != DefaultCPUSVN || m.FMSPC != DefaultFMSPC {
			t.Fatalf("%+v, %v", m, err)
		}
		if r, _ := judged(t, w, m, quoteOf(t, w, m), Selection{}); r.Err() != nil || r.TCBStatus != dcap.UpToDate {
			t.Errorf("adopted: %v", r.Err())
		}
	}
	if s, err := w.state(); err != nil || len(s.Platforms) != 1 {
		t.Errorf("%d platforms, %v", len(s.Platforms), err)
	}
	if _, err := w.Adopt("nobody"); !errors.Is(err, ErrNoMachine) {
		t.Errorf("nobody: %v", err)
	}
	all, err := w.Machines()
	if err != nil || len(all) != 2 || all[0].Name != "free" || all[0].World != "" || all[1].Name != "old" || all[1].World != "test" {
		t.Errorf("%v, %v", all, err)
	}

	// A machine of another world is not one of this.
	other, _ := newWorld(t)
	m, err := other.NewMachine("theirs", MachineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m.dir = w.dir
	if err := m.write(true); err != nil {
		t.Fatal(err)
	}
	for _, f := range []func(string) (*Machine, error){w.Machine, w.Adopt} {
		if _, err := f("theirs"); !errors.Is(err, ErrOtherWorld) {
			t.Errorf("of another world: %v", err)
		}
	}
	if all, err := w.Machines(); err != nil || len(all) != 2 {
		t.Errorf("%d machines, %v", len(all), err)
	}
}

// A machine that was adopted half way is adopted whole the second time.
func TestAdoptAgain(t *testing.T) {
	w, _ := newWorld(t)
	m, err := UseMachine(w.dir, "m")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, machinesDir, "m.json")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Adopt("m"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, before, 0o600); err != nil { // as if it had been killed before
		t.Fatal(err)
	}
	again, err := w.Adopt("m")
	if err != nil || again.CPU().Fuses != m.CPU().Fuses {
		t.Fatal(err)
	}
	if s, err := w.state(); err != nil || len(s.Platforms) != 1 {
		t.Errorf("%d platforms, %v", len(s.Platforms), err)
	}
}
