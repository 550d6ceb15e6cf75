package world

import (
	"errors"
	"slices"
	"testing"

	"github.com/feidi-dev/feidi/dcap"
)

func TestStanding(t *testing.T) {
	w, _ := newWorld(t)
	check := func(name string, want Standing) {
		t.Helper()
		m, err := w.Machine(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.Standing(m)
		if err != nil || got.Certified != want.Certified || got.Revoked != want.Revoked || got.TCB != want.TCB || !slices.Equal(got.Advisories, want.Advisories) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
	for name, packages := range map[string]int{"a": 1, "b": 1, "many": 2} {
		if _, err := w.NewMachine(name, MachineOptions{Packages: packages}); err != nil {
			t.Fatal(err)
		}
	}
	check("a", Standing{Certified: true, TCB: dcap.UpToDate})
	check("many", Standing{TCB: dcap.UpToDate})
	m, err := w.Machine("many")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Register(m.Manifest()); err != nil {
		t.Fatal(err)
	}
	check("many", Standing{Certified: true, TCB: dcap.UpToDate})
	if _, err := w.Recover("a", RecoverOptions{Advisories: []string{"INTEL-SA-00001"}}); err != nil {
		t.Fatal(err)
	}
	check("a", Standing{Certified: true, TCB: dcap.UpToDate})
	check("b", Standing{Certified: true, TCB: dcap.OutOfDate, Advisories: []string{"INTEL-SA-00001"}})
	if err := w.RevokeMachine("b", KeyCompromise); err != nil {
		t.Fatal(err)
	}
	check("b", Standing{Certified: true, Revoked: true, TCB: dcap.OutOfDate, Advisories: []string{"INTEL-SA-00001"}})
	early, err := UseMachine(w.dir, "early")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Standing(early); !errors.Is(err, ErrNotAdopted) {
		t.Errorf("a machine of no factory: %v", err)
	}
}
